// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "polite.h"

#define PATIENCE_MS	60000

static int by_value(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

static bool read_answer(int fd, __u64 cookie, void *room, size_t size)
{
	const struct cvm_record *record = NULL;
	ssize_t len = read(fd, room, size);

	return len > 0 && crowd_record(room, len, &record) && record &&
	       !record->result && record->cookie == cookie &&
	       crowd_record_verifies(record);
}

static bool ask_once(struct polite *polite, unsigned int i, int fd, __u32 kind,
		     void *room, size_t size)
{
	struct pollfd polled = { fd, POLLIN, 0 };
	__u64 cookie = crowd_cookie(kind);
	long long before = crowd_seam("requests");
	long long start = report_now_us();

	if (crowd_ask(fd, cookie, 0) || poll(&polled, 1, PATIENCE_MS) != 1)
		return false;
	polite->us[i] = report_now_us() - start;
	polite->commands[i] = crowd_seam("requests") - before;
	return read_answer(fd, cookie, room, size);
}

void polite_sort(struct polite *polite)
{
	unsigned int n = polite->count;

	qsort(polite->commands, n, sizeof(polite->commands[0]), by_value);
	qsort(polite->us, n, sizeof(polite->us[0]), by_value);
}

bool polite_run(struct polite *polite, int fd, __u32 kind)
{
	unsigned int i, n = polite->count;
	struct cvm_info info;
	bool good = true;
	void *room;

	if (report_info(fd, &info))
		return false;
	room = malloc(info.max_record);
	for (i = 0; i < n && good; i++) {
		usleep(POLITE_PERIOD_US);
		good = room && ask_once(polite, i, fd, kind, room,
					info.max_record);
	}
	free(room);
	polite_sort(polite);
	return good;
}

unsigned int polite_rank(const struct polite *polite, unsigned int percent)
{
	return (polite->count * percent + 99) / 100 - 1;
}

double polite_firmware_us(void)
{
	return (double)crowd_seam("t_sum_ns") / 1e3 /
	       (double)crowd_seam("requests");
}
