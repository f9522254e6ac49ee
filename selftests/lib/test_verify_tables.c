// SPDX-License-Identifier: GPL-2.0
/*
 * Certificates that come with evidence, in a host's table and more than one that
 * fits; and how much of them is looked at.
 */
#include "given_certs.h"

/* One certificate many times is work as well, and so is text that is none. */
static void test_work(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[0]);
	struct cvm_verifier *v = snp_bare(&w);
	struct cvm_verify_opts opts = snp_opts(&w);
	struct bytes chain = snp_chain(&w);
	struct cvm_verdict *verdict = NULL;
	char *text = need(calloc(1, (256U << 10) + 1));
	size_t len = 0;
	int ret;

	/* 3 certificates, 10 and 11 times over */
	for (int i = 0; i < 11; i++, len += chain.len)
		memcpy(text + len, chain.data, chain.len);
	opts.certs = text;
	opts.certs_len = 10 * chain.len;
	ret = cvm_verify(v, w.report, sizeof(w.report), &opts, &verdict, NULL);
	expect_by(ret, verdict, NULL, "30 certificates, of which 3 are different");
	opts.certs_len = len;
	ret = cvm_verify(v, w.report, sizeof(w.report), &opts, &verdict, NULL);
	expect_because(ret, verdict, "chain", "more than 32 certificates and lists");
	memset(text, ' ', 256U << 10);
	memcpy(text + (256U << 10) - chain.len, chain.data, chain.len);
	opts.certs_len = 256U << 10;
	ret = cvm_verify(v, w.report, sizeof(w.report), &opts, &verdict, NULL);
	expect_by(ret, verdict, NULL, "256 KiB with a chain at their end");
	opts.certs_len++;
	ret = cvm_verify(v, w.report, sizeof(w.report), &opts, &verdict, NULL);
	expect_because(ret, verdict, "chain", "more than 262144 bytes");
	free(text);
	free(chain.data);
	cvm_verifier_free(v);
}

/* ---- several that fit a report as well */

/* The chain of @w with another leaf, before and behind it */
static void test_two(struct snp_world *w, const struct snp_world *other, const char *name)
{
	struct snp_world copy = *other;
	struct cvm_verifier *v = snp_bare(w);
	X509 *certs[4];
	struct bytes out;
	char what[120];

	w->leaf.arg = &w->amd;
	copy.leaf.arg = &copy.amd;
	certs[0] = make_cert(&w->ark);
	certs[1] = make_cert(&w->ask);
	for (int i = 0; i < 2; i++) {
		certs[2 + i] = make_cert(&w->leaf);
		certs[3 - i] = make_cert(&copy.leaf);
		out.data = certs_pem(certs, 4, &out.len);
		snprintf(what, sizeof(what), "%s, %s", name, i ? "before it" : "behind it");
		snp_with(v, w, &out, NULL, what);
		X509_free(certs[2]);
		X509_free(certs[3]);
		free(out.data);
	}
	X509_free(certs[0]);
	X509_free(certs[1]);
	cvm_verifier_free(v);
}

static void test_several(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[3]), other = w;
	EVP_PKEY *key = make_ec("P-384");

	other.leaf.key = key;
	other.leaf.serial = 500;
	test_two(&w, &other, "a VLEK of last year");
	other = w;
	other.leaf.serial = 501;
	other.leaf.until = w.at - 1;
	test_two(&w, &other, "an expired certificate of the same VLEK");
	w = snp_world_of(&snp_kinds[0]);
	memset(w.report + 0x1a0, 0, 64);
	other = w;
	other.leaf.key = key;
	other.amd.hwid[3] ^= 1;
	test_two(&w, &other, "a VCEK of another chip, where CHIP_ID is masked");
	EVP_PKEY_free(key);
}

/* ---- tables */

static const struct {
	const char *name;
	uint8_t guid[16];
} guids[] = {
	{ "VCEK", "\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd" },
	{ "VLEK", "\xa8\x07\x4b\xc2\xa2\x5a\x48\x3e\xaa\xe6\x39\xc0\x45\xa0\xb8\xa1" },
	{ "ASK", "\x4a\xb7\xb3\x79\xbb\xac\x4f\xe4\xa0\x2f\x05\xae\xf3\x27\xc7\x82" },
	{ "ARK", "\xc0\xb4\x06\xa4\xa8\x03\x49\x52\x97\x43\x3f\xb6\x01\x4c\xd0\xae" },
	{ "CRL", "\x92\xf8\x1b\xc3\x58\x11\x4d\x3d\x97\xff\xd1\x9f\x88\xdc\x67\xea" },
	{ "other", "sixteen bytes..." },
};

struct entry {
	size_t guid;
	uint8_t *der;
	size_t len;
};

