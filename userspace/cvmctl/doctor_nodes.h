/* SPDX-License-Identifier: MIT */
/* The device nodes, for the two files that look at them. */
#ifndef CVMCTL_DOCTOR_NODES_H
#define CVMCTL_DOCTOR_NODES_H

#include <sys/types.h>

/**
 * struct node - a device node, and what it gives to whoever opens it
 * @path: of it
 * @class: where sysfs has the device
 * @gives: for people
 * @mode: bits that it may have
 * @group: the only group that may have group bits; NULL: whichever root chose
 */
struct node {
	const char *path;
	const char *class;
	const char *gives;
	mode_t mode;
	const char *group;
};

#define BATCH_NODE	"/dev/cvm/batch"

#define DEVICE_NODES	5
/* the batch node is the first */
extern const struct node doctor_device_nodes[DEVICE_NODES];

#endif /* CVMCTL_DOCTOR_NODES_H */
