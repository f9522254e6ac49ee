// SPDX-License-Identifier: GPL-2.0
/*
 * The backend tsm against a configfs made of plain files: mkdir() fills an
 * entry as the kernel would, and opening an attribute does what the kernel
 * does when it is written or read. The state of an entry is in its files, so
 * that threads do not meet.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "cvmguest.h"
#include "common/util.h"
#include "tap.h"

#define REPORTS	"/sys/kernel/config/tsm/report"

/* what the fake kernel does beside what is right */
static struct {
	const char *provider;
	const char *floor;	/* NULL: it has none */
	int mkdir_errno;
	int taken;		/* names that are taken, from now on */
	int races;		/* entries that somebody else writes to, from now on */
	int lost;		/* a write that never reaches the provider */
	int read_errno;		/* of outblob */
	int level_errno;	/* of privlevel, which is not taken */
	size_t outblob_len;	/* 0: as long as it should be */
	bool empty, foreign;
	size_t read_max;	/* bytes that one read() gives */
} fake;

static int made, removed, outblob_fd = -1, privlevel_fd = -1;
static unsigned int privlevel_writes;

int __real_openat(int dir, const char *name, int flags, ...);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_mkdir(const char *path, mode_t mode);
int __real_rmdir(const char *path);
int __wrap_openat(int dir, const char *name, int flags, ...);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_rmdir(const char *path);

static void put(int dir, const char *name, const void *data, size_t len)
{
	int fd = __real_openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd)) {
		printf("Bail out! %s of an entry cannot be written\n", name);
		exit(1);
	}
}

static size_t get(int dir, const char *name, void *data, size_t size)
{
	int fd = __real_openat(dir, name, O_RDONLY);
	ssize_t len = __real_read(fd, data, size);

	close(fd);
	return len < 0 ? 0 : (size_t)len;
}

static void add_generation(int dir, int count)
{
	char text[32] = "";

	get(dir, "generation", text, sizeof(text) - 1);
	snprintf(text, sizeof(text), "%d\n", atoi(text) + count);
	put(dir, "generation", text, strlen(text));
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	int dir;

	/* the tree itself is made by this program too */
	if (!strstr(path, REPORTS "/"))
		return __real_mkdir(path, mode);
	if (fake.mkdir_errno || fake.taken > 0) {
		errno = fake.mkdir_errno ? fake.mkdir_errno : EEXIST;
		fake.taken--;
		return -1;
	}
	if (__real_mkdir(path, mode))
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	put(dir, "provider", fake.provider, strlen(fake.provider));
	put(dir, "generation", "0\n", 2);
	put(dir, "inblob", "", 0);
	put(dir, "outblob", "", 0);
	if (fake.floor) {
		put(dir, "privlevel_floor", fake.floor, strlen(fake.floor));
		put(dir, "privlevel", "", 0);
		put(dir, "auxblob", "certificates", 12);
	}
	close(dir);
	__atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
	return 0;
}

int __wrap_rmdir(const char *path)
{
	static const char *const names[] = { "provider", "generation", "inblob", "outblob",
					     "privlevel_floor", "privlevel", "auxblob" };
	int dir = open(path, O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlinkat(dir, names[i], 0);
	close(dir);
	__atomic_add_fetch(&removed, 1, __ATOMIC_RELAXED);
	return __real_rmdir(path);
}

static void make_outblob(int dir)
{
	static const size_t offsets[] = { 0x50, 48 + 520 };
	bool tdx = !strncmp(fake.provider, "tdx", 3);
	uint8_t blob[40000] = { tdx ? 4 : 2 };
	size_t len = fake.outblob_len ? fake.outblob_len : tdx ? 5006 : 1184;

	get(dir, "inblob", blob + offsets[tdx], CVM_REPORT_DATA_LEN);
	if (fake.foreign)
		blob[offsets[tdx] + 63] ^= 1;
	put(dir, "outblob", blob, fake.empty ? 0 : len);
}

int __wrap_openat(int dir, const char *name, int flags, ...)
{
	bool refused = fake.level_errno && !strcmp(name, "privlevel");
	int fd;

	if (flags & O_WRONLY) {
		add_generation(dir, refused ? fake.races-- > 0 : !fake.lost);
		privlevel_writes += !strcmp(name, "privlevel");
	} else if (!strcmp(name, "outblob")) {
		if (fake.races-- > 0)
			add_generation(dir, 1);
		make_outblob(dir);
	}
	fd = __real_openat(dir, name, flags);
	if (!strcmp(name, "outblob") && fake.read_errno)
		outblob_fd = fd;
	if (refused)
		privlevel_fd = fd;
	return fd;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (fd != privlevel_fd)
		return __real_write(fd, data, len);
	privlevel_fd = -1;
	errno = fake.level_errno;
	return -1;
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
	if (fd == outblob_fd) {
		outblob_fd = -1;
		errno = fake.read_errno;
		return -1;
	}
	return __real_read(fd, data, fake.read_max && fake.read_max < len ? fake.read_max : len);
}

static struct cvm_error error;

static void reset(const char *provider, const char *floor)
{
	memset(&fake, 0, sizeof(fake));
	memset(&error, 0, sizeof(error));
	fake.provider = provider;
	fake.floor = floor;
	privlevel_writes = 0;
}

static struct cvm_ctx *open_tsm(void)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .backend = "tsm", .root = tap_dir };
	struct cvm_ctx *ctx;

	if (cvm_open(&ctx, &opts, &error)) {
		printf("Bail out! %s\n", error.text);
		exit(1);
	}
	return ctx;
}

