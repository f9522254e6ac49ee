/* SPDX-License-Identifier: MIT */
/* Memory for what must stay secret. */
#ifndef CVM_KEYS_SECRET_H
#define CVM_KEYS_SECRET_H

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "cvmguest.h"

#define CVM_SECRET_MAX	128

/* wiped when its scope ends */
struct cvm_secret {
	uint8_t bytes[CVM_SECRET_MAX];
};

#define __cleanup_secret	__cleanup(cvm_cleanup_secret)

static inline void cvm_cleanup_secret(struct cvm_secret *secret)
{
	OPENSSL_cleanse(secret, sizeof(*secret));
}

/**
 * cvm_secret_process() - this process has secrets
 * @error: or NULL
 *
 * From now on no page of it is swapped, and there is no core dump of it.
 *
 * Return: 0 or the errno of what is not permitted.
 */
int cvm_secret_process(struct cvm_error *error);

#endif /* CVM_KEYS_SECRET_H */
