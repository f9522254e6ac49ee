// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the next report is to say is written to one NV index, and the report read
 * from another. What is believed is what that report says, and nothing else: a
 * value that no report before can have said, and that is in the claims whose hash
 * the hardware's report has, has been asked for with this report.
 */
#include <crypto/sha2.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/string.h>

#include "../stats.h"
#include "azure_tpm.h"
#include "azure_vtpm.h"

/* bytes that show whether a report is the one that is known: one command's */
#define HEAD	1024U

static const struct {
	const char *name, *words;
} troubles[] = {
	[CVM_TROUBLE_NONE] = { "none" },
	[CVM_TROUBLE_INPUT_SIZE] = { "input-size",
		"NV index 01400002h of the TPM has not 64 bytes: whoever made it has to remove it (tpm2_nvundefine -C o 0x01400002)" },
	[CVM_TROUBLE_INPUT_RIGHTS] = { "input-rights",
		"NV index 01400002h of the TPM is not the owner's to read and write: whoever made it has to remove it (tpm2_nvundefine -C o 0x01400002)" },
	[CVM_TROUBLE_OWNER_PASSWORD] = { "owner-password",
		"the owner's hierarchy of the TPM has a password, with which the paravisor makes no reports (tpm2_changeauth -c o takes it away)" },
	[CVM_TROUBLE_NO_USER_DATA] = { "no-user-data",
		"this paravisor is too old: its reports do not say what they were asked for with" },
	[CVM_TROUBLE_STALE] = { "stale",
		"the paravisor makes no new report, and does not say why" },
	[CVM_TROUBLE_CONTENDED] = { "contended",
		"somebody else has a report of his own made in each window, by the TPM: until he ends, evidence comes late or not at all" },
	[CVM_TROUBLE_TORN] = { "torn", "the TPM gives reports that are not one whole" },
	[CVM_TROUBLE_TPM] = { "tpm-error", "the TPM does not do what it is told" },
	[CVM_TROUBLE_NO_TPM] = { "no-tpm",
		"the TPM is gone: its driver is unbound; there is no evidence until it is bound again" },
};

/**
 * @type: of the hardware's report
 * @size: of the index
 * @report: one page: what was read last
 * @known: it is whole and bound, and these are of it:
 * @mute: its claims do not say what it was asked for with
 * @user_data: what that was
 * @report_data: the hash of its claims
 * @made_at: when, at the latest; 0: unknown
 * @indices_good: both have been looked at
 * @reading: the last command was a read of the report
 * @trouble: read by sysfs, too
 */
static struct {
	u32 type;
	u32 size;
	u8 *report;
	bool known;
	bool mute;
	u8 user_data[CVM_HCL_DATA_SIZE];
	u8 report_data[CVM_HCL_DATA_SIZE];
	ktime_t made_at;
	bool indices_good;
	bool reading;
	enum cvm_trouble trouble;
} vtpm;

int cvm_vtpm_fail(enum cvm_trouble trouble, int err)
{
	if (trouble != CVM_TROUBLE_NONE && trouble != vtpm.trouble)
		pr_warn_ratelimited("%s\n", troubles[trouble].words);
	WRITE_ONCE(vtpm.trouble, trouble);
	return err;
}

const char *cvm_vtpm_trouble(void)
{
	return troubles[READ_ONCE(vtpm.trouble)].name;
}

const u8 *cvm_vtpm_report(u32 *len)
{
	*len = vtpm.size;
	return vtpm.report;
}

ktime_t cvm_vtpm_made_at(void)
{
	return vtpm.made_at;
}

/* Of the index that is there: another TPM's may be of another size. */
static int find_size(void)
{
	u32 attributes, size;
	int rc = cvm_tpm_public(CVM_TPM_REPORT, &attributes, &size);

	if (rc)
		return rc;
	if (size < CVM_HCL_CLAIMS || size > PAGE_SIZE)
		return -EBADMSG;
	vtpm.known = vtpm.known && size == vtpm.size;
	vtpm.size = size;
	return 0;
}

static int look_at_report(void)
{
	int rc = cvm_tpm_hold();

	if (rc)
		return rc;
	rc = find_size();
	cvm_tpm_release();
	return rc ? -ENODEV : 0;
}

