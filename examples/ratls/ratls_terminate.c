// SPDX-License-Identifier: MIT
/*
 * ratls_terminate [OPTION...] LISTEN TARGET: TLS that ends in this VM, in front of a server
 * that knows nothing of it. LISTEN and TARGET are HOST:PORT or the path of a UNIX socket.
 *
 * The key is made here, never leaves memory, and is replaced with its certificate when half
 * of that's lifetime is over. Each connection is a process, without the driver's file; but with
 * the key, until that is replaced, and with the rights that this was started with: a program
 * that is to serve strangers becomes another user when it has set its label.
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
#include "pump.h"
#include "ratls.h"

#define USAGE \
	"usage: ratls_terminate [OPTION...] LISTEN TARGET\n" \
	"  --label NAME        proofs speak for this label, not for root; takes root and the driver\n" \
	"  --lifetime SECONDS  of a key and its certificate (3600)\n" \
	"  --sim SOCKET        evidence of a simulated platform, for development\n"

#define MAX_CONNECTIONS	256
#define HANDSHAKE_S	30	/* seconds that it may take */
#define CLOCK_SKEW_S	60	/* by which a client's clock may be behind */
#define TICK_MS		500	/* between looks at whether a key is to be renewed */
#define RETRY_S		10	/* until a certificate is asked for again that was not had */

static unsigned int children;

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

/* A new key; NULL: not now */
static SSL_CTX *make_identity(struct cvm_ctx *ctx, long lifetime)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	bool good = tls && key && cert && !certify(ctx, cert, key, lifetime) &&
		    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) &&
		    SSL_CTX_use_certificate(tls, cert) && SSL_CTX_use_PrivateKey(tls, key) &&
		    /* no resumption: each connection shows the certificate and has the key */
		    SSL_CTX_set_num_tickets(tls, 0);

	X509_free(cert);
	EVP_PKEY_free(key);
	if (good)
		return tls;
	SSL_CTX_free(tls);
	return NULL;
}

/* ---- connections */

static int serve(SSL_CTX *tls, int client, const char *target)
{
	SSL *ssl = SSL_new(tls);
	int fd, rc = 1;

	/* ends a process whose client takes too long */
	alarm(HANDSHAKE_S);
	if (ssl && SSL_set_fd(ssl, client) && SSL_accept(ssl) == 1) {
		fd = net_connect(target);
		alarm(0);
		if (fd >= 0)
			rc = pump(ssl, fd, fd) ? 1 : 0;
	}
	return rc;
}

static void reap(void)
{
	while (children && waitpid(-1, NULL, WNOHANG) > 0)
		children--;
}

static void begin(struct cvm_ctx *ctx, SSL_CTX *tls, int listening, const char *target)
{
	int client = accept(listening, NULL, NULL);
	pid_t pid = client < 0 ? -1 : fork();

	if (!pid) {
		/* who breaks this process has none of its neighbours, and asks for no evidence */
		close(listening);
		cvm_close(ctx);
		_exit(serve(tls, client, target));
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

static int run(struct cvm_ctx *ctx, int listening, const char *target, long lifetime)
{
	struct pollfd ready = { .events = POLLIN };
	SSL_CTX *tls = NULL, *next;
	time_t renew = 0, end = 0;
	int rc;

	for (;;) {
		if (now() >= renew) {
			next = make_identity(ctx, lifetime);
			renew = now() + (next ? lifetime / 2 : RETRY_S);
			if (next) {
				SSL_CTX_free(tls);
				tls = next;
				end = now() + lifetime;
			}
		}
		if (!tls)
			return 1;
		/* at the limit nobody is let in, and the key is renewed all the same */
		ready.fd = children < MAX_CONNECTIONS ? listening : -1;
		rc = poll(&ready, 1, TICK_MS);
		if (now() >= end)
			return 1;
		if (rc > 0)
			begin(ctx, tls, listening, target);
		reap();
	}
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

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "label", required_argument, NULL, 'l' },
		{ "lifetime", required_argument, NULL, 't' },
		{ "sim", required_argument, NULL, 's' }, { 0 }
	};
	const char *label = NULL, *sim = NULL;
	long lifetime = 3600;
	struct cvm_ctx *ctx;
	int option, fd;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'l':
			label = optarg;
			break;
		case 's':
			sim = optarg;
			break;
		case 't':
			lifetime = strtol(optarg, NULL, 10);
			break;
		default:
			argc = 0;
		}
	if (argc - optind != 2 || lifetime < 2 || lifetime > RATLS_MAX_LIFETIME - CLOCK_SKEW_S) {
		fputs(USAGE, stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	ctx = open_source(sim, label);
	fd = ctx ? net_listen(argv[optind]) : -1;
	return fd < 0 ? 1 : run(ctx, fd, argv[optind + 1], lifetime);
}
