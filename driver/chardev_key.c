// SPDX-License-Identifier: GPL-2.0-only
/*
 * CVM_DERIVE: keys from one answer of the firmware, into keyrings of the caller's.
 */
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "chardev.h"
#include "key.h"
#include "platform.h"
#include "session.h"

/* Lengths of the structs when they were first published */
#define DERIVE_SIZE_V1	80
#define DERIVED_SIZE_V1	56

static_assert(sizeof(struct cvm_derive) == DERIVE_SIZE_V1);
static_assert(sizeof(struct cvm_derived) == DERIVED_SIZE_V1);

#define PREFIX		"cvm:"

/**
 * struct derivation - one CVM_DERIVE
 * @head: the caller's struct, checked
 * @user: where it came from
 * @memory: of each key: where it goes
 * @keys: the keys
 * @req: what the firmware is asked
 */
struct derivation {
	struct cvm_derive head;
	struct cvm_derive __user *user;
	void __user *memory[CVM_MAX_DERIVED];
	struct cvm_keys keys;
	struct cvm_req *req;
};

/* secrets are in it from the firmware's answer on */
static void end(struct derivation *d)
{
	if (!d)
		return;
	cvm_keys_put(&d->keys);
	if (d->req)
		cvm_req_leave(d->req);
	kfree_sensitive(d);
}

DEFINE_FREE(derivation, struct derivation *, end(_T))

/* what belongs to a bit of the mix is 0 without it */
static bool useless(u32 mix, u32 bit, u64 value)
{
	return value && !(mix & bit);
}

static int check_head(const struct cvm_derive *head)
{
	if (head->flags & ~CVM_DERIVE_VMPL ||
	    head->root > CVM_ROOT_VMRK || head->mix & ~CVM_MIX_ALL)
		return -EINVAL;
	if (!(head->flags & CVM_DERIVE_VMPL) && head->vmpl)
		return -EINVAL;
	if (useless(head->mix, CVM_MIX_GUEST_SVN, head->guest_svn) ||
	    useless(head->mix, CVM_MIX_TCB, head->tcb) ||
	    useless(head->mix, CVM_MIX_LAUNCH_MIT, head->launch_mit_vector))
		return -EINVAL;
	if (!head->count || head->salt_len > CVM_MAX_KEY_SALT)
		return -EINVAL;
	return head->count > CVM_MAX_DERIVED ? -E2BIG : 0;
}

static int read_head(struct derivation *d)
{
	struct cvm_derive *head = &d->head;
	u32 size, ms;
	int ret;

	if (get_user(size, &d->user->size))
		return -EFAULT;
	ret = cvm_check_size(size, DERIVE_SIZE_V1);
	if (ret)
		return ret;
	ret = copy_struct_from_user(head, sizeof(*head), d->user, size);
	if (!ret)
		ret = cvm_check_size(head->derived_size, DERIVED_SIZE_V1);
	if (!ret)
		ret = check_head(head);
	if (ret)
		return ret;

	d->keys.count = head->count;
	ms = head->timeout_ms ?: CVM_DEFAULT_TIMEOUT_MS;
	head->timeout_ms = min_t(u32, ms, CVM_MAX_TIMEOUT_MS);
	if (copy_from_user(d->keys.salt, u64_to_user_ptr(head->salt),
			   head->salt_len))
		return -EFAULT;
	return 0;
}

static struct cvm_derived __user *user_key(const struct derivation *d, u32 i)
{
	return u64_to_user_ptr(d->head.derived) +
	       (size_t)i * d->head.derived_size;
}

static int check_key(const struct cvm_derived *ukey)
{
	bool memory = ukey->form == CVM_FORM_MEMORY;

	if (ukey->purpose < CVM_PURPOSE_KEY || ukey->purpose > CVM_PURPOSE_MAC ||
	    ukey->form > CVM_FORM_MEMORY)
		return -EINVAL;
	if (ukey->length < CVM_MIN_KEY || ukey->length > CVM_MAX_KEY ||
	    ukey->label_len > CVM_MAX_LABEL)
		return -EINVAL;
	/* longer ones would be something to seal with */
	if (ukey->purpose == CVM_PURPOSE_CHECK &&
	    (ukey->length != CVM_MIN_KEY || !memory))
		return -EINVAL;
	if (memory)
		return ukey->keyring || ukey->timeout_s || ukey->name_len ||
		       ukey->name ? -EINVAL : 0;
	return !ukey->name_len || ukey->name_len > CVM_MAX_KEY_NAME ||
	       ukey->memory ? -EINVAL : 0;
}

/* nothing that a parser of descriptions, the kernel's or another, could stumble on */
static bool name_valid(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isascii(name[i]) ||
		    (!isalnum(name[i]) && name[i] != '.' && name[i] != '_' &&
		     name[i] != '-'))
			return false;
	return true;
}

