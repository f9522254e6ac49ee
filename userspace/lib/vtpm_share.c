// SPDX-License-Identifier: MIT
/*
 * What belongs to a batch's report is the same for all its members. One of them has it made,
 * the others find it here: those of the same context, and processes of the same user, by a
 * file that is nobody else's. The oldest batch is forgotten for a newer one: of a few, so
 * that members who come late on a busy machine do not drive out those of the next.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "vtpm.h"

#define FILE_NAME	"/cvm-guest.batch"

/*
 * Who waits for what another member has made is woken; not by one who was killed, so all look
 * again after this long.
 */
#define LOOK_AGAIN_MS	500

/* where there is nothing to be woken by */
#define PAUSE_MS	20

/* a millisecond each */
#define WRITING_TRIES	50

#define TD_QUOTE_MAX	(32U << 10)

/* batches that are kept, and how far apart they are: there are holes, which cost nothing */
#define PLACES		8U
#define PLACE_SIZE	(64U << 10)

/* behind them: a word that changes whenever a maker is done, for futex() */
#define DONE_AT		(PLACES * PLACE_SIZE)

/*
 * Bytes to lock, where no data are: one for who writes, and one for each batch, for who makes
 * what belongs to it: a batch never waits for another one's host.
 */
#define LOCK_WRITING	((off_t)1 << 40)
#define LOCK_BATCHES	((off_t)2 << 40)

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
#define FORMAT		3U
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
 * Each look opens it anew, so that the locks are the looker's own: threads and the processes of
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

