/* SPDX-License-Identifier: GPL-2.0 */
/* A process that asks for as much as it is let, by many open files. */
#ifndef FLOOD_H
#define FLOOD_H

#include <stdatomic.h>
#include <sys/types.h>

#include "crowd.h"

#define FLOOD_FILES	64
#define FLOOD_UID	1000

/**
 * struct flood - how it asks
 * @group: the cgroup it is in, or NULL
 * @batch: on the batch node
 * @files: open files
 * @uids: users that open them in turns, FLOOD_UID and up
 * @divided: they are opened in two parties in turns: in one each in a cgroup of
 *	its own, in the other all in the same
 * @deep: requests of each file that wait at any time
 */
struct flood {
	const char *group;
	bool batch, divided;
	unsigned int files, uids, deep;
};

/* answers with evidence, of each file; shared with the test */
extern struct flood_tally {
	atomic_ullong answers[FLOOD_FILES];
	atomic_uint running;
} *flood_tally;

/* false: no memory for the tally */
bool flood_init(void);
/* the cgroups for a divided flood; false: not on this machine */
bool flood_groups(void);
/* starts it, and waits until it asks; -1: it does not */
pid_t flood_start(const struct flood *flood);
/* in the midst of everything */
void flood_kill(pid_t pid);

#endif /* FLOOD_H */
