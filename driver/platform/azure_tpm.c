// SPDX-License-Identifier: GPL-2.0-only
/*
 * TPM commands, in a buffer of our own, authorised by the owner's empty password:
 * as the paravisor reads what is written here, so nothing else would help.
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/tpm.h>
#include <linux/unaligned.h>

#include "../compat/tpm_buf.h"
#include "azure_tpm.h"

#define CC_NV_DEFINE_SPACE	0x12a
#define CC_NV_WRITE		0x137
#define CC_NV_READ		0x14e
#define CC_NV_READ_PUBLIC	0x169

#define RH_OWNER		0x40000001
#define ALG_SHA256		0x000b

/* readable and writable by the owner and by the index's own, empty, password */
#define INPUT_ATTRIBUTES	(0x00040004 | CVM_TPM_OWNERREAD | CVM_TPM_OWNERWRITE)

/* an answer: its header, then with sessions the size of the parameters */
#define HEADER			10
#define PARAMETERS		(HEADER + 4)

/* bytes of one read: every TPM takes as much */
#define CHUNK			1024

/* while it is held */
static struct tpm_chip *chip;
static struct tpm_buf *buf;

int cvm_tpm_find(void)
{
	struct tpm_chip *found = tpm_default_chip();

	if (!found)
		return -ENODEV;
	buf = tpm_is_tpm2(found) > 0 ? cvm_tpm_buf_alloc() : NULL;
	put_device(&found->dev);
	return buf ? 0 : -ENODEV;
}

void cvm_tpm_forget(void)
{
	cvm_tpm_buf_free(buf);
	buf = NULL;
}

static void forget_chip(void)
{
	put_device(&chip->dev);
	chip = NULL;
}

/*
 * Found anew each time: one whose driver is unbound and bound again is another one for the
 * kernel, and would be another number for user space if the old one were kept here.
 */
int cvm_tpm_hold(void)
{
	int rc;

	chip = tpm_default_chip();
	if (!chip)
		return -ENODEV;
	rc = tpm_try_get_ops(chip);
	if (!rc)
		return 0;
	/* it was unbound between the two, for good: then there are none, and never again */
	if (!READ_ONCE(chip->ops))
		rc = -ENODEV;
	forget_chip();
	return rc;
}

void cvm_tpm_release(void)
{
	tpm_put_ops(chip);
	forget_chip();
}

static void command(u16 tag, u32 code)
{
	tpm_buf_reset(buf, tag, code);
}

/* password sessions have an empty nonce, no attributes, and here an empty password */
static void authorise(void)
{
	tpm_buf_append_u32(buf, 9);
	tpm_buf_append_u32(buf, TPM2_RS_PW);
	tpm_buf_append_u16(buf, 0);
	tpm_buf_append_u8(buf, 0);
	tpm_buf_append_u16(buf, 0);
}

/* the kernel has checked that the answer is as long as its header says */
static u32 answer_len(void)
{
	return get_unaligned_be32(buf->data + 2);
}

int cvm_tpm_public(u32 index, u32 *attributes, u32 *size)
{
	/* TPM2B_NV_PUBLIC: index, hash, attributes, policy, size */
	const u8 *public = buf->data + HEADER + 2;
	u32 policy;
	int rc;

	command(TPM2_ST_NO_SESSIONS, CC_NV_READ_PUBLIC);
	tpm_buf_append_u32(buf, index);
	rc = tpm_transmit_cmd(chip, buf, 2 + 14, NULL);
	if (rc)
		return rc;
	policy = get_unaligned_be16(public + 10);
	if (get_unaligned_be32(public) != index || policy > 64 ||
	    answer_len() < HEADER + 2 + 14 + policy)
		return -EBADMSG;
	*attributes = get_unaligned_be32(public + 6);
	*size = get_unaligned_be16(public + 12 + policy);
	return 0;
}

int cvm_tpm_define_input(void)
{
	command(TPM2_ST_SESSIONS, CC_NV_DEFINE_SPACE);
	tpm_buf_append_u32(buf, RH_OWNER);
	authorise();
	tpm_buf_append_u16(buf, 0);	/* no password of its own */
	tpm_buf_append_u16(buf, 14);
	tpm_buf_append_u32(buf, CVM_TPM_INPUT);
	tpm_buf_append_u16(buf, ALG_SHA256);
	tpm_buf_append_u32(buf, INPUT_ATTRIBUTES);
	tpm_buf_append_u16(buf, 0);	/* no policy */
	tpm_buf_append_u16(buf, CVM_TPM_INPUT_SIZE);
	return tpm_transmit_cmd(chip, buf, 0, NULL);
}

int cvm_tpm_write_input(const u8 data[CVM_TPM_INPUT_SIZE])
{
	command(TPM2_ST_SESSIONS, CC_NV_WRITE);
	tpm_buf_append_u32(buf, RH_OWNER);
	tpm_buf_append_u32(buf, CVM_TPM_INPUT);
	authorise();
	tpm_buf_append_u16(buf, CVM_TPM_INPUT_SIZE);
	tpm_buf_append(buf, data, CVM_TPM_INPUT_SIZE);
	tpm_buf_append_u16(buf, 0);	/* offset */
	return tpm_transmit_cmd(chip, buf, 0, NULL);
}

static int read_chunk(u8 *to, u32 offset, u32 len)
{
	int rc;

	command(TPM2_ST_SESSIONS, CC_NV_READ);
	tpm_buf_append_u32(buf, RH_OWNER);
	tpm_buf_append_u32(buf, CVM_TPM_REPORT);
	authorise();
	tpm_buf_append_u16(buf, len);
	tpm_buf_append_u16(buf, offset);
	rc = tpm_transmit_cmd(chip, buf, 4 + 2 + len, NULL);
	if (rc)
		return rc;
	/* all that was asked for, and in the answer that there is */
	if (get_unaligned_be16(buf->data + PARAMETERS) != len ||
	    answer_len() < PARAMETERS + 2 + len)
		return -EBADMSG;
	memcpy(to, buf->data + PARAMETERS + 2, len);
	return 0;
}

int cvm_tpm_read_report(u8 *report, u32 from, u32 to)
{
	int rc = 0;
	u32 n;

	for (; !rc && from < to; from += n) {
		n = min_t(u32, to - from, CHUNK);
		rc = read_chunk(report + from, from, n);
	}
	return rc;
}
