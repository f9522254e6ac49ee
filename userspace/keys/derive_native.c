// SPDX-License-Identifier: MIT
/*
 * Keys by the kernel's own driver. What the firmware derives, and what is made of
 * it, is in this process for a moment; its memory is locked and wiped. Each key is
 * the same as the module's.
 */
#include <errno.h>
#include <keyutils.h>
#include <linux/sev-guest.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/api.h"
#include "common/util.h"
#include "derive.h"
#include "secret.h"

#define FIRMWARE_KEY	32
#define RSP_KEY		32	/* MSG_KEY_RSP: status u32, reserved, key at 20h */

/* MSG_KEY_REQ, ROOT_KEY_SELECT: the root in bit 0, KEY_SEL in bits 2:1 */
#define ROOT_VMRK	1U
#define ROOT_VCEK	(1U << 1)

static void wipe_response(struct snp_derived_key_resp *response)
{
	OPENSSL_cleanse(response, sizeof(*response));
}

/* as the module asks: older firmware takes the VCEK by name for an error */
static uint32_t root_of(const struct cvm_key_door *door, const struct cvm_key_inputs *in)
{
	if (in->root == CVM_ROOT_VMRK)
		return ROOT_VMRK;
	return door->facts.vlek ? ROOT_VCEK : 0;
}

static int refused(const struct cvm_key_door *door, uint64_t status, struct cvm_error *error)
{
	return cvm_set_error(error, -EIO, "%s: the firmware refuses: status 0x%llx%s", door->path,
			     (unsigned long long)status,
			     status == 0x16 ? ": an SVN or TCB above what this guest may have" : "");
}

/* The kernel passes the answer on without looking at its status. */
static int ask_firmware(const struct cvm_key_door *door, const struct cvm_key_inputs *in,
			struct cvm_secret *secret, struct cvm_error *error)
{
	__cleanup(wipe_response) struct snp_derived_key_resp response = { 0 };
	struct snp_derived_key_req request = {
		.root_key_select = root_of(door, in),
		.guest_field_select = in->mix,
		.vmpl = in->vmpl,
		.guest_svn = in->guest_svn,
		.tcb_version = in->tcb,
	};
	struct snp_guest_request_ioctl call = {
		.msg_version = 1,
		.req_data = (uintptr_t)&request,
		.resp_data = (uintptr_t)&response,
	};

	if (ioctl(door->fd, SNP_GET_DERIVED_KEY, &call)) {
		int rc = -errno;

		if (rc == -EIO)
			return refused(door, call.exitinfo2, error);
		return cvm_path_error(error, rc == -ENOTTY ? -ENOKEY : rc, door->path, "ask");
	}
	if (cvm_le32(response.data))
		return refused(door, cvm_le32(response.data), error);
	memcpy(secret->bytes, response.data + RSP_KEY, FIRMWARE_KEY);
	if (cvm_is_zero(secret->bytes, FIRMWARE_KEY))
		return cvm_set_error(error, -EBADMSG, "%s: the answer is no key but zeros",
				     door->path);
	return 0;
}

static int add_key_to(const struct cvm_key_ask *ask, const struct cvm_secret *key,
		      key_serial_t *serial)
{
	const char *type = ask->form == CVM_FORM_USER ? "user" : "logon";
	char description[5 + CVM_MAX_KEY_NAME];

	snprintf(description, sizeof(description), "cvm:%s", ask->name);
	/* add_key() would change a key that has the name */
	if (keyctl_search(ask->keyring, type, description, 0) >= 0)
		return -EEXIST;
	*serial = add_key(type, description, key->bytes, ask->length, ask->keyring);
	if (*serial < 0)
		return -errno;
	if ((ask->timeout_s && keyctl_set_timeout(*serial, ask->timeout_s)) ||
	    keyctl_setperm(*serial, KEY_POS_VIEW | KEY_POS_SEARCH)) {
		int rc = -errno;

		keyctl_invalidate(*serial);
		return rc;
	}
	return 0;
}

static int make_key(const struct cvm_key_set *set, struct cvm_key_ask *ask,
		    const struct cvm_secret *secret)
{
	__cleanup_secret struct cvm_secret key;
	size_t half = ask->length / 2;
	key_serial_t serial = 0;
	int rc = cvm_key_hkdf(secret->bytes, set, ask->purpose, key.bytes, ask->length);

	/* two keys to XTS */
	if (!rc && ask->length % 2 == 0 && !memcmp(key.bytes, key.bytes + half, half))
		rc = -EBADMSG;
	if (!rc && ask->form == CVM_FORM_MEMORY)
		memcpy(ask->memory, key.bytes, ask->length);
	else if (!rc)
		rc = add_key_to(ask, &key, &serial);
	ask->serial = serial;
	return rc;
}

static void undo(struct cvm_key_set *set, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cvm_key_ask *ask = &set->ask[i];

		if (ask->form == CVM_FORM_MEMORY)
			OPENSSL_cleanse(ask->memory, ask->length);
		else
			keyctl_invalidate(ask->serial);
	}
}

int cvm_key_derive_native(const struct cvm_key_door *door, struct cvm_key_set *set,
			  struct cvm_error *error)
{
	__cleanup_secret struct cvm_secret secret;
	int rc;

	if (set->inputs.mix & CVM_MIX_LAUNCH_MIT)
		return cvm_set_error(error, -EOPNOTSUPP, "%s cannot ask for the launch mitigation vector: load the module cvm_guest ('cvmctl module load')",
				     door->path);
	rc = ask_firmware(door, &set->inputs, &secret, error);
	if (rc)
		return rc;
	for (size_t i = 0; i < set->count; i++) {
		rc = make_key(set, &set->ask[i], &secret);
		if (rc) {
			undo(set, i);
			return cvm_set_error(error, rc, "a derived key cannot be made: %s",
					     strerror(-rc));
		}
	}
	return 0;
}
