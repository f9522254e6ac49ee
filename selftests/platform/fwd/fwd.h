/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cvm-fwd inside: one process is the host and the firmware of one simulated
 * VM. Single-threaded, so nothing here needs a lock; each module keeps its
 * own state in static variables behind its init function.
 */
#ifndef CVM_FWD_H
#define CVM_FWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../fw_proto.h"
#include "pki.h"

#define FWD_ERR		256	/* bytes for an error text */
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * struct fwd - what the modules share
 * @platform: enum fw_platform: SNP or TDX, as the hardware is
 * @paravisor: Azure's has it, and the guest has a TPM
 * @state_dir: certificates, keys, chip secret
 * @strict: violations that the kernel half reports fail the run
 * @boot_id: of this start of the VM
 * @chip_secret: kept in the state directory, or made from seed=
 * @boot_secret: new for each start, or made from seed=
 * @violations: broken rules that fail the run: exit status 3
 * @logged_violations: those that do not, because strict=0
 * @log: --log, or NULL
 */
struct fwd {
	unsigned int platform;
	bool paravisor;
	const char *state_dir;
	bool strict;
	uint8_t boot_id[16];
	uint8_t chip_secret[32];
	uint8_t boot_secret[32];
	uint64_t violations, logged_violations;
	FILE *log;
};

/**
 * struct answer - to one frame
 * @data: room for FW_MAX_PAYLOAD bytes, not zeroed
 * @len: bytes used of it
 * @status: see struct fw_frame
 * @delay_ns: from the frame's arrival to its delivery
 * @flags: FW_HOLD_CPU
 * @never: no answer is ever sent
 */
struct answer {
	uint8_t *data;
	uint32_t len;
	uint64_t status;
	uint64_t delay_ns;
	uint32_t flags;
	bool never;
};

/* ---- control.c: KEY=VALUE ---- */

/**
 * struct fw_option - one KEY of the command line and of FW_CONTROL
 * @key: its name (ends a table: NULL)
 * @help: the value's form and meaning, one line
 * @set: opt_*() below or the module's own; on failure writes what is wrong
 *	with the value, without the key, to err[FWD_ERR] and returns -1
 * @var: what @set writes
 * @min: smallest number allowed
 * @max: largest number allowed; opt_hex: the length of @var in bytes
 * @choices: opt_choice: "name|name|..." ; the index is the value
 * @changed: called after a successful @set, may be NULL
 */
struct fw_option {
	const char *key, *help;
	int (*set)(const struct fw_option *opt, const char *value, char *err);
	void *var;
	uint64_t min, max;
	const char *choices;
	void (*changed)(struct fwd *fwd);
};

/* opt_bool: bool, 0 or 1; opt_u32, opt_u64: decimal or 0x; opt_choice: unsigned int */
int opt_bool(const struct fw_option *opt, const char *value, char *err);
int opt_u32(const struct fw_option *opt, const char *value, char *err);
int opt_u64(const struct fw_option *opt, const char *value, char *err);
int opt_choice(const struct fw_option *opt, const char *value, char *err);

/* opt_hex64: uint64_t from hex digits; opt_hex: bytes, a short value is padded with zeros */
int opt_hex64(const struct fw_option *opt, const char *value, char *err);
int opt_hex(const struct fw_option *opt, const char *value, char *err);

/* uint64_t ns from ms, fractions allowed */
int opt_ms(const struct fw_option *opt, const char *value, char *err);

