/* SPDX-License-Identifier: MIT */
/*
 * An event log, replayed: the PCRs that it leads to, and what of Secure Boot went into PCR 7.
 * It is worth no more than the quote: whoever sends the log may have written it, and only
 * what leads to a PCR that was quoted has happened. Types are not among that, for the PCR
 * has digests alone; so what counts here is either the hash of what an event says (a
 * variable) or a digest that is known (a separator).
 */
#ifndef CVM_VERIFY_BOOT_LOG_H
#define CVM_VERIFY_BOOT_LOG_H

#include "../formats/efi_variable.h"
#include "../formats/event_log.h"

#define CVM_BOOT_PCR	7	/* of Secure Boot */

/* of the TPM that is asked where none is named; root's, as long as securityfs is mounted */
#define CVM_BOOT_LOG_PATH	"/sys/kernel/security/tpm0/binary_bios_measurements"

/**
 * struct cvm_measured - a variable of Secure Boot
 * @number: of the event; 0: none has it
 * @again: of another event that has it as well, of whatever type, or has it behind the
 *	separator; or 0
 * @digest: SHA-256 of the variable's contents
 * @is_one: they are a byte, which is 1
 */
struct cvm_measured {
	uint32_t number, again;
	uint8_t digest[CVM_EVENT_DIGEST];
	bool is_one;
};

/**
 * struct cvm_boot_log - what a log leads to
 * @count: events
 * @events: of each PCR: how many extend it
 * @pcr: its value then
 * @separator: PCR 7: the event at which the firmware has done with it: what comes later may
 *	be anybody's; 0: it never did
 * @failed: PCR 7: the first event by which the firmware says that measuring failed; or 0
 * @unfounded: PCR 7: the first event whose digest is not of what it shows, so that it may be
 *	anything; or 0
 * @variable: PCR 7
 */
struct cvm_boot_log {
	uint32_t count;
	uint32_t events[CVM_EVENT_PCRS];
	uint8_t pcr[CVM_EVENT_PCRS][CVM_EVENT_DIGEST];
	uint32_t separator;
	uint32_t failed;
	uint32_t unfounded;
	struct cvm_measured variable[CVM_BOOT_VARIABLES];
};

/* 0, or -EBADMSG: @err says where it is none */
int cvm_boot_log_replay(struct cvm_span log, struct cvm_boot_log *boot,
			struct cvm_format_error *err);

/* Of a log that was replayed: which event keeps @pcr from being @quoted; a line, printable */
void cvm_boot_log_explain(struct cvm_span log, uint32_t pcr,
			  const uint8_t quoted[CVM_EVENT_DIGEST], char *text, size_t size);

#endif /* CVM_VERIFY_BOOT_LOG_H */
