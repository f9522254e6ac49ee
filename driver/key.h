/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys derived from the firmware's, and where they go. In the caller's context:
 * keyrings, quotas and permissions are those of the current task.
 */
#ifndef CVM_KEY_H
#define CVM_KEY_H

#include <linux/key.h>
#include <linux/types.h>

#include <uapi/linux/cvm_guest_key.h>

struct cvm_req;

/* "cvm:", a name, and its end */
#define CVM_KEY_DESCRIPTION	(4 + CVM_MAX_KEY_NAME + 1)

/**
 * struct cvm_key - one key, as the caller wants it
 * @purpose: enum cvm_purpose
 * @form: enum cvm_key_form
 * @length: bytes
 * @keyring: its id; looked up by cvm_keys_prepare() into @ring
 * @timeout_s: 0: none
 * @label_len: bytes
 * @label: what is mixed in
 * @description: of the kernel's key
 * @ring: where it goes, or NULL
 * @key: the one that was made, or NULL
 * @bytes: of CVM_FORM_MEMORY, the key itself; else of the moment it is made
 */
struct cvm_key {
	u32 purpose;
	u32 form;
	u32 length;
	s32 keyring;
	u32 timeout_s;
	u32 label_len;
	u8 label[CVM_MAX_LABEL];
	char description[CVM_KEY_DESCRIPTION];
	key_ref_t ring;
	key_ref_t key;
	u8 bytes[CVM_MAX_KEY];
};

/**
 * struct cvm_keys - what comes of one answer of the firmware
 * @hkdf: what they are derived with
 * @salt: of all of them, the rest is 0
 * @count: of them
 * @key: given back by cvm_keys_put()
 */
struct cvm_keys {
	struct cvm_hkdf *hkdf;
	u8 salt[CVM_MAX_KEY_SALT];
	u32 count;
	struct cvm_key key[CVM_MAX_DERIVED];
};

/* looks up the keyrings, before the firmware is asked: 0 or an error */
int cvm_keys_prepare(struct cvm_keys *keys);
/*
 * Asks for @req, and while the firmware works gets ready what is derived with; then
 * waits for the answer, until the deadline: its result, or -EINTR.
 */
int cvm_keys_wait(struct cvm_keys *keys, struct cvm_req *req, u32 timeout_ms);
/* makes all of them, or none and says why */
int cvm_keys_make(struct cvm_keys *keys, const struct cvm_req *req);
/* the caller does not get to know of them: they are nobody's */
void cvm_keys_undo(struct cvm_keys *keys);
/* keys that were made stay; @keys has secrets in it, and is the caller's to wipe */
void cvm_keys_put(struct cvm_keys *keys);

#endif /* CVM_KEY_H */
