// SPDX-License-Identifier: MIT
/* Where evidence comes from, and who waits for it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/cvm_guest.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "agent.h"
#include "common/api.h"
#include "common/cleanup.h"
#include "common/source_name.h"
#include "common/util.h"
#include "verify/evidence_json.h"

#define BATCH_NODE	"/dev/cvm/batch"

static uint32_t direct_type(const struct cvm_status *status)
{
	static const enum cvm_evidence_type types[] = {
		CVM_EVIDENCE_HCL_REPORT, CVM_EVIDENCE_SNP_REPORT, CVM_EVIDENCE_TDX_QUOTE };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (status->types & 1U << types[i])
			return types[i];
	return CVM_EVIDENCE_TDX_QUOTE;
}

/* The batch node says it of its platform, and has no types of its own. */
static bool is_azure(const struct agent *agent)
{
	struct cvm_info info = { .size = sizeof(info) };
	int fd = cvm_batch_fd(agent->ctx);

	if (agent->status.types & 1U << CVM_EVIDENCE_HCL_REPORT)
		return true;
	return fd >= 0 && !ioctl(fd, CVM_INFO, &info) &&
	       (info.platform == CVM_PLATFORM_AZURE_SNP ||
		info.platform == CVM_PLATFORM_AZURE_TDX);
}

/* TDX has none, and Azure's are not the host's to give. */
static bool has_certs(const struct agent *agent)
{
	return agent->status.tee == CVM_TEE_SNP && !agent->azure;
}

/* ---- open and close */

static int fatal(int rc, const char *text)
{
	agent_log("error", "source", "ss", "message", text);
	return rc;
}

/*
 * Without the label nothing but direct evidence may be given: a proof for somebody else
 * would be taken for no one's, or worse, for everyone's.
 */
static int set_label(struct agent *agent)
{
	const char *label = agent->options->label;
	int rc = cvm_set_label(agent->ctx, label, strlen(label), &agent->trouble);

	if (rc == -EOPNOTSUPP) {
		agent_log("warning", "label", "ss", "message", agent->trouble.text);
		return 0;
	}
	agent->has_batch = !rc;
	return rc ? fatal(rc, agent->trouble.text) : 0;
}

static int read_certs(struct agent *agent)
{
	const char *path = agent->options->certs;
	struct cvm_error error;
	void *data;
	int rc = cvm_read_file(path, AGENT_MAX_CERTS, &data, &agent->certs.len);

	if (rc) {
		cvm_path_error(&error, rc, path, "read");
		return fatal(rc, error.text);
	}
	agent->certs.data = data;
	return 0;
}

/*
 * Who gives no direct evidence has nothing open that does: whatever becomes of this
 * process, it cannot choose REPORT_DATA.
 */
static int open_source(struct agent *agent)
{
	const struct agent_options *options = agent->options;
	struct cvm_open_opts opts = { .size = sizeof(opts), .imds = options->imds };
	__cleanup_fd int batch = -1;

	cvm_source_name(options->backend, &opts);
	if (!options->direct && (!opts.backend || !strcmp(opts.backend, "cvm")))
		batch = open(BATCH_NODE, O_RDWR | O_CLOEXEC);
	if (batch >= 0)
		opts.batch_fd = batch;
	return cvm_open(&agent->ctx, &opts, &agent->trouble);
}

int agent_source_open(struct agent *agent)
{
	const struct agent_options *options = agent->options;
	int rc = options->certs ? read_certs(agent) : 0;

	if (rc)
		return rc;
	rc = agent_coco_start();
	if (rc)
		agent_log("warning", "event log", "ss", "message", strerror(-rc));
	rc = open_source(agent);
	if (rc == -EINVAL)
		return fatal(rc, agent->trouble.text);
	if (rc) {
		/* clients are told so, and the next start looks again */
		agent_log("warning", "source", "ss", "message", agent->trouble.text);
		return 0;
	}
	agent->status.size = sizeof(agent->status);
	rc = cvm_status(agent->ctx, &agent->status, &agent->trouble);
	if (rc)
		return fatal(rc, agent->trouble.text);
	agent->azure = is_azure(agent);
	rc = agent_event_log_read(agent);
	if (rc)
		return rc;
	if (options->label)
		return set_label(agent);
	agent->has_batch = agent->status.max_leaves;
	return 0;
}

