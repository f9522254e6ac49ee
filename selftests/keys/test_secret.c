// SPDX-License-Identifier: GPL-2.0
/* While there are secrets no signal arrives; when one does, they are gone. So is what was freed. */
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/util.h"
#include "keys/secret.h"
#include "memory.h"
#include "tap.h"

#define PATTERN	0xc7
#define DEPTH	4096

static const volatile uint8_t *watched;
static volatile sig_atomic_t arrived, wiped;

static void on_signal(int number)
{
	arrived++;
	wiped = number == SIGTERM;
	for (size_t i = 0; i < CVM_SECRET_MAX; i++)
		if (watched[i])
			wiped = 0;
}

/* as a signal finds it that comes while the secret is there */
static void with_secret(void)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_secret struct cvm_secret secret;

	watched = secret.bytes;
	cvm_secret_begin(&time);
	memset(secret.bytes, PATTERN, sizeof(secret.bytes));
	raise(SIGTERM);
	check(!arrived, "no signal arrives while there is a secret");
}

/* as a hash function does it; where it was is all that it gives */
static __attribute__((noinline)) uintptr_t leave_on_stack(void)
{
	volatile uint8_t below[DEPTH];

	for (size_t i = 0; i < DEPTH; i++)
		below[i] = PATTERN;
	return (uintptr_t)below;
}

static size_t still_there(uintptr_t where)
{
	const volatile uint8_t *below = (const volatile uint8_t *)where;
	size_t count = 0;

	for (size_t i = 0; i < DEPTH; i++)
		count += below[i] == PATTERN;
	return count;
}

static void test_stack(void)
{
	struct cvm_secret_time time = { 0 };
	uintptr_t where = leave_on_stack();
	size_t before = still_there(where), after;

	cvm_secret_begin(&time);
	where = leave_on_stack();
	cvm_secret_end(&time);
	after = still_there(where);
	check(before > DEPTH / 2, "what a function has on its stack stays there");
	/* but for what has been called since */
	check(after < DEPTH / 16, "at the end of secrets it is gone");
}

static void test_nested(void)
{
	struct cvm_secret_time outer = { 0 }, inner = { 0 };

	arrived = 0;
	cvm_secret_begin(&outer);
	cvm_secret_begin(&inner);
	raise(SIGTERM);
	cvm_secret_end(&inner);
	check(!arrived, "the end of an inner time of secrets is not the end");
	cvm_secret_end(&outer);
	check(arrived == 1, "that of the outer one is");
	cvm_secret_end(&outer);
	raise(SIGTERM);
	check(arrived == 2, "and signals arrive as before");
}

/* as a TPM is closed after the command's own time, within which it was opened */
static void test_overlapping(void)
{
	struct cvm_secret_time first = { 0 }, last = { 0 };

	arrived = 0;
	cvm_secret_begin(&first);
	cvm_secret_begin(&last);
	cvm_secret_end(&first);
	raise(SIGTERM);
	check(!arrived, "what began first ends first: not the end");
	cvm_secret_end(&last);
	check(arrived == 1, "that of the last one is");
}

/* ---- the heap */

/* into lists of one size, and into those of any */
static const size_t sizes[] = { 64, 64, 200, 1000, 1032, 1100, 5000, 40000 };

/*
 * Seven of one size are in its list, and as many in a bin. To take three from the list
 * has the allocator move some there from the bin when it takes another one.
 */
static void free_many(void)
{
	unsigned char secret[32], *chunks[14], *between[14], *taken[3];

	getrandom(secret, sizeof(secret), 0);
	memory_learn(secret, sizeof(secret));
	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
		volatile unsigned char *to = chunks[i] = malloc(300);

		between[i] = malloc(300);
		for (size_t j = 0; j < sizeof(secret); j++)
			to[32 + j] = secret[j];
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++)
		free(chunks[i]);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		taken[i] = malloc(300);
		OPENSSL_cleanse(taken[i], 300);
	}
	check(memory_has(), "many of one size: what was in them is found");
	cvm_secret_heap();
	check(!memory_has(), "and nowhere when that has been wiped");
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		free(taken[i]);
	for (size_t i = 0; i < ARRAY_SIZE(between); i++)
		free(between[i]);
}

static void free_secret(void)
{
	unsigned char secret[32], *chunks[ARRAY_SIZE(sizes)], *between[ARRAY_SIZE(sizes)];

	getrandom(secret, sizeof(secret), 0);
	memory_learn(secret, sizeof(secret));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		volatile unsigned char *to = chunks[i] = malloc(sizes[i]);

		/* or free ones would become one */
		between[i] = malloc(sizes[i]);
		/* behind what the allocator writes into a free one */
		for (size_t j = 0; j < sizeof(secret); j++)
			to[32 + j] = secret[j];
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		free(chunks[i]);
	check(memory_has(), "what was in memory that is free again is found there");
	cvm_secret_heap();
	check(!memory_has(), "and nowhere when that has been wiped");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		free(between[i]);
}

int main(void)
{
	signal(SIGTERM, on_signal);
	with_secret();
	check(arrived == 1, "it arrives when the secret's time is over");
	check(wiped, "and finds it wiped");
	test_stack();
	test_nested();
	test_overlapping();
	if (memory_can()) {
		free_secret();
		free_many();
	}
	return tap_end();
}
