// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target of what the worked examples read before anything is verified, one at a
 * time: built with READER set to the name of one.
 */
#include <openssl/x509.h>

#include "examples/common/cmw.h"
#include "examples/ratls/ratls.h"
#include "must.h"

/* of certificates that hold: seeds_examples.c */
#define AT	1750000000

int __wrap_X509_cmp_current_time(const ASN1_TIME *time);

int __wrap_X509_cmp_current_time(const ASN1_TIME *time)
{
	time_t at = AT;

	return X509_cmp_time(time, &at);
}

/* Of any length, and all of them bytes that may be looked at */
static void must_be_whole(const struct cmw_part *part)
{
	volatile unsigned char seen = 0;

	must(part->data ? part->len <= CMW_MAX : !part->len);
	for (size_t i = 0; i < part->len; i++)
		seen ^= part->data[i];
}

static __attribute__((unused)) void example_cmw(const uint8_t *data, size_t len)
{
	json_t *json = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
	struct cmw cmw;
	int ret = cmw_read(json, &cmw);

	json_decref(json);
	must(!ret == !!cmw.evidence.data);
	must_be_whole(&cmw.evidence);
	must_be_whole(&cmw.certs);
	must_be_whole(&cmw.proof);
	cmw_free(&cmw);
}

/* None is of AMD's or Intel's: who is refused is told why, on a terminal */
static __attribute__((unused)) void example_ratls(const uint8_t *data, size_t len)
{
	static struct relying_party rp;
	X509 *cert = d2i_X509(NULL, &data, (long)len);
	char why[256] = "";

	if (!rp.verifier)
		must(!rp_init(&rp));
	if (cert) {
		must(ratls_verify(cert, &rp, why, sizeof(why)) == -1);
		must(*why);
		must_print(why);
	}
	X509_free(cert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	READER(data, len);
	return 0;
}
