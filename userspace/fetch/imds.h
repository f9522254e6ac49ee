/* SPDX-License-Identifier: MIT */
/* The quote of a TDREPORT by the host of an Azure guest. */
#ifndef CVM_FETCH_IMDS_H
#define CVM_FETCH_IMDS_H

#include <stddef.h>
#include <stdint.h>

struct cvm_error;

#define CVM_IMDS_URL	"http://169.254.169.254"

/**
 * cvm_imds_td_quote() - have a TDREPORT quoted
 * @base: URL of the service, without a slash at its end
 * @tdreport: 1024 bytes
 * @deadline: CLOCK_MONOTONIC, milliseconds; may be brought forward meanwhile
 * @quote: out: for free(); what it is of is for the caller to see
 * @len: out: bytes
 * @error: or NULL
 *
 * Return: 0; -ETIMEDOUT: busy, or not to be reached; -EBADMSG: what came is none;
 * -EOPNOTSUPP: there is no libcurl; -EIO: the host refuses; -ENOMEM.
 */
int cvm_imds_td_quote(const char *base, const uint8_t *tdreport, const _Atomic int64_t *deadline,
		      uint8_t **quote, size_t *len, struct cvm_error *error);

#endif /* CVM_FETCH_IMDS_H */
