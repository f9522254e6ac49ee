/* SPDX-License-Identifier: GPL-2.0 */
/* Secrets that somebody has sealed who knows them. */
#ifndef KEYS_FORGE_H
#define KEYS_FORGE_H

#include <stdbool.h>

#include "keys/tpm.h"

/**
 * struct forgery - a sealed secret that its maker knows
 * @attributes: of the object
 * @policy: of it
 * @pcrs: under which it was made, as it is said
 * @said: those that it is then said to be bound to
 * @use: what the TPM was told that it is for
 */
struct forgery {
	TPMA_OBJECT attributes;
	TPM2B_DIGEST policy;
	uint32_t pcrs;
	uint32_t said;
	const char *use;
};

/* Seals one. false: the TPM refuses. */
bool forge(struct cvm_tpm *tpm, const struct forgery *f, struct cvm_sealed *sealed);

/* The object of one, and what the TPM has said of another. */
void splice(const struct cvm_sealed *object, const struct cvm_sealed *said,
	    struct cvm_sealed *out);

#endif /* KEYS_FORGE_H */
