/* SPDX-License-Identifier: MIT */
/* What the actions of cvmctl key share. */
#ifndef CVMCTL_KEY_H
#define CVMCTL_KEY_H

#include "disk.h"
#include "keys/derive.h"

/**
 * struct key_source - whose secret a key is made of
 * @from: whose
 * @record: of the TPM's, if it is one of them
 * @accept: what is accepted of that
 */
struct key_source {
	enum cvm_key_from from;
	const char *record;
	struct cvm_key_accept accept;
};

/* Each: 0 or an exit status; what went wrong has been said. */

/* What was not named is of this VM, and what of it this door has. */
int key_complete_inputs(const struct arguments *args, const struct cvm_key_door *door,
			struct cvm_key_inputs *in);

/* The TPM's secret, for the caller to wipe */
int key_unseal(const struct key_source *source, const struct cvm_key_door *door, uint8_t *secret);

/*
 * key_credential.c: answer whoever connects to the socket that systemd has handed over, until
 * nobody does. @set: what each key is made of, but for its label; @hex: in digits
 */
int key_serve(const struct arguments *args, const struct key_source *source,
	      const struct cvm_key_set *set, bool hex);

/* key_peer.c: the capability that key_check_unit() takes is effective there alone, from now on */
int key_peer_begin(void);

/* whoever has connected is uid 0; @pid: out: his process, or 0 if that is not known */
int key_check_root(int fd, pid_t *pid);

/* and is in the cgroup of @unit, with CAP_SYS_ADMIN, in our user namespace */
int key_check_unit(int fd, pid_t pid, const char *unit);

/* who may be waited for at a time; with so many nobody else is taken */
#define KEY_REFUSALS	64

/**
 * struct key_refusals - connections that get no key, and what they have had of that
 * @count: of @one
 */
struct key_refusals {
	size_t count;
	struct key_refusal {
		int fd;
		size_t sent;
	} one[KEY_REFUSALS];
};

/* key_refuse.c: takes @fd, which is closed in the end; there must be room */
void key_refuse(struct key_refusals *all, int fd);

/* As much as they take now: when one of them can be written to, and some time after */
void key_refuse_more(struct key_refusals *all);

#endif /* CVMCTL_KEY_H */
