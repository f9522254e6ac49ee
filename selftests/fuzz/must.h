/* SPDX-License-Identifier: GPL-2.0 */
/* What must hold whatever the input is */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cvmguest.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

/* On a terminal */
static inline void must_print(const char *text)
{
	for (; *text; text++)
		must(*text >= ' ' && *text <= '~');
}

/* Whoever is refused is told why. */
static inline void must_explain(int ret, const struct cvm_error *error)
{
	must(ret == 0 || ret == -EBADMSG);
	must(!ret || *error->text);
	if (ret)
		must_print(error->text);
}

#endif /* FUZZ_MUST_H */
