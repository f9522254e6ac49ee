// SPDX-License-Identifier: MIT
/*
 * ratls_terminate [OPTION...] LISTEN TARGET: TLS that ends in this VM, in front of a server
 * that knows nothing of it. LISTEN and TARGET are HOST:PORT or the path of a UNIX socket.
 *
 * The key is made here, never leaves memory, and is replaced with its certificate when half
 * of that's lifetime is over; a process of its own waits for the evidence meanwhile. It takes
 * root to set a label, which then belongs to the open file: this opens it, binds LISTEN, and
 * becomes somebody else before it serves anybody. Each connection is a process, without the
 * driver's file, and without the key once the handshake is over. Who breaks one during it has
 * the key, until clients no longer take its certificate; he has neither root, nor evidence
 * about a key of his own.
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../common/net.h"
#include "../common/privileges.h"
#include "identity.h"
#include "pump.h"
#include "ratls.h"

#define USAGE \
	"usage: ratls_terminate [OPTION...] LISTEN TARGET\n" \
	"  --label NAME        proofs speak for this label, not for anybody; takes root and the driver\n" \
	"  --user NAME         whom it becomes before it serves (nobody, if it is root)\n" \
	"  --lifetime SECONDS  of a key and its certificate (3600)\n" \
	"  --connections N     at a time; who comes then waits (256)\n" \
	"  --idle SECONDS      after which a connection in which nothing moves is ended (300)\n" \
	"  --sim SOCKET        evidence of a simulated platform, for development\n"

#define HANDSHAKE_S	30	/* seconds that it may take */
#define MAX_CONNECTIONS	100000
#define MAX_IDLE_S	(24 * 3600)
#define TICK_MS		500	/* between looks at whether a key is to be renewed */
#define RETRY_S		10	/* until a certificate is asked for again that was not had */

/**
 * struct options - what was asked for
 * @label: for whom proofs speak, or NULL
 * @user: whom it becomes, or NULL: it stays who it is
 * @sim: socket of a simulated platform, or NULL
 * @target: whom connections are passed on to
 * @lifetime: seconds of a certificate
 * @connections: how many at a time
 * @idle: seconds in which nothing moves, at the end of which a connection is ended
 */
struct options {
	const char *label, *user, *sim, *target;
	long lifetime, connections, idle;
};

/**
 * struct terminator - all of it
 * @options: what was asked for
 * @ctx: where evidence is from
 * @tls: of each connection
 * @listening: socket
 * @identity: what clients are shown
 * @renewal: what is to take its place
 * @began: when that was asked for
 * @renew, @end: when it is next, and until when @identity is good
 * @children: connections
 */
struct terminator {
	const struct options *options;
	struct cvm_ctx *ctx;
	SSL_CTX *tls;
	int listening;
	struct identity identity;
	struct renewal renewal;
	time_t began, renew, end;
	long children;
};

/* ---- connections */

static SSL_CTX *make_tls(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	/* no resumption: each connection shows the certificate and has the key */
	if (tls && SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) &&
	    SSL_CTX_set_num_tickets(tls, 0))
		return tls;
	SSL_CTX_free(tls);
	return NULL;
}

/* The key is wiped after the handshake: TLS 1.3 has no use for it later. */
static bool shake_hands(SSL *ssl, struct identity *identity)
{
	bool good = SSL_use_certificate(ssl, identity->cert) &&
		    SSL_use_PrivateKey(ssl, identity->key) && SSL_accept(ssl) == 1;

	SSL_certs_clear(ssl);
	identity_free(identity);
	return good;
}

static int serve(struct terminator *t, int client)
{
	SSL *ssl = SSL_new(t->tls);
	int fd;

	/* ends a process whose client takes too long */
	alarm(HANDSHAKE_S);
	if (!ssl || !SSL_set_fd(ssl, client) || !shake_hands(ssl, &t->identity))
		return 1;
	fd = net_connect(t->options->target);
	alarm(0);
	return fd >= 0 && !pump(ssl, fd, fd, (int)t->options->idle) ? 0 : 1;
}

static void begin(struct terminator *t)
{
	int client = accept(t->listening, NULL, NULL);
	pid_t pid = client < 0 ? -1 : fork();

	if (!pid) {
		/* who breaks this process asks for no evidence, and takes no connections */
		close(t->listening);
		cvm_close(t->ctx);
		renewal_forget(&t->renewal);
		_exit(serve(t, client));
	}
	t->children += pid > 0;
	if (client >= 0)
		close(client);
}

