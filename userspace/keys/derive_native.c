// SPDX-License-Identifier: MIT
/*
 * Keys by the kernel's own driver. What the firmware derives, and what is made of
 * it, is in this process for a moment; its memory is locked, and wiped here. Each
 * key is the same as the module's.
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
#define ROOT_ANY	0U
#define ROOT_VMRK	1U
#define ROOT_VCEK	(1U << 1)

/* firmware whose reports are of this version knows KEY_SEL */
#define REPORT_V3	3

static void wipe_response(struct snp_derived_key_resp *response)
{
	OPENSSL_cleanse(response, sizeof(*response));
}

/*
 * As the module asks: by name wherever the firmware knows how to be told, since
 * without a word it takes the secret of the VLEK, which many chips have, once the host
 * has loaded one; and the host can do that at any time.
 */
static uint32_t root_of(const struct cvm_key_facts *facts, const struct cvm_key_inputs *in)
{
	if (in->root == CVM_ROOT_VMRK)
		return ROOT_VMRK;
	return facts->report_version >= REPORT_V3 || facts->vlek ? ROOT_VCEK : ROOT_ANY;
}

/*
 * Older firmware takes the name for an error. No VLEK is unloaded while guests run: if
 * there is none now there was none when the key was derived.
 */
static int check_root(uint32_t root, struct cvm_error *error)
{
	struct cvm_key_facts now;
	int rc = root == ROOT_ANY ? cvm_key_facts_read(&now, error) : 0;

	if (rc || root != ROOT_ANY || !now.vlek)
		return rc;
	return cvm_set_error(error, -EBADMSG, "the host has just loaded a VLEK, whose secret many chips have, and the key may be of it: it is thrown away; try again");
}

/* The kernel passes the answer on without looking at its status. */
static int ask_firmware(const struct cvm_key_door *door, const struct cvm_key_inputs *in,
			struct cvm_secret *secret, struct cvm_error *error)
{
	__cleanup(wipe_response) struct snp_derived_key_resp response = { 0 };
	struct snp_derived_key_req request = {
		.root_key_select = root_of(&door->facts, in),
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

		/* its word for a channel that is dead */
		return cvm_key_derive_error(error, rc == -ENOTTY ? -ENOKEY : rc, door->path,
					    call.exitinfo2);
	}
	if (cvm_le32(response.data))
		return cvm_key_derive_error(error, -EIO, door->path, cvm_le32(response.data));
	memcpy(secret->bytes, response.data + RSP_KEY, FIRMWARE_KEY);
	if (cvm_is_zero(secret->bytes, FIRMWARE_KEY))
		return cvm_set_error(error, -EBADMSG, "%s: the answer is no key but zeros",
				     door->path);
	return check_root(request.root_key_select, error);
}

/* as the module's; what is moved must allow to be linked, and keeps that */
#define PERMISSIONS	(KEY_POS_VIEW | KEY_POS_SEARCH)

/* From this process's keyring to @ring, which others may have too. */
static int place_key(key_serial_t serial, key_serial_t ring)
{
	if (ring == KEY_SPEC_PROCESS_KEYRING)
		return keyctl_setperm(serial, PERMISSIONS) ? -errno : 0;
	return keyctl_setperm(serial, PERMISSIONS | KEY_POS_LINK) ||
	       keyctl_move(serial, KEY_SPEC_PROCESS_KEYRING, ring, KEYCTL_MOVE_EXCL) ? -errno : 0;
}

/*
 * add_key() writes into a key that has the name, whoever's it is and whoever can read
 * it. So the key is made where nobody else can put one, and moved, which fails where
 * there is one of that name.
 */
static int add_key_to(const struct cvm_key_ask *ask, const struct cvm_secret *key,
		      key_serial_t *serial)
{
	const char *type = ask->form == CVM_FORM_USER ? "user" : "logon";
	char description[5 + CVM_MAX_KEY_NAME];
	int rc;

	snprintf(description, sizeof(description), "cvm:%s", ask->name);
	if (keyctl_search(KEY_SPEC_PROCESS_KEYRING, type, description, 0) >= 0)
		return -EEXIST;
	*serial = add_key(type, description, key->bytes, ask->length, KEY_SPEC_PROCESS_KEYRING);
	if (*serial < 0)
		return -errno;
	rc = ask->timeout_s && keyctl_set_timeout(*serial, ask->timeout_s) ? -errno : 0;
	if (!rc)
		rc = place_key(*serial, ask->keyring);
	if (rc)
		keyctl_invalidate(*serial);
	return rc;
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

	rc = ask_firmware(door, &set->inputs, &secret, error);
	if (rc)
		return rc;
	for (size_t i = 0; i < set->count; i++) {
		rc = make_key(set, &set->ask[i], &secret);
		if (rc) {
			undo(set, i);
			return cvm_key_derive_error(error, rc, door->path, 0);
		}
	}
	return 0;
}
