// SPDX-License-Identifier: MIT
/*
 * The backend cvm: the nodes of the cvm-guest driver, many requests by one ioctl. On Azure
 * what they give is completed by the vTPM.
 */
#include <fcntl.h>
#include <linux/cvm_guest.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "common/cleanup.h"
#include "driver.h"
#include "driver/merkle.h"
#include "vtpm.h"

#define NODE		"/dev/cvm/report"
#define BATCH_NODE	"/dev/cvm/batch"

/*
 * One chunk's buffers stay below this, whatever the driver's limits are: room for
 * a set of 1,024 with quotes of the longest kind, which ask for one report then.
 * Of that as much becomes memory as evidence is written to it.
 */
#define MAX_BUFFERS	(144U << 20)

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

/* An Azure guest's hardware is what it is elsewhere. */
static uint32_t tee_of(uint32_t platform)
{
	switch (platform) {
	case CVM_PLATFORM_SNP:
	case CVM_PLATFORM_AZURE_SNP:	return CVM_TEE_SNP;
	case CVM_PLATFORM_TDX:
	case CVM_PLATFORM_AZURE_TDX:	return CVM_TEE_TDX;
	default:			return CVM_TEE_NONE;
	}
}

static bool is_azure(uint32_t platform)
{
	return platform == CVM_PLATFORM_AZURE_SNP || platform == CVM_PLATFORM_AZURE_TDX;
}

static void status_from(struct cvm_status *status, const struct cvm_info *info)
{
	/* the numbers are the same on purpose; what is newer than us is left out */
	status->types = info->kinds & (CVM_TYPE_BIT(CVM_EVIDENCE_SNP_REPORT) |
				       CVM_TYPE_BIT(CVM_EVIDENCE_TDREPORT) |
				       CVM_TYPE_BIT(CVM_EVIDENCE_TDX_QUOTE) |
				       CVM_TYPE_BIT(CVM_EVIDENCE_HCL_REPORT));
	status->tee = tee_of(info->platform);
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
	       (int)CVM_KIND_HCL_REPORT == (int)CVM_EVIDENCE_HCL_REPORT &&
	       (int)CVM_KEY_VCEK == (int)CVM_SIGNING_KEY_VCEK &&
	       (int)CVM_KEY_VLEK == (int)CVM_SIGNING_KEY_VLEK,
	       "the driver's numbers are the library's");

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* What one door says; what both know, the direct one decides. */
static int ask_info(const struct cvm_source *source, int fd, struct cvm_info *info,
		    struct cvm_error *error)
{
	int rc = get_info(fd, info);

	return rc ? cvm_path_error(error, rc, source->status.source, "ask for CVM_INFO") : 0;
}

static int refresh_cvm(const struct cvm_source *source, struct cvm_status *status,
		       struct cvm_error *error)
{
	struct cvm_info info;
	int rc = 0;

	if (source->batch_fd >= 0) {
		rc = ask_info(source, source->batch_fd, &info, error);
		if (rc)
			return rc;
		status_from(status, &info);
		status->max_leaves = info.max_leaves;
		status->scope = info.scope;
	}
	if (source->fd >= 0)
		rc = ask_info(source, source->fd, &info, error);
	if (!rc && source->fd >= 0)
		status_from(status, &info);
	return rc;
}

/* What does not change: @source->max_record, and which platform both doors are of */
static int find_limits(struct cvm_source *source, uint32_t *platform)
{
	const int doors[] = { source->fd, source->batch_fd };

	for (size_t i = 0; i < ARRAY_SIZE(doors); i++) {
		struct cvm_info info;

		if (doors[i] < 0)
			continue;
		if (get_info(doors[i], &info))
			return -EIO;
		source->max_record = larger(source->max_record, info.max_record);
		*platform = info.platform;
	}
	return 0;
}

/*
 * The descriptor, or what is wrong; -ENODEV: there is no such node. Reading is
 * enough for all but to extend an RTMR, and may be all that we are given.
 */
