// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owners: the hardware's time is shared among these, not among files, so that
 * nobody has more of it by opening more of them.
 */
#include <linux/cgroup.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "owner.h"

static LIST_HEAD(owners);
static DEFINE_MUTEX(owners_lock);	/* of the list; taken by open and close */

/*
 * The cgroup where there is one, so that a user or container is one owner
 * whatever its processes' uids are; in the root cgroup, which is where no
 * service manager has divided the machine, the uid. Ids of cgroups are never
 * used twice in a boot and are not in the range of uids.
 */
static u64 current_key(void)
{
#ifdef CONFIG_CGROUPS
	struct cgroup *cgroup;

	guard(rcu)();
	cgroup = task_dfl_cgroup(current);
	if (cgroup_parent(cgroup))
		return BIT_ULL(63) | cgroup_id(cgroup);
#endif
	return __kuid_val(current_uid());
}

static struct cvm_owner *find(u64 key)
{
	struct cvm_owner *owner;

	lockdep_assert_held(&owners_lock);

	list_for_each_entry(owner, &owners, node)
		if (owner->key == key)
			return owner;
	return NULL;
}

static struct cvm_owner *owner_alloc(u64 key)
{
	struct cvm_owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);
	int i;

	if (!owner)
		return NULL;

	refcount_set(&owner->ref, 1);
	owner->key = key;
	for (i = 0; i < CVM_CLASSES; i++)
		INIT_LIST_HEAD(&owner->shares[i].flows);
	list_add(&owner->node, &owners);
	return owner;
}

struct cvm_owner *cvm_owner_get(void)
{
	u64 key = current_key();
	struct cvm_owner *owner;

	guard(mutex)(&owners_lock);
	owner = find(key);
	if (!owner)
		return owner_alloc(key);
	refcount_inc(&owner->ref);
	return owner;
}

void cvm_owner_put(struct cvm_owner *owner)
{
	if (!refcount_dec_and_mutex_lock(&owner->ref, &owners_lock))
		return;
	list_del(&owner->node);
	mutex_unlock(&owners_lock);
	kfree(owner);
}

bool cvm_owner_charge(struct cvm_owner *owner)
{
	return atomic_add_unless(&owner->requests, 1, CVM_MAX_OWNER);
}

void cvm_owner_uncharge(struct cvm_owner *owner)
{
	atomic_dec(&owner->requests);
}
