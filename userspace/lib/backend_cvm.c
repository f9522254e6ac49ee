// SPDX-License-Identifier: MIT
/* The backend cvm: /dev/cvm/report of the cvm-guest driver, many requests by one ioctl. */
#include <fcntl.h>
#include <linux/cvm_guest.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "common/cleanup.h"
#include "lib.h"

#define NODE		"/dev/cvm/report"

/* one chunk's buffers stay below this, whatever the driver's limits are */
#define MAX_BUFFERS	(64U << 20)

static int get_info(int fd, struct cvm_info *info)
{
	*info = (struct cvm_info) { .size = sizeof(*info) };
	return ioctl(fd, CVM_INFO, info) ? -errno : 0;
}

static uint32_t health(uint32_t channel)
{
	switch (channel) {
	case CVM_CHANNEL_READY:		return CVM_HEALTH_READY;
	case CVM_CHANNEL_PARKED:	return CVM_HEALTH_PARKED;
	case CVM_CHANNEL_DEAD:		return CVM_HEALTH_DEAD;
	default:			return CVM_HEALTH_UNKNOWN;
	}
}

static void status_from(struct cvm_status *status, const struct cvm_info *info)
{
	/* the numbers are the same on purpose; what is newer than us is left out */
	status->types = info->kinds & (CVM_TYPE_BIT(CVM_EVIDENCE_SNP_REPORT) |
				       CVM_TYPE_BIT(CVM_EVIDENCE_TDREPORT) |
				       CVM_TYPE_BIT(CVM_EVIDENCE_TDX_QUOTE));
	status->tee = info->platform;
	status->health = health(info->channel);
	status->vmpl = info->vmpl;
	status->max_requests = info->max_requests;
	status->max_inflight = info->max_inflight;
	status->max_evidence = info->max_evidence;
	status->max_certs = info->max_certs;
	status->default_timeout_ms = info->default_timeout_ms;
	status->max_timeout_ms = info->max_timeout_ms;
}

_Static_assert((int)CVM_KIND_SNP_REPORT == (int)CVM_EVIDENCE_SNP_REPORT &&
	       (int)CVM_KIND_TDREPORT == (int)CVM_EVIDENCE_TDREPORT &&
	       (int)CVM_KIND_TDX_QUOTE == (int)CVM_EVIDENCE_TDX_QUOTE &&
	       (int)CVM_PLATFORM_SNP == (int)CVM_TEE_SNP &&
	       (int)CVM_PLATFORM_TDX == (int)CVM_TEE_TDX &&
	       (int)CVM_KEY_VCEK == (int)CVM_SIGNING_KEY_VCEK &&
	       (int)CVM_KEY_VLEK == (int)CVM_SIGNING_KEY_VLEK,
	       "the driver's numbers are the library's");

static int refresh_cvm(const struct cvm_source *source, struct cvm_status *status,
		       struct cvm_error *error)
{
	struct cvm_info info;
	int rc = get_info(source->fd, &info);

	if (rc)
		return cvm_path_error(error, rc, source->status.source, "ask for CVM_INFO");
	status_from(status, &info);
	return 0;
}

static int open_cvm(struct cvm_source *source, const char *address, struct cvm_error *error)
{
	const char *path = source->status.source;
	__cleanup_fd int fd = -1;
	int rc = cvm_source_set(source, source->root, NODE, error);

	if (rc)
		return rc;
	fd = open(path, O_RDWR | O_CLOEXEC);
	/* a node that outlived its driver (ENXIO, ENODEV) is no source either */
	if (fd < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV || errno == ENOTDIR))
		return cvm_set_error(error, -ENODEV, "%s: the cvm-guest driver is not loaded ('cvmctl module load')",
				     path);
	if (fd < 0)
		return cvm_path_error(error, -errno, path, "open");
	source->fd = fd;
	rc = refresh_cvm(source, &source->status, error);
	if (rc)
		return rc;
	fd = -1;
	return 0;
}

static void close_cvm(struct cvm_source *source)
{
	close(source->fd);
}

