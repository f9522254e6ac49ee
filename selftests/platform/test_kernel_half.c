// SPDX-License-Identifier: GPL-2.0
/*
 * The simulator's kernel half, in a VM: what a driver may do passes, what
 * hardware would punish is found, and no daemon, however it behaves, hangs or
 * breaks the kernel. cvm_sim_misuse.ko is the driver; sim_daemon.c the daemon.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../lib/tap.h"
#include "kernel_rules.h"

#define DIR		"/sys/kernel/cvm_platform_sim/"
#define PARAMETERS	"/sys/module/cvm_sim_misuse/parameters/"

static const struct sim_script plain;

static long read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long value = -1;

	if (!file || fscanf(file, "%ld", &value) != 1)
		value = -1;
	if (file)
		fclose(file);
	return value;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* KEY=VALUE of the file seam */
static long seam(const char *key)
{
	FILE *file = fopen(DIR "seam", "r");
	char line[256];
	long value = -1;
	size_t len = strlen(key);

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len) && line[len] == '=')
			value = atol(line + len + 1);
	if (file)
		fclose(file);
	return value;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void nap(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 },
		  NULL);
}

static bool load(const char *path, const char *options)
{
	int fd = open(path, O_RDONLY);
	bool good = fd >= 0 && !syscall(SYS_finit_module, fd, options, 0);

	if (!good)
		printf("# %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

static bool unload(const char *name)
{
	return !syscall(SYS_delete_module, name, O_NONBLOCK);
}

static long run_case(const char *name)
{
	int ret = write_text(PARAMETERS "run", name);

	return ret ? ret : read_number(PARAMETERS "result");
}

/* ---- the rules ---- */

static const struct rule never_answered = {
	.name = "tdx_stuck", .script.delay_ns = ~0ULL, .leaks = 1,
};

static bool kernel_has(const char *symbol)
{
	char command[128];

	snprintf(command, sizeof(command), "grep -q ' %s$' /proc/kallsyms", symbol);
	return !system(command);
}

/* the kernel that extends RTMRs tells a busy operand from other failures */
static long expected(const struct rule *rule)
{
	static int newer = -1;

	if (newer < 0)
		newer = kernel_has("tdx_mcall_extend_rtmr");
	switch (rule->result) {
	case TDCALL_INVALID:
		return newer ? -ENXIO : -EINVAL;
	case TDCALL_BUSY:
		return newer ? -EBUSY : -EIO;
	default:
		return rule->result;
	}
}

static void check_rule(const struct rule *rule)
{
	long before = read_number(DIR "violations"), shared = read_number(DIR "shared_pages");
	char path[64], what[128];
	long result, found;

	sim_daemon_script(&rule->script);
	if (rule->fail) {
		snprintf(path, sizeof(path), DIR "%s", rule->fail);
		write_text(path, "1");
	}
	result = run_case(rule->name);
	/* a double read is told by an interrupt, a moment later */
	nap(2);
	found = read_number(DIR "violations") - before;
	snprintf(what, sizeof(what), "%s%s%s: %s", rule->name, rule->fail ? ", " : "",
		 rule->fail ? rule->fail : "", rule->violations ? "found" : "passes");
	if (!check(result == expected(rule) && found == rule->violations &&
		   read_number(DIR "shared_pages") == shared + rule->leaks, "%s", what))
		printf("# result %ld, not %ld; violations %ld, not %ld; %ld pages left shared\n",
		       result, expected(rule), found, rule->violations,
		       read_number(DIR "shared_pages") - shared);
}

static void check_rules(const struct rule *rules)
{
	for (; rules->name; rules++)
		check_rule(rules);
	sim_daemon_script(&plain);
}

/* ---- time ---- */

static void check_time(const char *what, struct sim_script script, double ms, bool held)
{
	double start;

	write_text(DIR "seam", "0");
	sim_daemon_script(&script);
	start = now_ms();
	run_case("snp_right");
	start = now_ms() - start;
	sim_daemon_script(&plain);
	check(start >= ms && (double)seam("t_sum_ns") / 1e6 >= ms &&
	      seam("held_ns") == (held ? (long)(ms * 1e6) : 0) && seam("requests") == 1 &&
	      !seam("in_flight"), "%s: %.1f ms, T %.1f ms", what, start,
	      (double)seam("t_sum_ns") / 1e6);
}

static void check_times(void)
{
	check_time("an answer after 40 ms", (struct sim_script){ .delay_ns = 40 * MS }, 40, false);
	check_time("a CPU held for 40 ms", (struct sim_script){ .delay_ns = 40 * MS,
		   .flags = FW_HOLD_CPU }, 40, true);
	write_text(DIR "seam", "0");
	sim_daemon_script(&(struct sim_script){ .status = BUSY });
	run_case("snp_right");
	check(seam("busy") == 1 && !seam("requests"), "a throttled request has no T");
	sim_daemon_script(&(struct sim_script){ .status = GENERIC });
	run_case("snp_right");
	check(seam("failed") == 1 && !seam("requests"), "a failed request has no T");
	sim_daemon_script(&plain);
}

/* ---- the link ---- */

static void *run_in_thread(void *name)
{
	return (void *)run_case(name);
}

/* asks what nobody answers, then does something to the link: no hang */
static void check_cut(const char *what, const char *name, void (*cut)(void))
{
	/* all that the kernel says of an SVSM */
	long dead = strstr(name, "svsm") ? -EINVAL : -EIO;
	pthread_t thread;
	void *result;
	double start;

	sim_daemon_script(&(struct sim_script){ .silent = true });
	pthread_create(&thread, NULL, run_in_thread, (void *)name);
	sim_daemon_await_request();
	start = now_ms();
	cut();
	pthread_join(thread, &result);
	sim_daemon_script(&plain);
	if (!check((long)result == dead && now_ms() - start < 10000, "%s", what))
		printf("# result %ld after %.0f ms\n", (long)result, now_ms() - start);
}

static void send_garbage(void)
{
	char garbage[64];

	memset(garbage, 0xee, sizeof(garbage));
	check(sim_daemon_write(garbage, sizeof(garbage)) < 0 && errno == EBADMSG,
	      "what is no frame is refused");
}

static void send_long_frame(void)
{
	struct fw_frame frame = { .magic = FW_MAGIC, .type = FW_STATUS,
				  .len = FW_MAX_PAYLOAD + 1 };

	check(sim_daemon_write(&frame, sizeof(frame)) < 0 && errno == EBADMSG,
	      "a frame that is too long is refused");
}

/* quotes in flight, or at which VMPL */
static uint32_t many(enum fw_platform platform)
{
	return platform == FW_PLATFORM_TDX ? 2 : 0;
}

static void reopen(enum fw_platform platform)
{
	sim_daemon_close();
	check(!sim_daemon_open(platform, many(platform)), "the device opens again");
}

static void check_link(enum fw_platform platform, const char *request)
{
	struct fw_frame stray = { .magic = FW_MAGIC, .type = FW_STATUS, .id = 1 << 30 };
	struct pollfd poll_in = { .events = POLLIN };

	check(open("/dev/cvm-fw", O_RDWR) < 0 && errno == EBUSY, "one opener at a time");
	check(sim_daemon_write(&stray, sizeof(stray)) == sizeof(stray),
	      "an answer to nothing is dropped");
	check_cut("closing answers who waits", request, sim_daemon_close);
	check(run_case(request) == -EIO, "without a daemon: -EIO");
	check(!sim_daemon_open(platform, many(platform)), "the device opens again");
	check_cut("garbage answers who waits", request, send_garbage);
	poll_in.fd = sim_daemon_fd();
	check(poll(&poll_in, 1, 0) == 1 && (poll_in.revents & POLLERR), "poll() says so");
	reopen(platform);
	check_cut("an endless frame answers who waits", request, send_long_frame);
	reopen(platform);
	check(run_case(request) >= 0, "and all is well again");
}

static void check_control(void)
{
	char text[64] = "";
	int fd = open(DIR "status", O_RDONLY);

	check(!write_text(DIR "control", "a=1\nb=2\n"), "control: taken");
	check(write_text(DIR "control", "!=1") == -EINVAL, "control: refused");
	check(!write_text(DIR "control", "fail_decrypt_n=7") &&
	      read_number(DIR "fail_decrypt_n") == 7, "control: the kernel half's own");
	check(write_text(DIR "control", "fail_decrypt_n=x") == -EINVAL,
	      "control: no number");
	write_text(DIR "fail_decrypt_n", "0");
	check(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && !strcmp(text, "it=works\n"),
	      "status");
	close(fd);
}

/* ---- a whole platform ---- */

static unsigned int heard_before;

static long heard(void)
{
	return (long)(sim_daemon_violations() - heard_before);
}

static bool start(const char *sim, enum fw_platform platform, uint32_t count)
{
	int tries = 500;

	heard_before = sim_daemon_violations();
	if (!load(sim, "") || sim_daemon_open(platform, count))
		return false;
	while (read_number(DIR "ready") != 1 && tries--)
		nap(10);
	return tries > 0;
}

static void finish(void)
{
	int tries = 200;

	while (heard() < read_number(DIR "violations") && tries--)
		nap(10);
	check(heard() == read_number(DIR "violations"),
	      "the daemon heard of all %ld violations", read_number(DIR "violations"));
	check(!unload("cvm_platform_sim") && errno == EWOULDBLOCK,
	      "the module stays while the device is open");
	sim_daemon_close();
	check(unload("cvm_platform_sim"), "the module unloads");
}

static void check_snp(const char *sim)
{
	check(start(sim, FW_PLATFORM_SNP, 0), "SNP: armed");
	check(seam("read_once_checked") == 1, "double reads are checked");
	check_rules(page_rules);
	check_rules(snp_rules);
	check_times();
	check_control();
	check_link(FW_PLATFORM_SNP, "snp_right");
	finish();
}

static void check_svsm(const char *sim)
{
	bool armed = start(sim, FW_PLATFORM_SNP, 1);

	if (!kernel_has("snp_issue_svsm_attest_req")) {
		check(!armed, "SVSM: not under a kernel that knows nothing of it");
		sim_daemon_close();
		check(unload("cvm_platform_sim"), "the module unloads");
		return;
	}
	check(armed, "SVSM: armed");
	check_rules(svsm_rules);
	check_cut("closing answers a call of the SVSM", "svsm_right", sim_daemon_close);
	check(!sim_daemon_open(FW_PLATFORM_SNP, 1), "the device opens again");
	finish();
	check(run_case("svsm_right") == -EINVAL, "at VMPL 0 the kernel calls nobody");
}

static void check_tdx(const char *sim)
{
	bool armed = start(sim, FW_PLATFORM_TDX, many(FW_PLATFORM_TDX));

	if (!kernel_has("tdx_hcall_get_quote")) {
		check(!armed, "TDX: not on a kernel that knows nothing of it");
		sim_daemon_close();
		check(unload("cvm_platform_sim"), "the module unloads");
		return;
	}
	check(armed, "TDX: armed");
	check(!system("grep -q tdx_guest /proc/cpuinfo"), "the CPU says so");
	check_rules(tdx_rules);
	check_cut("closing answers a quote in flight", "tdx_quote", sim_daemon_close);
	check(!sim_daemon_open(FW_PLATFORM_TDX, 2), "the device opens again");
	check_link(FW_PLATFORM_TDX, "tdx_report");
	check_rule(&never_answered);
	finish();
	check(system("grep -q tdx_guest /proc/cpuinfo"), "the CPU says so no more");
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: test_kernel_half SIMULATOR.ko MISUSE.ko\n");
		return 2;
	}
	if (!load(argv[1], "") || !load(argv[2], "") || !unload("cvm_platform_sim")) {
		printf("Bail out! the modules do not load\n");
		return 1;
	}
	check_snp(argv[1]);
	check_svsm(argv[1]);
	check_tdx(argv[1]);
	check(unload("cvm_sim_misuse"), "the driver unloads");
	return tap_end();
}
