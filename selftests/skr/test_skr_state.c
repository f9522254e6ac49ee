// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a release: its file, which is this user's alone and says how far the release has
 * come, also of who was killed while he wrote.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "service.h"
#include "skr/skr.h"
#include "tap.h"

/* Linked in the place of the C library's: before or behind it this process ends. */
static enum { NEVER, BEFORE, BEHIND } killed;

ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);

static ssize_t ending(ssize_t (*call)(int, const void *, size_t, off_t), int fd, const void *data,
		      size_t len, off_t at)
{
	ssize_t done;

	if (killed == BEFORE)
		kill(getpid(), SIGKILL);
	done = call(fd, data, len, at);
	if (killed == BEHIND)
		kill(getpid(), SIGKILL);
	return done;
}

static ssize_t plain_write(int fd, const void *data, size_t len, off_t at)
{
	return __real_write(fd, data, len);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	return ending(plain_write, fd, data, len, 0);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	return ending(__real_pwrite, fd, data, len, at);
}

/* Why there is no lock, or 0 */
static int no_lock;

int __wrap_flock(int fd, int how);
int __real_flock(int fd, int how);

int __wrap_flock(int fd, int how)
{
	errno = no_lock;
	return no_lock ? -1 : __real_flock(fd, how);
}

static const struct cvm_skr_state good_state = {
	.form = CVM_SKR_AZURE_GUEST, .wrap = 1, .pcrs = CVM_SKR_PCRS, .phase = CVM_SKR_PREPARED,
	.since = 0x123456789, .kid = SERVICE_KID,
};

/* Another process, which is killed there; false: it is not */
static bool is_killed(int when, const char *path, bool opens)
{
	struct cvm_skr_state state = good_state;
	int fd, status;
	pid_t child = fork();

	if (!child) {
		killed = when;
		if (!opens)
			cvm_skr_state_write(path, &state, NULL);
		else if (!cvm_skr_state_read(path, &state, &fd, NULL))
			cvm_skr_state_opened(fd, &state, NULL);
		_exit(0);
	}
	return waitpid(child, &status, 0) == child && WIFSIGNALED(status);
}

/* Its file is as before or as behind it, or says that it was not written to its end. */
static void test_killed(void)
{
	const char *path = tap_path("/killed");
	struct cvm_error error = { 0 };
	struct cvm_skr_state state;
	int fd;

	check(is_killed(BEFORE, path, false), "killed before the state is written");
	check_is(cvm_skr_state_read(path, &state, &fd, &error), -EBADMSG, "it is not taken");
	check_says(error.text, "has not come to an end; remove it", "and the message says what to do");
	unlink(path);
	check(is_killed(BEHIND, path, false), "killed behind that");
	check(!cvm_skr_state_read(path, &state, &fd, &error) && state.phase == CVM_SKR_PREPARED,
	      "no token has been opened");
	close(fd);
	check(is_killed(BEFORE, path, true), "killed before it says that a token was opened");
	check(!cvm_skr_state_read(path, &state, &fd, &error) && state.phase == CVM_SKR_PREPARED,
	      "none has been");
	close(fd);
	check(is_killed(BEHIND, path, true), "killed behind that");
	check(!cvm_skr_state_read(path, &state, &fd, &error) && state.phase == CVM_SKR_OPENED,
	      "one has been");
	close(fd);
}

