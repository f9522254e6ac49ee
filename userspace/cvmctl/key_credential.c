// SPDX-License-Identifier: MIT
/*
 * cvmctl key credential: keys for systemd's units, LoadCredential=ID:SOCKET, by a socket that
 * systemd hands over. Who connects has no say in what he gets: his address says which unit
 * and credential it is for (keys/credential.h), the kernel that he is of that unit, and as
 * privileged as systemd (key_peer.c), and the command line what the key is made of.
 *
 * To systemd a connection that ends without a byte is a credential without a byte, and the
 * unit is started with that. So one that gets no key gets more than systemd takes, for then
 * the unit is not started (key_refuse.c). That is why one process takes connections, one at a
 * time, too: those that it has not taken are refused by the kernel when the socket goes, not
 * ended.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "key.h"
#include "keys/credential.h"
#include "keys/secret.h"

#define FIRST_FD	3

/* Milliseconds without anybody before it ends: what runs keeps a driver from being unloaded */
#define IDLE_MS		5000

/**
 * struct server - what is the same for whoever connects
 * @args: the command line
 * @source: whose secret keys are made of
 * @set: what they are made of, but for the label
 * @hex: they go as digits
 * @refusals: who gets none
 */
struct server {
	const struct arguments *args;
	const struct key_source *source;
	const struct cvm_key_set *set;
	bool hex;
	struct key_refusals refusals;
};

/* ---- who asks */

static int read_name(int fd, struct cvm_credential *credential)
{
	struct sockaddr_un address = { 0 };
	socklen_t len = sizeof(address);
	struct cvm_error error;

	if (getpeername(fd, (struct sockaddr *)&address, &len))
		return fail(EXIT_FAILED, "whom it is for is not known: %s", strerror(errno));
	return cvm_credential_parse(&address, len, credential, &error) ?
	       fail(EXIT_FAILED, "%s: refused", error.text) : 0;
}

/* ---- what he gets */

/*
 * Opened and asked anew each time: nothing is kept from one unit to the next. 0; an exit
 * status, and that has been said, with no secret in memory; or -errno and @error.
 */
static int make_key(const struct server *server, const struct cvm_credential *credential,
		    struct cvm_secret *key, struct cvm_error *error)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	__cleanup_secret struct cvm_secret secret = { 0 };
	struct cvm_key_set set = *server->set;
	char label[CVM_CREDENTIAL_LABEL];
	int rc = open_door(&door, server->source->from);

	if (!rc && server->source->from & CVM_FROM_FIRMWARE)
		rc = key_complete_inputs(server->args, &door, &set.inputs);
	if (!rc && server->source->from & CVM_FROM_TPM) {
		rc = key_unseal(server->source, &door, secret.bytes);
		set.tpm_secret = secret.bytes;
	}
	if (rc)
		return rc;
	set.label = cvm_credential_label(credential, label);
	set.label_len = strlen(label);
	set.ask[0].memory = key->bytes;
	rc = cvm_key_inputs_check(&set.inputs, &door.facts, error);
	return rc ? rc : cvm_key_derive(&door, &set, error);
}

/* as digits, and the zero byte behind them */
struct digits {
	char text[2 * CVM_SECRET_MAX + 1];
};

static void wipe_digits(struct digits *digits)
{
	OPENSSL_cleanse(digits, sizeof(*digits));
}

