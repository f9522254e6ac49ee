// SPDX-License-Identifier: GPL-2.0
/*
 * Asks a running cvm-fwd, for tests written in shell:
 *   fw_ask SOCKET report REPORT_DATA_HEX VMPL KEY_SEL REPORT_FILE CERTS_FILE
 *   fw_ask SOCKET key ROOT_SELECT FIELD_SELECT VMPL SVN TCB MITIGATIONS    numbers as in C;
 *                             prints what is derived for this guest, in hex
 *   fw_ask SOCKET set KEY=VALUE...
 *   fw_ask SOCKET status
 *   fw_ask SOCKET time N      mean time of N reports, in us
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fw_client.h"

static struct fw_reply reply;

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror(path);
		exit(1);
	}
	return fd;
}

static int save(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	return !file || fwrite(bytes, 1, len, file) != len || fclose(file);
}

static int report(int fd, char **args)
{
	struct fw_sim_report req = {
		.vmpl = (__u32)atoi(args[1]), .key_sel = (__u32)atoi(args[2]),
	};
	unsigned int i, byte;

	for (i = 0; i < 64 && sscanf(args[0] + 2 * i, "%2x", &byte) == 1; i++)
		req.report_data[i] = (uint8_t)byte;
	fw_call(fd, FW_SIM_REPORT, &req, sizeof(req), &reply);
	if (reply.head.status || reply.head.len < 1184) {
		fprintf(stderr, "fw_ask: status 0x%llx\n", (unsigned long long)reply.head.status);
		return 1;
	}
	return save(args[3], reply.data, 1184) ||
	       save(args[4], reply.data + 1184, reply.head.len - 1184);
}

/* MSG_KEY_REQ, of the SNP ABI */
static int key(int fd, char **args)
{
	struct {
		__u32 root_select, reserved;
		__u64 field_select;
		__u32 vmpl, svn;
		__u64 tcb, mitigations;
	} req = {
		.root_select = (__u32)strtoul(args[0], NULL, 0),
		.field_select = strtoull(args[1], NULL, 0),
		.vmpl = (__u32)strtoul(args[2], NULL, 0),
		.svn = (__u32)strtoul(args[3], NULL, 0),
		.tcb = strtoull(args[4], NULL, 0),
		.mitigations = strtoull(args[5], NULL, 0),
	};
	unsigned int i;

	fw_call(fd, FW_SIM_KEY, &req, sizeof(req), &reply);
	if (reply.head.status || reply.head.len != 32) {
		fprintf(stderr, "fw_ask: status 0x%llx\n", (unsigned long long)reply.head.status);
		return 1;
	}
	for (i = 0; i < reply.head.len; i++)
		printf("%02x", reply.data[i]);
	printf("\n");
	return 0;
}

static int mean_time(int fd, int n)
{
	struct fw_sim_report req = { 0 };
	struct timespec from, to;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < n; i++)
		fw_call(fd, FW_SIM_REPORT, &req, sizeof(req), &reply);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.0f\n", ((double)(to.tv_sec - from.tv_sec) * 1e6 +
			  (double)(to.tv_nsec - from.tv_nsec) / 1e3) / n);
	return 0;
}

int main(int argc, char **argv)
{
	int fd, ret = 0;

	if (argc < 3)
		return 2;
	fd = connect_to(argv[1]);
	if (!strcmp(argv[2], "report") && argc == 8)
		return report(fd, argv + 3);
	if (!strcmp(argv[2], "key") && argc == 9)
		return key(fd, argv + 3);
	if (!strcmp(argv[2], "time") && argc == 4)
		return mean_time(fd, atoi(argv[3]));
	if (!strcmp(argv[2], "status")) {
		fw_call(fd, FW_STATUS, NULL, 0, &reply);
		fwrite(reply.data, 1, reply.head.len, stdout);
		return 0;
	}
	for (argv += 3; *argv; argv++)
		ret |= !fw_set(fd, *argv);
	return ret;
}