int opt_fail(char *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "KEY=VALUE"; 0, or -1 and an error text that names the key */
int control_set(struct fwd *fwd, const char *text, char *err);
void control_help(FILE *out);

/* what FW_CONTROL and FW_STATUS do */
void control_frame(struct fwd *fwd, const uint8_t *text, uint32_t len, struct answer *reply);
void control_status(struct fwd *fwd, struct answer *reply);

/* ---- model.c: how fast and how willing the host is ---- */

extern const struct fw_option model_options[];

/* what one request is, for the model */
enum model_kind { MODEL_REPORT, MODEL_QUOTE, MODEL_KINDS };

/* true: the host is busy (busy_n, busy_ms, rate): it refuses this request */
bool model_busy(uint64_t now_ns);

/* takes a place in the model's queue; -> ns from now until the answer */
uint64_t model_delay(enum model_kind kind, uint64_t now_ns);

/* FW_HOLD_CPU or 0 */
uint32_t model_flags(void);
uint64_t model_now(void);
void model_status(FILE *out);

/* counts a fault down: true while there is one left */
static inline bool fault(uint32_t *count)
{
	return *count && (*count)--;
}

/* ---- main.c ---- */

extern const struct fw_option core_options[];

/* one line on stderr and in the log; with fatal the run will fail */
void violation(struct fwd *fwd, bool fatal, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* out[len] from the chip's or the boot's secret, for purpose info */
void fwd_derive(const uint8_t secret[32], const char *info, void *out, size_t len);

/* ---- loop.c ---- */

struct azure_sockets;

struct loop_config {
	const char *socket, *device;
	bool once;
	/* of the paravisor */
	const struct azure_sockets *tpm;
};

int loop_run(struct fwd *fwd, const struct loop_config *config);

/* ---- bridge.c ---- */

int bridge_run(const char *device, const char *port);

/* ---- ivlog.c ---- */

/* a message under (key, IV); says so when the IV carried other bytes before */
void ivlog_message(struct fwd *fwd, unsigned int vmpck, uint64_t seqno, const void *bytes,
		   size_t len);
void ivlog_status(FILE *out);

/* ---- request.c: frames to modules ---- */

/* what is wrong with the header, or NULL */
const char *request_malformed(const struct fw_frame *frame);

/* a well-formed frame; now_ns: when it arrived; reply: zero but for data */
void request_handle(struct fwd *fwd, const struct fw_frame *frame, const uint8_t *payload,
		    struct answer *reply, uint64_t now_ns);

/* ---- snp_*.c ---- */

extern const struct fw_option host_options[], snp_options[];

int snp_init(struct fwd *fwd);
void snp_secrets(uint8_t page[FW_PAGE]);
unsigned int snp_vmpl(void);
void snp_request(struct fwd *fwd, const struct fw_snp_request *req, struct answer *reply,
		 uint64_t now_ns);
void snp_sim_report(struct fwd *fwd, const struct fw_sim_report *req, struct answer *reply,
		    uint64_t now_ns);
void snp_sim_key(struct fwd *fwd, const uint8_t ask[40], struct answer *reply);
void snp_status(FILE *out);

/* ---- svsm.c: what has VMPL 0 where the guest's kernel has another ---- */

extern const struct fw_option svsm_options[];

void svsm_attest(struct fwd *fwd, const struct fw_svsm_attest *ask, struct answer *reply,
		 uint64_t now_ns);
void svsm_status(FILE *out);

/* ---- tdx_*.c ---- */

extern const struct fw_option tdx_options[];

/* once, after the options of the command line, when platform is TDX */
int tdx_init(struct fwd *fwd);

/* FW_TDX_REPORT: the TDREPORT; status: a TDCALL status */
void tdx_report(struct fwd *fwd, const uint8_t report_data[64], struct answer *reply,
		uint64_t now_ns);

/*
 * FW_TDX_QUOTE: checks the TDREPORT's MAC, answers with the quote; status is
 * the status code of the GetQuote buffer. Queueing: model_delay(MODEL_QUOTE).
 */
void tdx_quote(struct fwd *fwd, const uint8_t tdreport[1024], struct answer *reply,
	       uint64_t now_ns);

/* FW_TDX_RTMR */
void tdx_rtmr(struct fwd *fwd, uint32_t index, const uint8_t digest[48], struct answer *reply,
	      uint64_t now_ns);

/* FW_SIM_QUOTE: a quote without a guest; status: 0 or an errno */
void tdx_sim_quote(struct fwd *fwd, const uint8_t report_data[64], struct answer *reply,
		   uint64_t now_ns);

unsigned int tdx_max_quotes(void);
void tdx_status(FILE *out);	/* "key=value" lines */

/* ---- azure_*.c ---- */

extern const struct fw_option azure_options[];

#endif /* CVM_FWD_H */
