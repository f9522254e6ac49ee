/* SPDX-License-Identifier: MIT */
/*
 * cvm-agent: evidence over HTTP for programs that have neither our library nor a device
 * node. One thread, one event loop: connections are libmicrohttpd's, evidence is what
 * cvm_async has under way, and a request that waits is a suspended connection.
 */
#ifndef CVM_AGENT_H
#define CVM_AGENT_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "ask.h"
#include "cvmguest.h"
#include "format.h"
#include "limits.h"

/* ---- options.c */

/**
 * struct agent_options - the command line
 * @label: whom proofs speak for, or NULL
 * @direct: direct evidence is given, too
 * @backend: as of cvmctl, or NULL
 * @imds: Azure: URL of the host's service, or NULL
 * @certs: file of certificates that go along, or NULL
 * @event_log: what was measured goes along with an HCL report
 * @log_file: that of this file; NULL: the kernel's
 * @user: whom to become, or NULL: stay
 * @listen: paths of sockets to make, or ADDRESS:PORT of loopback ones
 * @listen_count: how many
 * @idle_s: end when there was no connection for so long; 0: never
 * @log_requests: a line for each request
 * @no_seccomp: for debuggers
 */
struct agent_options {
	const char *label, *backend, *imds, *certs, *log_file, *user;
	const char *listen[AGENT_MAX_LISTENERS];
	size_t listen_count;
	bool direct, event_log;
	uint32_t idle_s;
	bool log_requests, no_seccomp;
};

/* 0; else the exit status is in @status, and what there is to say has been said. */
int agent_options_parse(struct agent_options *options, int argc, char **argv, int *status);

/* ---- peer.c: who is connected, by user; all of TCP are one */

#define AGENT_PEER_TCP	UINT32_MAX

/**
 * struct agent_peer - a user
 * @next: in the list of them
 * @uid: who
 * @users: of this struct
 * @connections, @requests: that are his
 * @direct: of the requests, those for direct evidence that the source has
 * @unsent: bytes of answers to him
 */
struct agent_peer {
	struct agent_peer *next;
	uint32_t uid;
	uint32_t users, connections, requests, direct;
	size_t unsent;
};

struct agent_peers {
	struct agent_peer *first;
	uint32_t connections, refused, requests;
	size_t unsent;
};

/* The one of @uid, made if there is none, with one user more; NULL: no memory */
struct agent_peer *agent_peer_get(struct agent_peers *peers, uint32_t uid);

/* It goes with its last user. */
void agent_peer_put(struct agent_peers *peers, struct agent_peer *peer);

/* May it have one more? */
bool agent_peer_may_connect(const struct agent_peers *peers, const struct agent_peer *peer);
bool agent_peer_may_ask(const struct agent_peers *peers, const struct agent_peer *peer);
bool agent_peer_may_leave(const struct agent_peers *peers, const struct agent_peer *peer);

/* ---- metrics.c */

enum agent_refusal {
	AGENT_REFUSED_CONNECTION, AGENT_REFUSED_REQUEST, AGENT_REFUSED_BODY,
	AGENT_REFUSED_STOPPING, AGENT_REFUSED_UNREAD, AGENT_REFUSED_SLOW, AGENT_REFUSED_FULL,
	AGENT_REFUSED_ARGUMENTS, AGENT_REFUSALS,
};

#define AGENT_BUCKETS	16

/**
 * struct agent_metrics - what has been counted
 * @status: answers, by the hundreds of their status
 * @refused: of them, those for a limit
 * @connections: that have come
 * @failed: asked for, and the source had an error; direct and batch
 * @bucket: how long each took: at most 1 ms << index; the last: longer
 * @sum_us: of those times
 */
struct agent_metrics {
	uint64_t status[6];
	uint64_t refused[AGENT_REFUSALS];
	uint64_t connections;
	uint64_t failed[2];
	uint64_t bucket[2][AGENT_BUCKETS + 1];
	uint64_t sum_us[2];
};

void agent_metrics_time(struct agent_metrics *metrics, bool batch, uint64_t us);

/* ---- the agent */

