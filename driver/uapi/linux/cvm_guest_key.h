/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * Derived keys: /dev/cvm/key
 *
 * The firmware derives 32 bytes from a secret of the processor and from values
 * of this guest that the caller names (SEV-SNP firmware ABI, MSG_KEY_REQ). They
 * never leave the driver. Keys are made of them by HKDF (RFC 5869, SHA-512) with
 * the caller's salt and
 *
 *	info = "cvm-guest key 1" || 00 || purpose u8 || length u16 LE ||
 *	       label_len u16 LE || label
 *
 * and go into a keyring of the caller's, or to memory where that is asked for.
 * A key is made new, with a description of "cvm:" and the name. Possessors of the
 * keyring may view it and search for it, that is use it in the kernel. Nobody may
 * change it or its permissions; whoever may search for it may invalidate it. Whoever
 * may write to the keyring can put another key of that name there: go by the serial.
 *
 * Whoever can make the firmware mix the same values in derives the same key. So
 * what is mixed in decides who that is: without the measurement it is any guest
 * on this chip, and with it any guest with the same measured software, which
 * may be its firmware alone.
 */
#ifndef _UAPI_LINUX_CVM_GUEST_KEY_H
#define _UAPI_LINUX_CVM_GUEST_KEY_H

#include <linux/cvm_guest.h>

/**
 * enum cvm_root_key - what the firmware derives from
 * @CVM_ROOT_VCEK: the chip's own secret: the key dies with the chip
 * @CVM_ROOT_VMRK: the root key of this VM's own, which a migration agent can
 *	carry on; without one the firmware chooses it at launch, and the key dies
 *	with the VM
 */
enum cvm_root_key {
	CVM_ROOT_VCEK = 0,
	CVM_ROOT_VMRK = 1,
};

/* cvm_derive.mix: what goes in (MSG_KEY_REQ, GUEST_FIELD_SELECT) */
#define CVM_MIX_POLICY		(1U << 0)	/* guest policy */
#define CVM_MIX_IMAGE_ID	(1U << 1)	/* of the ID block */
#define CVM_MIX_FAMILY_ID	(1U << 2)	/* likewise */
#define CVM_MIX_MEASUREMENT	(1U << 3)	/* launch measurement */
#define CVM_MIX_GUEST_SVN	(1U << 4)	/* cvm_derive.guest_svn */
#define CVM_MIX_TCB		(1U << 5)	/* cvm_derive.tcb */
/* cvm_derive.launch_mit_vector; a firmware whose reports are of version 5 or later */
#define CVM_MIX_LAUNCH_MIT	(1U << 6)
#define CVM_MIX_ALL		0x7f

/* cvm_derive.flags */
#define CVM_DERIVE_VMPL		(1U << 0)	/* vmpl is given; else cvm_info.vmpl */

/**
 * enum cvm_purpose - what a key is for: another purpose, another key
 * @CVM_PURPOSE_KEY: encryption
 * @CVM_PURPOSE_CHECK: 16 bytes to see that it is the same key, no secret
 * @CVM_PURPOSE_MAC: authentication of what is kept about the key
 */
enum cvm_purpose {
	CVM_PURPOSE_KEY	  = 1,
	CVM_PURPOSE_CHECK = 2,
	CVM_PURPOSE_MAC	  = 3,
};

/**
 * enum cvm_key_form - where a key goes
 * @CVM_FORM_LOGON: a key of type "logon", which user space cannot read
 * @CVM_FORM_USER: a key of type "user", for what in the kernel takes no other,
 *	such as keys of type "encrypted". Whoever has it in a keyring of his can
 *	read it, whatever its permissions: it is best made in the process
 *	keyring, and invalidated as soon as it has been used
 * @CVM_FORM_MEMORY: to the caller's memory
 */
enum cvm_key_form {
	CVM_FORM_LOGON	= 0,
	CVM_FORM_USER	= 1,
	CVM_FORM_MEMORY	= 2,
};

#define CVM_MIN_KEY		16
#define CVM_MAX_KEY		128
#define CVM_MAX_KEY_NAME	64
#define CVM_MAX_KEY_SALT	64
#define CVM_MAX_DERIVED		8