static int ask(bool quote, struct cvm_report_opts *opts, size_t *certs_len)
{
	uint8_t data[CVM_REPORT_DATA_LEN] = "a nonce";
	struct cvm_evidence *evidence = NULL;
	struct cvm_ctx *ctx = open_tsm();
	int rc;

	opts->size = sizeof(*opts);
	if (quote)
		rc = cvm_quote(ctx, data, opts, &evidence, &error);
	else
		rc = cvm_report(ctx, data, opts, &evidence, &error);
	if (!rc && certs_len)
		cvm_evidence_certs(evidence, certs_len);
	cvm_evidence_free(evidence);
	cvm_close(ctx);
	return rc;
}

static int ask_plain(bool quote)
{
	struct cvm_report_opts opts = { 0 };

	return ask(quote, &opts, NULL);
}

static void test_good(void)
{
	struct cvm_report_opts opts = { .flags = CVM_REQUEST_CERTS };
	size_t certs_len = 0;

	reset("sev_guest\n", "0\n");
	check_is(ask(false, &opts, &certs_len), 0, "a report");
	check_is((long)certs_len, 12, "its certificates");
	check_is(privlevel_writes, 0, "no privilege level unless there is reason");
	opts.flags = CVM_REQUEST_VMPL;
	opts.vmpl = 2;
	check(!ask(false, &opts, &certs_len) && !certs_len && privlevel_writes == 1,
	      "a report for VMPL 2, without certificates");
	reset("sev_guest\n", "1\n");
	check(!ask_plain(false) && privlevel_writes == 1,
	      "above VMPL 0 the floor is written, for the default is below it");
	reset("tdx_guest\n", NULL);
	check_is(ask_plain(true), 0, "a quote");
	fake.read_max = 7;
	check_is(ask_plain(true), 0, "a quote in many short reads");
	fake.taken = 3;
	check_is(ask_plain(true), 0, "names that are taken are passed over");
}

static void test_refused(void)
{
	struct cvm_report_opts opts = { .flags = CVM_REQUEST_VMPL, .vmpl = 1 };

	reset("sev_guest\n", "2\n");
	fake.level_errno = EINVAL;
	check_is(ask(false, &opts, NULL), -EINVAL, "a VMPL that is refused");
	check_says(error.text, "cannot ask for that VMPL", "and that is what it says");
	check_is(privlevel_writes, 1, "at once");
	fake.races = 100;
	check_is(ask(false, &opts, NULL), -EBUSY, "but not while somebody else writes to the entry");
}

static void test_races(void)
{
	reset("sev_guest\n", "0\n");
	fake.races = 1;
	check_is(ask_plain(false), 0, "somebody wrote to the entry once: asked again");
	fake.races = 100;
	check_is(ask_plain(false), -EBUSY, "somebody always writes to the entry");
	check_says(error.text, "somebody else", "and that is what it says");
	reset("sev_guest\n", "0\n");
	fake.lost = 1;
	check_is(ask_plain(false), -EBUSY, "a write that did not arrive is no report of ours");
	reset("sev_guest\n", "0\n");
	fake.foreign = true;
	check_is(ask_plain(false), -EBADMSG, "a report with other REPORT_DATA");
	reset("tdx_guest\n", NULL);
	fake.foreign = true;
	check_is(ask_plain(true), -EBADMSG, "a quote with other REPORT_DATA");
}