static int open_node(const struct cvm_source *source, const char *node)
{
	char path[PATH_MAX];
	int rc = cvm_source_path(source, node, path);
	int fd = rc ? rc : open(path, O_RDWR | O_CLOEXEC);

	if (!rc && fd < 0 && errno == EACCES)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (rc || fd >= 0)
		return fd;
	/* a node that outlived its driver (ENXIO, ENODEV) is no source either */
	return errno == ENOENT || errno == ENXIO || errno == ENOTDIR ? -ENODEV : -errno;
}

static void close_cvm(struct cvm_source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	if (source->batch_fd >= 0)
		close(source->batch_fd);
	if (source->spare)
		free(atomic_load(source->spare));
	free(source->spare);
	cvm_vtpm_unplace(source);
}

/* Each door has its own rights: whoever may use only one has that one. */
static int open_doors(struct cvm_source *source, struct cvm_error *error)
{
	const char *path = source->status.source;

	source->fd = open_node(source, NODE);
	source->batch_fd = open_node(source, BATCH_NODE);
	if (source->fd >= 0)
		return 0;
	if (source->batch_fd >= 0)
		return cvm_source_set(source, source->root, BATCH_NODE, error);
	if (source->fd == -ENODEV)
		return cvm_set_error(error, -ENODEV, "%s: the cvm-guest driver is not loaded ('cvmctl module load')",
				     path);
	return cvm_path_error(error, source->fd, path, "open");
}

/* A file that somebody else opened, perhaps with a label: of what is it? */
static int open_given(struct cvm_source *source, int fd, struct cvm_error *error)
{
	struct cvm_info info;
	int rc;

	source->batch_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (source->batch_fd < 0)
		return cvm_set_error(error, -errno, "cvm_open: descriptor %d is not open", fd);
	rc = get_info(source->batch_fd, &info);
	if (rc || !(info.kinds & 1U << CVM_KIND_BATCH))
		return cvm_set_error(error, rc ? rc : -EINVAL, "cvm_open: descriptor %d is no open file of %s",
				     fd, BATCH_NODE);
	return cvm_source_set(source, source->root, BATCH_NODE, error);
}

/* What this library does not know it leaves to others: it could not tell what is missing. */
static int take_platform(struct cvm_source *source, uint32_t platform,
			 const struct cvm_open_opts *opts, struct cvm_error *error)
{
	int rc;

	if (tee_of(platform) == CVM_TEE_NONE)
		return cvm_set_error(error, -ENODEV, "%s: platform %u is newer than this library",
				     source->status.source, platform);
	if (!is_azure(platform))
		return 0;
	rc = cvm_vtpm_place(source, opts, error);
	return rc ? rc : cvm_share_open(source, error);
}

static int open_cvm(struct cvm_source *source, const struct cvm_open_opts *opts,
		    struct cvm_error *error)
{
	int rc = cvm_source_set(source, source->root, NODE, error);
	uint32_t platform = CVM_PLATFORM_NONE;

	source->spare = calloc(1, sizeof(*source->spare));
	if (!rc && !source->spare)
		rc = cvm_set_error(error, -ENOMEM, "out of memory");
	if (!rc && opts->batch_fd)
		rc = open_given(source, opts->batch_fd, error);
	else if (!rc)
		rc = open_doors(source, error);
	if (!rc)
		rc = refresh_cvm(source, &source->status, error);
	if (!rc)
		rc = find_limits(source, &platform);
	if (!rc)
		rc = take_platform(source, platform, opts, error);
	if (rc)
		close_cvm(source);
	return rc;
}

/**
 * struct buffers - memory for the answers of one ioctl, of any length
 * @start: all of it, uninitialised: what is not written to costs nothing
 * @each: bytes for one answer: evidence, certificates, proof
 * @certs: of those for the certificates
 */
struct buffers {
	uint8_t *start;
	size_t each, certs;
};

/* What each of them needs for certificates, when any of them wants some. */
static size_t certs_room(const struct cvm_status *status, const struct cvm_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (jobs[i].flags & CVM_REQUEST_CERTS)
			return status->max_certs;
	return 0;
}

