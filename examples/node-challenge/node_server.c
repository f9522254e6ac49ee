// SPDX-License-Identifier: MIT
/*
 * node_server --policy FILE --scope SCOPE [OPTION...] LISTEN AUDIENCE: challenges agents, each
 * with a nonce of its own, and gives an identity to those whose proof says that they run in a
 * VM that the policy accepts. A stand-in for the half of a node attestor that is in the server.
 *
 * Agents of one VM that ask at the same time come with the same report. Its signature is
 * verified once (a millisecond), and each proof is walked for its own nonce (microseconds):
 * CVM_VERIFY_BATCH and cvm_verdict_proof().
 */
#include <errno.h>
#include <openssl/rand.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../common/message.h"
#include "../common/net.h"
#include "../common/relying_party.h"
#include "challenge.h"

#define USAGE \
	"usage: node_server --policy FILE --scope SCOPE [OPTION...] LISTEN AUDIENCE\n" RP_USAGE \
	"  --deadline SECONDS that an agent has for all of it (180)\n"

/* agents at a time, and verdicts that are kept: reports under way at a time */
#define MAX_AGENTS	400	/* each has two descriptors, of 1,024 that a process usually has */
#define KEPT		8
#define NAME_LEN	32	/* of an identity's last part: digits of its nonce */
#define WHY_LEN		1024
#define PAUSE_MS	100	/* when there are no descriptors left */
#define TICK_MS		1000	/* between looks at who is too late */
#define MAX_DEADLINE_S	3600

/**
 * struct agent - one that is under way
 * @fd: its connection
 * @end: until when; 0: this place is free
 */
struct agent {
	int fd;
	time_t end;
};

/**
 * struct kept - a report that was verified, for others of its batch
 * @verdict: with CVM_VERIFY_BATCH, or NULL
 * @evidence: it; what came with it is in the verdict
 */
struct kept {
	struct cvm_verdict *verdict;
	struct cmw_part evidence;
};

