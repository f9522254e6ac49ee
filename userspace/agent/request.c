// SPDX-License-Identifier: MIT
/* A request from its headers to its end, as libmicrohttpd calls us about it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent.h"
#include "common/api.h"
#include "common/util.h"

static struct agent_client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static uint64_t announced_length(struct MHD_Connection *connection)
{
	const char *text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_CONTENT_LENGTH);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* "localhost", an address of loopback, with a port or without */
static bool is_loopback(const char *host)
{
	size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	char name[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (len >= sizeof(name) || len > strlen(host) || (host[len] && host[len] != ':'))
		return false;
	memcpy(name, host, len);
	name[len] = 0;
	return !strcasecmp(name, "localhost") || !strcmp(name, "[::1]") ||
	       (inet_pton(AF_INET, name, &v4) == 1 &&
		ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET);
}

/*
 * A page that has its own name resolve to loopback could ask by a browser in here, and
 * read the answer: by TCP whoever asks has to say that he means this VM.
 */
static bool is_for_us(const struct agent_request *request)
{
	const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_HOST);

	return request->client->peer->uid != AGENT_PEER_TCP || (host && is_loopback(host));
}

/* Everything that can be said before the body has come */
static void check_head(struct agent_request *request, const char *url)
{
	struct agent *agent = request->agent;
	bool post = !strcmp(request->method, MHD_HTTP_METHOD_POST);

	if (request->client->refused)
		agent_reply_refuse(request, AGENT_REFUSED_CONNECTION);
	else if (agent->stopping)
		agent_reply_refuse(request, AGENT_REFUSED_STOPPING);
	else if (!is_for_us(request))
		agent_reply_error(request, MHD_HTTP_MISDIRECTED_REQUEST, "host_not_local",
				  "by TCP Host has to be localhost, or an address of loopback");
	else if (!request->route)
		agent_reply_error(request, MHD_HTTP_NOT_FOUND, "not_found",
				  "there is no '%.80s' here", url);
	else if (post ? !request->route->post : strcmp(request->method, MHD_HTTP_METHOD_GET))
		agent_reply_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
				  "%s has no such method", request->route->path);
	else if (announced_length(request->connection) > AGENT_MAX_BODY)
		agent_reply_refuse(request, AGENT_REFUSED_BODY);
}

/*
 * Each argument takes memory of the connection's, and where that is used up Debian 12's
 * libmicrohttpd (0.9.75) neither answers nor ends it.
 */
void *agent_request_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct agent_client *client = client_of(connection);
	size_t arguments = 0;

	for (; *uri; uri++)
		arguments += *uri == '&';
	if (client && arguments >= AGENT_MAX_ARGUMENTS)
		agent_client_end(cls, client, AGENT_REFUSED_ARGUMENTS);
	/* there is no request yet */
	return NULL;
}

/* From here on its client gets an answer, which the end of the agent waits for. */
static void count(struct agent_request *request)
{
	request->agent->active += !request->active;
	request->active = true;
}

static enum MHD_Result begin(struct agent *agent, struct MHD_Connection *connection,
			     const char *url, const char *method, void **out)
{
	struct agent_client *client = client_of(connection);
	struct agent_request *request;

	/* what it has sent before its end is read still, and takes nobody's place any more */
	if (!client || client->ended)
		return MHD_NO;
	request = calloc(1, sizeof(*request));
	if (!request)
		return MHD_NO;
	request->agent = agent;
	request->connection = connection;
	request->client = client;
	request->route = agent_route_find(url);
	request->method = !strcmp(method, MHD_HTTP_METHOD_POST) ? MHD_HTTP_METHOD_POST :
			  !strcmp(method, MHD_HTTP_METHOD_GET) ? MHD_HTTP_METHOD_GET : "";
	request->began_us = agent_now_us();
	*out = request;
	agent_deadline_set(agent, client, AGENT_READ_S);
	check_head(request, url);
	if (!request->reply.status)
		return MHD_YES;
	count(request);
	return agent_reply_send(request);
}

