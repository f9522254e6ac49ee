// SPDX-License-Identifier: MIT
/* The doors to derived keys, and the driver's. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/api.h"
#include "common/util.h"
#include "derive.h"
#include "secret.h"

#define DRIVER_NODE	"/dev/cvm/key"
#define NATIVE_NODE	"/dev/sev-guest"

const char *cvm_key_door_text(const struct cvm_key_door *door)
{
	return door->driver ?
		DRIVER_NODE ": keys go into keyrings inside the kernel" :
		NATIVE_NODE ": keys pass through this process, in locked memory; with the module cvm_guest they would not";
}

static int open_node(struct cvm_key_door *door, const char *path)
{
	door->path = path;
	door->fd = open(path, O_RDWR | O_CLOEXEC);
	return door->fd < 0 ? -errno : 0;
}

static int open_firmware(struct cvm_key_door *door, struct cvm_error *error)
{
	int rc;

	/* what is wrong with the platform is said before what is wrong with a node */
	rc = cvm_key_facts_read(&door->facts, error);
	if (rc)
		return rc;
	rc = open_node(door, DRIVER_NODE);
	if (rc == -ENOENT) {
		door->driver = false;
		rc = open_node(door, NATIVE_NODE);
	}
	if (rc == -ENOENT)
		return cvm_set_error(error, -EOPNOTSUPP, "neither " DRIVER_NODE " nor " NATIVE_NODE " is there: load a driver ('cvmctl module load')");
	return rc ? cvm_path_error(error, rc, door->path, "open") : 0;
}

int cvm_key_door_open(struct cvm_key_door *door, enum cvm_key_from from,
		      struct cvm_error *error)
{
	int rc = 0;

	*door = (struct cvm_key_door){ .from = from, .fd = -1, .driver = true };
	if (from & CVM_FROM_FIRMWARE)
		rc = open_firmware(door, error);
	if (!rc && from & CVM_FROM_TPM)
		rc = cvm_tpm_open(&door->tpm, error);
	return rc == -ENODEV ? -EOPNOTSUPP : rc;
}

void cvm_key_door_close(struct cvm_key_door *door)
{
	cvm_tpm_close(door->tpm);
	door->tpm = NULL;
	if (door->fd >= 0)
		close(door->fd);
	door->fd = -1;
}

uint32_t cvm_key_door_mix(const struct cvm_key_door *door)
{
	/* the kernel's own driver sends MSG_KEY_REQ of version 1, which has no place for it */
	return door->driver && door->facts.has_launch_mit ? CVM_MIX_ALL : CVM_MIX_DEFAULT;
}

int cvm_key_door_check(const struct cvm_key_door *door, uint32_t mix, struct cvm_error *error)
{
	if (!(mix & ~cvm_key_door_mix(door)))
		return 0;
	if (!door->facts.has_launch_mit)
		return cvm_set_error(error, -EOPNOTSUPP, "this firmware does not know mit, the launch mitigation vector");
	return cvm_set_error(error, -EOPNOTSUPP, "%s cannot ask for mit, the launch mitigation vector: load the module cvm_guest ('cvmctl module load')",
			     door->path);
}

static void fill_key(struct cvm_derived *key, const struct cvm_key_set *set,
		     const struct cvm_key_ask *ask)
{
	*key = (struct cvm_derived){
		.purpose = ask->purpose,
		.form = ask->form,
		.length = ask->length,
		.label_len = (uint32_t)set->label_len,
		.label = (uintptr_t)set->label,
	};
	if (ask->form == CVM_FORM_MEMORY) {
		key->memory = (uintptr_t)ask->memory;
		return;
	}
	key->keyring = ask->keyring;
	key->timeout_s = ask->timeout_s;
	key->name = (uintptr_t)ask->name;
	key->name_len = (uint32_t)strlen(ask->name);
}

