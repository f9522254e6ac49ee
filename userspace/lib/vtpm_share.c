// SPDX-License-Identifier: MIT
/*
 * What belongs to a batch's report is the same for all its members. One of them has it made,
 * the others find it here: those of the same context, and processes of the same user, by a
 * file that is nobody else's. The oldest batch is forgotten for a newer one: of a few, so
 * that members who come late on a busy machine do not drive out those of the next.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "vtpm.h"

#define FILE_NAME	"/cvm-guest.batch"

/* between two tries of the lock, while somebody has what all wait for made: they are many */
#define PAUSE_MIN_MS	10
#define PAUSE_MAX_MS	80

#define TD_QUOTE_MAX	(32U << 10)

/* batches that are kept, and how far apart they are: there are holes, which cost nothing */
#define PLACES		4U
#define PLACE_SIZE	(64U << 10)

/**
 * struct stored - the file, and behind it the report and the quote of the TDREPORT
 * @whole: WHOLE, written last: who wrote the rest may have been killed in the middle, or may
 *	be another release of this library, or one for another architecture
 * @number: of all batches that were kept: the lowest is forgotten next
 * @report_len, @message_len, @signature_len, @td_quote_len: bytes
 * @tpm48: which batch's it is
 * @message, @signature, @pcrs: as of struct cvm_azure
 * @digest: SHA-256 of all this, with zeros for @whole and itself, and of what is behind it
 */
struct stored {
	uint32_t whole, number;
	uint32_t report_len, message_len, signature_len, td_quote_len;
	uint8_t tpm48[CVM_TPM48_SIZE];
	uint8_t message[sizeof(((struct cvm_azure *)0)->message)];
	uint8_t signature[sizeof(((struct cvm_azure *)0)->signature)];
	uint8_t pcrs[sizeof(((struct cvm_azure *)0)->pcrs)];
	uint8_t digest[SHA256_DIGEST_LENGTH];
};

/* FORMAT counts what changes in the meaning of the rest */
#define FORMAT		2U
#define WHOLE		(FORMAT << 16 | (uint32_t)sizeof(struct stored))

_Static_assert(sizeof(struct stored) < 1U << 16, "its size has 16 bits in WHOLE");

/* ---- the file */

/* A file that this user alone may write to: what it says is trusted as this process is. */
static int open_file(const char *path)
{
	struct stat is;
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	if (!fstat(fd, &is) && S_ISREG(is.st_mode) && is.st_uid == geteuid() &&
	    is.st_nlink == 1 && !(is.st_mode & (S_IRWXG | S_IRWXO)))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/*
 * Each look opens it anew, so that the lock is the looker's own: threads and the processes of
 * a fork, which have all that was open before in common, keep each other off like strangers.
 */
static int open_share(const struct cvm_vtpm_place *place)
{
	char memory[64];
	int fd = open_file(place->share_path);

	/* with no place for it, the members of this context share all the same */
	if (fd >= 0 || place->share_fd < 0)
		return fd;
	snprintf(memory, sizeof(memory), "/proc/self/fd/%d", place->share_fd);
	return open(memory, O_RDWR | O_CLOEXEC);
}

int cvm_share_open(const struct cvm_source *source, struct cvm_error *error)
{
	const char *own = secure_getenv("XDG_RUNTIME_DIR");
	bool has = own && *own == '/';
	struct cvm_vtpm_place *place = source->vtpm;
	int fd;

	if (snprintf(place->share_path, sizeof(place->share_path), "%s%s" FILE_NAME,
		     has ? "" : source->root, has ? own : "/run") >= (int)sizeof(place->share_path))
		place->share_path[0] = '\0';
	fd = open_file(place->share_path);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	place->share_fd = memfd_create("cvm-guest.batch", MFD_CLOEXEC);
	return place->share_fd < 0 ? cvm_set_error(error, -errno, "no memory for what a batch shares: %s",
						   strerror(errno)) : 0;
}

/* All of it, or nothing is believed */
static bool read_at(int fd, void *data, size_t len, size_t offset)
{
	return pread(fd, data, len, (off_t)offset) == (ssize_t)len;
}

static bool write_at(int fd, const void *data, size_t len, size_t offset)
{
	return pwrite(fd, data, len, (off_t)offset) == (ssize_t)len;
}

/*
 * That the parts are each other's, and whole. Who could make another digest is this user, who
 * can make quotes as well: each member verifying them would cost more than making one.
 */
static bool digest(const struct stored *s, const void *report, const void *td_quote,
		   uint8_t out[SHA256_DIGEST_LENGTH])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct stored clear = *s;
	bool good;

	clear.whole = 0;
	memset(clear.digest, 0, sizeof(clear.digest));
	good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	       EVP_DigestUpdate(md, &clear, sizeof(clear)) &&
	       EVP_DigestUpdate(md, report, s->report_len) &&
	       EVP_DigestUpdate(md, td_quote, s->td_quote_len) &&
	       EVP_DigestFinal_ex(md, out, NULL);
	EVP_MD_CTX_free(md);
	return good;
}

