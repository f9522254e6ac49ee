/* SPDX-License-Identifier: MIT */
/*
 * What cvmctl doctor's checks share. A check is a function that looks at one
 * thing, read-only, and adds at least one finding; doctor_*.c has them, the
 * table is in cmd_doctor.c.
 */
#ifndef CVMCTL_DOCTOR_H
#define CVMCTL_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "cvmguest.h"

/* how bad it is; the worst decides the exit status */
enum severity {
	FINE,		/* looked at, and as it should be */
	NOTE,		/* good to know */
	WARNING,	/* something is missing, slower or weaker than it could be */
	UNSAFE,		/* the guarantees do not hold, or there is no evidence at all */
};

/**
 * struct doctor - the machine under examination
 * @root: put before every path; "": this machine
 * @release: of the kernel, as uname -r
 * @version: of the kernel, as uname -v
 * @tee: what kind of confidential VM it is
 * @ours: cvm_guest is loaded
 * @findings: array of objects, the result
 * @worst: of all findings
 */
struct doctor {
	const char *root;
	char release[128];
	char version[256];
	enum cvm_tee tee;
	bool ours;
	json_t *findings;
	enum severity worst;
};

/* the command that makes it part of the kernel's command line, from the next boot on */
#define KERNEL_OPTION(option) \
	"echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " option "\"' " \
	">>/etc/default/grub.d/cvm-guest.cfg && update-grub"

/* @command: the one that mends it, or NULL */
void finding(struct doctor *d, const char *check, enum severity severity, const char *command,
	     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* @format below the root. @path has room for PATH_MAX bytes; returns it. */
const char *doctor_path(const struct doctor *d, char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool doctor_exists(const struct doctor *d, const char *path);
/* the first line of a file, to be freed; NULL: it cannot be read */
char *doctor_line(const struct doctor *d, const char *path);
/* is @word one of the words of a file? */
bool doctor_word(const struct doctor *d, const char *path, const char *word);

/* doctor_driver.c */
void doctor_platform(struct doctor *d);
void doctor_driver(struct doctor *d);
void doctor_module(struct doctor *d);
void doctor_signature(struct doctor *d);
void doctor_channel(struct doctor *d);

/* doctor_nodes.c */
void doctor_nodes(struct doctor *d);
void doctor_group(struct doctor *d);
void doctor_containers(struct doctor *d);

/* doctor_kernel.c */
void doctor_kernel(struct doctor *d);

/* doctor_system.c */
void doctor_tpm(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_entropy(struct doctor *d);

#endif /* CVMCTL_DOCTOR_H */
