// SPDX-License-Identifier: MIT
/*
 * What belongs to a batch's report is the same for all its members. One of them has it made,
 * the others find it here: those of the same context, and processes of the same user, by a
 * file that is nobody else's, and are woken when it is there.
 */
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"
#include "vtpm_share.h"

#define FILE_NAME	"/cvm-guest.batch"

/*
 * Who waits for what another member has made is woken; not by one who was killed, so all look
 * again after this long.
 */
#define LOOK_AGAIN_MS	500

/* where there is nothing to be woken by */
#define PAUSE_MS	20

/*
 * A byte to lock for each batch, where no data are, for who makes what belongs to it: a batch
 * never waits for another one's host.
 */
#define LOCK_BATCHES	((off_t)2 << 40)

/*
 * Once, and not for each who waits: thousands of threads that map and unmap keep all CPUs at
 * it. The kernel alone looks at the page, so that nobody dies of a file that was cut short.
 */
static void map_done(struct cvm_share_word *done, int fd)
{
	struct stat is;
	void *page;

	if (fstat(fd, &is))
		return;
	page = mmap(NULL, sizeof(uint32_t), PROT_READ, MAP_SHARED, fd, CVM_SHARE_INDEX_AT);
	if (page != MAP_FAILED)
		*done = (struct cvm_share_word){ page, is.st_dev, is.st_ino };
}

/* NULL: somebody has put another file there since, or there was no memory */
static uint32_t *done_of(const struct cvm_vtpm_place *place, int fd)
{
	struct stat is;

	if (fstat(fd, &is))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(place->done); i++)
		if (place->done[i].at && is.st_dev == place->done[i].dev &&
		    is.st_ino == place->done[i].ino)
			return place->done[i].at;
	return NULL;
}

/*
 * The file can be refused later, to who has become another user since, or with the directory that
 * it was in: so there is memory in any case.
 */
int cvm_share_open(const struct cvm_source *source, struct cvm_error *error)
{
	const char *own = secure_getenv("XDG_RUNTIME_DIR");
	bool has = own && *own == '/';
	struct cvm_vtpm_place *place = source->vtpm;
	__cleanup_fd int fd = -1;

	if (snprintf(place->share_path, sizeof(place->share_path), "%s%s" FILE_NAME,
		     has ? "" : source->root, has ? own : "/run") >= (int)sizeof(place->share_path))
		place->share_path[0] = '\0';
	fd = cvm_share_file(place);
	if (fd >= 0)
		map_done(&place->done[0], fd);
	place->share_fd = memfd_create("cvm-guest.batch", MFD_CLOEXEC);
	if (place->share_fd >= 0)
		map_done(&place->done[1], place->share_fd);
	else if (fd < 0)
		return cvm_set_error(error, -errno, "no memory for what a batch shares: %s",
				     strerror(errno));
	return 0;
}

void cvm_share_close(struct cvm_vtpm_place *place)
{
	if (place->share_fd >= 0)
		close(place->share_fd);
	for (size_t i = 0; i < ARRAY_SIZE(place->done); i++)
		if (place->done[i].at)
			munmap(place->done[i].at, sizeof(uint32_t));
}

/* By the end of its hash: every tpm48 begins in the same way. */
static uint32_t number_of(const struct cvm_share_key *key)
{
	return cvm_le32(key->tpm48 + sizeof(key->tpm48) - sizeof(uint32_t));
}

/* Two batches may share it by chance, and wait for each other then. */
static off_t lock_of(const struct cvm_share_key *key)
{
	return LOCK_BATCHES + number_of(key);
}

/*
 * Anew, so that the locks are this one's own: threads and the processes of a fork, which have
 * all that was open before in common, keep each other off like strangers. -EMFILE, -ENFILE: who
 * has no descriptor left would not be helped by quotes of his own, and the host has few. Else
 * 0, with a file or without.
 */
static int open_again(const struct cvm_vtpm_place *place, struct cvm_share_key *key)
{
	key->fd = cvm_share_file(place);
	return key->fd < 0 && (errno == EMFILE || errno == ENFILE) ? -errno : 0;
}

static void close_file(struct cvm_share_key *key)
{
	if (key->fd >= 0)
		close(key->fd);
	key->fd = -1;
}

/* Of 32 groups of batches, those that are woken together */
static uint32_t group_of(const struct cvm_share_key *key)
{
	return 1U << number_of(key) % 32;
}

