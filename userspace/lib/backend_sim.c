// SPDX-License-Identifier: MIT
/*
 * The backend sim: a simulated platform (cvm-fwd) behind a UNIX socket, for
 * development without a confidential VM. Its frames are those of the
 * simulator's fw_proto.h, of which this is the part that a client needs.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "common/cleanup.h"
#include "lib.h"

#define SIM_MAGIC	0x31574643
#define SIM_MAX_PAYLOAD	(256U << 10)

/* who does not answer this at once never will */
#define STATUS_TIMEOUT_MS	5000

enum sim_type { SIM_RTMR = 5, SIM_STATUS = 7, SIM_REPORT = 9, SIM_QUOTE = 10 };

/* Little-endian, as the machines that it runs on. */
struct sim_frame {
	uint32_t magic;
	uint32_t type;
	uint64_t id;
	uint32_t len;
	uint32_t flags;
	uint64_t status;
	uint64_t delay_ns;
};

struct sim_report {
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	uint32_t vmpl;
	uint32_t key_sel;
};

struct sim_rtmr {
	uint32_t index;
	uint8_t digest[CVM_RTMR_LEN];
};

struct sim_request {
	struct sim_frame frame;
	union {
		struct sim_report report;
		struct sim_rtmr rtmr;
		uint8_t report_data[CVM_REPORT_DATA_LEN];
	};
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int sim_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	__cleanup_fd int fd = -1;
	int connected;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	connected = fd;
	fd = -1;
	return connected;
}

static int send_all(int fd, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		if (sent < 0)
			return -errno;
		bytes += sent;
		len -= (size_t)sent;
	}
	return 0;
}

/* @deadline: of the monotonic clock, in ms; 0: none */
static int receive_all(int fd, void *data, size_t len, int64_t deadline)
{
	uint8_t *bytes = data;

	while (len) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int64_t left = deadline ? deadline - now_ms() : -1;
		ssize_t got;

		if (deadline && left <= 0)
			return -ETIMEDOUT;
		if (poll(&ready, 1, left > INT_MAX ? INT_MAX : (int)left) < 0)
			return -errno;
		if (!ready.revents)
			continue;
		got = recv(fd, bytes, len, 0);
		if (got <= 0)
			return got ? -errno : -ECONNRESET;
		bytes += got;
		len -= (size_t)got;
	}
	return 0;
}

/* Ask one question on a connection of its own, so that any thread may. */
static int sim_ask(const char *path, const struct sim_request *request, uint32_t timeout_ms,
		   struct sim_frame *head, void **answer)
{
	int64_t deadline = timeout_ms ? now_ms() + timeout_ms : 0;
	__cleanup_free uint8_t *payload = NULL;
	__cleanup_fd int fd = sim_connect(path);
	int rc = fd < 0 ? fd : 0;

	if (!rc)
		rc = send_all(fd, request, sizeof(request->frame) + request->frame.len);
	if (!rc)
		rc = receive_all(fd, head, sizeof(*head), deadline);
	if (rc)
		return rc;
	if (head->magic != SIM_MAGIC || head->type != request->frame.type ||
	    head->len > SIM_MAX_PAYLOAD)
		return -EBADMSG;
	payload = malloc(head->len + 1);
	if (!payload)
		return -ENOMEM;
	rc = receive_all(fd, payload, head->len, deadline);
	payload[head->len] = '\0';
	*answer = cvm_take_ptr(payload);
	return rc;
}

static int sim_failed(struct cvm_error *error, int rc, const char *path)
{
	switch (rc) {
	case -ENOENT:
	case -ECONNREFUSED:
		return cvm_set_error(error, -ENODEV, "%s: no cvm-fwd listens there; start 'cvm-fwd --listen %s'",
				     path, path);
	case -ECONNRESET:
	case -EPIPE:
		return cvm_set_error(error, -EIO, "%s: cvm-fwd closed the connection; see what it printed",
				     path);
	default:
		return cvm_path_error(error, rc, path, "talk to cvm-fwd at");
	}
}

/* cvm-fwd says 'platform=snp' or 'platform=tdx' among its status lines. */
static int sim_platform(struct cvm_status *status, const char *lines)
{
	if (strstr(lines, "platform=snp\n") == lines) {
		status->tee = CVM_TEE_SNP;
		status->types = CVM_TYPE_BIT(CVM_EVIDENCE_SNP_REPORT);
	} else if (strstr(lines, "platform=tdx\n") == lines) {
		status->tee = CVM_TEE_TDX;
		status->types = CVM_TYPE_BIT(CVM_EVIDENCE_TDX_QUOTE);
	} else {
		return -EBADMSG;
	}
	return 0;
}