/* ---- the one that accepts */

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void reap(struct terminator *t)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		if (pid == t->renewal.pid && !t->renewal.reaped)
			t->renewal.reaped = true;
		else
			t->children--;
}

static void renew(struct terminator *t)
{
	t->began = now();
	t->renew = t->began + RETRY_S;
	renewal_begin(&t->renewal, t->ctx, t->options->lifetime, now(), &t->identity,
		      t->listening);
}

static void take_renewal(struct terminator *t)
{
	bool renewed;

	if (!renewal_read(&t->renewal, &t->identity, &renewed))
		return;
	t->renew = renewed ? t->began + t->options->lifetime / 2 : now() + RETRY_S;
	if (renewed)
		t->end = t->began + t->options->lifetime;
}

/* At the limit nobody is let in, nor without a certificate, and the key is renewed all the same. */
static void step(struct terminator *t)
{
	bool open = now() < t->end && t->children < t->options->connections;
	struct pollfd ready[] = {
		{ .fd = open ? t->listening : -1, .events = POLLIN },
		{ .fd = t->renewal.pid ? t->renewal.fd : -1, .events = POLLIN },
	};

	if (poll(ready, 2, TICK_MS) <= 0)
		return;
	if (ready[1].revents)
		take_renewal(t);
	if (ready[0].revents && now() < t->end)
		begin(t);
}

/* It ends where no certificate is had in time. */
static int run(struct terminator *t)
{
	do {
		if (!t->renewal.pid && now() >= t->renew)
			renew(t);
		step(t);
		reap(t);
		renewal_limit(&t->renewal, now());
	} while (now() < t->end || t->renewal.pid);
	identity_free(&t->identity);
	return 1;
}

static struct cvm_ctx *open_source(const char *sim, const char *label)
{
	const struct cvm_open_opts opts = {
		.size = sizeof(opts), .backend = sim ? "sim" : NULL, .sim_socket = sim,
	};
	struct cvm_ctx *ctx = NULL;
	struct cvm_error error;

	if (!cvm_open(&ctx, &opts, &error) &&
	    (!label || !cvm_set_label(ctx, label, strlen(label), &error)))
		return ctx;
	fprintf(stderr, "ratls_terminate: %s\n", error.text);
	cvm_close(ctx);
	return NULL;
}

/* a whole number from @min to @max, or -1 */
static long number(const char *text, long min, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return end != text && !*end && n >= min && n <= max ? n : -1;
}

static int take_option(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'l':
		options->label = value;
		return 0;
	case 'u':
		options->user = value;
		return 0;
	case 's':
		options->sim = value;
		return 0;
	case 't':
		options->lifetime = number(value, 2, RATLS_MAX_LIFETIME - CLOCK_SKEW_S);
		return options->lifetime < 0 ? -1 : 0;
	case 'c':
		options->connections = number(value, 1, MAX_CONNECTIONS);
		return options->connections < 0 ? -1 : 0;
	case 'i':
		options->idle = number(value, 1, MAX_IDLE_S);
		return options->idle < 0 ? -1 : 0;
	default:
		return -1;
	}
}

/* 0, or -1: usage */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{ "label", required_argument, NULL, 'l' },
		{ "user", required_argument, NULL, 'u' },
		{ "lifetime", required_argument, NULL, 't' },
		{ "connections", required_argument, NULL, 'c' },
		{ "idle", required_argument, NULL, 'i' },
		{ "sim", required_argument, NULL, 's' }, { 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (take_option(options, option, optarg))
			return -1;
	return argc - optind == 2 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options options = {
		.user = geteuid() ? NULL : "nobody", .lifetime = 3600, .connections = 256,
		.idle = PUMP_IDLE_S,
	};
	struct terminator terminator = { .options = &options };

	if (parse(argc, argv, &options)) {
		fputs(USAGE, stderr);
		return 2;
	}
	options.target = argv[optind + 1];
	signal(SIGPIPE, SIG_IGN);
	terminator.ctx = open_source(options.sim, options.label);
	terminator.listening = terminator.ctx ? net_listen(argv[optind]) : -1;
	if (terminator.listening < 0 || privileges_drop(options.user))
		return 1;
	terminator.tls = make_tls();
	return terminator.tls ? run(&terminator) : 1;
}
