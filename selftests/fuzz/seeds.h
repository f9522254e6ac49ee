/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_SEEDS_H
#define FUZZ_SEEDS_H

#include <stddef.h>

/* A first input of @target */
void seed(const char *target, const char *name, const void *data, size_t len);
void seed_text(const char *target, const char *name, const char *text);

/* seeds_skr.c: answers to a key release, as fuzz_skr.c has asked for it */
void seed_skr(void);

/* seeds_examples.c */
void seed_examples(void);

#endif /* FUZZ_SEEDS_H */
