// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the rate of this machine's time stamp counter in kHz. Without KVM it is
 * the VM's too, and a VM that has to find it out by itself while others have the
 * CPU finds a clock that runs many times too fast.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define TRIES	200
#define WAIT_NS	50000000

struct moment {
	uint64_t ns, tsc;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* of some tries the one between whose readings the least went by */
static struct moment moment(void)
{
	struct moment best = { 0, 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = now_ns(), tsc = __rdtsc(), took = now_ns() - before;

		if (took >= least)
			continue;
		least = took;
		best = (struct moment) { before + took / 2, tsc };
	}
	return best;
}

int main(void)
{
	struct moment first = moment(), last;

	nanosleep(&(struct timespec) { .tv_nsec = WAIT_NS }, NULL);
	last = moment();
	printf("%.0f\n", (double)(last.tsc - first.tsc) * 1e6 / (double)(last.ns - first.ns));
	return 0;
}