static struct server {
	struct relying_party rp;
	const char *audience;
	long deadline;
	pthread_mutex_t lock;		/* of all below */
	struct agent agents[MAX_AGENTS];
	struct kept kept[KEPT];
	unsigned int next;
	unsigned long reports, proofs;
} server = { .deadline = 180, .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- verification */

static struct kept *find(const struct cmw_part *evidence)
{
	for (struct kept *k = server.kept; k < server.kept + KEPT; k++)
		if (k->verdict && k->evidence.len == evidence->len &&
		    !memcmp(k->evidence.data, evidence->data, evidence->len))
			return k;
	return NULL;
}

/* Verified but for what it is about. The evidence is taken out of @cmw, if it is kept. */
static struct kept *verify(struct cmw *cmw, char *why)
{
	const struct cvm_verify_opts opts = {
		.size = sizeof(opts), .at = time(NULL), .flags = CVM_VERIFY_BATCH,
		.certs = cmw->certs.data, .certs_len = cmw->certs.len,
	};
	struct kept *kept = &server.kept[server.next];
	struct cvm_verdict *verdict = NULL;
	struct cvm_error error = { .text = "no memory" };

	if (cvm_verify(server.rp.verifier, cmw->evidence.data, cmw->evidence.len, &opts,
		       &verdict, &error)) {
		snprintf(why, WHY_LEN, "%s", error.text);
	} else if (!cvm_verdict_verified(verdict)) {
		rp_explain(verdict, why, WHY_LEN);
	} else {
		server.next = (server.next + 1) % KEPT;
		server.reports++;
		cvm_verdict_free(kept->verdict);
		free(kept->evidence.data);
		*kept = (struct kept){ verdict, cmw->evidence };
		cmw->evidence = (struct cmw_part){ 0 };
		return kept;
	}
	cvm_verdict_free(verdict);
	return NULL;
}

/* 0 where the proof is about this nonce, and of evidence that verifies */
static int accept_proof(struct cmw *cmw, const unsigned char *nonce, char *why)
{
	const struct cvm_part parts[] = {
		{ server.audience, strlen(server.audience) }, { nonce, CHALLENGE_NONCE },
		{ NULL, 0 },
	};
	uint8_t user_data[CVM_USER_DATA_LEN];
	struct cvm_error error = { .text = "no memory" };
	struct kept *kept;
	int rc = -1;

	if (!cmw->proof.data || cvm_user_data(parts, 3, user_data)) {
		snprintf(why, WHY_LEN, "evidence without a proof");
		return -1;
	}
	pthread_mutex_lock(&server.lock);
	kept = find(&cmw->evidence);
	if (!kept)
		kept = verify(cmw, why);
	if (kept) {
		rc = cvm_verdict_proof(kept->verdict, user_data, cmw->proof.data, cmw->proof.len,
				       server.rp.scope, &error);
		server.proofs += !rc;
		if (rc)
			snprintf(why, WHY_LEN, "%s", error.text);
	}
	pthread_mutex_unlock(&server.lock);
	return rc;
}

/* ---- the protocol */

static json_t *attributes(const char *nonce)
{
	/*
	 * The server names the agent: a name that this chose could be another's, in this VM or
	 * in another one. What it may do is by what was verified.
	 */
	return json_pack("{s: {s: o, s: [o], s: b}}", "agent_attributes",
			 "spiffe_id", json_sprintf("%s/spire/agent/%s/%.*s", server.audience,
						   CHALLENGE_TYPE, NAME_LEN, nonce),
			 "selector_values", json_sprintf("scope:%s", server.rp.scope),
			 "can_reattest", 1);
}

static json_t *judge(const json_t *response, const unsigned char *nonce, const char *hex)
{
	char why[WHY_LEN] = "no evidence";
	struct cmw cmw;
	int rc;

	if (cmw_read(json_object_get(response, "challenge_response"), &cmw))
		return json_pack("{s: s}", "error", why);
	rc = accept_proof(&cmw, nonce, why);
	cmw_free(&cmw);
	return rc ? json_pack("{s: s}", "error", why) : attributes(hex);
}

static int serve(FILE *in, FILE *out)
{
	unsigned char nonce[CHALLENGE_NONCE];
	char hex[2 * CHALLENGE_NONCE + 1];
	const char *type;
	json_t *message = message_read(in);
	int rc = json_unpack(message, "{s: {s: s}}", "payload", "type", &type);

	rc = rc ? rc : strcmp(type, CHALLENGE_TYPE);
	json_decref(message);
	/* never used before, and known to nobody: what is about it was made after this moment */
	if (rc || RAND_bytes(nonce, sizeof(nonce)) != 1)
		return -1;
	for (size_t i = 0; i < sizeof(nonce); i++)
		snprintf(hex + 2 * i, 3, "%02x", nonce[i]);
	if (message_write(out, json_pack("{s: s}", "challenge", hex)))
		return -1;
	message = message_read(in);
	rc = message ? message_write(out, judge(message, nonce, hex)) : -1;
	json_decref(message);
	return rc;
}

/* ---- agents */

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* NULL: there are as many as there may be */
static struct agent *take_place(int fd)
{
	struct agent *free_one = NULL;

	pthread_mutex_lock(&server.lock);
	for (struct agent *a = server.agents; a < server.agents + MAX_AGENTS && !free_one; a++)
		if (!a->end)
			free_one = a;
	if (free_one)
		*free_one = (struct agent){ fd, now() + server.deadline };
	pthread_mutex_unlock(&server.lock);
	return free_one;
}

/* Before the descriptor is closed: hang_up() must not have another one of that number. */
static void free_place(struct agent *agent)
{
	unsigned long reports, proofs;

	pthread_mutex_lock(&server.lock);
	agent->end = 0;
	reports = server.reports;
	proofs = server.proofs;
	pthread_mutex_unlock(&server.lock);
	/* who does not read it holds up nobody else */
	printf("reports %lu proofs %lu\n", reports, proofs);
	fflush(stdout);
}

/* A byte now and then keeps a connection from being silent; its place is for somebody else. */
static void hang_up_late(void)
{
	pthread_mutex_lock(&server.lock);
	for (struct agent *a = server.agents; a < server.agents + MAX_AGENTS; a++)
		if (a->end && now() >= a->end)
			shutdown(a->fd, SHUT_RDWR);
	pthread_mutex_unlock(&server.lock);
}

static void *run(void *arg)
{
	struct agent *agent = arg;
	int fd = agent->fd;
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");

	if (in && out)
		serve(in, out);
	free_place(agent);
	if (out)
		fclose(out);
	if (in)
		fclose(in);
	else
		close(fd);
	return NULL;
}

static void begin(int fd)
{
	struct agent *agent = take_place(fd);
	pthread_t thread;

	net_patience(fd, NET_PATIENCE);
	if (agent && !pthread_create(&thread, NULL, run, agent)) {
		pthread_detach(thread);
		return;
	}
	if (agent)
		free_place(agent);
	close(fd);
}

/* Somebody who has gone again, or too many: no reason to leave the others */
static void take_next(int listening)
{
	struct pollfd ready = { .fd = listening, .events = POLLIN };
	int fd;

	if (poll(&ready, 1, TICK_MS) <= 0)
		return;
	fd = accept(listening, NULL, NULL);
	if (fd >= 0)
		begin(fd);
	else if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN)
		poll(NULL, 0, PAUSE_MS);
}

/* 0, or the exit status */
static int parse(int argc, char **argv)
{
	static const struct option options[] = {
		RP_OPTIONS, { "deadline", required_argument, NULL, 'd' }, { 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'd')
			server.deadline = strtol(optarg, NULL, 10);
		else if (option == '?' || rp_option(&server.rp, option, optarg))
			return option == '?' ? 2 : 1;
	/* a nonce goes to whoever connects: that an agent asked, and not just any program of
	 * the VM, is in the scope alone */
	if (!server.rp.scope)
		fprintf(stderr, "--scope is required: for whom in a VM a proof must speak\n");
	if (argc - optind == 2 && server.rp.scope && !rp_ready(&server.rp) &&
	    server.deadline > 0 && server.deadline <= MAX_DEADLINE_S)
		return 0;
	fputs(USAGE, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	int fd, rc;

	if (rp_init(&server.rp))
		return 1;
	rc = parse(argc, argv);
	if (rc)
		return rc;
	server.audience = argv[optind + 1];
	signal(SIGPIPE, SIG_IGN);
	fd = net_listen(argv[optind]);
	if (fd < 0)
		return 1;
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		take_next(fd);
		hang_up_late();
	}
}
