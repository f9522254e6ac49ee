// SPDX-License-Identifier: MIT
/*
 * ratls_terminate [OPTION...] LISTEN TARGET: TLS that ends in this VM, in front of a server
 * that knows nothing of it. LISTEN and TARGET are HOST:PORT or the path of a UNIX socket.
 *
 * The key is made here, never leaves memory, and is replaced with its certificate when half
 * of that's lifetime is over. It takes root to set a label, which then belongs to the open
 * file: this opens it, binds LISTEN, and becomes somebody else before it serves anybody. Each
 * connection is a process, without the driver's file, and without the key once the handshake
 * is over. Who breaks one during it has the key, until clients no longer take its
 * certificate; he has neither root, nor evidence about a key of his own.
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
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
#define CLOCK_SKEW_S	60	/* by which a client's clock may be behind */
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
 * struct identity - a key and what is said about it; both NULL: none
 * @key: the only reference that there is between connections
 * @cert: its certificate
 */
struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

static long children;

/* ---- the certificate */

static int set_name_and_times(X509 *cert, long lifetime)
{
	X509_NAME *name = X509_get_subject_name(cert);
	uint64_t serial;

	return X509_set_version(cert, X509_VERSION_3) &&
	       RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (unsigned char *)"ratls", -1,
					  -1, 0) &&
	       X509_set_issuer_name(cert, name) &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -CLOCK_SKEW_S) &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), lifetime) ? 0 : -1;
}

/* Evidence about this key and these times, and last the signature that makes it X.509 */
static int certify(struct cvm_ctx *ctx, X509 *cert, EVP_PKEY *key, long lifetime)
{
	const struct cvm_batch_opts opts = { .size = sizeof(opts), .flags = CVM_REQUEST_CERTS };
	struct cvm_evidence *evidence = NULL;
	uint8_t user_data[CVM_USER_DATA_LEN];
	struct cvm_error error = { .text = "no memory" };
	int rc = -1;

	if (set_name_and_times(cert, lifetime) || !X509_set_pubkey(cert, key) ||
	    ratls_user_data(cert, user_data) ||
	    cvm_batch_one(ctx, user_data, &opts, &evidence, &error))
		fprintf(stderr, "ratls_terminate: no evidence: %s\n", error.text);
	else if (ratls_add_evidence(cert, evidence))
		fprintf(stderr, "ratls_terminate: evidence of a kind that this example does not know\n");
	else
		rc = X509_sign(cert, key, EVP_sha256()) ? 0 : -1;
	cvm_evidence_free(evidence);
	return rc;
}

static void free_identity(struct identity *identity)
{
	X509_free(identity->cert);
	EVP_PKEY_free(identity->key);
	*identity = (struct identity){ 0 };
}

/* A new key in the place of the old one; -1: not now, and that stays */
static int renew_identity(struct cvm_ctx *ctx, struct identity *identity, long lifetime)
{
	struct identity next = { .key = EVP_EC_gen("P-256"), .cert = X509_new() };

	if (!next.key || !next.cert || certify(ctx, next.cert, next.key, lifetime)) {
		free_identity(&next);
		return -1;
	}
	free_identity(identity);
	*identity = next;
	return 0;
}

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
	free_identity(identity);
	return good;
}

static int serve(const struct options *options, struct identity *identity, SSL_CTX *tls,
		 int client)
{
	SSL *ssl = SSL_new(tls);
	int fd;

	/* ends a process whose client takes too long */
	alarm(HANDSHAKE_S);
	if (!ssl || !SSL_set_fd(ssl, client) || !shake_hands(ssl, identity))
		return 1;
	fd = net_connect(options->target);
	alarm(0);
	return fd >= 0 && !pump(ssl, fd, fd, (int)options->idle) ? 0 : 1;
}

static void reap(void)
{
	while (children && waitpid(-1, NULL, WNOHANG) > 0)
		children--;
}

static void begin(struct cvm_ctx *ctx, const struct options *options,
		  struct identity *identity, SSL_CTX *tls, int listening)
{
	int client = accept(listening, NULL, NULL);
	pid_t pid = client < 0 ? -1 : fork();

	if (!pid) {
		/* who breaks this process asks for no evidence, and takes no connections */
		close(listening);
		cvm_close(ctx);
		_exit(serve(options, identity, tls, client));
	}
	children += pid > 0;
	if (client >= 0)
		close(client);
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* It ends where no certificate is had in time. */
static int run(struct cvm_ctx *ctx, const struct options *options, SSL_CTX *tls, int listening)
{
	struct pollfd ready = { .events = POLLIN };
	struct identity identity = { 0 };
	time_t renew = 0, end = 0;
	bool renewed;
	int rc;

	for (;;) {
		if (now() >= renew) {
			renewed = !renew_identity(ctx, &identity, options->lifetime);
			renew = now() + (renewed ? options->lifetime / 2 : RETRY_S);
			end = renewed ? now() + options->lifetime : end;
		}
		/* at the limit nobody is let in, and the key is renewed all the same */
		ready.fd = children < options->connections ? listening : -1;
		rc = now() < end ? poll(&ready, 1, TICK_MS) : 0;
		if (now() >= end)
			break;
		if (rc > 0)
			begin(ctx, options, &identity, tls, listening);
		reap();
	}
	free_identity(&identity);
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
	struct cvm_ctx *ctx;
	SSL_CTX *tls;
	int fd;

	if (parse(argc, argv, &options)) {
		fputs(USAGE, stderr);
		return 2;
	}
	options.target = argv[optind + 1];
	signal(SIGPIPE, SIG_IGN);
	ctx = open_source(options.sim, options.label);
	fd = ctx ? net_listen(argv[optind]) : -1;
	if (fd < 0 || privileges_drop(options.user))
		return 1;
	tls = make_tls();
	return tls ? run(ctx, &options, tls, fd) : 1;
}
