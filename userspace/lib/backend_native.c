// SPDX-License-Identifier: MIT
/*
 * The backend native: the nodes of the kernel's own drivers. /dev/sev-guest
 * gives reports, /dev/tdx_guest gives TDREPORTs; quotes are configfs-tsm's.
 * A node is opened for each request, so that one that is only there, and not
 * for us, harms nobody who does not ask for what it gives.
 */
#include <fcntl.h>
#include <linux/sev-guest.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "lib.h"

#define SEV_NODE	"/dev/sev-guest"
#define TDX_NODE	"/dev/tdx_guest"
#define RTMR_FILE	"/sys/devices/virtual/misc/tdx_guest/measurements/rtmr%u:sha384"
#define VMPL_FILE	"/sys/devices/system/cpu/sev/vmpl"

#define PAGE		4096U
/* the largest table that the kernel's driver takes */
#define SEV_CERTS	(4 * PAGE)

/* MSG_REPORT_RSP: a status, the report's size, and the report */
#define RSP_SIZE	4
#define RSP_REPORT	32

/* MSG_REPORT_REQ, offset 44h, bits 1:0: the header has it as reserved */
#define REQ_KEY_SEL	0

/* Linux's tdx-guest.h, which Debian 12's kernel headers do not have */
struct tdreport_ioctl {
	uint8_t reportdata[CVM_REPORT_DATA_LEN];
	uint8_t tdreport[CVM_TDREPORT_LEN];
};

#define TDREPORT_IOCTL	_IOWR('T', 1, struct tdreport_ioctl)

static uint32_t kernel_vmpl(const struct cvm_source *source)
{
	__cleanup_free char *text = NULL;
	char path[PATH_MAX];
	size_t len;

	/* not on kernels before 6.11, which run at VMPL 0 */
	if (cvm_source_path(source, VMPL_FILE, path) ||
	    cvm_read_file(path, PAGE, (void **)&text, &len))
		return 0;
	return (uint32_t)strtoul(text, NULL, 10);
}

static int open_native(struct cvm_source *source, const struct cvm_open_opts *opts,
		    struct cvm_error *error)
{
	struct cvm_status *status = &source->status;
	const char *node = SEV_NODE;

	if (cvm_source_has(source, SEV_NODE)) {
		status->tee = CVM_TEE_SNP;
		status->types = CVM_TYPE_BIT(CVM_EVIDENCE_SNP_REPORT);
		status->max_evidence = CVM_SNP_REPORT_LEN;
		status->max_certs = SEV_CERTS;
		status->vmpl = kernel_vmpl(source);
	} else if (cvm_source_has(source, TDX_NODE)) {
		status->tee = CVM_TEE_TDX;
		status->types = CVM_TYPE_BIT(CVM_EVIDENCE_TDREPORT);
		status->max_evidence = CVM_TDREPORT_LEN;
		node = TDX_NODE;
	} else {
		return cvm_set_error(error, -ENODEV, "neither %s%s nor %s%s is there: load the driver with 'modprobe sev-guest' or 'modprobe tdx-guest'",
				     source->root, SEV_NODE, source->root, TDX_NODE);
	}
	status->max_inflight = 1;
	return cvm_source_set(source, source->root, node, error);
}

/* What the node answered; certs has size bytes and is the caller's to free. */
struct sev_answer {
	struct snp_report_resp response;
	uint64_t exitinfo2;
	size_t size;
	void *certs;
};

static void free_answer(struct sev_answer *answer)
{
	free(answer->certs);
}

static int sev_ioctl(int fd, unsigned long command, void *request, struct sev_answer *answer)
{
	struct snp_guest_request_ioctl arg = {
		.msg_version = 1,
		.req_data = (uintptr_t)request,
		.resp_data = (uintptr_t)&answer->response,
	};
	int rc = ioctl(fd, command, &arg) ? -errno : 0;

	answer->exitinfo2 = arg.exitinfo2;
	/* the driver answers so once it has wiped its key after a failure */
	return rc == -ENOTTY ? -ENOKEY : rc;
}

/* One try costs one message to the firmware, also when the buffer is too small. */
static int sev_certs_ioctl(int fd, struct snp_ext_report_req *ext, struct sev_answer *answer)
{
	void *certs = calloc(1, ext->certs_len);

	if (!certs)
		return -ENOMEM;
	free(answer->certs);
	answer->certs = certs;
	answer->size = ext->certs_len;
	ext->certs_address = (uintptr_t)certs;
	return sev_ioctl(fd, SNP_GET_EXT_REPORT, ext, answer);
}

static int sev_ask_certs(int fd, const struct snp_report_req *plain, struct sev_answer *answer)
{
	struct snp_ext_report_req ext = { .data = *plain, .certs_len = SEV_CERTS };
	int rc = sev_certs_ioctl(fd, &ext, answer);

	if (rc != -EIO || answer->exitinfo2 >> 32 != SNP_GUEST_VMM_ERR_INVALID_LEN)
		return rc;
	/* the host has named a length; it is asked once more, and not without bound */
	if (ext.certs_len <= answer->size || ext.certs_len > CVM_CERTS_MAX)
		return -EBADMSG;
	rc = sev_certs_ioctl(fd, &ext, answer);
	return rc == -EINVAL ? -ENOBUFS : rc;
}