int agent_source_start(struct agent *agent)
{
	struct cvm_error error;
	int rc = agent->ctx ? cvm_async_open(&agent->async, agent->ctx, &error) : 0;
	return rc ? fatal(rc, error.text) : 0;
}

void agent_source_close(struct agent *agent)
{
	cvm_async_close(agent->async);
	cvm_close(agent->ctx);
	free(agent->certs.data);
	free(agent->event_log.data);
	agent_coco_end();
}

/* ---- requests */

static void wait_for(struct agent_request *request)
{
	struct agent *agent = request->agent;

	request->waits = true;
	agent_deadline_set(agent, request->client, 0);
	request->link = agent->waiting_end;
	*request->link = request;
	agent->waiting_end = &request->next;
	agent->peers.requests++;
	request->client->peer->requests++;
}

/* It has its answer, which is sent when libmicrohttpd looks at it next. */
static void go_on(struct agent_request *request)
{
	request->waits = false;
	*request->link = request->next;
	*(request->next ? &request->next->link : &request->agent->waiting_end) = request->link;
	request->agent->peers.requests--;
	request->client->peer->requests--;
	MHD_resume_connection(request->connection);
}

/* The kernel's own drivers know no deadlines, and refuse one: 0, which is the source's own */
static uint32_t source_ms(const struct agent *agent)
{
	uint32_t most = agent->status.max_timeout_ms;

	return most < AGENT_SOURCE_MS ? most : AGENT_SOURCE_MS;
}

/* False: it has its answer. */
static bool submit(struct agent_request *request)
{
	struct agent *agent = request->agent;
	/* others who share a batch have no certificates unless they ask for them */
	bool certs = request->batch ? request->ask.certs > 0 : request->ask.certs >= 0;
	struct cvm_async_request one = {
		.size = sizeof(one),
		.cookie = (uintptr_t)request,
		.type = request->batch ? CVM_ASYNC_BATCH : direct_type(&agent->status),
		.flags = certs && has_certs(agent) ? CVM_REQUEST_CERTS : 0,
	};
	struct cvm_error error;
	long accepted;

	memcpy(one.report_data, request->ask.data, sizeof(one.report_data));
	accepted = cvm_async_submit(agent->async, &one, 1, source_ms(agent), &error);
	request->submitted = accepted == 1;
	agent->asked += request->submitted;
	if (!request->submitted)
		agent_reply_library(request, accepted < 0 ? (int)accepted : one.result, &error);
	else if (!request->batch)
		request->client->peer->direct++;
	return request->submitted;
}

static bool may_submit(const struct agent_request *request)
{
	return request->batch || request->client->peer->direct < AGENT_MAX_PEER_DIRECT;
}

/* The source has one less of @peer. */
static void submit_next(struct agent *agent, struct agent_peer *peer)
{
	struct agent_request *request, *next;

	peer->direct--;
	for (request = agent->waiting; request; request = next) {
		next = request->next;
		if (request->submitted || request->client->peer != peer)
			continue;
		if (!may_submit(request))
			return;
		if (!submit(request))
			go_on(request);
	}
}

static void ask(struct agent_request *request)
{
	uint32_t ms = request->ask.timeout_ms;

	if (!ms || ms > AGENT_SOURCE_MS)
		ms = AGENT_SOURCE_MS;
	request->end_us = agent_now_us() + ms * 1000ULL;
	if (!may_submit(request) || submit(request))
		wait_for(request);
}

/* The next start may find one, and comes soon, for whoever connects again. */
static void reply_no_source(struct agent_request *request)
{
	agent_reply_library(request, -ENODEV, &request->agent->trouble);
	request->reply.close = true;
}

void agent_source_ask(struct agent_request *request)
{
	struct agent *agent = request->agent;

	if (!request->batch && !agent->options->direct)
		agent_reply_error(request, MHD_HTTP_FORBIDDEN, "direct_not_allowed",
				  "direct evidence is not given here, where it would let every caller choose REPORT_DATA; ask for mode=batch, or have the administrator start cvm-agent with --direct");
	else if (!agent->async)
		reply_no_source(request);
	else if (request->batch && !agent->has_batch)
		agent_reply_error(request, MHD_HTTP_NOT_IMPLEMENTED, "not_supported",
				  "no batch evidence: %s", *agent->trouble.text ?
				  agent->trouble.text : "this source has none");
	else if (!agent_peer_may_ask(&agent->peers, request->client->peer))
		agent_reply_refuse(request, AGENT_REFUSED_REQUEST);
	else if (!agent_peer_may_leave(&agent->peers, request->client->peer))
		agent_reply_refuse(request, AGENT_REFUSED_UNREAD);
	else
		ask(request);
}