int cvm_vtpm_start(u32 type)
{
	int ret = cvm_tpm_find();

	if (ret) {
		pr_err("this VM is isolated, on Azure, but has no TPM: nothing gives evidence\n");
		return ret;
	}
	vtpm.type = type;
	ret = look_at_report();
	if (ret)
		pr_err("the TPM of this isolated VM has no HCL report, at NV index 01400001h\n");
	else
		vtpm.report = (u8 *)get_zeroed_page(GFP_KERNEL);
	if (!ret && !vtpm.report)
		ret = -ENOMEM;
	if (ret)
		cvm_tpm_forget();
	return ret;
}

void cvm_vtpm_stop(void)
{
	free_page((unsigned long)vtpm.report);
	cvm_tpm_forget();
}

/* ---- what is said to the TPM, in one go ---- */

/* the handle's number is in the third digit from the right */
static bool is_absent(int rc)
{
	return rc > 0 && (rc & ~0xf00) == (CVM_TPM_NO_INDEX & ~0xf00);
}

static int check_input(void)
{
	u32 attributes, size;
	int rc = cvm_tpm_public(CVM_TPM_INPUT, &attributes, &size);

	if (is_absent(rc))
		return cvm_tpm_define_input();
	if (rc)
		return rc;
	if (size != CVM_TPM_INPUT_SIZE)
		return cvm_vtpm_fail(CVM_TROUBLE_INPUT_SIZE, -EIO);
	if (!(attributes & CVM_TPM_OWNERREAD) || !(attributes & CVM_TPM_OWNERWRITE))
		return cvm_vtpm_fail(CVM_TROUBLE_INPUT_RIGHTS, -EIO);
	return 0;
}

static const u8 *report_data(void)
{
	return vtpm.report + (vtpm.type == CVM_HCL_SNP ? CVM_HCL_SNP_DATA : CVM_HCL_TDX_DATA);
}

static bool is_as_before(void)
{
	return vtpm.known && !memcmp(report_data(), vtpm.report_data, CVM_HCL_DATA_SIZE);
}

/* What is in vtpm.report is looked at for the first time. */
static int take_report(void)
{
	u8 hash[CVM_HCL_HASH_SIZE];
	struct cvm_hcl hcl;
	int err;

	vtpm.known = false;
	vtpm.made_at = 0;
	err = cvm_hcl_parse(vtpm.report, vtpm.size, vtpm.type, &hcl);
	if (err)
		return err;
	sha256((const u8 *)hcl.claims, hcl.claims_len, hash);
	if (!cvm_hcl_is_bound(&hcl, hash))
		return -EBADMSG;
	err = cvm_hcl_user_data(&hcl, vtpm.user_data);
	vtpm.mute = err == -ENODATA;
	if (err)
		return err;
	memcpy(vtpm.report_data, hcl.report_data, sizeof(vtpm.report_data));
	vtpm.known = true;
	return 0;
}

static int read_report(u32 from, u32 to)
{
	int rc;

	vtpm.reading = true;
	rc = cvm_tpm_read_report(vtpm.report, from, to);
	vtpm.reading = rc;
	return rc;
}

/* Whoever takes the index away may do so between two requests: it is made again. */
static int write_input(const u8 *data)
{
	int rc = cvm_tpm_write_input(data);

	if (is_absent(rc))
		rc = check_input() ?: cvm_tpm_write_input(data);
	return rc;
}

/*
 * Does the report that is there say the caller's value already? Read from its
 * second byte on, which makes no new one. Whatever is wrong with it, it does
 * not say that value in a way that would be believed.
 */
static int look_for_value(struct cvm_vtpm_value *value)
{
	u32 at = report_data() - vtpm.report;
	int rc = read_report(at, at + CVM_HCL_DATA_SIZE);

	if (!rc && !is_as_before()) {
		rc = read_report(1, vtpm.size);
		vtpm.report[0] = 'H';
		if (!rc)
			take_report();
	}
	if (rc)
		return rc;
	value->filler = vtpm.known && !memcmp(vtpm.user_data, value->data, sizeof(value->data));
	if (value->filler)
		get_random_bytes(value->data, sizeof(value->data));
	value->unheard = true;
	return 0;
}

