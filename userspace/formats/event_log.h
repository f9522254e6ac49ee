/* SPDX-License-Identifier: MIT */
/*
 * What firmware and boot loader have measured into a TPM, event by event: the log of "TCG
 * PC Client Platform Firmware Profile", section 10, in its crypto-agile form. Nothing in it
 * is signed. The digests are what the PCRs were extended with, which a quote of these shows;
 * what an event says of itself, its type as well, is its word alone unless its digest is the
 * hash of that. An event is read at a time, in place: no size that it names is allocated.
 */
#ifndef CVM_EVENT_LOG_H
#define CVM_EVENT_LOG_H

#include "format.h"

#define CVM_EVENT_LOG_MAX	(256U << 10)	/* bytes; real machines' have 20 to 60 KiB */
#define CVM_EVENT_BANKS_MAX	8
#define CVM_EVENT_PCRS		24
#define CVM_EVENT_DIGEST	32		/* of the SHA-256 bank, the only one that is read */

/* eventType: those that mean something to us */
enum cvm_event_type {
	CVM_EV_NO_ACTION = 0x3,		/* extends nothing */
	CVM_EV_SEPARATOR = 0x4,
	CVM_EV_EFI_VARIABLE_DRIVER_CONFIG = 0x80000001,
	CVM_EV_EFI_VARIABLE_AUTHORITY = 0x800000e0,
};

/**
 * struct cvm_event - TCG_PCR_EVENT2
 * @number: its place in the log, from 1 on; the header is 0
 * @offset: where it begins
 * @pcr: pcrIndex, below CVM_EVENT_PCRS unless the event extends nothing
 * @type: eventType
 * @digest: of the SHA-256 bank; NULL: an event that extends nothing may have none
 * @data: event
 */
struct cvm_event {
	uint32_t number;
	size_t offset;
	uint32_t pcr;
	uint32_t type;
	const uint8_t *digest;
	struct cvm_span data;
};

/**
 * struct cvm_event_log - a log, and how far it was read
 * @log: all of it
 * @at: where the next event begins
 * @next: its number
 * @banks: how many
 * @algorithm: of each, TPM_ALG_ID
 * @size: bytes of a digest of each
 */
struct cvm_event_log {
	struct cvm_span log;
	size_t at;
	uint32_t next;
	uint32_t banks;
	uint16_t algorithm[CVM_EVENT_BANKS_MAX];
	uint16_t size[CVM_EVENT_BANKS_MAX];
};

/* The header: TCG_PCClientPCREvent with TCG_EfiSpecIDEvent in it, and a bank of SHA-256 */
int cvm_event_log_open(const void *data, size_t len, struct cvm_event_log *log,
		       struct cvm_format_error *err);

/* Does it begin like one? */
bool cvm_is_event_log(const void *data, size_t len);

/* Is there anything behind the last event? */
bool cvm_event_log_more(const struct cvm_event_log *log);
int cvm_event_log_next(struct cvm_event_log *log, struct cvm_event *event,
		       struct cvm_format_error *err);

/* "EV_SEPARATOR" and so on; NULL: none that is known */
const char *cvm_event_type_name(uint32_t type);

#endif /* CVM_EVENT_LOG_H */