/* ---- answers */

/* 0 or -ENOMEM; without @from @to stays as it is */
static int copy_blob(const struct cvm_blob *from, struct cvm_blob *to)
{
	if (!from->data)
		return 0;
	to->data = malloc(from->len + 1);
	if (!to->data)
		return -ENOMEM;
	memcpy(to->data, from->data, from->len);
	to->len = from->len;
	return 0;
}

/* What --certs has stands in where the host gives none. */
static int add_parts(const struct agent_request *request, struct cvm_evidence_file *file)
{
	const struct agent *agent = request->agent;
	int rc = 0;

	if (!file->certs.data && request->ask.certs >= 0)
		rc = copy_blob(&agent->certs, &file->certs);
	if (!rc && file->type == CVM_EVIDENCE_HCL_REPORT)
		rc = copy_blob(&agent->event_log, &file->event_log);
	return rc;
}

static void reply_evidence(struct agent_request *request, const struct cvm_evidence *evidence)
{
	struct cvm_evidence_file file = { 0 };
	struct cvm_error error = { .text = "out of memory" };
	size_t len = 0;
	char *body;
	int rc = cvm_evidence_file_take(&file, evidence, &error);

	if (!rc)
		rc = add_parts(request, &file);
	if (!rc)
		rc = request->format->write(&file, &body, &len, &error);
	cvm_evidence_file_free(&file);
	if (rc)
		agent_reply_library(request, rc, &error);
	else
		agent_reply(request, request->format->type, body, len);
}

static void reply_late(struct agent_request *request)
{
	static const struct cvm_error error = { .text = "no evidence within the time" };

	request->agent->metrics.failed[request->batch]++;
	agent_reply_library(request, -ETIMEDOUT, &error);
}

static void complete(struct cvm_completion *completion, const struct cvm_error *error)
{
	struct agent_request *request = (struct agent_request *)(uintptr_t)completion->cookie;
	struct agent_peer *peer = request->client->peer;
	struct agent *agent = request->agent;
	struct agent_metrics *metrics = &agent->metrics;

	agent->asked--;
	agent_metrics_time(metrics, request->batch, agent_now_us() - request->began_us);
	if (completion->result == -ECANCELED && request->late) {
		reply_late(request);
	} else if (completion->result) {
		metrics->failed[request->batch]++;
		agent_reply_library(request, completion->result, error);
	} else if (!agent_peer_may_leave(&agent->peers, peer)) {
		agent_reply_refuse(request, AGENT_REFUSED_UNREAD);
	} else {
		reply_evidence(request, completion->evidence);
	}
	cvm_evidence_free(completion->evidence);
	go_on(request);
	if (!request->batch)
		submit_next(agent, peer);
}

uint64_t agent_source_next_us(const struct agent *agent)
{
	uint64_t next = UINT64_MAX;

	for (const struct agent_request *one = agent->waiting; one; one = one->next)
		if (!one->late && one->end_us < next)
			next = one->end_us;
	return next;
}

void agent_source_check_time(struct agent *agent)
{
	uint64_t now = agent_now_us();
	struct agent_request *request, *next;

	for (request = agent->waiting; request; request = next) {
		next = request->next;
		if (request->late || request->end_us > now)
			continue;
		request->late = true;
		if (request->submitted) {
			/* one that cannot be cancelled has its answer on its way */
			cvm_async_cancel(agent->async, (uintptr_t)request);
		} else {
			reply_late(request);
			go_on(request);
		}
	}
}

void agent_source_collect(struct agent *agent)
{
	struct cvm_completion completion = { .size = sizeof(completion) };
	struct cvm_error error;
	int rc;

	while ((rc = cvm_async_next(agent->async, &completion, &error)) > 0)
		complete(&completion, &error);
	if (!rc)
		return;
	/* its driver is gone: who waits would wait for ever */
	fatal(rc, error.text);
	agent->failed = true;
}

void agent_source_give_up(struct agent *agent)
{
	while (agent->waiting) {
		struct agent_request *request = agent->waiting;

		agent_reply_refuse(request, AGENT_REFUSED_STOPPING);
		go_on(request);
	}
}
