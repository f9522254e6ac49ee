// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owners: the hardware's time is shared among these, not among files, so that
 * nobody has more of it by opening more of them.
 *
 * An owner is the cgroup of whoever opened the file. Many who may do little
 * else may make cgroups: a user below that of his session, a service below the
 * one that was delegated to it. Therefore owners share only what falls to
 * their party, the cgroup at CVM_PARTY_LEVEL: with systemd a service, a
 * container, or all that a user runs. Whoever makes more cgroups divides what
 * his party has, and nobody else's part.
 */
#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

#include "owner.h"

struct cvm_owner cvm_everybody = { .ref = REFCOUNT_INIT(1) };

static DEFINE_HASHTABLE(owners, 8);
static DEFINE_SPINLOCK(owners_lock);	/* of the table */

/**
 * struct keys - what the current task is known by
 * @party: among everybody
 * @owner: in the party
 */
struct keys {
	u64 party;
	u64 owner;
};

#define CGROUP_KEY	BIT_ULL(63)

/*
 * In the root cgroup, which is where no service manager has divided the
 * machine, the uid. Ids of cgroups are never used twice in a boot and are not
 * in the range of uids.
 */
static struct keys current_keys(void)
{
	u64 uid = __kuid_val(current_uid());
#ifdef CONFIG_CGROUPS
	struct cgroup *cgroup, *party;

	guard(rcu)();
	cgroup = task_dfl_cgroup(current);
	party = cgroup_ancestor(cgroup, min(cgroup->level, CVM_PARTY_LEVEL));
	if (cgroup_parent(cgroup))
		return (struct keys){
			.party = CGROUP_KEY | cgroup_id(party),
			.owner = CGROUP_KEY | cgroup_id(cgroup),
		};
#endif
	return (struct keys){ .party = uid, .owner = uid };
}

static struct hlist_head *bucket(const struct cvm_owner *parent, u64 key)
{
	return &owners[hash_64(key + (parent != &cvm_everybody),
			       HASH_BITS(owners))];
}

static struct cvm_owner *find(struct cvm_owner *parent, u64 key)
{
	struct cvm_owner *owner;

	lockdep_assert_held(&owners_lock);

	hlist_for_each_entry(owner, bucket(parent, key), node) {
		if (owner->parent == parent && owner->key == key) {
			refcount_inc(&owner->ref);
			return owner;
		}
	}
	return NULL;
}

static struct cvm_owner *alloc(struct cvm_owner *parent, u64 key)
{
	struct cvm_owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);
	int i;

	if (!owner)
		return NULL;
	refcount_set(&owner->ref, 1);
	owner->key = key;
	owner->parent = parent;
	for (i = 0; i < CVM_CLASSES; i++)
		INIT_LIST_HEAD(&owner->shares[i].flows);
	return owner;
}

/* @fresh, unless somebody was faster: then that one, and @fresh is freed */
static struct cvm_owner *insert(struct cvm_owner *fresh)
{
	struct cvm_owner *owner;

	scoped_guard(spinlock, &owners_lock) {
		owner = find(fresh->parent, fresh->key);
		if (!owner) {
			refcount_inc(&fresh->parent->ref);
			hlist_add_head(&fresh->node,
				       bucket(fresh->parent, fresh->key));
			return fresh;
		}
	}
	kfree(fresh);
	return owner;
}

/*
 * Nothing is allocated under the lock: the worker takes it when the last
 * request of a closed file ends, and is not to wait for anybody's memory.
 */
static struct cvm_owner *get(struct cvm_owner *parent, u64 key)
{
	struct cvm_owner *owner;

	scoped_guard(spinlock, &owners_lock)
		owner = find(parent, key);
	if (owner)
		return owner;
	owner = alloc(parent, key);
	return owner ? insert(owner) : NULL;
}

struct cvm_owner *cvm_owner_get(void)
{
	struct keys keys = current_keys();
	struct cvm_owner *party, *owner;

	party = get(&cvm_everybody, keys.party);
	if (!party)
		return NULL;
	owner = get(party, keys.owner);
	/* the owner has its own */
	cvm_owner_put(party);
	return owner;
}

void cvm_owner_put(struct cvm_owner *owner)
{
	struct cvm_owner *parent;

	while (refcount_dec_and_lock(&owner->ref, &owners_lock)) {
		hlist_del(&owner->node);
		spin_unlock(&owners_lock);
		parent = owner->parent;
		kfree(owner);
		owner = parent;
	}
}

bool cvm_owner_charge(struct cvm_owner *owner)
{
	return atomic_add_unless(&owner->parent->requests, 1, CVM_MAX_OWNER);
}

void cvm_owner_uncharge(struct cvm_owner *owner, u32 unread)
{
	atomic64_sub(unread, &owner->parent->unread);
	atomic_dec(&owner->parent->requests);
}

void cvm_owner_charge_unread(struct cvm_owner *owner, u32 bytes)
{
	atomic64_add(bytes, &owner->parent->unread);
}

bool cvm_owner_must_read(const struct cvm_owner *owner)
{
	return atomic64_read(&owner->parent->unread) >= CVM_MAX_UNREAD;
}
