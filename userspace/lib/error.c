// SPDX-License-Identifier: MIT
/* What went wrong, as one line for humans. */
#include <string.h>

#include "lib.h"

static const struct {
	int rc;
	const char *text;
} causes[] = {
	{ -EINVAL, "the request was refused: this VM cannot ask for that VMPL or key" },
	{ -EOPNOTSUPP, "this platform has no such evidence" },
	{ -EBUSY, "busy with other requests; ask again later" },
	{ -ETIMEDOUT, "no answer before the deadline; ask again, or allow more time" },
	{ -ECANCELED, "the driver is being unloaded; ask again when it is back" },
	{ -EINTR, "a signal ended the wait" },
	{ -EBADMSG, "the host's answer was malformed or not about this request; see the kernel log" },
	{ -ENOKEY, "the channel to the firmware is dead until the next boot; restart this VM" },
	{ -EACCES, "permission denied; run as root, or have the administrator give you access" },
	{ -EPERM, "not permitted; run as root" },
};

/* status codes of the SEV-SNP firmware ABI that a guest's request can meet */
static const char *firmware_status(uint32_t status)
{
	switch (status) {
	case 0:		return "success";
	case 0x16:	return "invalid parameter";
	case 0x1d:	return "sequence number overflow";
	case 0x27:	return "invalid key";
	case 0xff:	return "it was not asked";
	default:	return "see the SEV-SNP firmware ABI";
	}
}

static int refused_snp(struct cvm_error *error, const char *source, uint64_t status)
{
	uint32_t firmware = (uint32_t)status, vmm = (uint32_t)(status >> 32);

	if (vmm)
		return cvm_set_error(error, -EIO, "%s: the host refused: VMM status 0x%x, firmware status 0x%x; ask again later",
				     source, vmm, firmware);
	return cvm_set_error(error, -EIO, "%s: the firmware refused: status 0x%x (%s)", source,
			     firmware, firmware_status(firmware));
}

static int refused(struct cvm_error *error, const struct cvm_source *source, uint64_t status)
{
	const char *path = source->status.source;

	if (source->vtpm)
		cvm_set_error(error, -EIO, "%s: the paravisor gives no report that is new (code 0x%llx): channel/trouble in sysfs and 'cvmctl doctor' name the cause",
			      path, (unsigned long long)status);
	else if (!status)
		cvm_set_error(error, -EIO, "%s: the platform refused; see the kernel log", path);
	else if (source->status.tee == CVM_TEE_SNP)
		refused_snp(error, path, status);
	else
		cvm_set_error(error, -EIO, "%s: the host refused: status 0x%llx; is its quote service running?",
			      path, (unsigned long long)status);
	if (error)
		error->platform_status = status;
	return -EIO;
}

int cvm_source_error(struct cvm_error *error, int rc, const struct cvm_source *source,
		     uint64_t platform_status)
{
	const char *path = source->status.source;

	if (rc == -EIO)
		return refused(error, source, platform_status);
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		if (causes[i].rc == rc)
			return cvm_set_error(error, rc, "%s: %s", path, causes[i].text);
	return cvm_set_error(error, rc, "%s: %s", path, strerror(-rc));
}