/**
 * struct agent - everything
 * @options: the command line
 * @ctx: the source of evidence, or NULL
 * @async: requests to it
 * @status: of the source, when it was opened
 * @trouble: why there is no evidence, or, of a source without labels, no batch
 * @has_batch: there is batch evidence
 * @azure: the platform's reports are completed by the TPM
 * @certs: what --certs has
 * @event_log: Azure: what was measured, or nothing
 * @daemon: libmicrohttpd's
 * @epoll: what is waited for
 * @signals: descriptor
 * @listener: @listener_count sockets
 * @peers: who is connected
 * @metrics: for /metrics
 * @waiting, @waiting_end: list of requests that wait for evidence, the oldest first
 * @clients: list of connections
 * @deadline_us: none of theirs is before
 * @asked: requests that the source has
 * @active: requests that wait for evidence, or have an answer that is not sent yet
 * @stopping: no new requests any more
 * @failed: the source cannot be asked any more
 * @linger_us, @stop_at_us: until when idle connections stay, and those under way
 * @started_us, @idle_since_us: since when it serves, and there has been no connection
 */
struct agent {
	const struct agent_options *options;
	struct cvm_ctx *ctx;
	struct cvm_async *async;
	struct cvm_status status;
	struct cvm_error trouble;
	bool has_batch, azure;
	struct cvm_blob certs, event_log;
	struct MHD_Daemon *daemon;
	int epoll, signals;
	int listener[AGENT_MAX_LISTENERS];
	size_t listener_count;
	struct agent_peers peers;
	struct agent_metrics metrics;
	struct agent_request *waiting, **waiting_end;
	struct agent_client *clients;
	uint64_t deadline_us;
	uint32_t asked, active;
	bool stopping, failed;
	uint64_t linger_us, stop_at_us, started_us, idle_since_us;
};

/* ---- request.c */

/**
 * struct agent_reply - an answer
 * @status: HTTP's; 0: none yet
 * @type: media type
 * @body: for free(), or NULL
 * @len: bytes
 * @retry: the client may ask again, soon
 * @close: and has to connect again
 */
struct agent_reply {
	unsigned int status;
	const char *type;
	char *body;
	size_t len;
	bool retry, close;
};

/**
 * struct agent_client - a connection
 * @next, @link: in the list of them
 * @peer: whose
 * @fd: libmicrohttpd's
 * @refused: one too many, which is told so
 * @answering: it has an answer, or part of one
 * @ended: it is shut down; what is left of it is not looked at
 * @deadline_us: until when what it does now has to be done
 */
struct agent_client {
	struct agent_client *next, **link;
	struct agent_peer *peer;
	int fd;
	bool refused, answering, ended;
	uint64_t deadline_us;
};

/* ---- deadline.c: for how long a connection may take to ask and to read */

/* Joins those that are looked at, and leaves them. */
void agent_deadline_begin(struct agent *agent, struct agent_client *client);
void agent_deadline_end(struct agent_client *client);

/* From now on; 0: what it waits for is our business */
void agent_deadline_set(struct agent *agent, struct agent_client *client, uint32_t seconds);

/* When the next may be over; UINT64_MAX: never */
uint64_t agent_deadline_next_us(const struct agent *agent);

/* Connections whose time is over end. */
void agent_deadline_check(struct agent *agent);

/* It ends, and unless it has got part of an answer it is told why. */
void agent_client_end(struct agent *agent, struct agent_client *client, enum agent_refusal why);

/**
 * struct agent_request - a request, from its headers to its end
 * @next, @link: in the list of those that wait
 * @agent: whose
 * @connection: its own
 * @client: of the connection
 * @route: what was asked for
 * @method: by which
 * @body: its body so far, @body_len bytes, of @body_total
 * @ask: what it says
 * @format: how evidence is written
 * @batch: of which kind it is
 * @waits: for the source
 * @submitted: the source has it
 * @late: its time is over, and the source is not to go on with it
 * @active: it has been read, and is counted
 * @reply: the answer
 * @unsent: bytes of it that are counted as the peer's
 * @began_us: when it came
 * @end_us: when its time is over
 */
struct agent_request {
	struct agent_request *next, **link;
	struct agent *agent;
	struct MHD_Connection *connection;
	struct agent_client *client;
	const struct agent_route *route;
	const char *method;
	char *body;
	size_t body_len, body_total;
	struct agent_ask ask;
	const struct agent_format *format;
	bool batch, waits, submitted, late, active;
	struct agent_reply reply;
	size_t unsent;
	uint64_t began_us, end_us;
};

