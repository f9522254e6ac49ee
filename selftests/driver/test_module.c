// SPDX-License-Identifier: GPL-2.0
/*
 * The module's parameter, its files in sysfs, and what it does not allow.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "report.h"

#define ISSUE_CPU	"/sys/module/cvm_guest/parameters/issue_cpu"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static bool read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return false;
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
	return len;
}

/* a line of /proc/PID/status of the worker */
static bool worker_status(const char *key, char *value, size_t size)
{
	DIR *proc = opendir("/proc");
	char path[300], text[4096];
	struct dirent *entry;
	bool found = false;
	char *line;

	while (proc && !found && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/status", entry->d_name);
		if (!read_file(path, text, sizeof(text)) ||
		    strncmp(text, "Name:\tcvm\n", 10))
			continue;
		line = strstr(text, key);
		if (!line)
			continue;
		snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
		found = true;
	}
	if (proc)
		closedir(proc);
	return found;
}

FIXTURE(module) {
	int fd;
	struct cvm_info info;
};

FIXTURE_SETUP(module)
{
	self->fd = report_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " REPORT_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(module)
{
	close(self->fd);
}

TEST_F(module, issue_cpu)
{
	static unsigned char evidence[REPORT_MAX];
	struct cvm_evidence_req req;
	char value[128];

	ASSERT_EQ(0, write_file(ISSUE_CPU, "0"));
	report_request(&req, report_slow_kind(&self->info), 1, evidence,
		       sizeof(evidence));
	EXPECT_EQ(0, report_issue(self->fd, &req, 1, 0, NULL));
	EXPECT_EQ(0, req.result);
	ASSERT_TRUE(worker_status("Cpus_allowed_list:", value, sizeof(value)));
	EXPECT_STREQ("Cpus_allowed_list:\t0", value);

	EXPECT_EQ(-EINVAL, write_file(ISSUE_CPU, "99999"));
	EXPECT_EQ(-EINVAL, write_file(ISSUE_CPU, "-2"));
	EXPECT_EQ(-EINVAL, write_file(ISSUE_CPU, "one"));
	ASSERT_TRUE(read_file(ISSUE_CPU, value, sizeof(value)));
	EXPECT_STREQ("0\n", value);

	ASSERT_EQ(0, write_file(ISSUE_CPU, "-1"));
	ASSERT_TRUE(worker_status("Cpus_allowed_list:", value, sizeof(value)));
	EXPECT_STRNE("Cpus_allowed_list:\t0", value);
}

TEST_F(module, statistics)
{
	static unsigned char evidence[REPORT_MAX];
	long long requests = report_stat("requests");
	long long completed = report_stat("completed");
	long long refused = report_stat("refused");
	struct cvm_evidence_req reqs[2];
	char text[4096], *line;
	long long count, sum = 0;

	report_request(&reqs[0], report_slow_kind(&self->info), 1, evidence,
		       sizeof(evidence));
	reqs[1] = reqs[0];
	memcpy(reqs[1].report_data, CVM_RESERVED_TAG, CVM_RESERVED_TAG_SIZE);
	ASSERT_EQ(0, report_issue(self->fd, reqs, 2, 0, NULL));
	EXPECT_EQ(requests + 2, report_stat("requests"));
	EXPECT_EQ(completed + 1, report_stat("completed"));
	EXPECT_EQ(refused + 1, report_stat("refused"));

	ASSERT_TRUE(read_file(REPORT_STATS "latency_us", text, sizeof(text)));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		ASSERT_EQ(1, sscanf(line, "%*s %lld", &count));
		sum += count;
	}
	EXPECT_EQ(completed + 1, sum);
}

TEST_F(module, channel)
{
	char text[64];

	ASSERT_TRUE(read_file(REPORT_CHANNEL "state", text, sizeof(text)));
	EXPECT_STREQ("ready\n", text);
	ASSERT_TRUE(read_file(REPORT_CHANNEL "platform", text, sizeof(text)));
	EXPECT_STREQ(self->info.platform == CVM_PLATFORM_TDX ? "tdx\n" :
							       "snp\n", text);
}

/* the image would hold the keys */
TEST_F(module, hibernation)
{
	char states[64];

	ASSERT_TRUE(read_file("/sys/power/state", states, sizeof(states)));
	if (!strstr(states, "disk"))
		SKIP(return, "this kernel cannot hibernate");
	EXPECT_EQ(-EBUSY, write_file("/sys/power/state", "disk"));
}

TEST_HARNESS_MAIN
