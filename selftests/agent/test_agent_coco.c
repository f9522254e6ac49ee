// SPDX-License-Identifier: GPL-2.0
/* Lists of numbers: what they say, what they cost, and how long they may be. */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>

#include "agent/format.h"
#include "agent/limits.h"
#include "make_snp.h"
#include "tap.h"

#define HEADER	48	/* of a table with one entry and its end */
#define LEN	(32U << 10)

/* a quarter of those for a number of its own for each */
#define FEW	(LEN / 4)

static size_t allocations;

static void *count_malloc(size_t size)
{
	allocations++;
	return malloc(size);
}

static void put_le32(uint8_t *to, size_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

/* A VCEK of @len bytes, 0, 1, 2 and so on */
static struct cvm_blob make_table(size_t len)
{
	static const uint8_t vcek[16] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
					  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
	uint8_t *table = need(calloc(1, HEADER + len));

	memcpy(table, vcek, sizeof(vcek));
	put_le32(table + 16, HEADER);
	put_le32(table + 20, len);
	for (size_t i = 0; i < len; i++)
		table[HEADER + i] = (uint8_t)i;
	return (struct cvm_blob){ .data = table, .len = HEADER + len };
}

/* with a table of @len bytes of certificates */
static int write_with(size_t len, char **body, size_t *body_len, struct cvm_error *error)
{
	static struct snp_world world;
	struct cvm_evidence_file file = { .type = CVM_EVIDENCE_SNP_REPORT };
	int rc;

	if (!world.report[0]) {
		world = snp_genuine();
		snp_sign(&world);
	}
	file.report = (struct cvm_blob){ .data = world.report, .len = sizeof(world.report) };
	file.certs = make_table(len);
	allocations = 0;
	rc = agent_coco_write(&file, body, body_len, error);
	free(file.certs.data);
	return rc;
}

static void test_list(void)
{
	struct cvm_error error;
	char *body = NULL;
	size_t len, good = 0;
	json_t *json, *data;

	check_is(write_with(LEN, &body, &len, &error), 0, "a table of 32 KiB is written");
	if (!check(allocations < FEW, "with few allocations"))
		printf("# %zu\n", allocations);
	json = body ? json_loadb(body, len, 0, NULL) : NULL;
	data = json_object_get(json_array_get(json_object_get(json, "cert_chain"), 0), "data");
	for (size_t i = 0; i < json_array_size(data); i++)
		good += json_integer_value(json_array_get(data, i)) == (uint8_t)i;
	check_is((long)good, LEN, "each byte is a number, and that");
	json_decref(json);
	free(body);
}

static void test_limit(void)
{
	struct cvm_error error = { 0 };
	char *body = NULL;
	size_t len;

	check_is(write_with(AGENT_MAX_LISTED, &body, &len, &error), 0, "as long as it may be");
	free(body);
	check_is(write_with(AGENT_MAX_LISTED + 1, &body, &len, &error), -EOPNOTSUPP, "longer: refused");
	check_says(error.text, "use json", "and it says what there is");
}

int main(void)
{
	snp_make_keys();
	json_set_alloc_funcs(count_malloc, free);
	test_list();
	test_limit();
	agent_coco_end();
	snp_free_keys();
	return tap_end();
}
