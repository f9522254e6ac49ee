// SPDX-License-Identifier: MIT
/*
 * The file of what the members of a batch share. Readers take no lock. The oldest batch is
 * forgotten for a newer one: of a few, so that members who come late on a busy machine do not
 * drive out those of the next.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vtpm_share.h"

/* how far apart batches are: there are holes, which cost nothing */
#define PLACE_SIZE	(CVM_SHARE_INDEX_AT / CVM_SHARE_PLACES)

/* a byte to lock for who writes, where no data are */
#define LOCK_WRITING	((off_t)1 << 40)

/* for as long as a busy machine may leave a writer aside */
#define WRITING_MS	500

#define TD_QUOTE_MAX	(32U << 10)

/**
 * struct stored - one batch's, and behind it the report and the quote of the TDREPORT
 * @whole: WHOLE, written last: who wrote the rest may have been killed in the middle, or may
 *	be another release of this library, or one for another architecture
 * @report_len, @message_len, @signature_len, @td_quote_len: bytes
 * @tpm48: which batch's it is
 * @message, @signature, @pcrs: as of struct cvm_azure
 * @digest: SHA-256 of all this, with zeros for @whole and itself, and of the TDREPORT's quote;
 *	the report needs none, since each reader has it, and compares
 */
struct stored {
	uint32_t whole;
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
_Static_assert(sizeof(struct stored) + CVM_VTPM_REPORT_MAX + TD_QUOTE_MAX <= PLACE_SIZE,
	       "a place is large enough");

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

int cvm_share_file(const struct cvm_vtpm_place *place)
{
	char memory[64];
	int fd = open_file(place->share_path);

	/* who has no descriptor left is to find the same as others who have one */
	if (fd >= 0 || place->share_fd < 0 || errno == EMFILE || errno == ENFILE)
		return fd;
	/* with no place for it, the members of this context share all the same */
	snprintf(memory, sizeof(memory), "/proc/self/fd/%d", place->share_fd);
	return open(memory, O_RDWR | O_CLOEXEC);
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
 * That the parts are each other's, and whole; the report is the reader's own. Who could make
 * another digest is this user, who can make quotes as well: each member verifying them would
 * cost more than making one.
 */
static bool digest(const struct stored *s, const void *td_quote, uint8_t out[SHA256_DIGEST_LENGTH])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct stored clear = *s;
	bool good;

	clear.whole = 0;
	memset(clear.digest, 0, sizeof(clear.digest));
	good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	       EVP_DigestUpdate(md, &clear, sizeof(clear)) &&
	       EVP_DigestUpdate(md, td_quote, s->td_quote_len) &&
	       EVP_DigestFinal_ex(md, out, NULL);
	EVP_MD_CTX_free(md);
	return good;
}

static bool is_of(const struct stored *s, const struct cvm_share_key *key)
{
	return s->whole == WHOLE && !memcmp(s->tpm48, key->tpm48, sizeof(s->tpm48)) &&
	       s->report_len == key->len && !memcmp(s + 1, key->report, key->len) &&
	       s->message_len <= sizeof(s->message) &&
	       s->signature_len <= sizeof(s->signature) && s->td_quote_len <= TD_QUOTE_MAX;
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

static struct cvm_azure *unpack(const struct stored *s)
{
	struct cvm_azure *azure = calloc(1, sizeof(*azure));

	if (!azure)
		return NULL;
	atomic_init(&azure->users, 1);
	azure->message_len = s->message_len;
	azure->signature_len = s->signature_len;
	memcpy(azure->message, s->message, sizeof(s->message));
	memcpy(azure->signature, s->signature, sizeof(s->signature));
	memcpy(azure->pcrs, s->pcrs, sizeof(s->pcrs));
	return azure;
}

/* NULL: nothing that holds, or out of memory, where it is made once more */
static struct cvm_azure *load_from(int fd, size_t place, const struct cvm_share_key *key)
{
	size_t size = sizeof(struct stored) + key->len;
	__cleanup_free struct stored *s = malloc(size);
	uint8_t good[SHA256_DIGEST_LENGTH];
	struct cvm_azure *azure;

	if (!s || !read_at(fd, s, size, place) || !is_of(s, key))
		return NULL;
	azure = unpack(s);
	if (!azure)
		return NULL;
	if (take_td_quote(fd, place, s, azure) && digest(s, azure->td_quote, good) &&
	    !memcmp(good, s->digest, sizeof(good)))
		return azure;
	cvm_azure_put(azure);
	return NULL;
}

struct cvm_azure *cvm_share_load(int fd, const struct cvm_share_index *index,
				const struct cvm_share_key *key)
{
	struct cvm_azure *azure = NULL;

	for (size_t i = 0; !azure && i < CVM_SHARE_PLACES; i++)
		if (!memcmp(index->tpm48[i], key->tpm48, sizeof(key->tpm48)))
			azure = load_from(fd, i * PLACE_SIZE, key);
	return azure;
}

void cvm_share_index(int fd, struct cvm_share_index *index)
{
	if (read_at(fd, index, sizeof(*index), CVM_SHARE_INDEX_AT))
		return;
	/* longer, with nothing of what another may have written meanwhile */
	memset(index, 0, sizeof(*index));
	write_at(fd, &index->end, sizeof(index->end),
		 CVM_SHARE_INDEX_AT + offsetof(struct cvm_share_index, end));
}

int cvm_share_lock(int fd, off_t at, short how)
{
	struct flock lock = { .l_type = how, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
	int rc;

	do
		rc = fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
	while (rc == -EINTR);
	return rc == -EACCES ? -EAGAIN : rc;
}

void cvm_share_mark(int fd, uint32_t done)
{
	/* without it those who wait look a little later */
	write_at(fd, &done, sizeof(done),
		 CVM_SHARE_INDEX_AT + offsetof(struct cvm_share_index, done));
}

/* Readers take no lock: what is half another batch's has no digest that holds. */
static bool write_to(int fd, size_t place, struct stored *s, const struct cvm_share_key *key,
		     const struct cvm_azure *azure)
{
	size_t at = place + sizeof(*s);

	if (!digest(s, azure->td_quote, s->digest) || !write_at(fd, s, sizeof(*s), place) ||
	    !write_at(fd, key->report, key->len, at) ||
	    !write_at(fd, azure->td_quote, azure->td_quote_len, at + key->len))
		return false;
	s->whole = WHOLE;
	return write_at(fd, &s->whole, sizeof(s->whole), place);
}

/* The oldest batch's place */
static void write_next(int fd, struct stored *s, const struct cvm_share_key *key,
		       const struct cvm_azure *azure)
{
	struct cvm_share_index index;
	uint32_t place;

	cvm_share_index(fd, &index);
	place = index.number++ % CVM_SHARE_PLACES;
	if (!write_to(fd, place * PLACE_SIZE, s, key, azure))
		return;
	write_at(fd, key->tpm48, sizeof(key->tpm48),
		 CVM_SHARE_INDEX_AT + offsetof(struct cvm_share_index, tpm48[place]));
	write_at(fd, &index.number, sizeof(index.number),
		 CVM_SHARE_INDEX_AT + offsetof(struct cvm_share_index, number));
}

/*
 * One writes at a time, for moments. Who was stopped at it is not waited for for long: nothing
 * is kept then, and each member has its own made. Where there are no locks nothing is kept either.
 */
static bool lock_writing(int fd, const _Atomic int64_t *deadline)
{
	const struct timespec pause = { 0, 1000000 };
	int64_t now, until = cvm_vtpm_clock_ms() + WRITING_MS;
	int rc;

	for (;;) {
		rc = cvm_share_lock(fd, LOCK_WRITING, F_WRLCK);
		now = cvm_vtpm_clock_ms();
		if (rc != -EAGAIN || now >= until || now >= *deadline)
			return !rc;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
}

void cvm_share_store(int fd, const struct cvm_share_key *key, const struct cvm_azure *azure,
		     const _Atomic int64_t *deadline)
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
	if (!lock_writing(fd, deadline))
		return;
	write_next(fd, &s, key, azure);
	cvm_share_lock(fd, LOCK_WRITING, F_UNLCK);
}