static int open_sim(struct cvm_source *source, const struct cvm_open_opts *opts,
		    struct cvm_error *error)
{
	const struct sim_request request = { .frame = { SIM_MAGIC, .type = SIM_STATUS } };
	struct cvm_status *status = &source->status;
	const char *path = opts->sim_socket ? opts->sim_socket : secure_getenv("CVM_SIM");
	__cleanup_free char *lines = NULL;
	struct sim_frame head;
	int rc;

	if (!path)
		return cvm_set_error(error, -ENODEV, "the backend sim needs the socket that cvm-fwd listens on: 'sim:SOCKET', or CVM_SIM in the environment");
	rc = cvm_source_set(source, "", path, error);
	if (rc)
		return rc;
	rc = sim_ask(path, &request, STATUS_TIMEOUT_MS, &head, (void **)&lines);
	if (!rc)
		rc = sim_platform(status, lines);
	if (rc)
		return sim_failed(error, rc, path);
	status->health = CVM_HEALTH_READY;
	status->max_evidence = SIM_MAX_PAYLOAD;
	status->max_certs = CVM_CERTS_MAX;
	return 0;
}

static void sim_request_from(struct sim_request *request, const struct cvm_job *job)
{
	memset(request, 0, sizeof(*request));
	request->frame.magic = SIM_MAGIC;
	if (job->type == CVM_EVIDENCE_SNP_REPORT) {
		request->frame.type = SIM_REPORT;
		request->frame.len = sizeof(request->report);
		request->report.vmpl = job->vmpl;
		request->report.key_sel = job->signing_key;
	} else {
		request->frame.type = SIM_QUOTE;
		request->frame.len = sizeof(request->report_data);
	}
	memcpy(request->report_data, job->report_data, sizeof(request->report_data));
}

/* A report with the certificate table behind it, or a quote. */
static void sim_done(const struct cvm_source *source, struct cvm_job *job, uint8_t *answer,
		     size_t len)
{
	bool snp = job->type == CVM_EVIDENCE_SNP_REPORT;
	size_t evidence_len = snp && len > CVM_SNP_REPORT_LEN ? CVM_SNP_REPORT_LEN : len;
	size_t certs_len = job->flags & CVM_REQUEST_CERTS ? len - evidence_len : 0;
	void *certs = NULL;

	if (certs_len) {
		certs = malloc(certs_len);
		if (!certs) {
			free(answer);
			job->result = cvm_source_error(&job->error, -ENOMEM, source, 0);
			return;
		}
		memcpy(certs, answer + evidence_len, certs_len);
	}
	cvm_job_done(job, source, &(struct cvm_answer) {
		.data = answer, .len = evidence_len, .certs = certs, .certs_len = certs_len });
}

static void issue_sim(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		      uint32_t timeout_ms)
{
	for (size_t i = 0; i < count; i++) {
		struct cvm_job *job = &jobs[i];
		__cleanup_free void *answer = NULL;
		struct sim_request request;
		struct sim_frame head;
		int rc;

		sim_request_from(&request, job);
		rc = sim_ask(source->status.source, &request, timeout_ms, &head, &answer);
		if (rc == -ETIMEDOUT || rc == -EINTR || rc == -EBADMSG)
			job->result = cvm_source_error(&job->error, rc, source, 0);
		else if (rc)
			job->result = sim_failed(&job->error, rc, source->status.source);
		else if (head.status)
			job->result = cvm_source_error(&job->error, -EIO, source, head.status);
		else
			sim_done(source, job, cvm_take_ptr(answer), head.len);
	}
}

static int extend_sim(const struct cvm_source *source, uint32_t index, const uint8_t *digest,
		      struct cvm_error *error)
{
	struct sim_request request = {
		.frame = { SIM_MAGIC, .type = SIM_RTMR, .len = sizeof(request.rtmr) },
		.rtmr = { .index = index },
	};
	__cleanup_free void *answer = NULL;
	struct sim_frame head;
	int rc;

	if (source->status.tee != CVM_TEE_TDX)
		return cvm_set_error(error, -EOPNOTSUPP, "%s: this platform has no RTMRs",
				     source->status.source);
	memcpy(request.rtmr.digest, digest, sizeof(request.rtmr.digest));
	rc = sim_ask(source->status.source, &request, STATUS_TIMEOUT_MS, &head, &answer);
	if (rc)
		return sim_failed(error, rc, source->status.source);
	return head.status ? cvm_source_error(error, -EIO, source, head.status) : 0;
}

const struct cvm_backend cvm_backend_sim = {
	.name = "sim",
	.signing_keys = true,
	.open = open_sim,
	.issue = issue_sim,
	.extend = extend_sim,
};
