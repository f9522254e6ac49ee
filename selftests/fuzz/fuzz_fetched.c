// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target of what servers answer, and of files of the cache, one at a time:
 * built with READER set to the name of one. It stands in the place of fetch/http.c.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch/imds.h"
#include "fetch/internal.h"
#include "must.h"

#define STRING(name)	#name
#define NAME(name)	STRING(name)
#define CACHE		"build/fuzz/cache-" NAME(READER)

/* of the genuine SNP report and the genuine quote of the tests */
#define TCB		0x841700000000010aULL
static const uint8_t fmspc[6] = { 0x50, 0x80, 0x6f };
static uint8_t chip_id[64];

static struct cvm_fetch settings = {
	.cache = CACHE, .kds = "http://kds.example", .pcs = "http://pcs.example",
	.thim = "http://thim.example", .refresh = true, .timeout = 1, .now = 1750000000,
};

static struct cvm_span body;
static char *header;

int64_t cvm_clock_ms(void)
{
	return 0;
}

void cvm_http_answer_free(struct cvm_http_answer *answer)
{
	free(answer->body);
	free(answer->chain);
}

int cvm_http_get(const struct cvm_item *item, const _Atomic int64_t *deadline,
		 struct cvm_http_answer *out, struct cvm_error *error)
{
	*out = (struct cvm_http_answer){ .body = malloc(body.len + 1), .len = body.len };
	must(out->body);
	memcpy(out->body, body.data, body.len);
	out->body[body.len] = '\0';
	out->chain = header ? strdup(header) : NULL;
	return 0;
}

/* What is taken is there in full, and holds now. */
static void look(int ret, struct cvm_fetched *out, const struct cvm_error *error)
{
	must_explain(ret, error);
	must(!ret == !!out->text);
	must(ret || out->expires >= settings.now);
	cvm_fetched_free(out);
}

static __attribute__((unused)) void thim(const uint8_t *data, size_t len)
{
	struct cvm_error error = { 0 };
	struct cvm_fetched out;

	for (size_t i = 0; i < sizeof(chip_id); i++)
		chip_id[i] = (uint8_t)(i + 2);
	body = (struct cvm_span){ data, len };
	look(cvm_thim_vcek(&settings, CVM_SNP_GENOA, chip_id, TCB, &out, &error), &out, &error);
}

static __attribute__((unused)) void imds(const uint8_t *data, size_t len)
{
	static const uint8_t tdreport[1024] = { 0x81 };
	const _Atomic int64_t deadline = 1000;
	struct cvm_error error = { 0 };
	uint8_t *quote = NULL;
	size_t quote_len = 0;
	int ret;

	body = (struct cvm_span){ data, len };
	ret = cvm_imds_td_quote("http://imds.example", tdreport, &deadline, &quote, &quote_len,
				&error);
	must_explain(ret, &error);
	must(!ret == !!quote && !ret == !!quote_len && quote_len <= len);
	free(quote);
}

/* Which it is, and how long the issuers' header is, stand before both. */
static __attribute__((unused)) void pcs(const uint8_t *data, size_t len)
{
	struct cvm_error error = { 0 };
	struct cvm_fetched out;
	size_t chain_len;
	int ret;

	if (len < 3)
		return;
	chain_len = (size_t)data[1] | (size_t)data[2] << 8;
	if (chain_len > len - 3)
		return;
	header = strndup((const char *)data + 3, chain_len);
	body = (struct cvm_span){ data + 3 + chain_len, len - 3 - chain_len };
	if (data[0] % 3 == 0)
		ret = cvm_pcs_tcb_info(&settings, fmspc, &out, &error);
	else if (data[0] % 3 == 1)
		ret = cvm_pcs_qe_identity(&settings, &out, &error);
	else
		ret = cvm_pcs_pck_crl(&settings, "platform", &out, &error);
	look(ret, &out, &error);
	free(header);
	header = NULL;
}

/* A file of the cache, which somebody else may have written */
static __attribute__((unused)) void cached(const uint8_t *data, size_t len)
{
	struct cvm_error error = { 0 };
	struct cvm_fetched out;
	FILE *file;
	int ret;

	mkdir(CACHE, 0755);
	file = fopen(CACHE "/pcs-td-qe-identity.json", "w");
	must(file && fwrite(data, 1, len, file) == len);
	must(!fclose(file));
	settings.offline = true;
	settings.refresh = false;
	ret = cvm_pcs_qe_identity(&settings, &out, &error);
	must(ret == 0 || ret == -ENOENT);
	must(!ret == !!out.text && (ret || out.expires >= settings.now));
	cvm_fetched_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	READER(data, len);
	return 0;
}