static int read_strings(struct cvm_key *key, const struct cvm_derived *ukey)
{
	char *name = key->description + strlen(PREFIX);

	if (copy_from_user(key->label, u64_to_user_ptr(ukey->label),
			   ukey->label_len))
		return -EFAULT;
	memcpy(key->description, PREFIX, strlen(PREFIX));
	if (copy_from_user(name, u64_to_user_ptr(ukey->name), ukey->name_len))
		return -EFAULT;
	return name_valid(name, ukey->name_len) ? 0 : -EINVAL;
}

static int read_key(struct derivation *d, u32 i)
{
	struct cvm_key *key = &d->keys.key[i];
	struct cvm_derived ukey;
	int ret;

	ret = copy_struct_from_user(&ukey, sizeof(ukey), user_key(d, i),
				    d->head.derived_size);
	if (!ret)
		ret = check_key(&ukey);
	if (ret)
		return ret;
	key->purpose = ukey.purpose;
	key->form = ukey.form;
	key->length = ukey.length;
	key->keyring = ukey.keyring;
	key->timeout_s = ukey.timeout_s;
	key->label_len = ukey.label_len;
	d->memory[i] = u64_to_user_ptr(ukey.memory);
	if (key->form == CVM_FORM_MEMORY && !access_ok(d->memory[i], key->length))
		return -EFAULT;
	return read_strings(key, &ukey);
}

static int read_all(struct derivation *d)
{
	u32 i;
	int ret;

	ret = read_head(d);
	for (i = 0; !ret && i < d->head.count; i++)
		ret = read_key(d, i);
	return ret;
}

/* the request, if the platform has an answer to it */
static int make_request(struct derivation *d, struct file *file)
{
	const struct cvm_derive *head = &d->head;
	struct cvm_req *req;

	if (!(cvm_platform->kinds & BIT(CVM_KIND_KEY)))
		return -EOPNOTSUPP;
	req = cvm_req_alloc(file->private_data);
	if (IS_ERR(req))
		return PTR_ERR(req);
	d->req = req;
	req->kind = CVM_KIND_KEY;
	req->vmpl = head->vmpl;
	if (!(head->flags & CVM_DERIVE_VMPL) && cvm_platform->vmpl)
		req->vmpl = cvm_platform->vmpl();
	req->deadline = ktime_add_ms(ktime_get(), head->timeout_ms);
	req->key = (struct cvm_key_ask){
		.root = head->root,
		.mix = head->mix,
		.guest_svn = head->guest_svn,
		.tcb = head->tcb,
		.launch_mit_vector = head->launch_mit_vector,
	};
	return cvm_platform->check(req);
}

static int write_key(const struct derivation *d, u32 i)
{
	const struct cvm_key *key = &d->keys.key[i];

	if (key->form == CVM_FORM_MEMORY)
		return copy_to_user(d->memory[i], key->bytes, key->length) ?
			-EFAULT : 0;
	return put_user(key_serial(key_ref_to_ptr(key->key)),
			&user_key(d, i)->serial) ? -EFAULT : 0;
}

/* of the first @n keys: what was written; the last one may have been in part */
static void take_back(const struct derivation *d, u32 n)
{
	size_t length;
	void __user *p;
	u32 i;

	for (i = 0; i < n; i++) {
		p = d->memory[i];
		length = d->keys.key[i].length;
		if (d->keys.key[i].form != CVM_FORM_MEMORY) {
			p = &user_key(d, i)->serial;
			length = sizeof(user_key(d, i)->serial);
		}
		/* memory that is gone meanwhile has nothing in it */
		if (clear_user(p, length))
			continue;
	}
}

static int write_all(struct derivation *d)
{
	u32 i;
	int ret = 0;

	for (i = 0; !ret && i < d->keys.count; i++)
		ret = write_key(d, i);
	if (ret) {
		cvm_keys_undo(&d->keys);
		take_back(d, i);
	}
	return ret;
}

static int ask(struct derivation *d)
{
	int ret;

	cvm_count(requests);
	ret = cvm_keys_wait(&d->keys, d->req, d->head.timeout_ms);
	/* of a request that the platform still has nothing may be looked at */
	if ((!ret || ret == -EIO) &&
	    put_user(d->req->status, &d->user->platform_status))
		return -EFAULT;
	return ret;
}

long cvm_ioctl_derive(struct file *file, struct cvm_derive __user *uderive)
{
	struct derivation *d __free(derivation) = NULL;
	int ret;

	/* before anything is said about keyrings, platform or memory */
	if (!capable(CAP_SYS_ADMIN) ||
	    !file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d)
		return -ENOMEM;
	d->user = uderive;
	ret = read_all(d) ?: make_request(d, file) ?:
	      cvm_keys_prepare(&d->keys) ?: ask(d) ?:
	      cvm_keys_make(&d->keys, d->req);
	return ret ?: write_all(d);
}
