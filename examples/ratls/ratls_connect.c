// SPDX-License-Identifier: MIT
/*
 * ratls_connect --policy FILE [OPTION...] SERVER: a connection to a server in a VM that the
 * policy accepts, from stdin and to stdout. The evidence is verified while the handshake is
 * under way: not a byte of stdin is sent, nor read, before. SERVER is HOST:PORT or a path.
 *
 * Exit status: 0 done; 1 it broke off; 2 usage; 3 the server is not accepted.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "../common/net.h"
#include "pump.h"
#include "ratls.h"

#define USAGE \
	"usage: ratls_connect --policy FILE [OPTION...] SERVER\n" RP_USAGE

#define WHY_LEN		1024

struct peer {
	struct relying_party rp;
	bool refused;
};

/* In the place of OpenSSL's own verification of a chain: there is none */
static int verify(X509_STORE_CTX *store, void *arg)
{
	struct peer *peer = arg;
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	char why[WHY_LEN] = "no certificate";

	if (cert && !ratls_verify(cert, &peer->rp, why, sizeof(why))) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	peer->refused = true;
	fprintf(stderr, "ratls_connect: refused: %s\n", why);
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static int talk(SSL *ssl, int fd, struct peer *peer)
{
	if (!SSL_set_fd(ssl, fd) || SSL_connect(ssl) != 1) {
		/* that somebody has the certificate and not its key is seen here */
		if (!peer->refused)
			fprintf(stderr, "ratls_connect: no handshake: %s\n",
				ERR_reason_error_string(ERR_peek_last_error()) ?: "the server ended it");
		return peer->refused ? 3 : 1;
	}
	net_patience(fd, 0);
	if (!pump(ssl, STDIN_FILENO, STDOUT_FILENO, PUMP_IDLE_S))
		return 0;
	fprintf(stderr, "ratls_connect: the connection broke off\n");
	return 1;
}

static int run(struct peer *peer, const char *server)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;
	int fd, rc = 1;

	/* 1.2 shows the server's possession of the key as well, but less of it is encrypted */
	if (tls && SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION)) {
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_cert_verify_callback(tls, verify, peer);
		/* a certificate with evidence is long */
		SSL_CTX_set_max_cert_list(tls, CMW_MAX);
		ssl = SSL_new(tls);
	}
	fd = ssl ? net_connect(server) : -1;
	if (fd >= 0) {
		net_patience(fd, NET_PATIENCE);
		rc = talk(ssl, fd, peer);
		close(fd);
	}
	SSL_free(ssl);
	SSL_CTX_free(tls);
	return rc;
}

/* 0, or the exit status */
static int parse(int argc, char **argv, struct peer *peer)
{
	static const struct option options[] = { RP_OPTIONS, { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == '?' || rp_option(&peer->rp, option, optarg))
			return option == '?' ? 2 : 1;
	if (argc - optind == 1 && !rp_ready(&peer->rp))
		return 0;
	fputs(USAGE, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct peer peer = { 0 };
	int rc;

	if (rp_init(&peer.rp))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	rc = parse(argc, argv, &peer);
	if (!rc)
		rc = run(&peer, argv[optind]);
	rp_free(&peer.rp);
	return rc;
}
