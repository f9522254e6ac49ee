// SPDX-License-Identifier: GPL-2.0
/*
 * drop_in_crowd [THREADS [ROUNDS]]: many at once on /dev/sev-guest or
 * /dev/tdx_guest, some by a file of their own and some by one that they share.
 * Each asks for reports with data that is his alone, and for keys that are known
 * beforehand; every answer must be his. Prints TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/sev-guest.h>
#include <linux/tdx-guest.h>

#define SEV_NODE	"/dev/sev-guest"
#define TDX_NODE	"/dev/tdx_guest"
#define PAGE		4096
#define CERTS		(4 * PAGE)
#define REPORT		0x20	/* in a response */
#define REPORT_DATA	(REPORT + 0x50)
#define KEY		0x20
#define KEYS		32
#define TDREPORT_DATA	128

static struct snp_derived_key_resp keys[KEYS];
static int shared_dev;
static bool tdx;
static int rounds = 20;
static atomic_int wrong, failed, asked;

struct member {
	pthread_t thread;
	unsigned int number;
	int dev;
};

/* no two are the same, nor any two parts of one */
static void own_data(uint8_t data[64], unsigned int number, unsigned int round)
{
	uint32_t words[16];

	for (unsigned int i = 0; i < 16; i++)
		words[i] = (number << 16 | round) * 2654435761U + i * 0x9e3779b9U;
	memcpy(data, words, 64);
}

static int snp_call(int dev, unsigned long cmd, void *req, void *resp)
{
	struct snp_guest_request_ioctl arg = {
		.msg_version = 1,
		.req_data = (uintptr_t)req,
		.resp_data = (uintptr_t)resp,
	};
	int ret = ioctl(dev, cmd, &arg);

	asked++;
	if (ret)
		fprintf(stderr, "# ioctl %#lx: %s, exitinfo2 %#llx\n", cmd, strerror(errno),
			(unsigned long long)arg.exitinfo2);
	failed += !!ret;
	return ret;
}

static void expect(bool good)
{
	wrong += !good;
}

static int derive(int dev, unsigned int which, struct snp_derived_key_resp *resp)
{
	struct snp_derived_key_req req = { .guest_field_select = which };

	return snp_call(dev, SNP_GET_DERIVED_KEY, &req, resp);
}

static void ask_report(int dev, const uint8_t data[64])
{
	struct snp_report_req req = { .vmpl = 1 };
	struct snp_report_resp resp;

	memcpy(req.user_data, data, 64);
	if (!snp_call(dev, SNP_GET_REPORT, &req, &resp))
		expect(!memcmp(resp.data + REPORT_DATA, data, 64));
}

static void ask_ext_report(int dev, const uint8_t data[64])
{
	uint8_t *certs = aligned_alloc(PAGE, CERTS);
	struct snp_ext_report_req req = { .certs_address = (uintptr_t)certs, .certs_len = CERTS };
	struct snp_report_resp resp;

	memcpy(req.data.user_data, data, 64);
	memset(certs, 0, CERTS);
	if (!snp_call(dev, SNP_GET_EXT_REPORT, &req, &resp))
		expect(!memcmp(resp.data + REPORT_DATA, data, 64) && certs[16]);
	free(certs);
}

static void ask_key(int dev, unsigned int which)
{
	struct snp_derived_key_resp resp;

	if (!derive(dev, which, &resp))
		expect(!memcmp(resp.data, keys[which].data, sizeof(resp.data)));
}

static void ask_tdreport(int dev, const uint8_t data[64])
{
	struct tdx_report_req req = { 0 };

	memcpy(req.reportdata, data, 64);
	asked++;
	if (ioctl(dev, TDX_CMD_GET_REPORT0, &req))
		failed++;
	else
		expect(!memcmp(req.tdreport + TDREPORT_DATA, data, 64));
}

static void ask(const struct member *member, unsigned int round)
{
	uint8_t data[64];

	own_data(data, member->number, round);
	if (tdx)
		ask_tdreport(member->dev, data);
	else if (round % 3 == 1)
		ask_key(member->dev, (member->number + round) % KEYS);
	else if (round % 6 == 2)
		ask_ext_report(member->dev, data);
	else
		ask_report(member->dev, data);
}

static void *run(void *arg)
{
	struct member *member = arg;

	for (int round = 0; round < rounds; round++)
		ask(member, (unsigned int)round);
	return NULL;
}

/* each is another, or the test could not tell whose an answer is */
static bool learn_keys(void)
{
	for (unsigned int i = 0; i < KEYS; i++) {
		if (derive(shared_dev, i, &keys[i]) || keys[i].data[0])
			return false;
		for (unsigned int j = 0; j < i; j++)
			if (!memcmp(keys[i].data + KEY, keys[j].data + KEY, 32))
				return false;
	}
	return true;
}

static int open_node(void)
{
	int fd = open(SEV_NODE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	tdx = true;
	return open(TDX_NODE, O_RDWR | O_CLOEXEC);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 64;
	struct member *members = calloc((size_t)count, sizeof(*members));
	bool good;

	if (argc > 2)
		rounds = atoi(argv[2]);
	shared_dev = open_node();
	if (shared_dev < 0 || !members) {
		printf("1..0 # SKIP neither " SEV_NODE " nor " TDX_NODE "\n");
		return 0;
	}
	good = tdx || learn_keys();
	printf("%sok 1 - %d keys, each another\n", good ? "" : "not ", tdx ? 0 : KEYS);
	asked = 0;
	for (int i = 0; i < count; i++) {
		members[i].number = (unsigned int)i;
		members[i].dev = i % 2 ? shared_dev : open_node();
		pthread_create(&members[i].thread, NULL, run, &members[i]);
	}
	for (int i = 0; i < count; i++)
		pthread_join(members[i].thread, NULL);
	printf("%sok 2 - %d at once: none of %d calls fails\n",
	       failed || asked != count * rounds ? "not " : "", count, asked);
	printf("%sok 3 - and every answer is its asker's\n", wrong ? "not " : "");
	printf("1..3\n");
	return !good || failed || wrong;
}
