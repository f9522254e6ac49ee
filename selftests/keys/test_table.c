// SPDX-License-Identifier: GPL-2.0
/* The tables of disks, and what of a live one is taken for the same. */
#include <sys/sysmacros.h>

#include "disk/table.h"
#include "tap.h"

/* as kernels show it */
static const char chosen[] = " 7 block_size:4096 journal_sectors:88 interleave_sectors:32768"
			     " buffer_sectors:128 journal_watermark:50 commit_time:10000";

static struct cvm_dm live_table(const struct cvm_dm *asked, const char *options)
{
	struct cvm_dm live = *asked;

	live.exists = true;
	strcpy(strstr(live.params, " J ") + 2, options);
	return live;
}

static void test_integrity(void)
{
	static const char *const refused[] = {
		" 1 block_size:512",
		" 6 journal_sectors:88 interleave_sectors:32768 buffer_sectors:128",
		" 2 block_size:4096 internal_hash:crc32c",
		" 2 block_size:4096 allow_discards",
		" 2 block_size:4096 journal_crypt:cbc(aes):00",
		" 2 block_size:4096 meta_device:7:3",
		" 2 block_size:4096 recalculate",
		" 2 block_size:4096 journal_sectors:",
		" 2 block_size:4096 journal_sectors:8x",
		" 1 block_size:40960",
		"",
	};
	struct cvm_dm asked, live;

	cvm_integrity_table(&asked, makedev(7, 1), 8192);
	live = live_table(&asked, chosen);
	check(cvm_integrity_same(&live, &asked), "what the kernel has chosen is its own");
	live = live_table(&asked, " 1 block_size:4096");
	check(cvm_integrity_same(&live, &asked), "and what was asked for is");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		live = live_table(&asked, refused[i]);
		check(!cvm_integrity_same(&live, &asked), "refused:%s", refused[i]);
	}
	live = live_table(&asked, chosen);
	live.params[0] = '8';
	check(!cvm_integrity_same(&live, &asked), "another device");
	live = live_table(&asked, chosen);
	live.sectors = 8;
	check(!cvm_integrity_same(&live, &asked), "another size");
	check(cvm_integrity_below(&live) == makedev(7, 1), "the device below");
}

static void test_crypt(void)
{
	struct cvm_dm asked, live;

	cvm_crypt_table(&asked, CVM_DISK_XTS, "cvm:data", makedev(7, 1), 0, 8192);
	live = asked;
	live.exists = true;
	check(cvm_crypt_same(&live, &asked), "as it was asked for");
	check(cvm_crypt_below(&live) == makedev(7, 1), "the device below");
	strcat(live.params, " allow_discards");
	check(!cvm_crypt_same(&live, &asked), "another option");
	live = asked;
	live.exists = true;
	live.targets = 2;
	check(!cvm_crypt_same(&live, &asked), "another target behind it");
}

static void test_names(void)
{
	check(cvm_disk_name_valid("data") && cvm_disk_name_valid("data-integrity"), "names");
	check(!cvm_disk_name_valid("data+tags"), "no disk can be another's tags");
	check(!cvm_disk_name_valid("control") && cvm_disk_name_valid("control1"),
	      "nor device-mapper's own node");
	check(!cvm_disk_name_valid("") && !cvm_disk_name_valid("..") && !cvm_disk_name_valid("a/b"),
	      "nor a path");
}

int main(void)
{
	test_integrity();
	test_crypt();
	test_names();
	return tap_end();
}