/* @shift: where each but the first begins too early */
static struct bytes table_of(const struct entry *e, size_t count, size_t shift)
{
	size_t at = 24 * (count + 1);
	struct bytes out = { .data = need(calloc(1, 32768)) };

	for (size_t i = 0; i < count; i++) {
		const uint32_t place[2] = { (uint32_t)(at - (i ? shift : 0)), (uint32_t)e[i].len };

		memcpy(out.data + 24 * i, guids[e[i].guid].guid, 16);
		memcpy(out.data + 24 * i + 16, place, 8);
		memcpy(out.data + place[0], e[i].der, e[i].len);
		at = place[0] + e[i].len;
	}
	out.len = at;
	return out;
}

/* Two of them under each other's GUID: of the two authorities signatures tell which is which */
static void test_swapped(struct cvm_verifier *v, struct snp_world *w, struct entry *e, size_t i,
			 size_t j)
{
	size_t kept = e[i].guid;
	struct bytes table;
	char name[80];

	snprintf(name, sizeof(name), "a table with %s and %s under each other's GUID",
		 guids[e[i].guid].name, guids[e[j].guid].name);
	e[i].guid = e[j].guid;
	e[j].guid = kept;
	table = table_of(e, 4, 0);
	snp_with(v, w, &table, i == 2 && j == 1 ? NULL : "chain", name);
	e[j].guid = e[i].guid;
	e[i].guid = kept;
	free(table.data);
}

/* One of them under a GUID that is none's here */
static void test_moved(struct cvm_verifier *v, struct snp_world *w, struct entry *e, size_t i,
		       size_t guid)
{
	size_t kept = e[i].guid;
	struct bytes table;
	char name[80];

	snprintf(name, sizeof(name), "a table with the %s under the GUID of %s", guids[kept].name,
		 guids[guid].name);
	e[i].guid = guid;
	table = table_of(e, 4, 0);
	/* what nobody knows is passed over: without its list, which the verifier has */
	snp_with(v, w, &table, i == 3 && guid == 5 ? NULL : "chain", name);
	e[i].guid = kept;
	free(table.data);
}

/* Where it is, and what */
static void test_says(const struct cvm_verifier *v, const struct snp_world *w, struct entry *e)
{
	struct cvm_verify_opts opts = snp_opts(w);
	struct cvm_verdict *verdict = NULL;
	struct bytes table;
	char reason[80];
	int ret;

	e[1].guid = 0;
	e[0].guid = 2;
	table = table_of(e, 2, 0);
	snprintf(reason, sizeof(reason), "offset 0x%x: under the GUID of ASK there is 'SEV-VCEK'",
		 24 * 3);
	opts.certs = table.data;
	opts.certs_len = table.len;
	ret = cvm_verify(v, w->report, sizeof(w->report), &opts, &verdict, NULL);
	expect_because(ret, verdict, "chain", reason);
	e[0].guid = 0;
	e[1].guid = 2;
	free(table.data);
}

static void test_tables(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[0]);
	struct cvm_verifier *v = snp_bare(&w);
	X509 *certs[3];
	struct entry e[5];
	struct bytes table;

	w.leaf.arg = &w.amd;
	certs[0] = make_cert(&w.leaf);
	certs[1] = make_cert(&w.ask);
	certs[2] = make_cert(&w.ark);
	for (size_t i = 0; i < 3; i++) {
		e[i] = (struct entry){ .guid = i ? i + 1 : 0 };
		e[i].der = cert_der(certs[i], &e[i].len);
		X509_free(certs[i]);
	}
	e[3] = (struct entry){ .guid = 4 };
	e[3].der = crl_der(&w.crl, &e[3].len);
	table = table_of(e, 4, 0);
	snp_with(v, &w, &table, NULL, "a table with all there can be");
	free(table.data);
	for (size_t i = 0; i < 4; i++) {
		for (size_t j = 0; j < i; j++)
			test_swapped(v, &w, e, i, j);
		test_moved(v, &w, e, i, 1);
	}
	test_moved(v, &w, e, 3, 5);
	test_says(v, &w, e);
	e[4] = e[3];
	e[3].guid = e[4].guid = 5;
	table = table_of(e, 5, 0);
	snp_with(v, &w, &table, NULL, "a table with a GUID twice that nobody knows");
	free(table.data);
	e[3].guid = 4;
	e[4] = e[0];
	table = table_of(e, 4, 1);
	snp_with(v, &w, &table, "chain", "a table whose certificates overlap by a byte");
	free(table.data);
	table = table_of(e, 5, 0);
	snp_with(v, &w, &table, "chain", "a table with the VCEK twice");
	free(table.data);
	for (size_t i = 0; i < 4; i++)
		free(e[i].der);
	cvm_verifier_free(v);
}

int main(void)
{
	snp_make_kinds();
	test_tables();
	test_work();
	test_several();
	snp_free_kinds();
	return tap_end();
}
