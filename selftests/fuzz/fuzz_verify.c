// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target of verification. The input is the length of a part in two
 * bytes, that many bytes of certificates, and evidence. No input is authentic:
 * whoever finds one has found a key of AMD's or Intel's.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cvmguest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cvm_verify_opts opts = { .size = sizeof(opts), .at = 1750000000 };
	struct cvm_verdict *verdict;
	struct cvm_verifier *v;
	size_t certs;

	if (len < 2 || cvm_verifier_new(&v))
		return 0;
	certs = (size_t)(data[0] | data[1] << 8);
	certs = certs > len - 2 ? len - 2 : certs;
	opts.certs = certs ? data + 2 : NULL;
	opts.certs_len = certs;
	cvm_verify(v, data + 2 + certs, len - 2 - certs, &opts, &verdict, NULL);
	if (verdict && cvm_verdict_authentic(verdict))
		abort();
	for (size_t i = 0; verdict && i < cvm_verdict_count(verdict); i++)
		if (!cvm_verdict_check(verdict, i)->reason[0])
			abort();
	cvm_verdict_free(verdict);
	cvm_verifier_free(v);
	return 0;
}