/* A socket that nothing has been written to yet takes it at once, all of it or nothing. */
static bool send_key(const struct server *server, int fd, const struct cvm_secret *key)
{
	__cleanup(wipe_digits) struct digits digits = { "" };
	size_t len = server->set->ask[0].length;
	const void *data = key->bytes;

	if (server->hex) {
		cvm_hex_encode(key->bytes, len, digits.text);
		data = digits.text;
		len *= 2;
	}
	return send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

/* The journal may be waited for, so nothing is said here: as of make_key() */
static int make_and_send(const struct server *server, const struct cvm_credential *credential,
			 int fd, struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_secret struct cvm_secret key = { 0 };
	int rc;

	cvm_secret_begin(&time);
	rc = make_key(server, credential, &key, error);
	if (rc)
		return rc;
	/* gone, or no memory for it: nothing at all would be a credential, of no bytes */
	if (!send_key(server, fd, &key))
		return cvm_set_error(error, -EPIPE, "%s has not taken its credential %s",
				     credential->unit, credential->id);
	/* nor does he wait for the journal */
	shutdown(fd, SHUT_WR);
	return 0;
}

/* False: he has got nothing. */
static bool give_key(const struct server *server, int fd, pid_t pid)
{
	struct cvm_credential credential;
	struct cvm_error error;
	int rc;

	if (read_name(fd, &credential) || key_check_unit(fd, pid, credential.unit))
		return false;
	rc = make_and_send(server, &credential, fd, &error);
	if (rc < 0)
		fail_key(rc, NULL, &error);
	if (rc)
		return false;
	note("%s has its credential %s", credential.unit, credential.id);
	return true;
}

/* No signal ends it from before somebody is taken until he has an answer. */
static int serve_one(struct server *server)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_fd int fd = -1;
	pid_t pid;

	cvm_secret_begin(&time);
	fd = accept4(FIRST_FD, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR || errno == EAGAIN ? 0 :
		       fail(EXIT_FAILED, "nobody can be taken: %s", strerror(errno));
	if (!key_check_root(fd, &pid) && !give_key(server, fd, pid)) {
		key_refuse(&server->refusals, fd);
		fd = -1;
	}
	return 0;
}

/* ---- the socket */

/* By systemd's protocol, sd_listen_fds(3): one, that listens */
static int check_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int domain = 0, listens = 0;
	socklen_t len = sizeof(int);

	if (!pid || strtol(pid, NULL, 10) != getpid() || !count || strcmp(count, "1"))
		return usage_error("key credential: it is for cvm-credential.socket to start");
	if (getsockopt(FIRST_FD, SOL_SOCKET, SO_DOMAIN, &domain, &len) || domain != AF_UNIX ||
	    getsockopt(FIRST_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) || !listens)
		return usage_error("key credential: descriptor %d is no UNIX socket that listens (a unit with Accept=yes?)",
				   FIRST_FD);
	return 0;
}

/* For somebody to come, or for who is being refused to read; a signal ends it when he has. */
static int await(const struct server *server, struct pollfd *come, const sigset_t *before)
{
	const struct key_refusals *refusals = &server->refusals;
	struct timespec idle = { IDLE_MS / 1000, IDLE_MS % 1000 * 1000000 };
	struct pollfd all[1 + KEY_REFUSALS] = { { .fd = FIRST_FD, .events = POLLIN } };
	int count;

	if (refusals->count == KEY_REFUSALS)
		all[0].fd = -1;
	for (size_t i = 0; i < refusals->count; i++)
		all[1 + i] = (struct pollfd){ .fd = refusals->one[i].fd, .events = POLLOUT };
	count = ppoll(all, 1 + refusals->count, refusals->count ? NULL : &idle,
		      refusals->count ? NULL : before);
	*come = all[0];
	return count < 0 ? -errno : count;
}

int key_serve(const struct arguments *args, const struct key_source *source,
	      const struct cvm_key_set *set, bool hex)
{
	struct server server = { .args = args, .source = source, .set = set, .hex = hex };
	int rc = check_socket(), count;
	struct pollfd come;
	sigset_t all, before;

	if (!rc)
		rc = key_peer_begin();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	while (!rc) {
		count = await(&server, &come, &before);
		if (!count && !server.refusals.count)
			return 0;
		if (count < 0 && count != -EINTR)
			return fail(EXIT_FAILED, "poll: %s", strerror(-count));
		key_refuse_more(&server.refusals);
		if (count > 0 && come.revents)
			rc = serve_one(&server);
	}
	return rc;
}