static bool is_of(const struct stored *s, const struct cvm_share_key *key)
{
	return s->whole == WHOLE && !memcmp(s->tpm48, key->tpm48, sizeof(s->tpm48)) &&
	       s->report_len == key->len && s->message_len <= sizeof(s->message) &&
	       s->signature_len <= sizeof(s->signature) && s->td_quote_len <= TD_QUOTE_MAX;
}

static bool same_report(int fd, size_t place, const struct cvm_share_key *key)
{
	__cleanup_free void *report = malloc(key->len + 1);

	return report && read_at(fd, report, key->len, place + sizeof(struct stored)) &&
	       !memcmp(report, key->report, key->len);
}

static bool take_td_quote(int fd, size_t place, const struct stored *s, struct cvm_azure *azure)
{
	if (!s->td_quote_len)
		return true;
	azure->td_quote_len = s->td_quote_len;
	azure->td_quote = malloc(s->td_quote_len);
	return azure->td_quote && read_at(fd, azure->td_quote, s->td_quote_len,
					  place + sizeof(*s) + s->report_len);
}

/* NULL: nothing that holds, or out of memory, where it is made once more */
static struct cvm_azure *load_from(int fd, size_t place, const struct cvm_share_key *key)
{
	uint8_t good[SHA256_DIGEST_LENGTH];
	struct cvm_azure *azure;
	struct stored s;

	if (!read_at(fd, &s, sizeof(s), place) || !is_of(&s, key) || !same_report(fd, place, key))
		return NULL;
	azure = calloc(1, sizeof(*azure));
	if (!azure)
		return NULL;
	atomic_init(&azure->users, 1);
	azure->message_len = s.message_len;
	azure->signature_len = s.signature_len;
	memcpy(azure->message, s.message, sizeof(s.message));
	memcpy(azure->signature, s.signature, sizeof(s.signature));
	memcpy(azure->pcrs, s.pcrs, sizeof(s.pcrs));
	if (take_td_quote(fd, place, &s, azure) && digest(&s, key->report, azure->td_quote, good) &&
	    !memcmp(good, s.digest, sizeof(good)))
		return azure;
	cvm_azure_put(azure);
	return NULL;
}

static struct cvm_azure *load(int fd, const struct cvm_share_key *key)
{
	struct cvm_azure *azure = NULL;

	for (size_t i = 0; !azure && i < PLACES; i++)
		azure = load_from(fd, i * PLACE_SIZE, key);
	return azure;
}

static uint32_t last_number(int fd)
{
	uint32_t last = 0, head[2];

	for (size_t i = 0; i < PLACES; i++)
		if (read_at(fd, head, sizeof(head), i * PLACE_SIZE) && head[0] && head[1] > last)
			last = head[1];
	return last;
}

