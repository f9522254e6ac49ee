// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flood.h"

#define ARRAY		64

struct flood_tally *flood_tally;

static struct {
	struct pollfd file[FLOOD_FILES];
	unsigned int waiting[FLOOD_FILES];
	unsigned char *room;
	size_t size;
	__u32 kind;
} state;

bool flood_init(void)
{
	if (!flood_tally)
		flood_tally = mmap(NULL, sizeof(*flood_tally),
				   PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return flood_tally != MAP_FAILED;
}

#define ONE		"cvm-one/user"
#define MANY		"cvm-many/user"

static bool make_groups(const char *above, const char *party)
{
	return crowd_group(above) && crowd_group(party);
}

bool flood_groups(void)
{
	char name[64];
	unsigned int i;

	if (!make_groups("cvm-one", ONE) || !make_groups("cvm-many", MANY))
		return false;
	for (i = 0; i < FLOOD_FILES; i++) {
		snprintf(name, sizeof(name), MANY "/%u", i);
		if (!crowd_group(name))
			return false;
	}
	return true;
}

static bool enter_part(unsigned int file)
{
	char name[64] = ONE;

	if (file % 2)
		snprintf(name, sizeof(name), MANY "/%u", file);
	return crowd_enter(name);
}

/* the driver sees who opens a file, not who has it later */
static int open_as(unsigned int uid, bool batch)
{
	int fd;

	if (setresuid(uid, uid, 0))
		return -1;
	fd = crowd_open(batch);
	return setresuid(0, 0, 0) ? -1 : fd;
}

static void fill(unsigned int file, unsigned int deep)
{
	struct cvm_evidence_req reqs[ARRAY];
	unsigned int i, n = deep - state.waiting[file];
	__u32 accepted;

	if (n > ARRAY)
		n = ARRAY;
	if (!n)
		return;
	for (i = 0; i < n; i++)
		crowd_request(&reqs[i], crowd_cookie(state.kind));
	crowd_submit(state.file[file].fd, reqs, n, 0, &accepted);
	state.waiting[file] += accepted;
}

static void drain(unsigned int file)
{
	ssize_t at = 0, len = read(state.file[file].fd, state.room, state.size);
	const struct cvm_record *record;

	while (at < len && crowd_record(state.room + at, len - at, &record) &&
	       record) {
		at += record->size;
		state.waiting[file]--;
		if (!record->result)
			atomic_fetch_add(&flood_tally->answers[file], 1);
	}
}

static void prepare(const struct flood *flood)
{
	struct cvm_info info;
	unsigned int i;

	if ((flood->group && !crowd_enter(flood->group)) || !crowd_info(&info))
		_exit(1);
	state.kind = flood->batch ? CVM_KIND_BATCH : report_slow_kind(&info);
	state.size = 4 * (size_t)info.max_record;
	state.room = malloc(state.size);
	for (i = 0; i < flood->files; i++) {
		if (flood->divided && !enter_part(i))
			_exit(1);
		state.file[i].fd = open_as(FLOOD_UID + i % flood->uids,
					   flood->batch);
		state.file[i].events = POLLIN;
		if (!state.room || state.file[i].fd < 0)
			_exit(1);
	}
	/* only now: changing the user takes it back */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void flood_main(const struct flood *flood)
{
	unsigned int i;

	prepare(flood);
	for (;;) {
		for (i = 0; i < flood->files; i++)
			fill(i, flood->deep);
		atomic_store(&flood_tally->running, 1);
		if (poll(state.file, flood->files, 1000) <= 0)
			continue;
		for (i = 0; i < flood->files; i++)
			if (state.file[i].revents & POLLIN)
				drain(i);
	}
}

pid_t flood_start(const struct flood *flood)
{
	pid_t pid;

	memset(flood_tally, 0, sizeof(*flood_tally));
	pid = fork();
	if (!pid)
		flood_main(flood);
	while (pid > 0 && !atomic_load(&flood_tally->running)) {
		if (waitpid(pid, NULL, WNOHANG))
			return -1;
		usleep(1000);
	}
	return pid;
}

void flood_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
