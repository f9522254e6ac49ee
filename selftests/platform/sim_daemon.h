/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cvm-fwd with nothing behind it: answers what the simulator's kernel half
 * asks as it is told to, for the tests of that half.
 */
#ifndef SIM_DAEMON_H
#define SIM_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fw_proto.h"

struct sim_script {
	uint64_t status, delay_ns;
	uint32_t flags;
	int32_t es_result;	/* SNP */
	uint32_t data_npages;
	uint32_t certs_len;
	uint32_t payload_len;	/* TDX quote; 0: 5000 */
	uint64_t rax;		/* SVSM: what it says */
	uint32_t rax_n;		/* so often; 0: always */
	bool pending;		/* SVSM: it is not run */
	bool silent;		/* no answer */
	bool one_by_one;	/* written in single bytes */
};

/*
 * opens the device and answers in a thread until sim_daemon_close(); 0 or -errno.
 * @many: TDX: quotes in flight; SNP: the guest's VMPL
 */
int sim_daemon_open(enum fw_platform platform, uint32_t many);
void sim_daemon_close(void);
void sim_daemon_script(const struct sim_script *script);
/* the device; what no daemon would write goes between two answers, not into one */
int sim_daemon_fd(void);
ssize_t sim_daemon_write(const void *data, size_t len);
/* texts of FW_VIOLATION frames so far */
unsigned int sim_daemon_violations(void);
/* waits for a request that the script leaves unanswered */
void sim_daemon_await_request(void);

#endif /* SIM_DAEMON_H */
