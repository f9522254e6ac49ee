// SPDX-License-Identifier: GPL-2.0
/* Quotes: real ones and cvm-fwd's before the same judge. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/pem.h>

#include "fw_client.h"
#include "tdx_check.h"
#include "tdx_vectors.h"

static struct fw_reply reply;
static const char *const tdx[] = { "platform=tdx", NULL };

/* the registers of a TDREPORT (first column) in a body; the third is the length */
static const unsigned int same[][3] = {
	{ 264, 0, 16 + 48 + 48 + 8 },	/* TEE_TCB_SVN, MRSEAM, MRSIGNERSEAM, SEAMATTRIBUTES */
	{ 512, 120, 8 + 8 + 4 * 48 + 4 * 48 },	/* attributes, XFAM, MRs, RTMRs */
	{ 128, 520, 64 },		/* REPORTDATA */
};

static bool body_matches(const struct tdx_view *view, const uint8_t *report)
{
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(*same); i++)
		if (memcmp(view->body + same[i][1], report + same[i][0], same[i][2]))
			return false;
	/* TEE_TCB_SVN2 and MRSERVICETD */
	return view->body_type == 2 || (!memcmp(view->body + 584, report + 384, 16) &&
					!memcmp(view->body + 600, report + 912, 48));
}

static void real_quotes(void)
{
	static const char *const names[] = { "cvmtool", "v4-dcap", "v4-spr", "v5-no-tcb-level" };
	struct tdx_view view;
	char name[64];
	size_t len, i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint8_t *quote;
		const char *why;

		snprintf(name, sizeof(name), "%s.quote", names[i]);
		quote = vector(name, &len);
		if (!quote)
			continue;
		why = tdx_open(&view, quote, len);
		ok(!why, "real quote %s: its structure%s%s", names[i], why ? ": " : "",
		   why ? why : "");
		why = why ? why : tdx_verify(&view, tdx_issued(&view));
		ok(!why, "real quote %s verifies%s%s", names[i], why ? ": " : "", why ? why : "");
		tdx_close(&view);
		free(quote);
	}
}

static void forged_chain(void)
{
	size_t len, pem_len;
	uint8_t *quote = vector("cvmtool.quote", &len);
	uint8_t *pem = vector("cvmtool-fake.pck_chain.pem", &pem_len);
	struct tdx_view view;
	const char *why;

	if (quote && pem) {
		tdx_open(&view, quote, len);
		why = tdx_set_chain(&view, (const char *)pem, pem_len);
		why = why ? why : tdx_verify(&view, tdx_issued(&view));
		ok(why && !strcmp(why, "QE report signature"), "a forged PCK is not the QE's signer");
		tdx_close(&view);
	}
	free(quote);
	free(pem);
}

/* a TDREPORT for data, and the quote for it in reply */
static void ask(int fd, const uint8_t data[64], uint8_t report[1024])
{
	fw_call(fd, FW_TDX_REPORT, data, 64, &reply);
	memcpy(report, reply.data, 1024);
	fw_call(fd, FW_TDX_QUOTE, report, 1024, &reply);
}

/* the file of the state directory is the root that the chain ends in */
static bool root_is_trusted(const struct tdx_view *view)
{
	const char *dir = getenv("CVM_FW_STATE");
	char path[512];
	X509 *root;
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s/tdx-root.pem", dir && *dir ? dir : "build/cache/fw-state");
	file = fopen(path, "r");
	root = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	good = root && !X509_cmp(root, view->chain[CHAIN_ROOT]);
	X509_free(root);
	if (file)
		fclose(file);
	return good;
}

static bool zero(const uint8_t *bytes, size_t len)
{
	while (len && !bytes[len - 1])
		len--;
	return !len;
}

/* what every quote has, whatever its version */
static void check_quote(const struct tdx_view *view, const char *name)
{
	static const uint8_t vendor[16] = {
		0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f,
		0x06, 0x07,
	};
	const uint8_t *bytes = view->bytes;
	const char *why = tdx_verify(view, time(NULL));

	ok(!why, "%s verifies%s%s", name, why ? ": " : "", why ? why : "");
	ok(root_is_trusted(view), "%s: its chain ends in the state directory's root", name);
	ok(zero(bytes + 8, 4) && !memcmp(bytes + 12, vendor, 16) && !zero(bytes + 28, 16) &&
	   zero(bytes + 44, 4), "%s: its header is from Intel's QE", name);
	ok(!view->pem[view->pem_len - 1] && strlen(view->pem) == view->pem_len - 1,
	   "%s: the PEM text ends in one NUL, as Intel's does", name);
}