static void store(int fd, const struct cvm_share_key *key, const struct cvm_azure *azure)
{
	uint32_t last = last_number(fd);
	struct stored s = {
		.number = last + 1,
		.report_len = (uint32_t)key->len,
		.message_len = (uint32_t)azure->message_len,
		.signature_len = (uint32_t)azure->signature_len,
		.td_quote_len = (uint32_t)azure->td_quote_len,
	};
	size_t place = last % PLACES * PLACE_SIZE, at = place + sizeof(s);

	if (azure->td_quote_len > TD_QUOTE_MAX || key->len > CVM_VTPM_REPORT_MAX)
		return;
	memcpy(s.tpm48, key->tpm48, sizeof(s.tpm48));
	memcpy(s.message, azure->message, sizeof(s.message));
	memcpy(s.signature, azure->signature, sizeof(s.signature));
	memcpy(s.pcrs, azure->pcrs, sizeof(s.pcrs));
	/* who cannot write all leaves to the others to have it made themselves */
	if (!digest(&s, key->report, azure->td_quote, s.digest) ||
	    !write_at(fd, &s, sizeof(s), place) || !write_at(fd, key->report, key->len, at) ||
	    !write_at(fd, azure->td_quote, azure->td_quote_len, at + key->len))
		return;
	s.whole = WHOLE;
	write_at(fd, &s.whole, sizeof(s.whole), place);
}

/* ---- the lock: between threads and processes alike */

static int lock_file(int fd, int how)
{
	int rc;

	do
		rc = flock(fd, how | LOCK_NB) ? -errno : 0;
	while (rc == -EINTR);
	return rc;
}

/* What was forked meanwhile has the descriptor as well: closing it alone would not do. */
static void unlock(struct cvm_share_key *key)
{
	if (key->fd >= 0) {
		flock(key->fd, LOCK_UN);
		close(key->fd);
	}
	key->fd = -1;
}

/*
 * One look. 0: there it is, or nothing is, and then the file is locked for who makes it, or
 * cannot be had at all; -EWOULDBLOCK: somebody else is making it; -EMFILE, -ENFILE: who has no
 * descriptor left would not be helped by quotes of his own, and the host has few.
 */
static int look(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
		struct cvm_azure **azure)
{
	/* readers do not keep each other off */
	static const int ways[] = { LOCK_SH, LOCK_EX };
	int rc = 0;

	*azure = NULL;
	key->fd = open_share(place);
	if (key->fd < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : 0;
	for (size_t i = 0; !rc && !*azure && i < ARRAY_SIZE(ways); i++) {
		rc = lock_file(key->fd, ways[i]);
		if (!rc)
			*azure = load(key->fd, key);
	}
	if (rc || *azure)
		unlock(key);
	return rc;
}

static int wait_and_look(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
			 int64_t deadline, struct cvm_azure **azure)
{
	struct timespec pause = { 0, PAUSE_MIN_MS * 1000000 };
	int rc;

	while ((rc = look(place, key, azure)) == -EWOULDBLOCK) {
		if (cvm_vtpm_clock_ms() >= deadline)
			return -ETIMEDOUT;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		if (pause.tv_nsec < PAUSE_MAX_MS * 1000000)
			pause.tv_nsec *= 2;
	}
	return rc;
}

int cvm_share_get(const struct cvm_vtpm_place *place, struct cvm_share_key *key, int64_t deadline,
		  struct cvm_azure **azure, struct cvm_error *error)
{
	int rc = wait_and_look(place, key, deadline, azure);

	if (rc == -ETIMEDOUT)
		return cvm_set_error(error, rc, "another member of this batch has had no quote of the vTPM made before the deadline; ask again, or allow more time");
	return rc ? cvm_set_error(error, rc, "the lock of what a batch shares: %s", strerror(-rc)) : 0;
}

void cvm_share_put(struct cvm_share_key *key, const struct cvm_azure *azure)
{
	if (azure && key->fd >= 0)
		store(key->fd, key, azure);
	unlock(key);
}