static void test_opened(void)
{
	const char *path = tap_path("/opened");
	struct cvm_skr_state state, again;
	struct cvm_error error = { 0 };
	int fd, other_fd;

	check_is(cvm_skr_state_write(path, &good_state, &error), 0, "a state");
	check_is(cvm_skr_state_read(path, &state, &fd, &error), 0, "is had by one");
	check_is(cvm_skr_state_read(path, &again, &other_fd, &error), -EBUSY, "and by nobody else");
	check_says(error.text, "another cvmctl skr", "and the message says so");
	no_lock = ENOLCK;
	check_is(cvm_skr_state_read(path, &again, &other_fd, &error), -ENOLCK, "a file system without locks");
	check_says(error.text, "cannot lock", "and the message says so");
	no_lock = 0;
	check_is(cvm_skr_state_opened(fd, &state, &error), 0, "a token is opened");
	check(state.phase == CVM_SKR_OPENED, "and the state says so");
	close(fd);
	check_is(cvm_skr_state_read(path, &again, &other_fd, &error), 0, "it is had by another");
	check(!memcmp(&state, &again, sizeof(state)), "and says the same, and all else as before");
	close(other_fd);
	other_fd = open(path, O_RDONLY);
	check_is(cvm_skr_state_opened(other_fd, &again, &error), -EBADF, "it cannot be written");
	check_says(error.text, "cannot be written down", "and the message says so");
	close(other_fd);
}

/* Another number in it, at this offset, than there may be */
static void test_numbers(void)
{
	static const struct {
		size_t at;
		uint8_t number;
		const char *name;
	} numbers[] = {
		{ 16, 0, "no form" }, { 16, 4, "another form" }, { 20, 0, "no wrapping" },
		{ 20, 4, "another wrapping" }, { 24, 0, "no PCRs" }, { 27, 1, "a PCR 24" },
		{ 28, 0, "no phase" }, { 28, 3, "another phase" },
	};
	uint8_t bytes[CVM_SKR_STATE_MAX];
	size_t len = cvm_skr_state_pack(&good_state, bytes);
	struct cvm_skr_state state;

	check(!cvm_skr_state_parse(bytes, len, &state, NULL), "a state");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint8_t was = bytes[numbers[i].at];

		bytes[numbers[i].at] = numbers[i].number;
		check_is(cvm_skr_state_parse(bytes, len, &state, NULL), -EBADMSG, numbers[i].name);
		bytes[numbers[i].at] = was;
	}
	bytes[len - strlen(SERVICE_KID)] ^= 1;
	check_is(cvm_skr_state_parse(bytes, len, &state, NULL), -EBADMSG, "another URL than a key has");
	bytes[len - strlen(SERVICE_KID)] ^= 1;
	bytes[len - 1] = '\0';
	check_is(cvm_skr_state_parse(bytes, len, &state, NULL), -EBADMSG, "a zero byte in its URL");
}

/* Whatever has its beginning, no more is taken than there is room for. */
static void test_lengths(void)
{
	static struct {
		struct cvm_skr_state state;
		uint8_t behind[2 * CVM_SKR_STATE_MAX];
	} room;
	uint8_t bytes[2 * CVM_SKR_STATE_MAX];
	struct cvm_error error = { 0 };

	memset(bytes, 'a', sizeof(bytes));
	cvm_skr_state_pack(&good_state, bytes);
	check_is(cvm_skr_state_parse(bytes, sizeof(bytes), &room.state, &error), -EBADMSG,
		 "one that is too long");
	check(cvm_is_zero(room.behind, sizeof(room.behind)), "is not copied");
	check_is(cvm_skr_state_parse((const uint8_t *)"something else", 14, &room.state, &error),
		 -EBADMSG, "something else, which is short");
	check_says(error.text, "not what cvmctl skr prepare writes", "and the message does not say otherwise");
}

