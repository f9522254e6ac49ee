// SPDX-License-Identifier: GPL-2.0
/*
 * find_key PID POINT: how often the private key of this public one is in that process's
 * memory. POINT is one of P-256, uncompressed, in hexadecimal. Tries what looks random, at
 * every eighth byte, in either order of bytes.
 */
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define REGION_MAX	(64UL << 20)
#define KEY_LEN		32

static EC_GROUP *group;
static EC_POINT *point;
static BN_CTX *scratch;

static bool is_key(const BIGNUM *n, const char *wanted)
{
	char *got = EC_POINT_mul(group, point, n, NULL, NULL, scratch) ?
		    EC_POINT_point2hex(group, point, POINT_CONVERSION_UNCOMPRESSED, scratch) : NULL;
	bool same = got && !strcasecmp(got, wanted);

	OPENSSL_free(got);
	return same;
}

/* of a key each word has something in its upper bits; what is none is rarely so */
static bool looks_random(const unsigned char *data)
{
	uint64_t words[KEY_LEN / 8];

	memcpy(words, data, sizeof(words));
	for (size_t i = 0; i < KEY_LEN / 8; i++)
		if (!(words[i] >> 44) || !(words[i] << 20))
			return false;
	return true;
}

static unsigned int search(const unsigned char *data, size_t len, const char *wanted)
{
	unsigned int found = 0;

	for (size_t at = 0; at + KEY_LEN <= len; at += 8) {
		BIGNUM *little, *big;

		if (!looks_random(data + at))
			continue;
		little = BN_lebin2bn(data + at, KEY_LEN, NULL);
		big = BN_bin2bn(data + at, KEY_LEN, NULL);
		found += is_key(little, wanted) || is_key(big, wanted);
		BN_free(little);
		BN_free(big);
	}
	return found;
}

static unsigned int search_region(int memory, unsigned long from, unsigned long to,
				  const char *wanted)
{
	unsigned char *data = to - from <= REGION_MAX ? malloc(to - from) : NULL;
	unsigned int found = 0;

	if (data && pread(memory, data, to - from, (off_t)from) == (ssize_t)(to - from))
		found = search(data, to - from, wanted);
	free(data);
	return found;
}

int main(int argc, char **argv)
{
	char path[64], line[1024], mode[5];
	unsigned long from, to;
	unsigned int found = 0;
	int memory = -1;
	FILE *maps = NULL;

	if (argc == 3) {
		snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
		maps = fopen(path, "re");
		snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
		memory = open(path, O_RDONLY | O_CLOEXEC);
	}
	group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	point = group ? EC_POINT_new(group) : NULL;
	scratch = BN_CTX_new();
	if (!maps || memory < 0 || !point || !scratch) {
		perror("find_key");
		return 1;
	}
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 && mode[1] == 'w')
			found += search_region(memory, from, to, argv[2]);
	printf("%u\n", found);
	return 0;
}
