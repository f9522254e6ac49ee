// SPDX-License-Identifier: MIT
/*
 * Keys by the kernel's own driver. What the firmware derives, and what is made of
 * it (derive_user.c), is in this process for a moment; its memory is locked, and wiped.
 */
#include <errno.h>
#include <linux/sev-guest.h>
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

int cvm_key_derive_native(const struct cvm_key_door *door, struct cvm_key_set *set,
			  struct cvm_error *error)
{
	__cleanup_secret struct cvm_secret secret;
	int rc = ask_firmware(door, &set->inputs, &secret, error);

	return rc ? rc : cvm_key_derive_user(secret.bytes, set, door->path, error);
}
