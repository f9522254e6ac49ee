// SPDX-License-Identifier: MIT
/* Azure's Trusted Hardware Identity Management, which the host of a guest answers for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/util.h"
#include "../verify/json_in.h"
#include "internal.h"

static void cleanup_json(struct cvm_json *in)
{
	json_decref((json_t *)in->value);
}

/* vcekCert and certificateChain, PEM both */
static int read_answer(const struct cvm_item *item, const char *body, size_t len,
		       struct cvm_fetched *out, struct cvm_error *error)
{
	struct cvm_json in __cleanup(cleanup_json) = { 0 };
	const char *vcek, *chain;
	__cleanup_free char *both = NULL;
	struct cvm_error why;
	int ret = cvm_json_load(body, len, "", &in, &why);

	if (!ret)
		ret = cvm_json_get_text(&in, "vcekCert", &vcek);
	if (!ret)
		ret = cvm_json_get_text(&in, "certificateChain", &chain);
	if (ret)
		return cvm_set_error(error, ret, "%.100s: %.150s", item->url, why.text);
	if (asprintf(&both, "%s\n%s", vcek, chain) < 0)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	return cvm_read_vcek(item, both, strlen(both), out, error);
}

int cvm_thim_vcek(const struct cvm_fetch *f, enum cvm_snp_product product,
		  const uint8_t chip_id[64], uint64_t tcb, struct cvm_fetched *out,
		  struct cvm_error *error)
{
	/* no certificate changes, but whoever is at that address could have made this one */
	struct cvm_item item = { .fresh = CVM_FETCH_DAY, .read = read_answer, .direct = true,
				 .header = "Metadata: true", .product = product,
				 .chip_id = chip_id, .tcb = tcb };
	char id[129];

	cvm_hex_encode(chip_id, 64, id);
	snprintf(item.key, sizeof(item.key), "thim-vcek-%s-%s-%016llx",
		 cvm_snp_product_name(product), id, (unsigned long long)tcb);
	snprintf(item.url, sizeof(item.url), "%s/metadata/THIM/amd/certification", f->thim);
	return cvm_fetch_item(f, &item, out, error);
}
