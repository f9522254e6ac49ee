// SPDX-License-Identifier: GPL-2.0
/* While there are secrets no signal arrives; when one does, they are gone. */
#include <signal.h>
#include <unistd.h>

#include "keys/secret.h"
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

int main(void)
{
	signal(SIGTERM, on_signal);
	with_secret();
	check(arrived == 1, "it arrives when the secret's time is over");
	check(wiped, "and finds it wiped");
	test_stack();
	test_nested();
	return tap_end();
}