/**
 * struct cvm_derived - one key
 * @purpose: in: enum cvm_purpose
 * @form: in: enum cvm_key_form
 * @length: in: bytes, CVM_MIN_KEY to CVM_MAX_KEY
 * @keyring: in: serial number, or KEY_SPEC_* of keyctl(2); with
 *	CVM_FORM_MEMORY: 0
 * @serial: out: of the key
 * @timeout_s: in: the kernel expires the key after so many seconds, 0: never;
 *	with CVM_FORM_MEMORY: 0
 * @label_len: in: bytes of @label, at most CVM_MAX_LABEL
 * @name_len: in: bytes of @name, 1 to CVM_MAX_KEY_NAME; with CVM_FORM_MEMORY: 0
 * @label: in: bytes that make the key another one than that of any other label
 * @name: in: letters, digits, and any of "._-"
 * @memory: in: CVM_FORM_MEMORY: where the key goes; else 0
 */
struct cvm_derived {
	__u32 purpose;
	__u32 form;
	__u32 length;
	__s32 keyring;
	__s32 serial;
	__u32 timeout_s;
	__u32 label_len;
	__u32 name_len;
	__aligned_u64 label;
	__aligned_u64 name;
	__aligned_u64 memory;
};

/**
 * struct cvm_derive - keys from one answer of the firmware
 * @size: in: sizeof(struct cvm_derive) as the caller knows it
 * @derived_size: in: sizeof(struct cvm_derived) as the caller knows it, which
 *	is also the stride of the array
 * @count: in: number of keys, 1 to CVM_MAX_DERIVED
 * @flags: in: CVM_DERIVE_*
 * @root: in: enum cvm_root_key
 * @mix: in: CVM_MIX_*
 * @vmpl: in: with CVM_DERIVE_VMPL, else 0
 * @guest_svn: in: with CVM_MIX_GUEST_SVN: at most that of the ID block, else 0
 * @tcb: in: with CVM_MIX_TCB: a TCB version, in no component above the
 *	committed one, else 0
 * @launch_mit_vector: in: with CVM_MIX_LAUNCH_MIT: bits of the report's, else 0
 * @timeout_ms: in: deadline from now; 0: default_timeout_ms; more than
 *	max_timeout_ms is taken as max_timeout_ms
 * @salt_len: in: bytes of @salt, at most CVM_MAX_KEY_SALT; 0: none
 * @salt: in: of HKDF, which takes it and the same with zero bytes after it for one
 * @derived: in: the array
 * @platform_status: out: as of cvm_evidence_req, where the firmware was asked
 *
 * CVM_DERIVE blocks, and makes all keys or none: what had been made when one could
 * not is revoked, memory that had been written to is cleared; in a keyring that is
 * shared, others may have seen keys in between. Arguments are checked and keyrings
 * looked up before the firmware is asked; whether a name is free, and what the
 * quota allows, is found out afterwards.
 *
 *   -EPERM        the caller or the opener lacks CAP_SYS_ADMIN in the initial
 *                 user namespace
 *   -EOPNOTSUPP   this platform derives no keys; or, with CVM_MIX_LAUNCH_MIT, its
 *                 firmware does not know that
 *   -EINVAL       as for other ioctls; a name that is not one; a VMPL that this VM
 *                 cannot ask for
 *   -EIO          the firmware refuses, platform_status says why: 0x16: a
 *                 guest_svn, tcb or launch_mit_vector above what this guest may
 *                 have; 0x27: it has no such root key
 *   -EEXIST       there is a key of that name in the keyring: also one that has
 *                 expired and is not collected yet (unlink it by its serial)
 *   -ENOTDIR      that is no keyring
 *   -EDQUOT, -ENOKEY, -EACCES, -EKEYEXPIRED, -EKEYREVOKED   of the keyring
 *   -EBADMSG      the answer is not one to this request, or no key: all zero, or
 *                 its halves, which are two keys to some ciphers, are equal; or it
 *                 may be of the VLEK, which many chips have
 *   -EFAULT, -ENOMEM, -EBUSY, -ETIMEDOUT, -ECANCELED, -EINTR, and -ENOKEY where
 *                 the channel is dead: as for other requests
 */
struct cvm_derive {
	__u32 size;
	__u32 derived_size;
	__u32 count;
	__u32 flags;
	__u32 root;
	__u32 mix;
	__u32 vmpl;
	__u32 guest_svn;
	__aligned_u64 tcb;
	__aligned_u64 launch_mit_vector;
	__u32 timeout_ms;
	__u32 salt_len;
	__aligned_u64 salt;
	__aligned_u64 derived;
	__aligned_u64 platform_status;
};

/* /dev/cvm/key alone, which has none of the others but CVM_INFO */
#define CVM_DERIVE	_IO(CVM_IOC_MAGIC, 0x05)	/* struct cvm_derive */

#endif /* _UAPI_LINUX_CVM_GUEST_KEY_H */
