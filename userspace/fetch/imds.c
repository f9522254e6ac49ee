// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/base64url.h"
#include "../common/json_hex.h"
#include "../verify/json_in.h"
#include "imds.h"
#include "internal.h"

#define TDREPORT_LEN	1024
#define QUOTE_MAX	(32U << 10)

static void cleanup_json(struct cvm_json *in)
{
	json_decref((json_t *)in->value);
}

static char *make_body(const uint8_t *tdreport)
{
	json_t *body = json_pack("{s:o}", "report",
				 cvm_json_of_base64url(tdreport, TDREPORT_LEN, false));
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	json_decref(body);
	return text;
}

static int read_quote(const char *url, const struct cvm_http_answer *answer, uint8_t **quote,
		      size_t *len, struct cvm_error *error)
{
	struct cvm_json in __cleanup(cleanup_json) = { 0 };
	__cleanup_free uint8_t *bytes = malloc(QUOTE_MAX);
	struct cvm_error why;
	const char *text;
	int ret = cvm_json_load(answer->body, answer->len, "", &in, &why);
	long got;

	if (!ret)
		ret = cvm_json_get_text(&in, "quote", &text);
	if (ret)
		return cvm_set_error(error, ret, "%.100s: %.150s", url, why.text);
	if (!bytes)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	/* padded or not: both have been seen */
	got = cvm_base64_decode(text, bytes, QUOTE_MAX);
	if (got <= 0)
		return cvm_set_error(error, -EBADMSG, "%.100s: no quote in base64 came", url);
	*len = (size_t)got;
	*quote = cvm_take_ptr(bytes);
	return 0;
}

int cvm_imds_td_quote(const char *base, const uint8_t *tdreport, const _Atomic int64_t *deadline,
		      uint8_t **quote, size_t *len, struct cvm_error *error)
{
	struct cvm_item item = { .direct = true, .header = "Metadata: true" };
	__cleanup_free char *body = make_body(tdreport);
	struct cvm_http_answer answer = { 0 };
	int ret;

	if (!body)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	if (snprintf(item.url, sizeof(item.url), "%s/acc/tdquote", base) >= (int)sizeof(item.url))
		return cvm_set_error(error, -EINVAL, "the URL of the host's service is too long");
	item.post = body;
	ret = cvm_http_get(&item, deadline, &answer, error);
	if (!ret)
		ret = read_quote(item.url, &answer, quote, len, error);
	cvm_http_answer_free(&answer);
	return ret;
}
