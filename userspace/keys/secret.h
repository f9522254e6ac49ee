/* SPDX-License-Identifier: MIT */
/*
 * Memory for what must stay secret, and how long it does: from cvm_secret_begin() to
 * the end of the scope of its struct cvm_secret_time. What is in between is wiped on
 * every way out but three: SIGKILL, a fault of our own, and the machine's end. The
 * kernel gives the pages of a dead process to others only after it has cleared them,
 * but until then what was in them is in memory.
 */
#ifndef CVM_KEYS_SECRET_H
#define CVM_KEYS_SECRET_H

#include <openssl/crypto.h>
#include <stdbool.h>
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
 * From now on no page of it is swapped, there is no core dump of it, and its heap does
 * not shrink.
 *
 * Return: 0 or the errno of what is not permitted.
 */
int cvm_secret_process(struct cvm_error *error);

/* declared before all that is secret, so that its scope ends last */
struct cvm_secret_time {
	bool begun;
};

#define __cleanup_secret_time	__cleanup(cvm_secret_end)

/*
 * No signal that can be blocked arrives until cvm_secret_end(), and that of every other
 * such time that has begun, in whatever order they end: what it does by default would
 * leave secrets where they are. For a process of one thread.
 */
void cvm_secret_begin(struct cvm_secret_time *time);

/*
 * Wipes what was left on the stack below, by OpenSSL's hash functions above all; then
 * signals arrive that have waited.
 */
void cvm_secret_end(struct cvm_secret_time *time);

/* heap.c: wipes all of the heap that is free: what libraries had in it, and have not wiped */
void cvm_secret_heap(void);

#endif /* CVM_KEYS_SECRET_H */