/* Without an announced length it may be longer than any: it is read to its end, within reason. */
static enum MHD_Result take_body(struct agent_request *request, const char *upload, size_t len)
{
	char *grown;

	request->body_total += len;
	if (request->body_total > AGENT_MAX_DISCARDED)
		return MHD_NO;
	if (request->body_total > AGENT_MAX_BODY)
		return MHD_YES;
	grown = realloc(request->body, request->body_len + len);
	if (!grown)
		return MHD_NO;
	memcpy(grown + request->body_len, upload, len);
	request->body = grown;
	request->body_len += len;
	return MHD_YES;
}

/* ---- what it says */

struct query {
	struct agent_request *request;
	struct cvm_error error;
	int rc;
};

static enum MHD_Result take_argument(void *cls, enum MHD_ValueKind kind, const char *key,
				     size_t key_len, const char *value, size_t len)
{
	struct query *query = cls;
	struct agent_request *request = query->request;

	if (strlen(key) != key_len) {
		query->rc = cvm_set_error(&query->error, -EINVAL, "a name has a zero byte in it");
		return MHD_NO;
	}
	/* "?mode" is "?mode=" */
	query->rc = agent_ask_field(&request->ask, request->route->fields, key, value ? value : "",
				    value ? len : 0, &query->error);
	return query->rc ? MHD_NO : MHD_YES;
}

static int parse(struct agent_request *request, struct cvm_error *error)
{
	struct query query = { .request = request };
	enum agent_fields fields = request->route->fields;
	int rc = 0;

	MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, take_argument,
				    &query);
	*error = query.error;
	if (query.rc)
		return query.rc;
	if (request->body_len)
		rc = agent_ask_json(&request->ask, fields, request->body, request->body_len, error);
	return rc ? rc : agent_ask_end(&request->ask, fields, error);
}

static void run(struct agent_request *request)
{
	struct cvm_error error;
	int rc;

	/* its body may have come after its end began: nothing is suspended from there on */
	if (request->agent->stopping) {
		agent_reply_refuse(request, AGENT_REFUSED_STOPPING);
		return;
	}
	if (request->body_total > AGENT_MAX_BODY) {
		agent_reply_refuse(request, AGENT_REFUSED_BODY);
		return;
	}
	rc = parse(request, &error);
	if (rc)
		agent_reply_library(request, rc, &error);
	else
		request->route->run(request);
}

enum MHD_Result agent_request_handle(void *cls, struct MHD_Connection *connection,
				     const char *url, const char *method, const char *version,
				     const char *upload, size_t *upload_len, void **state)
{
	struct agent_request *request = *state;
	size_t len = *upload_len;

	if (!request)
		return begin(cls, connection, url, method, state);
	if (len) {
		*upload_len = 0;
		return take_body(request, upload, len);
	}
	if (!request->reply.status)
		run(request);
	count(request);
	if (!request->waits)
		return agent_reply_send(request);
	MHD_suspend_connection(connection);
	return MHD_YES;
}

void agent_request_end(void *cls, struct MHD_Connection *connection, void **state,
		       enum MHD_RequestTerminationCode why)
{
	struct agent_request *request = *state;
	struct agent *agent = cls;

	if (!request)
		return;
	if (agent->options->log_requests)
		agent_log("info", "request", "ss ss sI si sI ss",
			  "method", request->method, "path",
			  request->route ? request->route->path : "",
			  "uid", (json_int_t)request->client->peer->uid,
			  "status", (int)request->reply.status,
			  "us", (json_int_t)(agent_now_us() - request->began_us),
			  "end", why == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "answered" : "broken");
	agent->active -= request->active;
	agent->peers.unsent -= request->unsent;
	request->client->peer->unsent -= request->unsent;
	request->client->answering = false;
	agent_deadline_set(agent, request->client, AGENT_NEXT_S);
	free(request->reply.body);
	free(request->body);
	free(request);
	*state = NULL;
}
