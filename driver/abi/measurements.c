// SPDX-License-Identifier: GPL-2.0-only
/*
 * The measurement registers of a TD, each a file: its value is read, and RTMRs are
 * extended by writing a digest. The kernel can make such files by itself
 * (tsm-mr), and keeps values from one write to the next; it would not see what
 * CVM_EXTEND_RTMR has extended since. Here each read is a TDREPORT of its own.
 */
#include <linux/string.h>
#include <linux/sysfs.h>

#include "../direct.h"
#include "../limits.h"
#include "../platform/tdx_abi.h"
#include "measurements.h"

/**
 * struct measurement - a register
 * @file: of it; its size is the register's
 * @offset: of its value in a TDREPORT
 * @rtmr: its number, of one that can be extended
 */
struct measurement {
	struct bin_attribute file;
	u32 offset;
	u32 rtmr;
};

static const struct measurement *measurement_of(const struct bin_attribute *file)
{
	return container_of_const(file, struct measurement, file);
}

/* @offset and @len are within the file: sysfs sees to that */
static ssize_t measurement_read(struct file *opened, struct kobject *kobj,
				const struct bin_attribute *file, char *buf,
				loff_t offset, size_t len)
{
	struct cvm_req *req __free(cvm_direct) = cvm_direct_alloc(CVM_KIND_TDREPORT);
	int ret;

	if (IS_ERR(req))
		return PTR_ERR(req);
	ret = cvm_direct_ask(req, CVM_DEFAULT_TIMEOUT_MS);
	if (ret)
		return ret;
	memcpy(buf, req->evidence + measurement_of(file)->offset + offset, len);
	return len;
}

static ssize_t measurement_write(struct file *opened, struct kobject *kobj,
				 const struct bin_attribute *file, char *buf,
				 loff_t offset, size_t len)
{
	struct cvm_req *req __free(cvm_direct) = NULL;
	int ret;

	/* half a digest is none, and is not kept for the other half */
	if (offset || len != CVM_RTMR_SIZE)
		return -EINVAL;
	req = cvm_direct_alloc(CVM_KIND_RTMR);
	if (IS_ERR(req))
		return PTR_ERR(req);
	req->rtmr.index = measurement_of(file)->rtmr;
	memcpy(req->rtmr.digest, buf, len);
	ret = cvm_rtmr_extend(req, CVM_DEFAULT_TIMEOUT_MS);
	return ret ?: len;
}

#define RTMR(n)								\
{									\
	.file = {							\
		.attr = { .name = "rtmr" #n ":sha384", .mode = 0644 },	\
		.size = TDX_DIGEST_SIZE,				\
		.read = measurement_read,				\
		.write = measurement_write,				\
	},								\
	.offset = TDX_TDREPORT_RTMR + (n) * TDX_DIGEST_SIZE,		\
	.rtmr = n,							\
}

#define FIXED(_name, _offset)						\
{									\
	.file = {							\
		.attr = { .name = _name, .mode = 0444 },		\
		.size = TDX_DIGEST_SIZE,				\
		.read = measurement_read,				\
	},								\
	.offset = _offset,						\
}

static const struct measurement measurements[] = {
	RTMR(0), RTMR(1), RTMR(2), RTMR(3),
	FIXED("mrtd:sha384", TDX_TDREPORT_MRTD),
	FIXED("mrconfigid", TDX_TDREPORT_MRCONFIGID),
	FIXED("mrowner", TDX_TDREPORT_MROWNER),
	FIXED("mrownerconfig", TDX_TDREPORT_MROWNERCONFIG),
};

static const struct bin_attribute *const files[] = {
	&measurements[0].file, &measurements[1].file,
	&measurements[2].file, &measurements[3].file,
	&measurements[4].file, &measurements[5].file,
	&measurements[6].file, &measurements[7].file,
	NULL
};

const struct attribute_group cvm_measurements = {
	.name = "measurements",
	.bin_attrs = files,
};