/**
 * struct agent_route - an endpoint
 * @path: of the URL
 * @fields: what it takes
 * @post: a JSON object may be posted as well
 * @run: answers, or leaves the request waiting
 */
struct agent_route {
	const char *path;
	enum agent_fields fields;
	bool post;
	void (*run)(struct agent_request *request);
};

/* routes.c: NULL: there is none */
const struct agent_route *agent_route_find(const char *path);

/* request.c: libmicrohttpd's callbacks, whose cls is the agent */
void *agent_request_uri(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result agent_request_handle(void *cls, struct MHD_Connection *connection,
				     const char *url, const char *method, const char *version,
				     const char *upload, size_t *upload_len, void **request);
void agent_request_end(void *cls, struct MHD_Connection *connection, void **request,
		       enum MHD_RequestTerminationCode why);

/* ---- reply.c: what becomes the answer of a request, which has none yet */

/* @body is taken over. */
void agent_reply(struct agent_request *request, const char *type, char *body, size_t len);

/* Takes over @json, which may be NULL: no memory. */
void agent_reply_json(struct agent_request *request, json_t *json);

/* @code: a word for programs; the text is for humans. */
void agent_reply_error(struct agent_request *request, unsigned int status, const char *code,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A limit: the client may ask again. */
void agent_reply_refuse(struct agent_request *request, enum agent_refusal why);

/* What a call of the library returned */
void agent_reply_library(struct agent_request *request, int rc, const struct cvm_error *error);

/* The answer goes to the client. */
enum MHD_Result agent_reply_send(struct agent_request *request);

/* Past libmicrohttpd: a whole answer, of @len bytes */
const char *agent_reply_raw(enum agent_refusal why, size_t *len);

/* ---- source.c */

/* Open what there is; without a source the agent has its trouble. 0 or -errno, said */
int agent_source_open(struct agent *agent);

/* After privileges are gone: 0 or -errno, said */
int agent_source_start(struct agent *agent);
void agent_source_close(struct agent *agent);

/* Ask for what @request says; it waits then, or has its answer. */
void agent_source_ask(struct agent_request *request);

/* Evidence that has come: the requests have their answers, and go on. */
void agent_source_collect(struct agent *agent);

/* When the first of those that wait has waited too long; UINT64_MAX: none does */
uint64_t agent_source_next_us(const struct agent *agent);

/* Give up those that have, and answer them: 504 */
void agent_source_check_time(struct agent *agent);

/* Answer all that wait: 503 */
void agent_source_give_up(struct agent *agent);

/* ---- event_log.c: for @agent, whose source is open; each 0 or -errno, said */
int agent_event_log_read(struct agent *agent);

/* Behind agent_sandbox_filter(): is it one? */
int agent_event_log_check(struct agent *agent);

/* ---- status.c, recipe.c, metrics.c: endpoints */
void agent_status_run(struct agent_request *request);
void agent_recipe_run(struct agent_request *request);
void agent_metrics_run(struct agent_request *request);

/* ---- server.c */

/* 0 or -errno, said */
int agent_server_start(struct agent *agent);

/* Until a signal comes, or there is nothing more to do; the exit status */
int agent_server_run(struct agent *agent);
void agent_server_stop(struct agent *agent);

/* ---- listen.c: sockets of systemd's, or our own; 0 or -errno, said */
int agent_listen(struct agent *agent);

/* ---- sandbox.c: 0 or -errno, said */

/* To be another user, without any privilege but what the source needs */
int agent_sandbox_drop(const struct agent *agent);

/* sandbox_files.c: to open no files but those of a source that is opened by its path */
int agent_sandbox_files(void);

/* To make no other system calls than the rest of the program takes */
int agent_sandbox_filter(const struct agent *agent);

/* ---- log.c */

/*
 * A line of JSON on stderr with level, event and the members that @format packs, as of
 * json_pack() without its braces; "" for none.
 */
void agent_log(const char *level, const char *event, const char *format, ...);

/* log.c: CLOCK_MONOTONIC */
uint64_t agent_now_us(void);

#endif /* CVM_AGENT_H */