/* Most places are another batch's: what says so is read first. */
static bool read_head(int fd, size_t place, const struct cvm_share_key *key, struct stored *s)
{
	size_t head = offsetof(struct stored, message);

	return read_at(fd, s, head, place) && is_of(s, key) &&
	       read_at(fd, (uint8_t *)s + head, sizeof(*s) - head, place + head);
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

	if (!read_head(fd, place, key, &s) || !same_report(fd, place, key))
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

/* ---- the locks: between threads and processes alike */

/* For writing, of one byte. Never waits: 0, -EAGAIN, or why there are no locks here */
static int lock_byte(int fd, off_t at, short how)
{
	struct flock lock = { .l_type = how, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
	int rc;

	do
		rc = fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
	while (rc == -EINTR);
	return rc == -EACCES ? -EAGAIN : rc;
}

/* Two batches may share it by chance, and wait for each other then. */
static off_t lock_of(const struct cvm_share_key *key)
{
	return LOCK_BATCHES + cvm_le32(key->tpm48);
}

/* ---- what is kept */

static uint32_t last_number(int fd)
{
	uint32_t last = 0, head[2];

	for (size_t i = 0; i < PLACES; i++)
		if (read_at(fd, head, sizeof(head), i * PLACE_SIZE) && head[0] && head[1] > last)
			last = head[1];
	return last;
}

static void write_to(int fd, size_t place, struct stored *s, const struct cvm_share_key *key,
		     const struct cvm_azure *azure)
{
	size_t at = place + sizeof(*s);

	/* readers take no lock: what is half another batch's has no digest that holds */
	if (!digest(s, key->report, azure->td_quote, s->digest) ||
	    !write_at(fd, s, sizeof(*s), place) || !write_at(fd, key->report, key->len, at) ||
	    !write_at(fd, azure->td_quote, azure->td_quote_len, at + key->len))
		return;
	s->whole = WHOLE;
	write_at(fd, &s->whole, sizeof(s->whole), place);
}

/* One writes at a time, for moments; who was stopped at it is not waited for for long. */
static bool lock_writing(int fd)
{
	const struct timespec pause = { 0, 1000000 };

	for (int i = 0; i < WRITING_TRIES; i++) {
		if (!lock_byte(fd, LOCK_WRITING, F_WRLCK))
			return true;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	return false;
}

/* Who cannot write leaves to the others to have it made themselves. */
static void store(int fd, const struct cvm_share_key *key, const struct cvm_azure *azure)
{
	struct stored s = {
		.report_len = (uint32_t)key->len,
		.message_len = (uint32_t)azure->message_len,
		.signature_len = (uint32_t)azure->signature_len,
		.td_quote_len = (uint32_t)azure->td_quote_len,
	};

	if (azure->td_quote_len > TD_QUOTE_MAX || key->len > CVM_VTPM_REPORT_MAX)
		return;
	memcpy(s.tpm48, key->tpm48, sizeof(s.tpm48));
	memcpy(s.message, azure->message, sizeof(s.message));
	memcpy(s.signature, azure->signature, sizeof(s.signature));
	memcpy(s.pcrs, azure->pcrs, sizeof(s.pcrs));
	if (!lock_writing(fd))
		return;
	s.number = last_number(fd) + 1;
	write_to(fd, (s.number - 1) % PLACES * PLACE_SIZE, &s, key, azure);
	lock_byte(fd, LOCK_WRITING, F_UNLCK);
}

/* ---- waiting for who makes it */

/* The kernel alone looks at the page, so that nobody dies of a file that was cut short. */
static void *map_done(int fd)
{
	void *page = mmap(NULL, sizeof(uint32_t), PROT_READ, MAP_SHARED, fd, DONE_AT);

	return page == MAP_FAILED ? NULL : page;
}

/* The word as it is, in a file that is long enough for it */
static uint32_t read_done(int fd)
{
	uint32_t word = 0;

	if (!read_at(fd, &word, sizeof(word), DONE_AT))
		write_at(fd, &word, sizeof(word), DONE_AT);
	return word;
}

/* Whoever has read @word sleeps until it is another one, or it is time to look again. */
static void wait_for_another(int fd, uint32_t word, int64_t ms)
{
	struct timespec pause = { 0, (ms < LOOK_AGAIN_MS ? ms : LOOK_AGAIN_MS) * 1000000 };
	void *page = map_done(fd);
	long rc = page ? syscall(SYS_futex, page, FUTEX_WAIT, word, &pause, NULL, 0) : -1;
	bool slept = !rc || (page && (errno == ETIMEDOUT || errno == EAGAIN || errno == EINTR));

	if (page)
		munmap(page, sizeof(word));
	if (slept)
		return;
	pause.tv_nsec = PAUSE_MS * 1000000;
	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

/* The time is a word that nobody has read before, and needs no lock. */
static void wake(int fd)
{
	struct timespec now;
	uint32_t word;
	void *page;

	clock_gettime(CLOCK_MONOTONIC, &now);
	word = (uint32_t)now.tv_sec * 1000000000U + (uint32_t)now.tv_nsec;
	write_at(fd, &word, sizeof(word), DONE_AT);
	page = map_done(fd);
	if (!page)
		return;
	syscall(SYS_futex, page, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	munmap(page, sizeof(word));
}

/*
 * One look. 0: there it is, or nothing is, and then the batch is locked for who makes it, or
 * cannot be had at all; -EAGAIN: somebody else is making it; -EMFILE, -ENFILE: who has no
 * descriptor left would not be helped by quotes of his own, and the host has few.
 */
static int look(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
		uint32_t *word, struct cvm_azure **azure)
{
	int rc = 0;

	key->fd = open_share(place);
	if (key->fd < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : 0;
	/* before the look: who is done after it has changed it */
	*word = read_done(key->fd);
	*azure = load(key->fd, key);
	if (*azure)
		return 0;
	rc = lock_byte(key->fd, lock_of(key), F_WRLCK);
	if (rc)
		return rc;
	key->locked = true;
	*azure = load(key->fd, key);
	return 0;
}

/* What was forked meanwhile has the descriptor as well: closing it alone would not do. */
static void leave(struct cvm_share_key *key)
{
	if (key->locked) {
		lock_byte(key->fd, lock_of(key), F_UNLCK);
		wake(key->fd);
	}
	if (key->fd >= 0)
		close(key->fd);
	key->locked = false;
	key->fd = -1;
}

static int wait_and_look(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
			 int64_t deadline, struct cvm_azure **azure)
{
	uint32_t word;
	int64_t left;
	int rc;

	while ((rc = look(place, key, &word, azure)) == -EAGAIN) {
		left = deadline - cvm_vtpm_clock_ms();
		if (left > 0)
			wait_for_another(key->fd, word, left);
		leave(key);
		if (left <= 0)
			return -ETIMEDOUT;
	}
	if (rc || *azure)
		leave(key);
	return rc;
}

int cvm_share_get(const struct cvm_vtpm_place *place, struct cvm_share_key *key, int64_t deadline,
		  struct cvm_azure **azure, struct cvm_error *error)
{
	int rc;

	key->fd = -1;
	key->locked = false;
	*azure = NULL;
	rc = wait_and_look(place, key, deadline, azure);
	if (rc == -ETIMEDOUT)
		return cvm_set_error(error, rc, "another member of this batch has had no quote of the vTPM made before the deadline; ask again, or allow more time");
	return rc ? cvm_set_error(error, rc, "the lock of what a batch shares: %s", strerror(-rc)) : 0;
}

void cvm_share_put(struct cvm_share_key *key, const struct cvm_azure *azure)
{
	if (azure && key->fd >= 0)
		store(key->fd, key, azure);
	leave(key);
}
