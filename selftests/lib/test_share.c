// SPDX-License-Identifier: GPL-2.0
/*
 * What the members of a batch have in common: made once, found by all, and not waited for in
 * vain, whatever becomes of who makes it. Other batches are no business of theirs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/vtpm_share.h"
#include "tap.h"

#define MEMBERS		64
/* as many as are kept, and how many are too many */
#define KEPT		8
#define BATCHES		16
#define MEMBERS_OF_MANY	16

/* of those who write: vtpm_share_file.c */
#define WRITING		((off_t)1 << 40)

static struct cvm_vtpm_place place = { .share_fd = -1 };
static bool in_memory;
static const _Atomic int64_t later = INT64_MAX;
static uint8_t report[2600];

static struct cvm_share_key key_of(uint8_t batch)
{
	struct cvm_share_key key = { .report = report, .len = sizeof(report) };

	/* the beginning is the same of all */
	memset(key.tpm48 + 8, batch, sizeof(key.tpm48) - 8);
	return key;
}

static struct cvm_azure *make(uint8_t batch)
{
	struct cvm_azure *azure = calloc(1, sizeof(*azure));

	atomic_init(&azure->users, 1);
	azure->message_len = 100;
	azure->signature_len = 256;
	memset(azure->message, batch, azure->message_len);
	memset(azure->signature, ~batch, azure->signature_len);
	memset(azure->pcrs, batch, sizeof(azure->pcrs));
	azure->td_quote_len = 5000;
	azure->td_quote = malloc(azure->td_quote_len);
	memset(azure->td_quote, batch + 1, azure->td_quote_len);
	return azure;
}

static bool is_whole(const struct cvm_azure *azure, uint8_t batch)
{
	struct cvm_azure *want = make(batch);
	bool good = azure && azure->message_len == want->message_len &&
		    azure->signature_len == want->signature_len &&
		    azure->td_quote_len == want->td_quote_len &&
		    !memcmp(azure->message, want->message, sizeof(want->message)) &&
		    !memcmp(azure->signature, want->signature, sizeof(want->signature)) &&
		    !memcmp(azure->pcrs, want->pcrs, sizeof(want->pcrs)) &&
		    !memcmp(azure->td_quote, want->td_quote, want->td_quote_len);

	cvm_azure_put(want);
	return good;
}

static int get(struct cvm_share_key *key, int64_t ms, struct cvm_azure **azure)
{
	const _Atomic int64_t deadline = cvm_vtpm_clock_ms() + ms;

	return cvm_share_get(&place, key, &deadline, azure, NULL);
}

/* 0: it is for the caller to make; 1: there it is; or why not */
static int find(uint8_t batch, int64_t ms, struct cvm_share_key *key)
{
	struct cvm_azure *azure;
	int rc;

	*key = key_of(batch);
	rc = get(key, ms, &azure);
	if (rc || !azure)
		return rc;
	rc = is_whole(azure, batch) ? 1 : -EBADMSG;
	cvm_azure_put(azure);
	return rc;
}

static void give(struct cvm_share_key *key, uint8_t batch)
{
	struct cvm_azure *azure = make(batch);

	cvm_share_put(&place, key, azure, &later);
	cvm_azure_put(azure);
}

static void give_up(struct cvm_share_key *key)
{
	cvm_share_put(&place, key, NULL, &later);
}

static void test_one(void)
{
	struct cvm_share_key first, other, same;

	check_is(find(1, 0, &first), 0, "nothing is there: who asks makes it");
	check_is(find(1, 0, &same), -ETIMEDOUT, "the next one waits, no longer than he may");
	check_is(find(2, 0, &other), 0, "another batch's need not wait");
	give(&other, 2);
	check_is(find(2, 0, &other), 1, "and is there before the first's");
	check_is(find(1, 0, &same), -ETIMEDOUT, "which is still being made");
	give_up(&first);
	check_is(find(1, 0, &first), 0, "given up, it is for the next one to make");
	give(&first, 1);
	check_is(find(1, 0, &same), 1, "there it is");
	report[sizeof(report) - 1] ^= 1;
	check_is(find(1, 0, &same), 0, "not for another report");
	report[sizeof(report) - 1] ^= 1;
	give_up(&same);
}

static atomic_int made, found;

static void *member(void *arg)
{
	uint8_t batch = (uint8_t)(intptr_t)arg;
	struct cvm_share_key key;
	int rc = find(batch, 60000, &key);

	found += rc == 1;
	if (rc)
		return NULL;
	made++;
	/* the rest of them may come meanwhile */
	usleep(20000);
	give(&key, batch);
	return NULL;
}

