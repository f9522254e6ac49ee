// SPDX-License-Identifier: MIT
/* What must be known until the key has come, and its file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "keys/seal.h"
#include "skr.h"

static const char magic[16] = "cvm-guest skr 2";

/* SHA-1 is what PKCS #11 has where nobody says which */
static const struct {
	const char *name;
	TPMI_ALG_HASH hash;
} wraps[] = {
	{ NULL, TPM2_ALG_NULL },
	{ "RSA_AES_KEY_WRAP_256", TPM2_ALG_SHA256 },
	{ "RSA_AES_KEY_WRAP_384", TPM2_ALG_SHA384 },
	{ "CKM_RSA_AES_KEY_WRAP", TPM2_ALG_SHA1 },
};

uint32_t cvm_skr_wrap_find(const char *name)
{
	for (uint32_t i = 1; i < ARRAY_SIZE(wraps); i++)
		if (!strcmp(name, wraps[i].name))
			return i;
	return 0;
}

const char *cvm_skr_wrap_name(uint32_t wrap)
{
	return wrap < ARRAY_SIZE(wraps) ? wraps[wrap].name : NULL;
}

TPMI_ALG_HASH cvm_skr_wrap_hash(uint32_t wrap)
{
	return wrap < ARRAY_SIZE(wraps) ? wraps[wrap].hash : TPM2_ALG_NULL;
}

#define LETTERS	"abcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"
#define UPPER	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* How many characters of @text, from its beginning, are a host's name; 0: none */
static size_t host_len(const char *text)
{
	size_t len = strspn(text, LETTERS DIGITS "-.");

	return text[0] == '.' || text[0] == '-' || !memchr(text, '.', len) ? 0 : len;
}

bool cvm_skr_is_host(const char *text)
{
	size_t len = host_len(text);

	return len && !text[len];
}

bool cvm_skr_kid_parse(const char *kid, char *host)
{
	static const char scheme[] = "https://", keys[] = "/keys/";
	const char *at;
	size_t len;

	if (strlen(kid) >= CVM_SKR_MAX_KID || strncmp(kid, scheme, strlen(scheme)))
		return false;
	at = kid + strlen(scheme);
	len = host_len(at);
	if (!len)
		return false;
	memcpy(host, at, len);
	host[len] = '\0';
	at += len;
	if (strncmp(at, keys, strlen(keys)))
		return false;
	at += strlen(keys);
	len = strspn(at, LETTERS UPPER DIGITS "-");
	if (!len || at[len] != '/')
		return false;
	at += len + 1;
	len = strspn(at, LETTERS UPPER DIGITS);
	return len && !at[len];
}

const char *cvm_skr_nonce_text(const struct cvm_skr_state *state, char text[CVM_SKR_NONCE_TEXT])
{
	unsigned char padded[CVM_SKR_NONCE_TEXT + 1];

	EVP_EncodeBlock(padded, state->nonce, CVM_SKR_NONCE);
	for (size_t i = 0; i < CVM_SKR_NONCE_TEXT - 1; i++)
		text[i] = padded[i] == '+' ? '-' : padded[i] == '/' ? '_' : (char)padded[i];
	text[CVM_SKR_NONCE_TEXT - 1] = '\0';
	return text;
}

uint64_t cvm_skr_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* ---- its file */

static uint8_t *put(uint8_t *at, const void *data, size_t len)
{
	memcpy(at, data, len);
	return at + len;
}

static uint8_t *put_number(uint8_t *at, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(number >> 8 * i);
	return at + 4;
}

/* in which byte of the file the phase is: the others of its four are zeros */
#define PHASE_AT	(sizeof(magic) + 12)

size_t cvm_skr_state_pack(const struct cvm_skr_state *state, uint8_t out[CVM_SKR_STATE_MAX])
{
	uint8_t *at = put(out, magic, sizeof(magic));

	at = put_number(at, state->form);
	at = put_number(at, state->wrap);
	at = put_number(at, state->pcrs);
	at = put_number(at, state->phase);
	at = put_number(at, (uint32_t)state->since);
	at = put_number(at, (uint32_t)(state->since >> 32));
	at = put(at, state->unique, sizeof(state->unique));
	at = put(at, state->nonce, sizeof(state->nonce));
	at = put(at, state->policy, sizeof(state->policy));
	at = put(at, state->name, sizeof(state->name));
	at = put(at, state->kid, strlen(state->kid));
	return (size_t)(at - out);
}

static const uint8_t *get(const uint8_t *at, void *out, size_t len)
{
	memcpy(out, at, len);
	return at + len;
}

static bool holds(const struct cvm_skr_state *state)
{
	char host[CVM_SKR_MAX_KID];

	return state->form >= CVM_SKR_AZURE_GUEST && state->form <= CVM_SKR_TDX_VM &&
	       state->phase >= CVM_SKR_PREPARED && state->phase <= CVM_SKR_OPENED &&
	       cvm_skr_wrap_name(state->wrap) && state->pcrs && !(state->pcrs & ~CVM_PCRS_ALL) &&
	       cvm_skr_kid_parse(state->kid, host);
}

/* bytes before the key's URL */
#define FIXED	(CVM_SKR_STATE_MAX - CVM_SKR_MAX_KID)

int cvm_skr_state_parse(const uint8_t *data, size_t len, struct cvm_skr_state *state,
			struct cvm_error *error)
{
	const uint8_t *at = data + sizeof(magic);

