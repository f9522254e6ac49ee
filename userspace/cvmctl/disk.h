/* SPDX-License-Identifier: MIT */
/* What the actions of cvmctl disk share. */
#ifndef CVMCTL_DISK_H
#define CVMCTL_DISK_H

#include <limits.h>

#include "cvmctl.h"
#include "disk/disk.h"
#include "disk/luks.h"
#include "keys/unlock.h"

/* the same words in the tables of cvmctl key and cvmctl disk */
#define ARG_MIX		"LIST|@FILE"
#define ARG_ROOT	"vcek|vmrk"
#define HELP_ROOT \
	"what keys are derived from: the chip's secret (vcek, the\ndefault), or this VM's own (vmrk)"

#define ARG_FROM	"firmware|tpm|both"
#define ARG_PCRS	"LIST|@FILE"

/**
 * enum disk_system - what the mix is known to stand for: --system
 * @SYSTEM_UNSAID: nobody has said so
 * @SYSTEM_MEASURED: the launch measurement covers kernel, initrd and command line
 * @SYSTEM_FIRMWARE: it covers the firmware alone, as everybody's who has the same
 */
enum disk_system { SYSTEM_UNSAID, SYSTEM_MEASURED, SYSTEM_FIRMWARE };

/**
 * enum tpm_whose - who runs the TPM: --tpm
 * @TPM_UNSAID: nobody has said so
 * @TPM_TRUSTED: one that the host does not: the paravisor of Azure's, an SVSM
 * @TPM_HOST: the host, as QEMU's swtpm; or it is not known
 */
enum tpm_whose { TPM_UNSAID, TPM_TRUSTED, TPM_HOST };

#define ARG_TPM		"trusted|host"

/**
 * struct disk_options - a command line of cvmctl disk
 * @name: of the disk
 * @device: or NULL
 * @record: path, or NULL
 * @label: of its record
 * @from: --from
 * @accept: what its record must be at least
 * @mix: what is mixed in by format and rotate, of what is known there
 * @system: --system
 * @tpm: --tpm
 * @integrity: --integrity
 * @luks: --luks
 * @recovery: --recovery, or NULL
 * @force: --force
 * @read_only: --read-only
 * @random: --key random
 * @temporary: --temporary
 * @json: --json
 */
struct disk_options {
	const char *name;
	const char *device;
	const char *record;
	char label[CVM_RECORD_MAX_LABEL];
	enum cvm_key_from from;
	struct cvm_key_accept accept;
	uint32_t mix;
	enum disk_system system;
	enum tpm_whose tpm;
	bool integrity;
	bool luks;
	const char *recovery;
	bool force;
	bool read_only;
	bool random;
	bool temporary;
	bool json;
};

/* --mix; a list, or a file with one line. @mix: out. 0 or an exit status. */
int parse_mix(const char *value, uint32_t *mix);

/* --root, or NULL. 0 or an exit status. */
int parse_root(const char *value, uint32_t *root);

/**
 * parse_from() - --from and --pcrs, each or NULL
 * @from: its value
 * @pcrs: likewise; a list, or a file with one line
 * @whose: out
 * @mask: out: bits; 0 where there is no TPM in @whose
 *
 * Return: 0 or an exit status; what is wrong has been said.
 */
int parse_from(const char *from, const char *pcrs, enum cvm_key_from *whose, uint32_t *mask);

/* --tpm, or NULL. 0 or an exit status. */
int parse_tpm_whose(const char *value, enum tpm_whose *whose);

/*
 * Before a secret is sealed on which all depends: to a TPM that is said not to be the host's,
 * and to PCRs that say what has booted. 0 or an exit status.
 */
int check_seal(const char *action, enum tpm_whose whose, uint32_t pcrs);

/* "firmware", "tpm" or "both" */
const char *from_name(enum cvm_key_from from);

/* 16 hexadecimal digits, the most significant first. 0 or an exit status. */
int parse_hex64(const char *option, const char *value, uint64_t *number);

/* --keyring: session, user or a serial number. 0 or an exit status. */
int parse_keyring(const char *value, int32_t *keyring);

/* --name: what a key's description may end in. 0 or an exit status. */
int check_key_name(const char *name);

/* A failed call of keys/ or disk/. @what: what it is about. Returns the exit status. */
int fail_key(int rc, const char *what, const struct cvm_error *error);

#define __cleanup_door	__cleanup(cvm_key_door_close)
#define __cleanup_block	__cleanup(cvm_block_close)

/* Locks this process's memory, and opens @door. */
int open_door(struct cvm_key_door *door, enum cvm_key_from from);

/* From here on no key in any keyring of the caller's is found by its name. 0 or the exit status. */
int empty_session(void);

/* open_door(), and no key in any keyring of the caller's is found by its name from then on. */
int open_disk_door(struct cvm_key_door *door, enum cvm_key_from from);

/* Once it is done: tells the user by which door, on stderr. */
void tell_door(const struct cvm_key_door *door);

/* draft.c: a record until it has its name, or what goes with one; removed when its scope ends; "": there is none */
struct draft {
	char path[PATH_MAX];
};

#define __cleanup_draft	__cleanup(remove_draft)

void remove_draft(struct draft *draft);

/* A name for what becomes @record. 0 or an exit status. */
int name_draft(const char *record, struct draft *draft);

/* Give it its name, unless there is such a file; @whose: for messages. 0 or an exit status. */
int place_draft(struct draft *draft, const char *path, const char *whose);

/* disk_rotate.c: what a record of @old would be of when it is rotated. @in: out */
void disk_newest_inputs(const struct disk_options *options, const struct cvm_key_door *door,
			const struct cvm_key_inputs *old, struct cvm_key_inputs *in);

/*
 * disk_luks.c: a header in memory, for cvm_luks_drop(), and its digest into @record. @file:
 * out: where the recovery passphrase is
 */
int disk_make_luks(const struct disk_options *options, const struct cvm_data_key *key,
		   struct cvm_luks *luks, struct draft *file, struct cvm_key_record *record,
		   struct cvm_error *error);

/* It goes onto the device; @block is opened again, and is the one that it was. */
int disk_write_luks(const struct disk_options *options, const struct cvm_luks *luks,
		    struct cvm_block *block, struct cvm_error *error);

/* disk_ACTION.c, and disk_close() with disk_open(): the actions. Return the exit status. */
int disk_format(const struct disk_options *options);
int disk_open(const struct disk_options *options);
int disk_close(const struct disk_options *options);
int disk_rotate(const struct disk_options *options);
int disk_status(const struct disk_options *options);
int disk_temporary(const struct disk_options *options);

#endif /* CVMCTL_DISK_H */
