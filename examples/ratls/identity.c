// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "identity.h"
#include "ratls.h"

/* bytes of a certificate with evidence */
#define DER_MAX		(CMW_MAX + 4096)

#define PATIENCE_S	60	/* seconds that evidence may take */

void identity_free(struct identity *identity)
{
	X509_free(identity->cert);
	EVP_PKEY_free(identity->key);
	*identity = (struct identity){ 0 };
}

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

static int make(struct identity *identity, long lifetime)
{
	*identity = (struct identity){ .key = EVP_EC_gen("P-256"), .cert = X509_new() };
	return identity->key && identity->cert && !set_name_and_times(identity->cert, lifetime) &&
	       X509_set_pubkey(identity->cert, identity->key) ? 0 : -1;
}

/* Evidence about this key and these times, and last the signature that makes it X.509 */
static int certify(struct cvm_ctx *ctx, struct identity *identity)
{
	const struct cvm_batch_opts opts = { .size = sizeof(opts), .flags = CVM_REQUEST_CERTS };
	struct cvm_evidence *evidence = NULL;
	uint8_t user_data[CVM_USER_DATA_LEN];
	struct cvm_error error = { .text = "no memory" };
	int rc = -1;

	if (ratls_user_data(identity->cert, user_data) ||
	    cvm_batch_one(ctx, user_data, &opts, &evidence, &error))
		fprintf(stderr, "ratls_terminate: no evidence: %s\n", error.text);
	else if (ratls_add_evidence(identity->cert, evidence))
		fprintf(stderr, "ratls_terminate: evidence of a kind that this example does not know\n");
	else
		rc = X509_sign(identity->cert, identity->key, EVP_sha256()) ? 0 : -1;
	cvm_evidence_free(evidence);
	return rc;
}

/* ---- the process that waits for it */

static int write_all(int fd, const unsigned char *data, int len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, (size_t)len);

		if (n < 0)
			return -1;
		data += n;
		len -= (int)n;
	}
	return 0;
}

static int work(struct cvm_ctx *ctx, struct identity *identity, int fd)
{
	unsigned char *der = NULL;
	int len, rc;

	rc = certify(ctx, identity);
	len = rc ? 0 : i2d_X509(identity->cert, &der);
	rc = len > 0 ? write_all(fd, der, len) : -1;
	OPENSSL_free(der);
	identity_free(identity);
	return rc ? 1 : 0;
}

/* What reads the host's bytes has no more than it takes, and is not left alone. */
static void part_with(struct identity *current, int listening, pid_t parent)
{
	identity_free(current);
	close(listening);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
}

/* Of the pipe only the end that is read does not wait. */
static int begin(struct renewal *renewal, struct cvm_ctx *ctx, struct identity *current,
		 int listening)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	renewal->fd = ends[0];
	renewal->pid = fcntl(ends[0], F_SETFL, O_NONBLOCK) ? -1 : fork();
	if (!renewal->pid) {
		close(ends[0]);
		part_with(current, listening, parent);
		_exit(work(ctx, &renewal->next, ends[1]));
	}
	close(ends[1]);
	if (renewal->pid > 0)
		return 0;
	close(ends[0]);
	return -1;
}

int renewal_begin(struct renewal *renewal, struct cvm_ctx *ctx, long lifetime, time_t now,
		  struct identity *current, int listening)
{
	errno = ENOMEM;
	*renewal = (struct renewal){ .der = malloc(DER_MAX), .end = now + PATIENCE_S };
	if (renewal->der && !make(&renewal->next, lifetime) &&
	    !begin(renewal, ctx, current, listening))
		return 0;
	fprintf(stderr, "ratls_terminate: no new key: %s\n", strerror(errno));
	identity_free(&renewal->next);
	free(renewal->der);
	*renewal = (struct renewal){ 0 };
	return -1;
}

/* What was signed elsewhere is of this key, and whole, or it is nothing. */
static bool take(struct renewal *renewal, struct identity *identity)
{
	const unsigned char *at = renewal->der;
	X509 *cert = d2i_X509(NULL, &at, (long)renewal->len);

	if (!cert || at != renewal->der + renewal->len ||
	    X509_check_private_key(cert, renewal->next.key) != 1) {
		X509_free(cert);
		return false;
	}
	identity_free(identity);
	*identity = (struct identity){ .key = renewal->next.key, .cert = cert };
	renewal->next.key = NULL;
	return true;
}

void renewal_forget(struct renewal *renewal)
{
	if (!renewal->pid)
		return;
	close(renewal->fd);
	identity_free(&renewal->next);
	free(renewal->der);
	*renewal = (struct renewal){ 0 };
}

/* Its process has read the host's bytes, and may be the host's: it is not believed to end. */
static void finish(struct renewal *renewal)
{
	pid_t pid = renewal->reaped ? 0 : renewal->pid;

	if (!renewal->len)
		fprintf(stderr, "ratls_terminate: no evidence about a new key (%d s at most)\n",
			PATIENCE_S);
	renewal_forget(renewal);
	if (pid && !kill(pid, SIGKILL))
		waitpid(pid, NULL, 0);
}

bool renewal_read(struct renewal *renewal, struct identity *identity, bool *renewed)
{
	ssize_t n = read(renewal->fd, renewal->der + renewal->len, DER_MAX - renewal->len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0) {
		renewal->len += (size_t)n;
		return false;
	}
	*renewed = !n && take(renewal, identity);
	finish(renewal);
	return true;
}

void renewal_limit(struct renewal *renewal, time_t now)
{
	if (renewal->pid && now >= renewal->end)
		finish(renewal);
}