static void simulated_quotes(void)
{
	static const struct {
		const char *set;
		unsigned int version, type;
	} kinds[] = {
		{ "quote_version=4 td_version=15", 4, 2 }, { "quote_version=4 td_version=10", 4, 2 },
		{ "quote_version=5 td_version=10", 5, 2 }, { "quote_version=5 td_version=15", 5, 3 },
		{ "quote_version=5 td_version=15 tdreport_version=1", 5, 3 },
	};
	struct fwd_process fwd;
	struct tdx_view view;
	uint8_t data[64], report[1024];
	size_t i;

	fwd_start(&fwd, tdx);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *why;

		memset(data, (int)i + 1, sizeof(data));
		fw_set(fwd.fd, kinds[i].set);
		ask(fwd.fd, data, report);
		why = tdx_open(&view, reply.data, reply.head.len);
		ok(!reply.head.status && !why, "%s: a quote%s%s", kinds[i].set, why ? ": " : "",
		   why ? why : "");
		if (why)
			continue;
		ok(view.version == kinds[i].version && view.body_type == kinds[i].type &&
		   body_matches(&view, report), "%s: the TDREPORT's fields", kinds[i].set);
		/* 5006 with Intel's chain: room for the longest body in every quote */
		ok(zero(view.bytes + view.end, reply.head.len - view.end) &&
		   reply.head.len - view.end == 48 + 6 + 648 - view.signed_len,
		   "%s: zeros fill it up to the longest body", kinds[i].set);
		check_quote(&view, kinds[i].set);
		tdx_close(&view);
	}
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");
}

/* one changed byte each: the judge sees it, so it can also say no */
static void changed_quotes(void)
{
	static const struct {
		unsigned int from;	/* 0 start, 1 signature, 2 QE report, 3 authentication */
		unsigned int at;
		const char *why;
	} changes[] = {
		{ 0, 20, "quote signature" }, { 0, 54 + 520, "quote signature" },
		{ 0, 54 + 647, "quote signature" }, { 1, 0, "quote signature" },
		{ 1, 63, "quote signature" }, { 2, 64, "QE report signature" },
		{ 2, 383, "QE report signature" }, { 2, 384, "QE report signature" },
		{ 3, 0, "attestation key" }, { 3, 31, "attestation key" },
	};
	static const char *const options[] = { "platform=tdx", "quote_version=5", NULL };
	struct fwd_process fwd;
	struct tdx_view view;
	uint8_t data[64] = { 7 }, report[1024];
	size_t i;

	fwd_start(&fwd, options);
	ask(fwd.fd, data, report);
	tdx_open(&view, reply.data, reply.head.len);
	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		const uint8_t *starts[] = { view.bytes, view.signature, view.qe, view.auth };
		uint8_t *byte = (uint8_t *)starts[changes[i].from] + changes[i].at;
		const char *why;

		*byte ^= 0x40;
		why = tdx_verify(&view, time(NULL));
		ok(why && !strcmp(why, changes[i].why), "byte %u of part %u changed: %s",
		   changes[i].at, changes[i].from, why ? why : "not seen");
		*byte ^= 0x40;
	}
	ok(!tdx_verify(&view, time(NULL)), "changed back, it verifies");
	tdx_close(&view);
	fwd_stop(&fwd, NULL, 0);
}

/* lines of two dumps, but for those behind the OIDs of what identifies a machine */
static bool same_shape(char *a, char *b)
{
	static const char *const own[] = { ".13.1.1", ".13.1.6" };
	bool skip = false;
	size_t i;

	while (*a && *b) {
		size_t la = strcspn(a, "\n"), lb = strcspn(b, "\n");

		if (!skip && (la != lb || memcmp(a, b, la)))
			return false;
		for (skip = false, i = 0; i < 2; i++)
			skip |= la > 7 && !memcmp(a + la - 7, own[i], 7);
		a += la + !!a[la];
		b += lb + !!b[lb];
	}
	return !*a && !*b;
}

