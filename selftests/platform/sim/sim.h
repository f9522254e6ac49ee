/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cvm_platform_sim.ko: the hardware's side of SEV-SNP and TDX under a kernel
 * that has neither, or Hyper-V's word that a paravisor has one of them. It
 * replaces the functions in which the kernel would leave for the host or the
 * TDX module, checks what real hardware would check, and lets cvm-fwd
 * (fw_proto.h) answer.
 *
 * Locking: each file's state has its own lock, and no file calls another's
 * functions with its lock held. sim_violation() may be called anywhere but in
 * an NMI or a debug exception.
 */
#ifndef SIM_H
#define SIM_H

#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/types.h>

#include "compat.h"
#include "fw_proto.h"

/* ---- main.c ---- */

extern struct workqueue_struct *sim_queue;

bool sim_ready(void);
bool sim_strict(void);
void sim_set_strict(bool strict);
unsigned int sim_max_quotes(void);
/* asks a cvm-fwd that has just opened the link who it is */
int sim_hello(void);

/* ---- symbols.c: the kernel's unexported names, and its read-only data ---- */

int sim_symbols_init(void);
unsigned long sim_symbol(const char *name);

/* one variable of the kernel, changed for as long as the platform is armed */
struct sim_patch {
	const char *name;
	unsigned int offset, size;	/* size 0: not changed, nothing to restore */
	u64 old;
};

/* -ENOENT: this kernel has no such variable */
int sim_patch(struct sim_patch *patch, const char *name, unsigned int offset,
	      u64 value, unsigned int size);
void sim_unpatch(struct sim_patch *patch);

/* ---- seam.c: functions of the kernel replaced by ours ---- */

struct sim_seam {
	struct kprobe probe;
	void *target;
	bool set;
};

int sim_seam_redirect(struct kprobe *probe, struct pt_regs *regs);
void sim_seam_post(struct kprobe *probe, struct pt_regs *regs, unsigned long flags);

/*
 * Without a post_handler a probe is optimised to a jump, which ignores that
 * the handler moved the instruction pointer.
 */
#define SIM_SEAM(symbol, function) {					\
	.probe = { .symbol_name = (symbol),				\
		   .pre_handler = sim_seam_redirect,			\
		   .post_handler = sim_seam_post },			\
	.target = (function),						\
}

int sim_seam_set(struct sim_seam *seam);
/* returns when nobody is inside a target any more */
void sim_seam_clear(struct sim_seam *seam);
/* the last thing every target does */
void sim_seam_leave(void);

/* ---- link.c: /dev/cvm-fw ---- */

struct sim_frame {
	struct list_head node;
	size_t done;			/* bytes that were read already */
	struct fw_frame head;		/* and the payload right behind it */
	u8 payload[];
};

/**
 * struct sim_call - a request and its answer
 * @done: called once, in process context, when answered or failed; owns
 *	@payload and the call from then on
 * @error: 0, or -EIO when there is nobody to answer
 * @head: the answer's
 * @payload: the answer's head.len bytes; kvfree()
 */
struct sim_call {
	struct list_head node;
	void (*done)(struct sim_call *call);
	int error;
	u32 type;
	u64 id;
	struct fw_frame head;
	void *payload;
};

int sim_link_init(void);
void sim_link_exit(void);
bool sim_link_open(void);
struct sim_frame *sim_frame_new(u32 type, size_t len);
/* takes the frame; without a call the answer is dropped. -EIO: not connected */
int sim_send(struct sim_frame *frame, struct sim_call *call);
/* true: done() has not been and will not be called */
bool sim_cancel(struct sim_call *call);
/* sim_send() and wait, even for a killed task; kvfree(answer->payload) */
int sim_ask(struct sim_frame *frame, struct sim_call *answer);

/* ---- pages.c: who may access which page ---- */

/* SIM_HOST: the host can write there, whether it may or not */
enum sim_access { SIM_PRIVATE, SIM_SHARED, SIM_QUOTE, SIM_HOST };

int sim_pages_init(void);
void sim_pages_exit(void);
/* every page of the range is so */
bool sim_pages_are(phys_addr_t start, size_t len, enum sim_access access);
/* shared pages become a quote buffer, which the host writes until released */
bool sim_pages_lend(phys_addr_t start, size_t len);
void sim_pages_release(phys_addr_t start, size_t len);
/* the host writes; false and nothing written: the pages are not so any more */
bool sim_pages_write(phys_addr_t to, const void *from, size_t len,
		     enum sim_access access);
/* writes the status and releases in one step; nothing if pages were taken back */
void sim_pages_hand_back(phys_addr_t start, size_t len, u64 *status, u64 value);
long sim_pages_shared(void);
/* the n-th call from now fails; 0: none */
extern atomic_t sim_fail_decrypt, sim_fail_encrypt;

/* ---- watch.c: a response is read once ---- */

enum { SIM_WATCH_FIELDS = 3 };

struct sim_watch;

int sim_watch_init(void);
void sim_watch_exit(void);
bool sim_watch_works(void);
/* debug registers for this response page, or NULL: none are free */
struct sim_watch *sim_watch_response(void *page);
struct sim_watch *sim_watch_quote(void *buf);
/* from here on each field may be read once, until written or closed */
void sim_watch_open(struct sim_watch *watch, const void *page);
void sim_watch_close(struct sim_watch *watch);
/* the pages change hands: nobody's response any more */
void sim_watch_forget(const void *start, size_t len);

/* ---- violation.c ---- */

void sim_violation_init(void);
void sim_violation_exit(void);
__printf(1, 2) void sim_violation(const char *fmt, ...);
unsigned long sim_violations(void);
/* tells cvm-fwd what it has not heard yet */
void sim_violation_flush(void);

/* ---- stats.c ---- */

enum sim_count {
	SIM_BUSY, SIM_RETRY, SIM_FAILED, SIM_TDREPORT, SIM_RTMR, SIM_ABANDONED,
	SIM_COUNTS
};

void sim_stats_begin(void);
/* T of one request is from start until now */
void sim_stats_answered(ktime_t start);
/* a request that began ends without a T */
void sim_stats_refused(enum sim_count how);
void sim_stats_held(u64 ns);
void sim_stats_tdcall(u64 ns);
void sim_stats_count(enum sim_count what);
void sim_stats_reset(void);
int sim_stats_show(char *buf);

/* sleeps, or with hold stalls this CPU; neither early nor late */
void sim_delay_until(ktime_t due);
void sim_hold_cpu(u64 ns);
/* the one or the other, for a request that began at @start */
void sim_wait_for(const struct fw_frame *answer, ktime_t start);

/* ---- control.c: /sys/kernel/cvm_platform_sim ---- */

int sim_control_init(void);
void sim_control_exit(void);
void sim_control_ready(void);

/* ---- svsm.c: calls of what has VMPL 0 ---- */

int sim_svsm_arm(void);
void sim_svsm_disarm(void);

/* ---- snp.c, tdx.c, quote.c, azure.c: the platforms ---- */

int sim_snp_arm(const struct fw_hello *hello);
void sim_snp_disarm(void);
int sim_tdx_arm(const struct fw_hello *hello);
void sim_tdx_disarm(void);
int sim_azure_arm(const struct fw_hello *hello);
void sim_azure_disarm(void);
u64 sim_quote_start(void *buf, size_t size);
void sim_quote_exit(void);

#endif /* SIM_H */
