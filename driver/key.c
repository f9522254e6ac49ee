// SPDX-License-Identifier: GPL-2.0-only
/*
 * The firmware's answer comes by a request like any other, but is nobody's
 * evidence: never shared, cached, traced or copied to a caller. From it keys are
 * derived here, and it is wiped with the request.
 */
#include <crypto/algapi.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/key.h>
#include <linux/key-type.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "hkdf.h"
#include "key.h"
#include "queue.h"
#include "request.h"
#include "worker.h"

/* with its zero byte, which is part of it */
static const char context[] = "cvm-guest key 1";

/* HKDF's info, see uapi/linux/cvm_guest_key.h; as long as its label is */
struct info {
	char context[sizeof(context)];
	u8 purpose;
	__le16 length;
	__le16 label_len;
	u8 label[CVM_MAX_LABEL];
} __packed;

static_assert(offsetof(struct info, label) == 21);
static_assert(sizeof(struct info) <= CVM_HKDF_MAX_INFO);
static_assert(CVM_MAX_KEY <= CVM_HKDF_MAX_KEY);
static_assert(CVM_MAX_KEY_SALT == CVM_HKDF_HASH);

static bool in_memory(const struct cvm_key *key)
{
	return key->form == CVM_FORM_MEMORY;
}

int cvm_keys_prepare(struct cvm_keys *keys)
{
	struct cvm_key *key;

	for (key = keys->key; key < keys->key + keys->count; key++) {
		if (in_memory(key))
			continue;
		key->ring = lookup_user_key(key->keyring, KEY_LOOKUP_CREATE,
					    KEY_NEED_WRITE);
		if (IS_ERR(key->ring))
			return PTR_ERR(key->ring);
		if (key_ref_to_ptr(key->ring)->type != &key_type_keyring)
			return -ENOTDIR;
	}
	return 0;
}

int cvm_keys_wait(struct cvm_keys *keys, struct cvm_req *req, u32 timeout_ms)
{
	struct cvm_waiter waiter;
	bool answered;
	long left;
	int ret;

	cvm_waiter_init(&waiter);
	ret = cvm_queue_add(req, &waiter);
	if (ret)
		return ret;
	if (cvm_queue_heard())
		cvm_worker_kick();
	/* the request goes on alone if there is no memory for it: that is said later */
	keys->hkdf = cvm_hkdf_alloc(keys->salt);
	left = cvm_waiter_wait(&waiter, msecs_to_jiffies(timeout_ms));
	return cvm_req_detach(req, left < 0 ? -EINTR : -ETIMEDOUT, &answered);
}

/* XTS and others take a key for two: equal ones would make them something weaker */
static bool halves_equal(const struct cvm_key *key)
{
	return !crypto_memneq(key->bytes, key->bytes + key->length / 2,
			      key->length / 2);
}

static int derive(struct cvm_hkdf *hkdf, struct cvm_key *key)
{
	struct info info = {
		.purpose = key->purpose,
		.length = cpu_to_le16(key->length),
		.label_len = cpu_to_le16(key->label_len),
	};
	int ret;

	memcpy(info.context, context, sizeof(context));
	memcpy(info.label, key->label, key->label_len);
	ret = cvm_hkdf_expand(hkdf, (const u8 *)&info,
			      offsetof(struct info, label) + key->label_len,
			      key->bytes, key->length);
	if (!ret && halves_equal(key))
		ret = -EBADMSG;
	return ret;
}

/*
 * What possessors of the keyring may do with it. None of it lets anybody change
 * it or its permissions: a key that could be written would be a way to make a
 * disk's key one that the host knows.
 */
#define PERMISSIONS	(KEY_POS_VIEW | KEY_POS_SEARCH)

static int make(struct cvm_key *key)
{
	if (in_memory(key))
		return 0;
	key->key = key_create(key->ring, key->form == CVM_FORM_LOGON ? "logon" : "user",
			      key->description, key->bytes, key->length,
			      PERMISSIONS, KEY_ALLOC_IN_QUOTA);
	memzero_explicit(key->bytes, sizeof(key->bytes));
	if (IS_ERR(key->key))
		return PTR_ERR(key->key);
	if (key->timeout_s)
		key_set_timeout(key_ref_to_ptr(key->key), key->timeout_s);
	return 0;
}

int cvm_keys_make(struct cvm_keys *keys, const struct cvm_req *req)
{
	struct cvm_key *key;
	int ret;

	if (IS_ERR(keys->hkdf))
		return PTR_ERR(keys->hkdf);
	ret = cvm_hkdf_extract(keys->hkdf, req->evidence, req->evidence_len);
	for (key = keys->key; !ret && key < keys->key + keys->count; key++)
		ret = derive(keys->hkdf, key) ?: make(key);
	if (ret)
		cvm_keys_undo(keys);
	return ret;
}

void cvm_keys_undo(struct cvm_keys *keys)
{
	struct cvm_key *key;

	for (key = keys->key; key < keys->key + keys->count; key++) {
		if (IS_ERR_OR_NULL(key->key))
			continue;
		/* its bytes and its quota go at once, whoever holds it; then it */
		key_revoke(key_ref_to_ptr(key->key));
		key_invalidate(key_ref_to_ptr(key->key));
	}
}

void cvm_keys_put(struct cvm_keys *keys)
{
	struct cvm_key *key;

	for (key = keys->key; key < keys->key + keys->count; key++) {
		if (!IS_ERR_OR_NULL(key->key))
			key_ref_put(key->key);
		if (!IS_ERR_OR_NULL(key->ring))
			key_ref_put(key->ring);
	}
	if (!IS_ERR_OR_NULL(keys->hkdf))
		cvm_hkdf_free(keys->hkdf);
}
