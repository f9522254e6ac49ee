/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of cvm-fwd: starts one, talks to it, and plays the guest of an SNP
 * machine with its own view of the message format. Whatever cannot be done
 * ends the test program.
 */
#ifndef CVM_FW_CLIENT_H
#define CVM_FW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fw_proto.h"

struct fwd_process {
	pid_t pid;
	int fd;			/* the first client */
	char dir[64];		/* the socket and stderr are here */
	uint8_t keys[4][32];	/* VMPCKs as in the secrets page */
	uint64_t seqno[4];	/* of the last message, in either direction */
};

struct fw_reply {
	struct fw_frame head;
	uint8_t data[FW_MAX_PAYLOAD];
};

/* options: a NULL-terminated list of KEY=VALUE, or NULL */
void fwd_start(struct fwd_process *fwd, const char *const *options);

/* ends it; its exit status. The text on its stderr goes to text[size]. */
int fwd_stop(struct fwd_process *fwd, char *text, size_t size);

/* removes its directory, where it has ended by itself */
void fwd_forget(const struct fwd_process *fwd);

/* one more connection */
int fwd_connect(const struct fwd_process *fwd);

void fw_send(int fd, uint32_t type, uint64_t id, const void *payload, uint32_t len);
bool fw_receive(int fd, struct fw_reply *reply);	/* false: the peer is gone */
void fw_call(int fd, uint32_t type, const void *payload, uint32_t len, struct fw_reply *reply);

/* FW_CONTROL; true: taken */
bool fw_set(int fd, const char *text);
uint64_t fw_status(int fd, const char *key);

/* ---- guest messages ---- */

struct guest_msg {
	uint8_t authtag[32];
	uint64_t seqno;
	uint8_t reserved1[8];
	uint8_t algo, hdr_version;
	uint16_t hdr_size;
	uint8_t type, version;
	uint16_t size;
	uint32_t reserved2;
	uint8_t vmpck;
	uint8_t reserved3[35];
	uint8_t payload[FW_PAGE - 0x60];
} __attribute__((packed));

struct report_req {
	uint8_t report_data[64];
	uint32_t vmpl, key_sel;
	uint8_t reserved[24];
};

struct key_req {
	uint32_t root, reserved;
	uint64_t select;
	uint32_t vmpl, svn;
	uint64_t tcb, mit_vector;
};

/* the next message of this VMPCK: header filled, payload plain, not sealed */
void guest_prepare(struct fwd_process *fwd, struct guest_msg *msg, unsigned int vmpck,
		   uint8_t type, uint8_t version, const void *body, uint16_t size);

/* encrypts the payload in place, with the key of msg->vmpck or the one given */
void guest_seal(struct fwd_process *fwd, struct guest_msg *msg, const uint8_t *key);

/* the answer to msg, decrypted into body; false: not authentic */
bool guest_open(struct fwd_process *fwd, const struct guest_msg *answer, void *body);

/* SW_EXITINFO2; the answer is in reply */
uint64_t guest_issue(struct fwd_process *fwd, const struct guest_msg *msg, int npages,
		     struct fw_reply *reply);

static inline struct fw_snp_answer *snp_answer(struct fw_reply *reply)
{
	return (struct fw_snp_answer *)reply->data;
}

/*
 * A whole exchange. Returns SW_EXITINFO2; with 0, body holds the answer's
 * plaintext, which was authentic and in sequence.
 */
uint64_t guest_report(struct fwd_process *fwd, unsigned int vmpck, const struct report_req *req,
		      uint8_t body[1216]);
uint64_t guest_key(struct fwd_process *fwd, unsigned int vmpck, const struct key_req *req,
		   uint8_t version, uint8_t body[64]);

/* ---- TAP ---- */

void ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void plan(void);	/* prints the plan; exits */

#endif /* CVM_FW_CLIENT_H */