/* the real platform's values as options of cvm-fwd */
static void copy_platform(int fd, const char *dump)
{
	static const char *const oids[][2] = {
		{ "2.18", "pck_svn" }, { "3", "pceid" }, { "4", "fmspc" },
	};
	char hex[64], text[128];
	size_t i;

	for (i = 0; i < 3; i++) {
		tdx_sgx_value(dump, oids[i][0], hex);
		snprintf(text, sizeof(text), "%s=%s", oids[i][1], hex);
		ok(*hex && fw_set(fd, text), "%s", text);
	}
	tdx_sgx_value(dump, "2.17", hex);
	snprintf(text, sizeof(text), "pcesvn=0x%s", hex);
	ok(*hex && fw_set(fd, text), "%s", text);
}

static void sgx_extension(void)
{
	size_t len;
	uint8_t *real = vector("v5-no-tcb-level.quote", &len), data[64] = { 1 }, report[1024];
	char *want = NULL, *got = NULL;
	struct fwd_process fwd;
	struct tdx_view view;

	if (!real)
		return;
	tdx_open(&view, real, len);
	want = tdx_sgx_dump(&view);
	tdx_close(&view);
	fwd_start(&fwd, tdx);
	copy_platform(fwd.fd, want);
	ask(fwd.fd, data, report);
	if (!tdx_open(&view, reply.data, reply.head.len)) {
		got = tdx_sgx_dump(&view);
		ok(strlen(got) > 1000 && same_shape(want, got),
		   "the SGX extension: as the real platform's but for PPID and instance");
		ok(!tdx_verify(&view, time(NULL)), "and that quote verifies");
		tdx_close(&view);
	}
	fwd_stop(&fwd, NULL, 0);
	free(got);
	free(want);
	free(real);
}

static void write_pem(const char *path, X509 *cert)
{
	FILE *file = fopen(path, "w");

	if (file) {
		PEM_write_X509(file, cert);
		fclose(file);
	}
}

static void openssl_verify(void)
{
	static const char *const names[] = { "leaf", "ca", "root" };
	char dir[] = "/tmp/test-fwd-tdx-XXXXXX", path[64], command[512];
	uint8_t data[64] = { 1 }, report[1024];
	struct fwd_process fwd;
	struct tdx_view view;
	int i;

	fwd_start(&fwd, tdx);
	ask(fwd.fd, data, report);
	if (!tdx_open(&view, reply.data, reply.head.len) && mkdtemp(dir)) {
		for (i = 0; i < CHAIN_LEN; i++) {
			snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
			write_pem(path, view.chain[i]);
		}
		snprintf(command, sizeof(command),
			 "cd %s && openssl verify -x509_strict -CAfile root -untrusted ca leaf >&2",
			 dir);
		ok(!system(command), "openssl verify accepts the chain");
		snprintf(command, sizeof(command), "cd %s && rm leaf ca root && rmdir %s", dir, dir);
		if (system(command))
			printf("# %s stays\n", dir);
	}
	tdx_close(&view);
	fwd_stop(&fwd, NULL, 0);
}

/* FW_SIM_QUOTE, and how long one takes; the time is for the reader */
static void sim_quote(void)
{
	struct timespec from, to;
	uint8_t data[64] = { 3, 1, 4 };
	struct fwd_process fwd;
	struct tdx_view view;
	const int n = 200;
	int i;

	fwd_start(&fwd, tdx);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < n; i++)
		fw_call(fwd.fd, FW_SIM_QUOTE, data, sizeof(data), &reply);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("# %.0f us per quote\n", ((double)(to.tv_sec - from.tv_sec) * 1e6 +
					 (double)(to.tv_nsec - from.tv_nsec) / 1e3) / n);
	ok(!reply.head.status && !tdx_open(&view, reply.data, reply.head.len) &&
	   !tdx_verify(&view, time(NULL)) && !memcmp(view.body + 520, data, 64),
	   "a quote for a program carries its REPORTDATA and verifies");
	tdx_close(&view);
	fwd_stop(&fwd, NULL, 0);
}

int main(void)
{
	real_quotes();
	forged_chain();
	simulated_quotes();
	changed_quotes();
	sgx_extension();
	openssl_verify();
	sim_quote();
	plan();
}