static void crowd(int batches, int members, const char *what)
{
	pthread_t id[BATCHES * MEMBERS];
	int all = batches * members;

	made = found = 0;
	for (intptr_t i = 0; i < all; i++)
		pthread_create(&id[i], NULL, member, (void *)(i % batches + 10 * batches));
	for (int i = 0; i < all; i++)
		pthread_join(id[i], NULL);
	check_is(made + found, all, what);
}

static void test_crowds(void)
{
	crowd(1, MEMBERS, "threads of a batch: each has it");
	check_is(made, 1, "made once");
	crowd(KEPT, MEMBERS, "of as many batches as are kept: each has its own");
	check_is(made, KEPT, "made once each");
	/* late ones may have theirs made again, but get it */
	crowd(BATCHES, MEMBERS_OF_MANY, "of more: each has its own");
	check(made >= BATCHES, "made at least once each");
	printf("# %d times, for %d batches\n", made, BATCHES);
}

/**
 * struct sleepers - who waits by futex(): in all processes of this test
 * @woken_only: they look again when they are woken, or 20 s later than else
 * @asleep: how many have gone to sleep
 * @woken, @late: and why they are not any more
 */
static struct sleepers {
	atomic_bool woken_only;
	atomic_int asleep, woken, late;
} *sleepers;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
	struct timespec when;
	long a[6], rc;
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number != SYS_futex || a[1] != FUTEX_WAIT_BITSET)
		return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	when = *(struct timespec *)a[3];
	if (sleepers->woken_only)
		when.tv_sec += 20;
	sleepers->asleep++;
	rc = __real_syscall(number, a[0], a[1], a[2], &when, a[4], a[5]);
	if (rc && errno == ETIMEDOUT)
		sleepers->late++;
	else
		sleepers->woken++;
	return rc;
}

static void *waiter(void *key)
{
	return (void *)(intptr_t)find(5, 60000, key);
}

/* All that was made */
static void forget(void)
{
	check(!(in_memory ? ftruncate(place.share_fd, 0) : truncate(place.share_path, 0)),
	      "nothing is there");
}

static void await_sleepers(int count)
{
	while (sleepers->asleep < count)
		usleep(1000);
}

/* Who waits is woken by who is done, in another thread or process, and by who gives up. */
static void woken(bool gives_up, bool process)
{
	const char *by = gives_up ? "gives up" : "is done";
	struct cvm_share_key key, other;
	pid_t pid = 0;
	pthread_t id;
	void *rc;

	sleepers->asleep = sleepers->woken = sleepers->late = 0;
	forget();
	check_is(find(5, 0, &key), 0, "a maker");
	sleepers->woken_only = true;
	if (process)
		pid = fork();
	if (process && !pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(find(5, 60000, &other) != !gives_up);
	}
	if (!process)
		pthread_create(&id, NULL, waiter, &other);
	await_sleepers(1);
	if (gives_up)
		give_up(&key);
	else
		give(&key, 5);
	if (process) {
		int status;

		check(waitpid(pid, &status, 0) == pid && !status, "a process has what it wants");
	} else {
		pthread_join(id, &rc);
		check_is((intptr_t)rc, !gives_up, "a thread has what it wants");
	}
	check(!sleepers->late && sleepers->woken, "woken by who %s", by);
	sleepers->woken_only = false;
	if (!process && gives_up)
		give_up(&other);
}

static void test_woken(void)
{
	woken(false, false);
	woken(true, false);
	woken(false, true);
	woken(true, true);
}

/* Asleep, nobody keeps a descriptor, and who finds none left waits for one. */
static void test_descriptors(void)
{
	struct rlimit old, few;

	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 20;
	check(!setrlimit(RLIMIT_NOFILE, &few), "20 descriptors");
	crowd(1, MEMBERS, "are enough for all members");
	check_is(made, 1, "made once");
	setrlimit(RLIMIT_NOFILE, &old);
}

