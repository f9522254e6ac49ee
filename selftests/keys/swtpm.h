/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TPMs for tests: swtpm, whose state is a directory, spoken to without a kernel. What
 * passes between it and a test can be heard, and changed.
 */
#ifndef KEYS_SWTPM_H
#define KEYS_SWTPM_H

#include <stdbool.h>
#include <sys/types.h>

#include "keys/tpm.h"

/**
 * struct swtpm - a TPM
 * @state: its directory: with the same one it is the same TPM
 * @pid: of swtpm, 0: it is off
 * @port: where it is
 */
struct swtpm {
	const char *state;
	pid_t pid;
	int port;
};

/* Turns it on: a new boot. Ends the test if it cannot. */
void swtpm_start(struct swtpm *swtpm);
void swtpm_stop(struct swtpm *swtpm);

/* An open one. */
struct cvm_tpm *swtpm_open(const struct swtpm *swtpm);

/* Measures @what into a PCR. */
void swtpm_extend(struct cvm_tpm *tpm, unsigned int pcr, const char *what);

/**
 * struct swtpm_wire - the wire of TPMs that are opened from now on, while it is not NULL
 * @log: all that has passed, both ways
 * @len: bytes of it
 * @spoil: the code of a command: one bit of what is answered to it is changed
 */
struct swtpm_wire {
	uint8_t log[1U << 18];
	size_t len;
	TPM2_CC spoil;
};

extern struct swtpm_wire *swtpm_wire;

#endif /* KEYS_SWTPM_H */