/* Memory for an answer of any length; what is not written to costs nothing. */
static int buffers_for(struct cvm_evidence_req *req, const struct cvm_status *status)
{
	void *evidence = malloc(status->max_evidence);
	void *certs = NULL;

	if (req->flags & CVM_REQ_CERTS)
		certs = malloc(status->max_certs);
	req->evidence = (uintptr_t)evidence;
	req->certs = (uintptr_t)certs;
	req->evidence_len = status->max_evidence;
	req->certs_len = certs ? status->max_certs : 0;
	return !evidence || (!certs && req->flags & CVM_REQ_CERTS) ? -ENOMEM : 0;
}

static int request_from(struct cvm_evidence_req *req, const struct cvm_job *job,
			const struct cvm_status *status)
{
	*req = (struct cvm_evidence_req) {
		.kind = job->type,
		.flags = (job->flags & CVM_REQUEST_CERTS ? CVM_REQ_CERTS : 0) |
			 (job->flags & CVM_REQUEST_VMPL ? CVM_REQ_VMPL : 0),
		.key_sel = job->signing_key,
		.vmpl = job->vmpl,
	};
	memcpy(req->report_data, job->report_data, sizeof(req->report_data));
	return buffers_for(req, status);
}

/* Keeps no more memory than the answer takes. */
static void *shrunk(uint64_t address, size_t len)
{
	void *buffer = (void *)(uintptr_t)address;
	void *smaller = realloc(buffer, len ? len : 1);

	return smaller ? smaller : buffer;
}

static void finish(const struct cvm_source *source, struct cvm_job *job,
		   const struct cvm_evidence_req *req, int rc)
{
	int result = rc && rc != -EINTR ? rc : req->result;

	/* lengths beyond our buffers can only be a broken driver's */
	if (!result && (req->evidence_len > source->status.max_evidence ||
			req->certs_len > source->status.max_certs))
		result = -EBADMSG;
	if (result) {
		free((void *)(uintptr_t)req->evidence);
		free((void *)(uintptr_t)req->certs);
		job->result = cvm_source_error(&job->error, result, source, req->platform_status);
		return;
	}
	cvm_job_done(job, source, shrunk(req->evidence, req->evidence_len), req->evidence_len,
		     req->certs ? shrunk(req->certs, req->certs_len) : NULL, req->certs_len);
}

static void issue_chunk(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
			uint32_t timeout_ms)
{
	__cleanup_free struct cvm_evidence_req *reqs = calloc(count, sizeof(*reqs));
	struct cvm_issue array = {
		.size = sizeof(array),
		.request_size = sizeof(*reqs),
		.count = (uint32_t)count,
		.timeout_ms = timeout_ms,
		.requests = (uintptr_t)reqs,
	};
	int rc = reqs ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < count; i++)
		rc = request_from(&reqs[i], &jobs[i], &source->status);
	if (!rc && ioctl(source->fd, CVM_ISSUE, &array))
		rc = -errno;
	for (size_t i = 0; i < count; i++) {
		if (reqs)
			finish(source, &jobs[i], &reqs[i], rc);
		else
			jobs[i].result = cvm_set_error(&jobs[i].error, rc, "out of memory");
	}
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* As many as the driver takes, and as memory bounds, at a time; one deadline for all. */
static size_t chunk_size(const struct cvm_status *status)
{
	size_t each = (size_t)status->max_evidence + status->max_certs + 1;
	size_t fit = MAX_BUFFERS / each;

	fit = fit < status->max_requests ? fit : status->max_requests;
	return fit ? fit : 1;
}

static void issue_cvm(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		      uint32_t timeout_ms)
{
	uint64_t deadline = now_ms() + timeout_ms;
	size_t chunk = chunk_size(&source->status);

	for (size_t first = 0; first < count; first += chunk) {
		size_t some = count - first < chunk ? count - first : chunk;
		uint64_t now = now_ms();
		uint32_t left = 0;

		/* 0 would mean the default: what is past its deadline has 1 ms */
		if (timeout_ms)
			left = deadline > now ? (uint32_t)(deadline - now) : 1;
		issue_chunk(source, jobs + first, some, left);
	}
}

const struct cvm_backend cvm_backend_cvm = {
	.name = "cvm",
	.signing_keys = true,
	.open = open_cvm,
	.close = close_cvm,
	.refresh = refresh_cvm,
	.issue = issue_cvm,
};