static void pause_ms(long ms)
{
	const struct timespec pause = { 0, ms * 1000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

/* Until the word is not @word any more, or @until, in ms, at the latest */
static void sleep_on(uint32_t *done, uint32_t word, int64_t until, const struct cvm_share_key *key)
{
	const struct timespec when = { until / 1000, until % 1000 * 1000000 };

	if (done && (!syscall(SYS_futex, done, FUTEX_WAIT_BITSET, word, &when, NULL,
			      group_of(key)) || errno == ETIMEDOUT))
		return;
	/* it has changed before; or there is no such word, or none that the file agrees with */
	pause_ms(done && errno == EAGAIN ? 1 : PAUSE_MS);
}

/* Another maker is at it, and changes @word: asleep, nobody has the file open. */
static int wait_for_another(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
			    uint32_t word, int64_t deadline)
{
	uint32_t *done = done_of(place, key->fd);
	int64_t now = cvm_vtpm_clock_ms();

	close_file(key);
	if (now >= deadline)
		return -ETIMEDOUT;
	sleep_on(done, word, deadline - now < LOOK_AGAIN_MS ? deadline : now + LOOK_AGAIN_MS, key);
	return 0;
}

/* The time is a word that nobody has read before, and needs no lock. */
static void wake(const struct cvm_vtpm_place *place, const struct cvm_share_key *key)
{
	uint32_t word, *done = done_of(place, key->fd);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	word = (uint32_t)now.tv_sec * 1000000000U + (uint32_t)now.tv_nsec;
	cvm_share_mark(key->fd, word);
	if (done)
		syscall(SYS_futex, done, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, group_of(key));
}

/*
 * One look. 0: there it is, or nothing is, and then the batch is locked for who makes it, or
 * cannot be locked at all; -EAGAIN: somebody else is making it, and changes @word
 */
static int look(struct cvm_share_key *key, uint32_t *word, struct cvm_azure **azure)
{
	struct cvm_share_index index;
	int rc;

	cvm_share_index(key->fd, &index);
	*word = index.done;
	*azure = cvm_share_load(key->fd, &index, key);
	if (*azure)
		return 0;
	rc = cvm_share_lock(key->fd, lock_of(key), F_WRLCK);
	if (rc == -EAGAIN)
		return rc;
	key->locked = !rc;
	cvm_share_index(key->fd, &index);
	*azure = cvm_share_load(key->fd, &index, key);
	return 0;
}

/* What was forked meanwhile has the descriptor as well: closing it alone would not do. */
static void leave(const struct cvm_vtpm_place *place, struct cvm_share_key *key)
{
	if (key->locked) {
		cvm_share_lock(key->fd, lock_of(key), F_UNLCK);
		wake(place, key);
	}
	close_file(key);
	key->locked = false;
}

/* -EAGAIN: once more */
static int try_once(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
		    int64_t deadline, struct cvm_azure **azure)
{
	uint32_t word;
	int rc = open_again(place, key);

	if (rc) {
		/* others give theirs back */
		pause_ms(PAUSE_MS);
		return cvm_vtpm_clock_ms() < deadline ? -EAGAIN : rc;
	}
	if (key->fd < 0)
		return 0;
	rc = look(key, &word, azure);
	if (rc == -EAGAIN && wait_for_another(place, key, word, deadline))
		return -ETIMEDOUT;
	return rc;
}

int cvm_share_get(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
		  const _Atomic int64_t *deadline, struct cvm_azure **azure,
		  struct cvm_error *error)
{
	int rc;

	key->fd = -1;
	key->locked = false;
	*azure = NULL;
	do
		rc = try_once(place, key, *deadline, azure);
	while (rc == -EAGAIN);
	if (rc || *azure)
		leave(place, key);
	if (rc == -ETIMEDOUT)
		return cvm_set_error(error, rc, "another member of this batch has had no quote of the vTPM made before the deadline; ask again, or allow more time");
	return rc ? cvm_set_error(error, rc, "the lock of what a batch shares: %s", strerror(-rc)) : 0;
}

struct cvm_azure *cvm_share_find(const struct cvm_vtpm_place *place, struct cvm_share_key *key)
{
	struct cvm_share_index index;
	struct cvm_azure *azure;

	if (open_again(place, key) || key->fd < 0)
		return NULL;
	cvm_share_index(key->fd, &index);
	azure = cvm_share_load(key->fd, &index, key);
	close_file(key);
	return azure;
}

void cvm_share_put(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
		   const struct cvm_azure *azure, const _Atomic int64_t *deadline)
{
	if (azure && key->fd >= 0)
		cvm_share_store(key->fd, key, azure, deadline);
	leave(place, key);
}