/*
 * A single request takes the memory that the one before left: to get and give
 * back so much each time would cost more than the rest of the call.
 */
static int get_buffers(struct buffers *buffers, const struct cvm_source *source,
		       const struct cvm_job *jobs, size_t count)
{
	buffers->certs = certs_room(&source->status, jobs, count);
	buffers->each = source->status.max_evidence + buffers->certs + CVM_PROOF_MAX;
	buffers->start = NULL;
	if (count == 1 && !buffers->certs)
		buffers->start = atomic_exchange(source->spare, NULL);
	if (!buffers->start)
		buffers->start = malloc(count * buffers->each);
	return buffers->start ? 0 : -ENOMEM;
}

static void put_buffers(const struct buffers *buffers, const struct cvm_source *source,
			size_t count)
{
	void *spare = buffers->start;

	if (count == 1 && !buffers->certs)
		spare = atomic_exchange(source->spare, spare);
	free(spare);
}

static void place(struct cvm_evidence_req *req, const struct buffers *buffers, size_t index,
		  const struct cvm_status *status)
{
	uint8_t *start = buffers->start + index * buffers->each;

	req->evidence = (uintptr_t)start;
	req->evidence_len = status->max_evidence;
	start += req->evidence_len;
	if (req->flags & CVM_REQ_CERTS) {
		req->certs = (uintptr_t)start;
		req->certs_len = status->max_certs;
		start += req->certs_len;
	}
	if (req->kind == CVM_KIND_BATCH) {
		req->proof = (uintptr_t)start;
		req->proof_len = CVM_PROOF_MAX;
	}
}

