// SPDX-License-Identifier: MIT
/* What this VM may derive keys from, by its report; or why it has no keys. */
#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "formats/snp_report.h"
#include "inputs.h"

static void close_ctx(struct cvm_ctx **ctx)
{
	cvm_close(*ctx);
}

static void free_evidence(struct cvm_evidence **evidence)
{
	cvm_evidence_free(*evidence);
}

static int no_keys(uint32_t tee, struct cvm_error *error)
{
	if (tee == CVM_TEE_TDX)
		return cvm_set_error(error, -EOPNOTSUPP, "TDX derives no keys: its module's sealing keys are in no Linux kernel; a TPM can keep one (--from tpm)");
	return cvm_set_error(error, -EOPNOTSUPP, "no firmware here that derives keys: it takes an SEV-SNP guest that has its own firmware channel (an Azure guest has none, the paravisor keeps it), and a driver ('cvmctl module load'); a TPM can keep one (--from tpm)");
}

static int parse(const struct cvm_evidence *evidence, struct cvm_key_facts *facts,
		 struct cvm_error *error)
{
	struct cvm_snp_report report;
	struct cvm_format_error wrong;
	char text[256];
	size_t len;
	const void *data = cvm_evidence_data(evidence, &len);
	int rc = cvm_snp_report_parse(data, len, &report, &wrong);

	if (rc)
		return cvm_set_error(error, -EBADMSG, "the report cannot be read: %s",
				     cvm_format_error_text(&wrong, text, sizeof(text)));
	facts->report_version = report.version;
	facts->guest_svn = report.guest_svn;
	facts->committed_tcb = report.committed_tcb;
	facts->has_launch_mit = report.has_mit_vectors;
	facts->launch_mit = report.has_mit_vectors ? report.launch_mit_vector : 0;
	facts->vlek = report.signing_key == CVM_SNP_SIGNED_VLEK;
	return 0;
}

int cvm_key_facts_read(struct cvm_key_facts *facts, struct cvm_error *error)
{
	__cleanup(close_ctx) struct cvm_ctx *ctx = NULL;
	__cleanup(free_evidence) struct cvm_evidence *evidence = NULL;
	struct cvm_status status = { .size = sizeof(status) };
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	int rc = cvm_open(&ctx, NULL, error);

	*facts = (struct cvm_key_facts){ 0 };
	if (rc == -ENODEV)
		return no_keys(CVM_TEE_NONE, error);
	if (!rc)
		rc = cvm_status(ctx, &status, error);
	if (rc)
		return rc;
	if (status.tee != CVM_TEE_SNP)
		return no_keys(status.tee, error);
	facts->vmpl = status.vmpl;
	/* nobody can have kept a report for it */
	if (getrandom(report_data, sizeof(report_data), 0) != sizeof(report_data))
		return cvm_set_error(error, -EIO, "no random numbers");
	rc = cvm_report(ctx, report_data, NULL, &evidence, error);
	return rc ? rc : parse(evidence, facts, error);
}
