/* SPDX-License-Identifier: GPL-2.0 */
/* The TPM's sockets, for the loop: a program's, or QEMU's. */
#ifndef CVM_FWD_AZURE_FRONT_H
#define CVM_FWD_AZURE_FRONT_H

#include <poll.h>

#include "fwd.h"

#define AZURE_FDS	24

/**
 * struct azure_sockets - where the TPM can be reached
 * @plain: TPM commands, as libtss2's TCTI "swtpm:path=" has them, with @plain.ctrl
 * @qemu: the control channel of QEMU's "emulator" TPM
 * @state: the TPM's own, NULL: it is gone with us
 */
struct azure_sockets {
	const char *plain, *qemu, *state;
};

/* starts the TPM; before front_open() */
int azure_init(struct fwd *fwd, const char *state);
void azure_exit(void);

/* TPM2_Startup and what a boot is; at a start and after a reset */
int azure_start(struct fwd *fwd);
int azure_reset(struct fwd *fwd);

int front_open(const struct azure_sockets *sockets);

/* AZURE_FDS entries; -> when an answer is due, UINT64_MAX: none waits */
uint64_t front_prepare(struct pollfd *pfd);

/* 0, or -1: the TPM is gone */
int front_serve(struct fwd *fwd, const struct pollfd *pfd);
void front_close(void);

/* QEMU runs one in the guest, and that measures what it boots */
bool front_has_firmware(void);

void azure_status(FILE *out);

#endif /* CVM_FWD_AZURE_FRONT_H */