static void test_bad(void)
{
	static const struct {
		int err, rc;
	} errors[] = {
		{ EIO, -EIO }, { EBUSY, -EBUSY }, { EINTR, -EINTR }, { ETIMEDOUT, -ETIMEDOUT },
		{ EINVAL, -EINVAL }, { ENXIO, -ECANCELED }, { ENOTTY, -ENOKEY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		reset("tdx_guest\n", NULL);
		fake.read_errno = errors[i].err;
		check_is(ask_plain(true), errors[i].rc, strerror(errors[i].err));
		check_says(error.text, REPORTS, "says where");
	}
	reset("tdx_guest\n", NULL);
	fake.empty = true;
	check_is(ask_plain(true), -EBADMSG, "an empty quote");
	check_says(error.text, "quote service", "says what may be wrong");
	reset("tdx_guest\n", NULL);
	fake.outblob_len = 600;
	check_is(ask_plain(true), -EBADMSG, "a quote cut short");
	fake.outblob_len = 40000;
	check_is(ask_plain(true), -EFBIG, "a quote without an end");
	reset("sev_guest\n", "0\n");
	fake.outblob_len = 1183;
	check_is(ask_plain(false), -EBADMSG, "a report cut short");
}

static void test_unsupported(void)
{
	struct cvm_report_opts opts = { .timeout_ms = 10 };

	reset("tdx_guest\n", NULL);
	check_is(ask_plain(false), -EOPNOTSUPP, "TDX has no reports");
	check_is(ask(true, &opts, NULL), -EOPNOTSUPP, "configfs has no deadlines");
	opts = (struct cvm_report_opts) { .signing_key = CVM_SIGNING_KEY_VLEK };
	reset("sev_guest\n", "0\n");
	check_is(ask(false, &opts, NULL), -EOPNOTSUPP, "configfs has no choice of key");
}

static int try_open(const char *backend)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .backend = backend, .root = tap_dir };
	struct cvm_status status = { .size = sizeof(status) };
	struct cvm_ctx *ctx;
	int rc = cvm_open(&ctx, &opts, &error);

	if (!rc) {
		cvm_status(ctx, &status, &error);
		rc = (int)status.types;
	}
	cvm_close(ctx);
	return rc;
}

static void test_open(void)
{
	reset("sev_guest\n", "0\n");
	check_is(try_open(NULL), 1 << CVM_EVIDENCE_SNP_REPORT, "found without being named");
	fake.mkdir_errno = ENXIO;
	check_is(try_open("tsm"), -ENODEV, "nobody has registered");
	check_is(try_open(NULL), -ENODEV, "and then it is as good as absent");
	fake.mkdir_errno = EACCES;
	check_is(try_open(NULL), -EACCES, "there, but not for us: an error, not passed over");
	check_says(error.text, "root", "says what to do");
	reset("arm_cca_guest\n", NULL);
	check_is(try_open("tsm"), -ENODEV, "a provider that nobody here knows");
	reset("tdx_guest\n", NULL);
	tap_write(tap_path("/dev/tdx_guest"), "", 0);
	check_is(try_open(NULL), 1 << CVM_EVIDENCE_TDX_QUOTE | 1 << CVM_EVIDENCE_TDREPORT,
		 "configfs-tsm and the node complement each other");
}

static void *ask_often(void *argument)
{
	struct cvm_ctx *ctx = argument;
	uint8_t data[CVM_REPORT_DATA_LEN] = { 0 };
	struct cvm_evidence *evidence;
	long good = 0;

	for (int i = 0; i < 50; i++) {
		memcpy(data, &i, sizeof(i));
		if (!cvm_report(ctx, data, NULL, &evidence, NULL))
			good++;
		cvm_evidence_free(evidence);
	}
	return (void *)good;
}

static void test_threads(void)
{
	pthread_t threads[8];
	struct cvm_ctx *ctx;
	long good = 0;

	reset("sev_guest\n", "0\n");
	ctx = open_tsm();
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, ask_often, ctx);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *result;

		pthread_join(threads[i], &result);
		good += (long)result;
	}
	cvm_close(ctx);
	check_is(good, 400, "8 threads with one context");
}

int main(void)
{
	tap_make_dir();
	tap_path(REPORTS "/");
	test_good();
	test_refused();
	test_races();
	test_bad();
	test_unsupported();
	test_open();
	test_threads();
	check(made > 400 && made == removed, "every entry that was made was removed");
	return tap_end();
}