	memset(state, 0, sizeof(*state));
	/* who writes it may have been killed */
	if (len <= FIXED && !memcmp(data, magic, len < sizeof(magic) ? len : sizeof(magic)))
		return cvm_set_error(error, -EBADMSG, "its end is missing: who wrote it has not come to an end; remove it, and begin again with cvmctl skr prepare");
	if (len <= FIXED ||
	    len - FIXED >= sizeof(state->kid) ||
	    memcmp(data, magic, sizeof(magic)) ||
	    memchr(data + FIXED, '\0', len - FIXED))
		return cvm_set_error(error, -EBADMSG, "this is not what cvmctl skr prepare writes");
	state->form = cvm_le32(at);
	state->wrap = cvm_le32(at + 4);
	state->pcrs = cvm_le32(at + 8);
	state->phase = cvm_le32(at + 12);
	state->since = cvm_le32(at + 16) | (uint64_t)cvm_le32(at + 20) << 32;
	at = get(at + 24, state->unique, sizeof(state->unique));
	at = get(at, state->nonce, sizeof(state->nonce));
	at = get(at, state->policy, sizeof(state->policy));
	at = get(at, state->name, sizeof(state->name));
	memcpy(state->kid, at, len - FIXED);
	return holds(state) ? 0 :
	       cvm_set_error(error, -EBADMSG, "this is not what cvmctl skr prepare writes");
}

/*
 * A new file: what is there is another's, or the state of another release. It is written at
 * once: of who is killed there is nothing, an empty file, or all. It need not be on the disk: a
 * power failure resets the TPM as well.
 */
int cvm_skr_state_write(const char *path, const struct cvm_skr_state *state,
			struct cvm_error *error)
{
	__cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				 0600);
	uint8_t bytes[CVM_SKR_STATE_MAX];
	size_t len;
	ssize_t done;
	int rc;

	if (fd < 0 && errno == EEXIST)
		return cvm_set_error(error, -EEXIST, "%s: is there already: remove it, unless that release is still under way",
				     path);
	if (fd < 0)
		return cvm_path_error(error, -errno, path, "create");
	len = cvm_skr_state_pack(state, bytes);
	done = write(fd, bytes, len);
	rc = done < 0 ? -errno : -ENOSPC;
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (done == (ssize_t)len)
		return 0;
	unlink(path);
	return cvm_path_error(error, rc, path, "write");
}

/* Who else has it, and may use the TPM, has the wrapping key as well. */
static int check_owner(int fd, const char *path, struct cvm_error *error)
{
	struct stat st;

	if (fstat(fd, &st))
		return cvm_path_error(error, -errno, path, "look at");
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
		return cvm_set_error(error, -EPERM, "%s: is not a file that only its owner, who runs this, may read: begin again with cvmctl skr prepare",
				     path);
	return 0;
}

static int read_state(int fd, const char *path, struct cvm_skr_state *state,
		      struct cvm_error *error)
{
	uint8_t bytes[CVM_SKR_STATE_MAX + 1];
	ssize_t len = read(fd, bytes, sizeof(bytes));
	struct cvm_error why;
	int rc;

	if (len < 0)
		return cvm_path_error(error, -errno, path, "read");
	rc = cvm_skr_state_parse(bytes, (size_t)len, state, &why);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return rc ? cvm_set_error(error, rc, "%s: %s", path, why.text) : 0;
}

/* Two at a time could both find that no token has been opened. */
int cvm_skr_state_read(const char *path, struct cvm_skr_state *state, int *fd,
		       struct cvm_error *error)
{
	__cleanup_fd int file = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int rc;

	if (file < 0)
		return cvm_path_error(error, -errno, path, "open");
	rc = check_owner(file, path, error);
	if (rc)
		return rc;
	if (flock(file, LOCK_EX | LOCK_NB))
		return errno != EWOULDBLOCK ? cvm_path_error(error, -errno, path, "lock") :
		       cvm_set_error(error, -EBUSY, "%s: another cvmctl skr is at it", path);
	rc = read_state(file, path, state, error);
	if (!rc)
		*fd = cvm_take_fd(file);
	return rc;
}

/* One byte: of who is killed the file says the one or the other. */
int cvm_skr_state_opened(int fd, struct cvm_skr_state *state, struct cvm_error *error)
{
	const uint8_t phase = CVM_SKR_OPENED;
	ssize_t done = pwrite(fd, &phase, 1, PHASE_AT);

	if (done != 1)
		return cvm_set_error(error, done < 0 ? -errno : -EIO, "that a token is opened cannot be written down: %s",
				     strerror(done < 0 ? errno : EIO));
	state->phase = CVM_SKR_OPENED;
	return 0;
}

/* ---- its time */

static int wrong_phase(enum cvm_skr_phase phase, struct cvm_error *error)
{
	if (phase == CVM_SKR_PREPARED)
		return cvm_set_error(error, -EALREADY, "a token has been opened by this request's wrapping key, or could not be: it is tried once, and opens no other; go on with cvmctl skr open, or begin again with cvmctl skr prepare");
	return cvm_set_error(error, -EINVAL, "no token has been opened by this request's wrapping key, so there can be no answer yet: cvmctl skr request is next");
}

/*
 * By a clock that nobody in the VM sets; in another time namespace it is another one. A host can
 * stop it with the VM: it is no defence against that.
 */
int cvm_skr_state_due(const struct cvm_skr_state *state, enum cvm_skr_phase phase,
		      struct cvm_error *error)
{
	uint64_t now = cvm_skr_clock();

	if (state->phase != phase)
		return wrong_phase(phase, error);
	if (now < state->since)
		return cvm_set_error(error, -ESTALE, "this request is of another boot: begin again with cvmctl skr prepare");
	if (now - state->since > CVM_SKR_MAX_AGE)
		return cvm_set_error(error, -ESTALE, "this request is older than %d minutes: begin again with cvmctl skr prepare",
				     CVM_SKR_MAX_AGE / 60);
	return 0;
}