static int sev_ask(const struct cvm_source *source, const struct cvm_job *job,
		   struct sev_answer *answer)
{
	__cleanup_fd int fd = open(source->status.source, O_RDWR | O_CLOEXEC);
	struct snp_report_req request = {
		.vmpl = job->flags & CVM_REQUEST_VMPL ? job->vmpl : source->status.vmpl,
	};

	if (fd < 0)
		return -errno;
	memcpy(request.user_data, job->report_data, sizeof(request.user_data));
	request.rsvd[REQ_KEY_SEL] = (uint8_t)job->signing_key;
	if (job->flags & CVM_REQUEST_CERTS)
		return sev_ask_certs(fd, &request, answer);
	return sev_ioctl(fd, SNP_GET_REPORT, &request, answer);
}

static int sev_request(const struct cvm_source *source, struct cvm_job *job)
{
	__cleanup(free_answer) struct sev_answer answer = { 0 };
	const uint8_t *response = answer.response.data;
	int rc = sev_ask(source, job, &answer);
	size_t certs_len;
	void *report;

	if (rc == -ENOBUFS)
		return cvm_set_error(&job->error, rc, "%s: the host has more certificates than this driver passes on; use the backend cvm",
				     source->status.source);
	if (rc)
		return cvm_source_error(&job->error, rc, source, answer.exitinfo2);
	if (cvm_le32(response))
		return cvm_source_error(&job->error, -EIO, source, cvm_le32(response));
	if (cvm_le32(response + RSP_SIZE) != CVM_SNP_REPORT_LEN)
		return cvm_source_error(&job->error, -EBADMSG, source, 0);
	report = malloc(CVM_SNP_REPORT_LEN);
	if (!report)
		return cvm_source_error(&job->error, -ENOMEM, source, 0);
	memcpy(report, response + RSP_REPORT, CVM_SNP_REPORT_LEN);
	certs_len = cvm_certs_used(answer.certs, answer.size);
	cvm_job_done(job, source, &(struct cvm_answer) {
		.data = report, .len = CVM_SNP_REPORT_LEN,
		.certs = cvm_take_ptr(answer.certs), .certs_len = certs_len });
	return job->result;
}

static int tdx_request(const struct cvm_source *source, struct cvm_job *job)
{
	__cleanup_fd int fd = open(source->status.source, O_RDWR | O_CLOEXEC);
	struct tdreport_ioctl arg = { 0 };
	void *report;

	memcpy(arg.reportdata, job->report_data, sizeof(arg.reportdata));
	if (fd < 0 || ioctl(fd, TDREPORT_IOCTL, &arg))
		return cvm_source_error(&job->error, -errno, source, 0);
	report = malloc(CVM_TDREPORT_LEN);
	if (!report)
		return cvm_source_error(&job->error, -ENOMEM, source, 0);
	memcpy(report, arg.tdreport, CVM_TDREPORT_LEN);
	cvm_job_done(job, source, &(struct cvm_answer) { .data = report, .len = CVM_TDREPORT_LEN });
	return job->result;
}

/* The files of Linux 6.16 and later: a register's value, or a digest to extend it with. */
static int extend_native(const struct cvm_source *source, uint32_t index, const uint8_t *digest,
			 struct cvm_error *error)
{
	char name[64], path[PATH_MAX];
	__cleanup_fd int fd = -1;
	int rc;

	snprintf(name, sizeof(name), RTMR_FILE, index);
	rc = cvm_source_path(source, name, path);
	if (!rc)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (!rc && fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return cvm_set_error(error, -EOPNOTSUPP, "%s: there is no such file: this kernel extends no RTMRs",
				     path);
	/* one write is one extension; a part of one is refused by the kernel */
	if (!rc && (fd < 0 || write(fd, digest, CVM_RTMR_LEN) < 0))
		rc = -errno;
	return rc ? cvm_path_error(error, rc, path, "extend the RTMR by") : 0;
}

static void issue_native(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
			 uint32_t timeout_ms)
{
	for (size_t i = 0; i < count; i++) {
		if (timeout_ms)
			jobs[i].result = cvm_set_error(&jobs[i].error, -EOPNOTSUPP, "%s: the kernel's own driver knows no deadlines; leave it out",
						       source->status.source);
		else if (jobs[i].type == CVM_EVIDENCE_SNP_REPORT)
			jobs[i].result = sev_request(source, &jobs[i]);
		else
			jobs[i].result = tdx_request(source, &jobs[i]);
	}
}

const struct cvm_backend cvm_backend_native = {
	.name = "native",
	.signing_keys = true,
	.open = open_native,
	.issue = issue_native,
	.extend = extend_native,
};