/*
 * The value in, and the report out: all of it, or as much as shows that it is the
 * old one. vtpm.report is then incomplete, which nobody looks at.
 */
static int exchange(struct cvm_vtpm_value *value)
{
	int rc = 0;
	u32 head;

	if (!vtpm.indices_good)
		rc = find_size() ?: check_input();
	if (rc)
		return rc;
	vtpm.indices_good = true;
	head = min(vtpm.size, HEAD);
	if (!value->unheard)
		rc = look_for_value(value);
	if (!rc)
		rc = write_input(value->data);
	if (!rc)
		rc = read_report(0, head);
	if (!rc && !is_as_before())
		rc = read_report(head, vtpm.size);
	return rc;
}

static int explain(int rc, u64 *status)
{
	vtpm.indices_good = false;
	*status = rc > 0 ? rc : 0;
	/* nobody is told to remove the one index for what the other has refused */
	if (vtpm.reading && (rc == CVM_TPM_NV_AUTHORIZATION || rc == CVM_TPM_NV_RANGE))
		return cvm_vtpm_fail(CVM_TROUBLE_TPM, -EIO);
	switch (rc) {
	case CVM_TPM_BAD_AUTH:
	case CVM_TPM_AUTH_FAIL:
		return cvm_vtpm_fail(CVM_TROUBLE_OWNER_PASSWORD, -EIO);
	case CVM_TPM_NV_AUTHORIZATION:
		return cvm_vtpm_fail(CVM_TROUBLE_INPUT_RIGHTS, -EIO);
	case CVM_TPM_NV_RANGE:
		return cvm_vtpm_fail(CVM_TROUBLE_INPUT_SIZE, -EIO);
	case -EBADMSG:
	case -EFAULT:	/* shorter than it has to be */
		cvm_count(rejected);
		return cvm_vtpm_fail(CVM_TROUBLE_TPM, -EBADMSG);
	case -ENODEV:
		return cvm_vtpm_fail(CVM_TROUBLE_NO_TPM, -EIO);
	case -EIO:	/* has been explained, or is the TPM's driver's */
		return vtpm.trouble ? -EIO : cvm_vtpm_fail(CVM_TROUBLE_TPM, -EIO);
	default:
		return cvm_vtpm_fail(CVM_TROUBLE_TPM, -EIO);
	}
}

static int judge(const struct cvm_vtpm_value *value)
{
	bool known = vtpm.known;
	int err;

	if (is_as_before())
		return CVM_VTPM_OLD;
	vtpm.mute = false;
	err = take_report();
	if (err == -ENODATA)
		return CVM_VTPM_OLD;
	if (err) {
		cvm_count(rejected);
		return CVM_VTPM_BAD;
	}
	/* what was there before the first request is nobody's doing */
	if (memcmp(vtpm.user_data, value->data, sizeof(value->data)))
		return known ? cvm_vtpm_fail(CVM_TROUBLE_CONTENDED, CVM_VTPM_OTHERS) :
			       CVM_VTPM_OLD;
	vtpm.made_at = ktime_get();
	return cvm_vtpm_fail(CVM_TROUBLE_NONE, CVM_VTPM_FRESH);
}

int cvm_vtpm_ask(struct cvm_vtpm_value *value, u64 *status)
{
	int rc = cvm_tpm_hold();

	vtpm.reading = false;
	if (!rc) {
		rc = exchange(value);
		cvm_tpm_release();
	}
	return rc ? explain(rc, status) : judge(value);
}

int cvm_vtpm_find_hindrance(u64 *status)
{
	int rc = cvm_tpm_hold();

	if (!rc) {
		rc = check_input();
		cvm_tpm_release();
	}
	if (rc)
		return explain(rc, status);
	if (vtpm.mute)
		return cvm_vtpm_fail(CVM_TROUBLE_NO_USER_DATA, -EOPNOTSUPP);
	return cvm_vtpm_fail(CVM_TROUBLE_STALE, -EIO);
}