static const struct {
	int rc;
	const char *text;
} causes[] = {
	{ -EPERM, "it takes CAP_SYS_ADMIN, outside of any container" },
	{ -EOPNOTSUPP, "the firmware does not know all that is to be mixed in" },
	{ -EEXIST, "the keyring has a key of that name: unlink it first, or choose another" },
	{ -EDQUOT, "the quota for keys is used up (kernel.keys.maxkeys, kernel.keys.maxbytes)" },
	{ -EACCES, "the keyring gives no permission to write" },
	{ -EKEYEXPIRED, "the keyring has expired" },
	{ -EKEYREVOKED, "the keyring has been revoked" },
	{ -ENOKEY, "there is no such keyring, or the channel to the firmware is dead until the next boot" },
	{ -EBADMSG, "the answer is no key: see the kernel log" },
	{ -ETIMEDOUT, "no answer before the deadline; try again" },
	{ -EINTR, "a signal ended the wait" },
};

int cvm_key_derive_error(struct cvm_error *error, int rc, const char *path, uint64_t status)
{
	if (rc == -EIO) {
		cvm_set_error(error, rc, "%s: the firmware refuses: status 0x%llx%s", path,
			      (unsigned long long)status,
			      status == 0x16 ? ": an SVN, TCB or mitigation above what this guest may have" :
			      status == 0x27 ? ": it has no such root key" : "");
		if (error)
			error->platform_status = status;
		return rc;
	}
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		if (causes[i].rc == rc)
			return cvm_set_error(error, rc, "%s: %s", path, causes[i].text);
	return cvm_set_error(error, rc, "%s: %s", path, strerror(-rc));
}

static int derive_driver(const struct cvm_key_door *door, struct cvm_key_set *set,
			 struct cvm_error *error)
{
	const struct cvm_key_inputs *in = &set->inputs;
	struct cvm_derived keys[CVM_MAX_DERIVED];
	struct cvm_derive call = {
		.size = sizeof(call), .derived_size = sizeof(keys[0]),
		.count = (uint32_t)set->count, .flags = CVM_DERIVE_VMPL,
		.root = in->root, .mix = in->mix, .vmpl = in->vmpl,
		.guest_svn = in->guest_svn, .tcb = in->tcb,
		.launch_mit_vector = in->launch_mit,
		.salt_len = (uint32_t)set->salt_len, .salt = (uintptr_t)set->salt,
		.derived = (uintptr_t)keys,
	};

	for (size_t i = 0; i < set->count; i++)
		fill_key(&keys[i], set, &set->ask[i]);
	if (ioctl(door->fd, CVM_DERIVE, &call))
		return cvm_key_derive_error(error, -errno, door->path, call.platform_status);
	for (size_t i = 0; i < set->count; i++)
		set->ask[i].serial = keys[i].serial;
	return 0;
}

static int derive_firmware(const struct cvm_key_door *door, struct cvm_key_set *set,
			   struct cvm_error *error)
{
	int rc = cvm_key_door_check(door, set->inputs.mix, error);

	if (rc)
		return rc;
	return door->driver ? derive_driver(door, set, error) :
			      cvm_key_derive_native(door, set, error);
}

static int derive_both(const struct cvm_key_door *door, struct cvm_key_set *set,
		       struct cvm_error *error)
{
	__cleanup_secret struct cvm_secret salt;
	struct cvm_key_set mixed = *set;
	int rc = cvm_key_mixed_salt(set, salt.bytes);

	if (rc)
		return cvm_set_error(error, rc, "out of memory");
	mixed.salt = salt.bytes;
	mixed.salt_len = CVM_MAX_KEY_SALT;
	rc = derive_firmware(door, &mixed, error);
	for (size_t i = 0; i < set->count; i++)
		set->ask[i].serial = mixed.ask[i].serial;
	return rc;
}

int cvm_key_derive(const struct cvm_key_door *door, struct cvm_key_set *set,
		   struct cvm_error *error)
{
	if (!set->tpm_secret)
		return derive_firmware(door, set, error);
	return set->inputs.root == CVM_ROOT_TPM ?
		cvm_key_derive_user(set->tpm_secret, set, "the TPM's secret", error) :
		derive_both(door, set, error);
}
