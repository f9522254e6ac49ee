// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware's own keys against those that are made of them:
 *   key_client raw >FILE	by the in-tree driver, a line of hexadecimal each
 *   key_client derived <FILE	/dev/cvm/key, compared with OpenSSL's HKDF
 *   key_client of [VMPL]	/dev/cvm/key, one key, or why there is none
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/sev-guest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "derive.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define RAW		32
#define RAW_AT		32

/* what the firmware is asked; the last ones it refuses */
static const struct ask {
	__u32 root, mix, vmpl, guest_svn;
	__u64 tcb;
} asks[] = {
	{ CVM_ROOT_VCEK, 0, 0, 0, 0 },
	{ CVM_ROOT_VMRK, 0, 0, 0, 0 },
	{ CVM_ROOT_VCEK, CVM_MIX_POLICY, 0, 0, 0 },
	{ CVM_ROOT_VCEK, CVM_MIX_IMAGE_ID, 0, 0, 0 },
	{ CVM_ROOT_VCEK, CVM_MIX_FAMILY_ID, 0, 0, 0 },
	{ CVM_ROOT_VCEK, CVM_MIX_MEASUREMENT, 0, 0, 0 },
	{ CVM_ROOT_VCEK, CVM_MIX_MEASUREMENT, 3, 0, 0 },
	{ CVM_ROOT_VMRK, 0xf, 2, 0, 0 },
	{ CVM_ROOT_VCEK, CVM_MIX_GUEST_SVN, 0, 0, 0 },
	{ CVM_ROOT_VCEK, CVM_MIX_TCB, 0, 0, 0 },
	{ CVM_ROOT_VCEK, 0x3f, 1, 0, 1 },
	{ CVM_ROOT_VCEK, CVM_MIX_GUEST_SVN, 0, 0x7fffffff, 0 },
	{ CVM_ROOT_VCEK, CVM_MIX_TCB, 0, 0, ~0ULL },
};

static const unsigned char salt[] = "salt of this test";
static const char label[] = "label";

static int raw(int fd, const struct ask *ask, unsigned char key[RAW])
{
	struct snp_derived_key_req req = {
		.root_key_select = ask->root,
		.guest_field_select = ask->mix,
		.vmpl = ask->vmpl,
		.guest_svn = ask->guest_svn,
		.tcb_version = ask->tcb,
	};
	struct snp_derived_key_resp resp = { 0 };
	struct snp_guest_request_ioctl call = {
		.msg_version = 1,
		.req_data = (unsigned long)&req,
		.resp_data = (unsigned long)&resp,
	};
	__u32 status;

	if (ioctl(fd, SNP_GET_DERIVED_KEY, &call))
		return -errno;
	memcpy(&status, resp.data, sizeof(status));
	memcpy(key, resp.data + RAW_AT, RAW);
	return status ? -EIO : 0;
}

static int print_raw(void)
{
	int fd = open("/dev/sev-guest", O_RDWR | O_CLOEXEC);
	unsigned char key[RAW];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(asks); i++) {
		if (raw(fd, &asks[i], key)) {
			puts("refused");
			continue;
		}
		for (j = 0; j < RAW; j++)
			printf("%02x", key[j]);
		puts("");
	}
	return fd < 0;
}

/* what the UAPI header says of a key */
static size_t info_of(const struct cvm_derived *key, unsigned char *info)
{
	static const char context[] = "cvm-guest key 1";
	unsigned char *p = info;

	memcpy(p, context, sizeof(context));
	p += sizeof(context);
	*p++ = key->purpose;
	*p++ = key->length;
	*p++ = key->length >> 8;
	*p++ = key->label_len;
	*p++ = key->label_len >> 8;
	memcpy(p, label, key->label_len);
	return p + key->label_len - info;
}

static bool expected(unsigned char *ikm, const struct derive *d,
		     unsigned char *out)
{
	unsigned char info[256];
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA512", 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, ikm, RAW),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info, 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt,
					d->call.salt_len),
		OSSL_PARAM_END,
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	bool good;

	params[2].data_size = info_of(&d->key, info);
	/* an empty salt is none */
	if (!d->call.salt_len)
		params[3] = OSSL_PARAM_construct_end();
	good = ctx && EVP_KDF_derive(ctx, out, d->key.length, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good;
}

static void fill(struct derive *d, const struct ask *ask, size_t i)
{
	static const __u32 lengths[] = { 16, 32, 64, 96, 128, 17 };

	derive_init(d);
	d->call.root = ask->root;
	d->call.mix = ask->mix;
	d->call.flags = CVM_DERIVE_VMPL;
	d->call.vmpl = ask->vmpl;
	d->call.guest_svn = ask->guest_svn;
	d->call.tcb = ask->tcb;
	d->call.salt = (unsigned long)salt;
	d->call.salt_len = i % 3 ? sizeof(salt) : 0;
	d->key.purpose = i % 2 ? CVM_PURPOSE_KEY : CVM_PURPOSE_MAC;
	d->key.length = lengths[i % ARRAY_SIZE(lengths)];
	d->label = i % 4 ? label : NULL;
}

/* @line: of FILE */
static bool same(int fd, size_t i, const char *line)
{
	unsigned char ikm[RAW], out[CVM_MAX_KEY] = { 0 };
	struct derive d;
	size_t j;
	int ret;

	fill(&d, &asks[i], i);
	ret = derive(fd, &d);
	if (!strncmp(line, "refused", 7))
		return ret == -EIO && d.call.platform_status == 0x16;
	for (j = 0; j < RAW; j++)
		if (sscanf(line + 2 * j, "%2hhx", &ikm[j]) != 1)
			return false;
	return !ret && expected(ikm, &d, out) &&
	       !memcmp(d.bytes, out, sizeof(out));
}

static int compare(void)
{
	int fd = open(KEY_NODE, O_RDWR | O_CLOEXEC), wrong = 0;
	char line[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(asks); i++) {
		if (fgets(line, sizeof(line), stdin) && same(fd, i, line))
			continue;
		printf("# key %zu is another one\n", i);
		wrong++;
	}
	return fd < 0 || wrong;
}

/* @vmpl: NULL: none is named */
static int print_of(const char *vmpl)
{
	int fd = open(KEY_NODE, O_RDWR | O_CLOEXEC), ret;
	struct derive d;
	size_t i;

	derive_init(&d);
	if (vmpl) {
		d.call.flags = CVM_DERIVE_VMPL;
		d.call.vmpl = strtoul(vmpl, NULL, 0);
	}
	ret = derive(fd, &d);
	printf("result=%d key=", ret);
	for (i = 0; i < d.key.length; i++)
		printf("%02x", d.bytes[i]);
	puts("");
	return fd < 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "raw"))
		return print_raw();
	if (argc >= 2 && argc <= 3 && !strcmp(argv[1], "of"))
		return print_of(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "derived"))
		return compare();
	fprintf(stderr, "usage: key_client raw|derived|of [VMPL]\n");
	return 2;
}
