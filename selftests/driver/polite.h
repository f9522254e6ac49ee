/* SPDX-License-Identifier: GPL-2.0 */
/* A client that asks once in a while, and what it had to wait for. */
#ifndef POLITE_H
#define POLITE_H

#include "crowd.h"

#define POLITE_MAX	1000
#define POLITE_PERIOD_US	200000

/**
 * struct polite - a client's requests, one after the other
 * @count: of them
 * @commands: answers of the firmware while each waited, its own among them; in
 *	order of size
 * @us: microseconds that each waited; likewise
 */
struct polite {
	unsigned int count;
	long long commands[POLITE_MAX];
	long long us[POLITE_MAX];
};

/* asks @polite->count times for @kind; false: one was not answered rightly */
bool polite_run(struct polite *polite, int fd, __u32 kind);
/* both kinds of figures, in order of size; polite_run() has done it */
void polite_sort(struct polite *polite);
/* the index of the value that @percent of them are not above */
unsigned int polite_rank(const struct polite *polite, unsigned int percent);
/* how long the firmware takes, in microseconds, since the seam was cleared */
double polite_firmware_us(void);

#endif /* POLITE_H */
