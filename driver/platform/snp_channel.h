/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One channel to the SNP firmware: one VMPCK, one message at a time.
 *
 *	snp.c		requests in, evidence out
 *	snp_channel.c	keeps one message going until it is answered
 *	snp_msg.c	6.1, 6.12: our own message layer
 *	snp_kmsg.c	7.3: the kernel's message layer, made patient
 *
 * Only the worker calls any of this, but for cvm_snp_channel_state() and
 * cvm_snp_throttled().
 */
#ifndef CVM_SNP_CHANNEL_H
#define CVM_SNP_CHANNEL_H

#include <linux/ktime.h>

#include "snp_answer.h"

struct platform_device;

/**
 * struct cvm_snp_msg - one message and its answer
 * @type: of the request; the answer's is one higher
 * @version: of both
 * @certs: ask for the certificate table as well
 * @exact: with @certs: the table may have @pages, and whoever asked is told where
 *	the host wants more
 * @pages: with @exact, at most CVM_SNP_CERT_PAGES
 * @brief: there are better things to do than to wait: a layer that repeats a
 *	refused message by itself leaves it, the channel parks it
 * @request: plaintext, in the linear mapping
 * @request_len: bytes
 * @response: where the answer's plaintext goes, CVM_SNP_PAYLOAD bytes
 * @response_len: out: bytes of it
 * @table: out, with @certs: the shared pages, which the host may still write,
 *	if it answered the extended form; else NULL
 * @table_len: out: bytes
 * @wants_pages: out: the host answered the plain form, since it wants more
 *	pages than were offered; unless @exact the channel has them now
 * @wish: out, with @exact and @wants_pages: how many, in the host's own words
 * @spoilt: out: what came was not the firmware's answer, or not to this
 * @info: out: SW_EXITINFO2 of the last exit
 */
struct cvm_snp_msg {
	u8 type;
	u8 version;
	bool certs;
	bool exact;
	u32 pages;
	bool brief;
	const void *request;
	size_t request_len;
	void *response;
	size_t response_len;
	const void *table;
	size_t table_len;
	bool wants_pages;
	u32 wish;
	bool spoilt;
	u64 info;
};

/* -ENOKEY: there is no key; -ELIBACC: no cipher; nothing has been logged */
int cvm_snp_channel_open(struct platform_device *pdev, unsigned int vmpck);
void cvm_snp_channel_close(void);

/*
 * 0: answered. -EAGAIN: parked, to be continued with cvm_snp_channel_try() at
 * cvm_snp_channel_next(). -ENOKEY: the channel is dead. -EIO: nothing was sent;
 * -ENOMEM: likewise, there are not as many pages as @msg is to have.
 * @msg stays the channel's while parked.
 */
int cvm_snp_channel_send(struct cvm_snp_msg *msg);
int cvm_snp_channel_try(void);
ktime_t cvm_snp_channel_next(void);

/* when the host is expected to let the next message through; 0: at once */
ktime_t cvm_snp_channel_ready(void);

/* the message answered last was refused before, or the next one would be now */
bool cvm_snp_channel_throttled(void);

/* somebody else, the SVSM, has just had one of those that the host lets through */
void cvm_snp_channel_spent(void);

/*
 * The message in hand waits in vain: the layer has repeated it for as long as
 * it blocks its caller, and would block again.
 */
bool cvm_snp_channel_stalled(void);

/*
 * Retires the VMPCK, here and in the secrets page, for whoever comes after
 * us. A message in hand is given up.
 */
void cvm_snp_channel_kill(const char *why);

u32 cvm_snp_channel_state(void);

/*
 * For a message layer that repeats a message by itself, while issue is in it:
 * the host refused it when asked at @asked, for time @pauses + 1; from any
 * context. And in how many nanoseconds after @now to try again.
 */
void cvm_snp_throttled(u64 asked);
u64 cvm_snp_retry_in(u64 now, unsigned int pauses);

/*
 * The message layer. seal: encrypts and writes the counter ahead; nothing has
 * left yet. issue: hands the sealed bytes to the host, any number of times.
 * open: once issue was answered, the checked plaintext; 0 or -EBADMSG.
 */
extern const char cvm_snp_layer_name[];
extern const bool cvm_snp_layer_loud;	/* issue logs each failure, unlimited */
int cvm_snp_layer_start(struct platform_device *pdev, unsigned int vmpck);
void cvm_snp_layer_stop(void);
int cvm_snp_layer_seal(const struct cvm_snp_msg *msg);
void cvm_snp_layer_issue(struct cvm_snp_msg *msg, struct cvm_snp_call *call);
int cvm_snp_layer_open(struct cvm_snp_msg *msg);
void cvm_snp_layer_leave(void);	/* issue may wait CVM_DRAIN_MS more; any context */
void cvm_snp_layer_wipe(void);

#endif /* CVM_SNP_CHANNEL_H */
