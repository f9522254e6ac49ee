/* SPDX-License-Identifier: MIT */
/*
 * A server's key and its certificate, and how others take their place: evidence may take as
 * long as a host likes, so another process waits for it, and who is served is served on.
 */
#ifndef EXAMPLES_IDENTITY_H
#define EXAMPLES_IDENTITY_H

#include <cvmguest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#define CLOCK_SKEW_S	60	/* by which a client's clock may be behind */

/**
 * struct identity - a key and what is said about it; both NULL: none
 * @key: the only reference that there is in this process
 * @cert: its certificate
 */
struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

/* The key is wiped, if there is no other reference. */
void identity_free(struct identity *identity);

/**
 * struct renewal - the next one, which is on its way
 * @pid: the process that waits for evidence; 0: there is none
 * @reaped: somebody has waited for it
 * @fd: from it, for poll()
 * @end: when it has had its time, by the clock of renewal_begin()'s @now
 * @next: its key, and its certificate but for the evidence
 * @der: @len bytes of the certificate, which has come so far
 */
struct renewal {
	pid_t pid;
	bool reaped;
	int fd;
	time_t end;
	struct identity next;
	unsigned char *der;
	size_t len;
};

/*
 * Begins one, of a new key and a certificate that holds for @lifetime seconds from now. Its
 * process has neither @current nor @listening. 0, or -1: not now, and why is on stderr
 */
int renewal_begin(struct renewal *renewal, struct cvm_ctx *ctx, long lifetime, time_t now,
		  struct identity *current, int listening);

/*
 * When something has come. True: that was all, its process is gone, and @identity has been
 * replaced, or not: *renewed
 */
bool renewal_read(struct renewal *renewal, struct identity *identity, bool *renewed);

/* Nothing comes of one that has had its time by @now. */
void renewal_limit(struct renewal *renewal, time_t now);

/* In a process that has no part in it */
void renewal_forget(struct renewal *renewal);

#endif /* EXAMPLES_IDENTITY_H */