/* Nobody is woken by who was killed. */
static void test_killed(void)
{
	struct cvm_share_key key;
	int fd[2], status;
	pthread_t id;
	void *rc;
	char byte;
	pid_t pid;

	forget();
	check(!pipe2(fd, O_CLOEXEC), "a pipe");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = !find(5, 0, &key);
		if (write(fd[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	check(read(fd[0], &byte, 1) == 1 && byte, "a process makes it");
	sleepers->asleep = 0;
	pthread_create(&id, NULL, waiter, &key);
	await_sleepers(1);
	kill(pid, SIGKILL);
	check(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "and is killed at it");
	pthread_join(id, &rc);
	check_is((intptr_t)rc, 0, "who waits for it makes it");
	give(&key, 5);
	check_is(find(5, 0, &key), 1, "there it is");
	close(fd[0]);
	close(fd[1]);
}

/* A maker whose descriptors a fork has as well */
static void test_forked(void)
{
	struct cvm_share_key key, same;
	pid_t pid;

	check_is(find(6, 0, &key), 0, "a maker");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	give_up(&key);
	check_is(find(6, 0, &same), 0, "lets go, whatever has been forked meanwhile");
	give(&same, 6);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The file may be cut short by its owner at any time: the word to wait for is at its end. */
static void test_cut(void)
{
	struct cvm_share_key key, same;
	pthread_t id;
	void *rc;

	check_is(find(7, 0, &key), 0, "a maker");
	pthread_create(&id, NULL, waiter, &same);
	pthread_join(id, &rc);
	check_is((intptr_t)rc, 1, "the other batch's members");
	check(!truncate(place.share_path, 0), "the file is cut");
	check_is(find(7, 100, &same), -ETIMEDOUT, "who waits does not die of it");
	give(&key, 7);
	check_is(find(7, 0, &same), 1, "what is made is kept");
}

/* Another file in its place: nobody sleeps on a word that nobody changes any more. */
static void test_replaced(void)
{
	struct cvm_share_key key, same;
	pthread_t id;
	void *rc;

	check(!unlink(place.share_path) && !find(5, 0, &key), "a maker, of another file");
	pthread_create(&id, NULL, waiter, &same);
	give(&key, 5);
	pthread_join(id, &rc);
	check_is((intptr_t)rc, 1, "is waited for all the same");
}

/* Later, to who has become another user by then, or with the directory that it was in */
static void test_refused(void)
{
	check(!unlink(place.share_path) && !mkdir(place.share_path, 0700), "the file is refused");
	in_memory = true;
	crowd(1, MEMBERS, "a program's own members: each has it");
	check_is(made, 1, "made once, in memory");
	woken(false, false);
}

/* Locks that nobody can have, and who writes until he has been asked so often */
static atomic_bool no_locks;
static atomic_int tries, last_try;
static int writer;

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

int __wrap_fcntl(int fd, int command, ...)
{
	struct flock *lock;
	va_list args;

	va_start(args, command);
	lock = va_arg(args, struct flock *);
	va_end(args);
	if (command == F_OFD_SETLK && lock->l_start == WRITING && lock->l_type == F_WRLCK &&
	    ++tries == last_try)
		close(writer);
	if (command != F_OFD_SETLK || !no_locks)
		return __real_fcntl(fd, command, lock);
	errno = ENOLCK;
	return -1;
}

static void somebody_writes(int until)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = WRITING,
			      .l_len = 1 };

	writer = cvm_share_file(&place);
	check(writer >= 0 && !fcntl(writer, F_OFD_SETLK, &lock), "somebody writes");
	tries = 0;
	last_try = until;
}

/* Who writes is waited for: not for long, and not for longer than there is time. */
static void test_writing(void)
{
	struct cvm_azure *azure = make(8);
	const _Atomic int64_t past = 0;
	struct cvm_share_key key;

	somebody_writes(0);
	check_is(find(8, 0, &key), 0, "a maker");
	cvm_share_put(&place, &key, azure, &past);
	check_is(tries, 1, "does not wait to write when there is no time");
	check_is(find(8, 0, &key), 0, "nothing is kept");
	give(&key, 8);
	check(tries > 2, "waits when there is");
	check_is(find(8, 0, &key), 0, "but not for ever");
	close(writer);
	somebody_writes(3);
	give(&key, 8);
	check_is(find(8, 0, &key), 1, "what he waited with is kept");
	cvm_azure_put(azure);
}

/* As on some file systems of others: nobody waits for what nobody can have. */
static void test_no_locks(void)
{
	struct cvm_share_key key, same;

	no_locks = true;
	check_is(find(9, 0, &key), 0, "where nothing can be locked each makes his own");
	check_is(find(9, 0, &same), 0, "at the same time");
	tries = last_try = 0;
	give(&key, 9);
	give_up(&same);
	check_is(tries, 1, "and does not wait to write");
	no_locks = false;
	check_is(find(9, 0, &key), 0, "nothing is kept");
	give_up(&key);
}

int main(void)
{
	struct cvm_source source = { .root = "", .vtpm = &place };
	struct cvm_error error;

	sleepers = mmap(NULL, sizeof(*sleepers), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sleepers == MAP_FAILED)
		return 1;
	setenv("XDG_RUNTIME_DIR", tap_make_dir(), 1);
	check_is(cvm_share_open(&source, &error), 0, "a file");
	for (int pass = 0; pass < 2; pass++) {
		test_one();
		test_crowds();
		test_woken();
		test_descriptors();
		test_killed();
		test_forked();
		test_writing();
		test_no_locks();
		if (pass)
			break;
		test_cut();
		test_replaced();
		test_refused();
		cvm_share_close(&place);
		place = (struct cvm_vtpm_place){ .share_fd = -1 };
		check(!cvm_share_open(&source, &error), "no file, but memory");
	}
	cvm_share_close(&place);
	rmdir(place.share_path);
	return tap_end();
}
