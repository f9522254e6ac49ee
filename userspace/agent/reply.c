// SPDX-License-Identifier: MIT
/* Answers. Every error is a JSON object, and says whether to ask again. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "common/cleanup.h"
#include "common/util.h"

/* of limits.h, without its U */
#define RETRY		"1"
_Static_assert(AGENT_RETRY_S == 1, "RETRY says the same");

/* what 503 and 429 mean to who gets them is in the body */
static const struct {
	unsigned int status;
	const char *code, *text;
} refusals[AGENT_REFUSALS] = {
	[AGENT_REFUSED_CONNECTION] = {
		429, "too_many_connections", "you have as many connections as you may have" },
	[AGENT_REFUSED_REQUEST] = {
		429, "too_many_requests", "you have as many requests under way as you may have" },
	[AGENT_REFUSED_BODY] = {
		413, "body_too_large", "the body is longer than any request" },
	[AGENT_REFUSED_STOPPING] = {
		503, "stopping", "the agent is being stopped: connect again" },
	[AGENT_REFUSED_UNREAD] = {
		429, "too_many_unread", "you have as many answers that you have not read as you may have" },
	[AGENT_REFUSED_SLOW] = {
		408, "too_slow", "the request has not come to its end in time" },
	[AGENT_REFUSED_FULL] = {
		503, "too_many_connections", "there are as many connections as there may be" },
	[AGENT_REFUSED_ARGUMENTS] = {
		414, "too_many_arguments", "nothing that can be asked for here has so many" },
};

static bool may_retry(enum agent_refusal why)
{
	return why != AGENT_REFUSED_BODY && why != AGENT_REFUSED_ARGUMENTS;
}

void agent_reply(struct agent_request *request, const char *type, char *body, size_t len)
{
	request->reply = (struct agent_reply){ .status = MHD_HTTP_OK, .type = type, .body = body,
					       .len = len };
	request->unsent = len;
	request->client->peer->unsent += len;
	request->agent->peers.unsent += len;
}

void agent_reply_json(struct agent_request *request, json_t *json)
{
	struct cvm_error error;
	size_t len = 0;
	char *body;
	int rc = agent_json_text(json, &body, &len, &error);

	if (rc)
		agent_reply_library(request, rc, &error);
	else
		agent_reply(request, "application/json", body, len);
}

/* What the client has sent comes back in it, and need not be text. */
static void printable(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text);
	for (; *out; out++)
		if (*out < ' ' || *out > '~')
			*out = '?';
}

static void reply_error(struct agent_request *request, unsigned int status, const char *code,
			const char *text, bool retry)
{
	struct agent_reply *reply = &request->reply;
	struct cvm_error error;
	json_t *json;

	printable(error.text, sizeof(error.text), text);
	json = json_pack("{s:{ss ss sb}}", "error", "code", code, "message", error.text, "retry",
			 retry);

	*reply = (struct agent_reply){ .status = status, .type = "application/json",
				       .retry = retry };
	/* without memory for it there is still the status */
	agent_json_text(json, &reply->body, &reply->len, &error);
}

void agent_reply_error(struct agent_request *request, unsigned int status, const char *code,
		       const char *format, ...)
{
	char text[sizeof(((struct cvm_error *)0)->text)];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	reply_error(request, status, code, text, false);
}

void agent_reply_refuse(struct agent_request *request, enum agent_refusal why)
{
	request->agent->metrics.refused[why]++;
	reply_error(request, refusals[why].status, refusals[why].code, refusals[why].text,
		    may_retry(why));
	request->reply.close = why != AGENT_REFUSED_REQUEST;
}

/* The host's word, in the upper half, is of now; the firmware's of what was asked. */
static bool is_hosts(const struct cvm_error *error)
{
	return error->platform_status >> 32;
}

void agent_reply_library(struct agent_request *request, int rc, const struct cvm_error *error)
{
	const struct {
		int rc;
		unsigned int status;
		const char *code;
		bool retry;
	} meanings[] = {
		{ -EINVAL, 400, "bad_request", false },
		{ -EOPNOTSUPP, 501, "not_supported", false },
		{ -ENODATA, 501, "incomplete", false },
		{ -ENODEV, 503, "no_source", true },
		{ -EBUSY, 503, "busy", true },
		{ -ECANCELED, 503, "cancelled", true },
		{ -ENOMEM, 503, "no_memory", true },
		{ -ETIMEDOUT, 504, "timeout", true },
		{ -EIO, 502, "platform_refused", is_hosts(error) },
		{ -EBADMSG, 502, "platform_malformed", false },
		{ -ENOKEY, 500, "channel_dead", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].rc == rc) {
			reply_error(request, meanings[i].status, meanings[i].code, error->text,
				    meanings[i].retry);
			return;
		}
	reply_error(request, 500, "failed", error->text, false);
}

static struct MHD_Response *response_of(struct agent_request *request)
{
	struct agent_reply *reply = &request->reply;
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer(reply->len, reply->body ? reply->body : "",
						   reply->body ? MHD_RESPMEM_MUST_FREE :
								 MHD_RESPMEM_PERSISTENT);
	if (!response)
		return NULL;
	/* it frees the body now */
	reply->body = NULL;
	if (reply->type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	/* each answer is to one nonce */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (reply->retry)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, RETRY);
	if (reply->close)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
					request->route->post ? "GET, POST" : "GET");
	return response;
}

enum MHD_Result agent_reply_send(struct agent_request *request)
{
	struct agent_reply *reply = &request->reply;
	struct MHD_Response *response;
	enum MHD_Result done;

	/* who stays connected to an agent that ends would learn it by a broken connection */
	reply->close |= request->agent->stopping;
	response = response_of(request);
	if (!response)
		return MHD_NO;
	request->agent->metrics.status[reply->status / 100 % 6]++;
	request->client->answering = true;
	agent_deadline_set(request->agent, request->client, AGENT_SEND_S);
	done = MHD_queue_response(request->connection, reply->status, response);
	MHD_destroy_response(response);
	return done;
}

const char *agent_reply_raw(enum agent_refusal why, size_t *len)
{
	static char text[512];
	static const char form[] =
		"{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"retry\":%s}}";
	const char *code = refusals[why].code, *what = refusals[why].text;
	const char *retry = may_retry(why) ? "true" : "false";
	unsigned int status = refusals[why].status;

	*len = (size_t)snprintf(text, sizeof(text),
		"HTTP/1.1 %u %s\r\nContent-Type: application/json\r\n%s"
		"Connection: close\r\nContent-Length: %d\r\n\r\n", status,
		MHD_get_reason_phrase_for(status), may_retry(why) ? "Retry-After: " RETRY "\r\n" : "",
		snprintf(NULL, 0, form, code, what, retry));
	*len += (size_t)snprintf(text + *len, sizeof(text) - *len, form, code, what, retry);
	return text;
}
