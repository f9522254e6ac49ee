// SPDX-License-Identifier: MIT
/* cvmctl bench --mode key: what a derived key costs, by the driver or by /dev/sev-guest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "common/cleanup.h"
#include "disk.h"
#include "keys/secret.h"

#define KEY_LEN		32

/**
 * struct bench_door - of a client
 * @door: open
 * @inputs: what all its keys are derived from
 */
struct bench_door {
	struct cvm_key_door door;
	struct cvm_key_inputs inputs;
};

/* the door is the one there is: that it is the one that was named is checked */
static int check_backend(const struct bench *bench, const struct cvm_key_door *door)
{
	const char *is = door->driver ? "cvm" : "native";

	if (!bench->backend || !strcmp(bench->backend, is))
		return 0;
	return fail(EXIT_NOT_SUPPORTED, "--mode key: keys come from %s here, not from %s", is,
		    bench->backend);
}

int bench_open_door(const struct bench *bench, struct bench_door **out)
{
	struct bench_door *door = calloc(1, sizeof(*door));
	int rc;

	*out = door;
	if (!door)
		return fail(EXIT_FAILED, "out of memory");
	rc = open_door(&door->door, CVM_FROM_FIRMWARE);
	if (rc)
		return rc;
	cvm_key_inputs_newest(&door->inputs, CVM_ROOT_VCEK, CVM_MIX_DEFAULT, &door->door.facts);
	return check_backend(bench, &door->door);
}

void bench_close_door(struct bench_door *door)
{
	if (!door)
		return;
	cvm_key_door_close(&door->door);
	free(door);
}

int bench_derive(struct bench_door *door, const uint8_t *nonce, size_t len,
		 struct cvm_error *error)
{
	__cleanup_secret struct cvm_secret key = { 0 };
	struct cvm_key_set set = {
		.inputs = door->inputs, .label = (const char *)nonce, .label_len = len,
		.count = 1,
		.ask = { { .purpose = CVM_PURPOSE_KEY, .form = CVM_FORM_MEMORY,
			   .length = KEY_LEN, .memory = key.bytes } },
	};

	return cvm_key_derive(&door->door, &set, error);
}