static void test_state(void)
{
	const char *path = tap_path("/state"), *link = tap_path("/link"), *fifo = tap_path("/fifo");
	struct cvm_skr_state state = good_state, again;
	uint8_t bytes[CVM_SKR_STATE_MAX];
	struct cvm_error error = { 0 };
	size_t len, taken = 0;
	struct stat st;
	int fd = -1;

	getrandom(state.unique, sizeof(state.unique), 0);
	getrandom(state.nonce, sizeof(state.nonce), 0);
	check_is(cvm_skr_state_write("/nonexistent/state", &state, &error), -ENOENT,
		 "no directory for it");
	/* as a call before may have left it */
	errno = EEXIST;
	check(!cvm_skr_state_write(path, &state, &error) && !stat(path, &st) &&
	      (st.st_mode & 0777) == 0600, "the state is for its owner alone");
	check(!cvm_skr_state_read(path, &again, &fd, &error) &&
	      !memcmp(&state, &again, sizeof(state)), "and is read as it was");
	close(fd);
	check_is(cvm_skr_state_write(path, &state, &error), -EEXIST, "it replaces none");
	check_says(error.text, "is there already", "and the message says so");
	check(!symlink("nowhere", link), "a symbolic link");
	check_is(cvm_skr_state_write(link, &state, &error), -EEXIST, "is not followed");
	check(!unlink(link) && !symlink(path, link), "another, to a state");
	check_is(cvm_skr_state_read(link, &again, &fd, &error), -ELOOP, "neither");
	check(!mkfifo(fifo, 0600), "a FIFO");
	check_is(cvm_skr_state_write(fifo, &state, &error), -EEXIST, "is not written into");
	check_is(cvm_skr_state_read(fifo, &again, &fd, &error), -EPERM, "nor read from");
	chmod(path, 0640);
	check_is(cvm_skr_state_read(path, &again, &fd, &error), -EPERM, "others could read it: refused");
	/* who is root can have one of another owner */
	if (!geteuid() && !chmod(path, 0600) && !chown(path, 1, 0))
		check_is(cvm_skr_state_read(path, &again, &fd, &error), -EPERM, "of another owner: refused");
	len = cvm_skr_state_pack(&state, bytes);
	for (size_t i = 0; i < len - strlen(SERVICE_KID) + strlen("https://"); i++)
		taken += !cvm_skr_state_parse(bytes, i, &again, NULL);
	check(!taken, "cut anywhere: refused");
	bytes[0] ^= 1;
	check_is(cvm_skr_state_parse(bytes, len, &again, &error), -EBADMSG, "of another kind: refused");
}

static void test_kids(void)
{
	static const char *const bad[] = {
		"", "http://a.b/keys/c/d", "https://a/keys/c/d", "https://a.b/keys/c", "https://a.b/keys/c/",
		"https://a.b/keys//d", "https://a.b/secrets/c/d", "https://a.b:1/keys/c/d",
		"https://A.b/keys/c/d", "https://a.b/keys/c/d/e", "https://a.b/keys/c/d?x",
		"https://u@a.b/keys/c/d", "https://.b/keys/c/d", "https://-a.b/keys/c/d",
		"Https://a.b/keys/c/d", "https://a.b/keys/c?d",
	};
	static const char *const no_hosts[] = { "", "a", ".a.b", "-a.b", "a.b/", "A.b", "a.b:1" };
	static const char start[] = "https://a.b/keys/c/";
	char host[CVM_SKR_MAX_KID], longest[CVM_SKR_MAX_KID + 1];

	check(cvm_skr_kid_parse(SERVICE_KID, host) && !strcmp(host, SERVICE_HOST), "a key's URL");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check(!cvm_skr_kid_parse(bad[i], host), "'%s' is none", bad[i]);
	memset(longest, 'd', sizeof(longest));
	memcpy(longest, start, sizeof(start) - 1);
	longest[CVM_SKR_MAX_KID] = '\0';
	check(!cvm_skr_kid_parse(longest, host), "nor is one that is too long");
	longest[CVM_SKR_MAX_KID - 1] = '\0';
	check(cvm_skr_kid_parse(longest, host), "which one character less is not");
	check(cvm_skr_is_host("a.b"), "a host");
	for (size_t i = 0; i < ARRAY_SIZE(no_hosts); i++)
		check(!cvm_skr_is_host(no_hosts[i]), "'%s' is none", no_hosts[i]);
}

int main(void)
{
	tap_make_dir();
	test_kids();
	test_state();
	test_opened();
	test_killed();
	test_numbers();
	test_lengths();
	return tap_end();
}