void cvm_driver_request(struct cvm_evidence_req *req, const struct cvm_job *job)
{
	*req = (struct cvm_evidence_req) {
		.kind = job->batch ? CVM_KIND_BATCH : job->type,
		.flags = (job->flags & CVM_REQUEST_CERTS ? CVM_REQ_CERTS : 0) |
			 (job->flags & CVM_REQUEST_VMPL ? CVM_REQ_VMPL : 0),
		.key_sel = job->signing_key,
		.vmpl = job->vmpl,
	};
	memcpy(req->report_data, job->report_data, sizeof(req->report_data));
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t cvm_driver_deadline(const struct cvm_source *source, uint32_t timeout_ms)
{
	return (int64_t)now_ms() + (timeout_ms ? timeout_ms : source->status.default_timeout_ms);
}

static void finish(const struct cvm_source *source, struct cvm_job *job,
		   const struct cvm_evidence_req *req, int rc, int64_t deadline)
{
	struct cvm_answer answer = {
		.data = (void *)(uintptr_t)req->evidence, .len = req->evidence_len,
		.certs = (void *)(uintptr_t)req->certs, .certs_len = req->certs_len,
		.proof = (void *)(uintptr_t)req->proof, .proof_len = req->proof_len,
	};
	int result = rc && rc != -EINTR ? rc : req->result;
	const _Atomic int64_t until = deadline;

	/* lengths beyond our buffers can only be a broken driver's */
	if (!result && (req->evidence_len > source->status.max_evidence ||
			req->certs_len > (req->certs ? source->status.max_certs : 0) ||
			req->proof_len > (req->proof ? CVM_PROOF_MAX : 0)))
		result = -EBADMSG;
	if (result)
		job->result = cvm_source_error(&job->error, result, source, req->platform_status);
	else if (source->vtpm)
		cvm_azure_answer(source, job, &answer, &until);
	else
		cvm_job_copy(job, source, &answer);
}

/* One ioctl; a failure of all is the result of each. */
static void issue_chunk(const struct cvm_source *source, struct cvm_job *jobs,
			struct cvm_evidence_req *reqs, size_t count, uint32_t timeout_ms)
{
	struct cvm_issue array = {
		.size = sizeof(array),
		.request_size = sizeof(*reqs),
		.count = (uint32_t)count,
		.timeout_ms = timeout_ms,
		.requests = (uintptr_t)reqs,
	};
	int64_t deadline = cvm_driver_deadline(source, timeout_ms);
	struct buffers buffers;
	int rc = get_buffers(&buffers, source, jobs, count);

	for (size_t i = 0; !rc && i < count; i++) {
		cvm_driver_request(&reqs[i], &jobs[i]);
		place(&reqs[i], &buffers, i, &source->status);
	}
	if (!rc && ioctl(jobs->batch ? source->batch_fd : source->fd, CVM_ISSUE, &array))
		rc = -errno;
	for (size_t i = 0; i < count; i++)
		finish(source, &jobs[i], &reqs[i], rc, deadline);
	if (buffers.start)
		put_buffers(&buffers, source, count);
}

/* As many as the driver takes, and as memory bounds, at a time. */
static size_t chunk_size(const struct cvm_status *status, const struct cvm_job *jobs, size_t count)
{
	size_t certs = certs_room(status, jobs, count);
	size_t fit = MAX_BUFFERS / (status->max_evidence + certs + CVM_PROOF_MAX);

	fit = fit < status->max_requests ? fit : status->max_requests;
	fit = fit < count ? fit : count;
	return fit ? fit : 1;
}

static uint32_t time_left(uint64_t deadline)
{
	uint64_t now = now_ms();

	/* 0 would mean the default: what is past its deadline has 1 ms */
	return deadline > now ? (uint32_t)(deadline - now) : 1;
}

/* Chunk after chunk, with one deadline for all of them. */
static void issue_all(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		      uint32_t timeout_ms)
{
	uint64_t deadline = timeout_ms ? now_ms() + timeout_ms : 0;
	size_t chunk = chunk_size(&source->status, jobs, count);
	__cleanup_free struct cvm_evidence_req *reqs = calloc(chunk, sizeof(*reqs));

	for (size_t i = 0; !reqs && i < count; i++)
		jobs[i].result = cvm_source_error(&jobs[i].error, -ENOMEM, source, 0);
	for (size_t first = 0; reqs && first < count; first += chunk) {
		size_t some = count - first < chunk ? count - first : chunk;

		issue_chunk(source, jobs + first, reqs, some, timeout_ms ? time_left(deadline) : 0);
	}
}

/* Azure: a window for a report that nothing could complete would be lost to the others, too. */
static void issue_cvm(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		      uint32_t timeout_ms)
{
	struct cvm_error why;
	int rc = source->vtpm ? cvm_vtpm_usable(source->vtpm, &why) : 0;

	for (size_t i = 0; rc && i < count; i++) {
		jobs[i].result = rc;
		jobs[i].error = why;
	}
	if (!rc)
		issue_all(source, jobs, count, timeout_ms);
}

static int extend_cvm(const struct cvm_source *source, uint32_t index, const uint8_t *digest,
		      struct cvm_error *error)
{
	struct cvm_extend_rtmr extend = { .size = sizeof(extend), .index = index };

	if (source->fd < 0)
		return cvm_path_error(error, source->fd, source->status.source, "extend an RTMR by");
	memcpy(extend.digest, digest, sizeof(extend.digest));
	if (!ioctl(source->fd, CVM_EXTEND_RTMR, &extend))
		return 0;
	switch (errno) {
	/* a driver that is older than this library */
	case ENOTTY:
	case EOPNOTSUPP:
		return cvm_set_error(error, -EOPNOTSUPP, "%s: this kernel, platform or driver extends no RTMRs",
				     source->status.source);
	case EBADF:
		return cvm_set_error(error, -EACCES, "%s: not open for writing; run as root, or have the administrator give you access",
				     source->status.source);
	default:
		return cvm_source_error(error, -errno, source, 0);
	}
}

const struct cvm_backend cvm_backend_cvm = {
	.name = "cvm",
	.signing_keys = true,
	.batches = true,
	.open = open_cvm,
	.close = close_cvm,
	.refresh = refresh_cvm,
	.issue = issue_cvm,
	.extend = extend_cvm,
};
