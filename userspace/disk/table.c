// SPDX-License-Identifier: MIT
/* Documentation/admin-guide/device-mapper/dm-crypt.rst, dm-integrity.rst. */
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "common/util.h"
#include "table.h"

/* no other cipher can be asked for, so a null cipher cannot */
static const struct {
	const char *cipher, *key_type, *options;
} crypt[] = {
	[CVM_DISK_XTS]	    = { "aes-xts-plain64", "encrypted", "1 sector_size:4096" },
	[CVM_DISK_XTS_HMAC] = { "capi:authenc(hmac(sha256),xts(aes))-plain64", "encrypted",
				"2 integrity:32:aead sector_size:4096" },
	[CVM_DISK_LUKS2]    = { "aes-xts-plain64", "logon", "1 sector_size:4096" },
};

_Static_assert(CVM_DISK_SECTOR == 4096 && CVM_DISK_TAG == 32, "what the tables say");

void cvm_crypt_table(struct cvm_dm *table, enum cvm_disk_cipher cipher, const char *key,
		     dev_t below, uint64_t start, uint64_t sectors)
{
	memset(table, 0, sizeof(*table));
	strcpy(table->type, "crypt");
	table->targets = 1;
	table->sectors = sectors;
	snprintf(table->params, sizeof(table->params), "%s :%zu:%s:%s 0 %u:%u %llu %s",
		 crypt[cipher].cipher, cvm_disk_key_len(cipher), crypt[cipher].key_type, key,
		 major(below), minor(below), (unsigned long long)start, crypt[cipher].options);
}

void cvm_integrity_table(struct cvm_dm *table, dev_t below, uint64_t sectors)
{
	memset(table, 0, sizeof(*table));
	strcpy(table->type, "integrity");
	table->targets = 1;
	table->sectors = sectors;
	snprintf(table->params, sizeof(table->params), "%u:%u 0 %d J 1 block_size:%u",
		 major(below), minor(below), CVM_DISK_TAG, CVM_DISK_SECTOR);
}

static bool same_target(const struct cvm_dm *live, const struct cvm_dm *asked)
{
	return live->exists && live->targets == 1 && live->sectors == asked->sectors &&
	       !strcmp(live->type, asked->type);
}

bool cvm_crypt_same(const struct cvm_dm *live, const struct cvm_dm *asked)
{
	return same_target(live, asked) && !strcmp(live->params, asked->params);
}

/* what the kernel adds of its own, or finds in the superblock: sizes of journal and buffers */
static bool may_be_added(const char *word, size_t len)
{
	static const char *const sizes[] = {
		"journal_sectors:", "interleave_sectors:", "buffer_sectors:",
		"journal_watermark:", "commit_time:",
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t name = strlen(sizes[i]);

		if (len > name && !strncmp(word, sizes[i], name) &&
		    strspn(word + name, "0123456789") == len - name)
			return true;
	}
	return false;
}

bool cvm_integrity_same(const struct cvm_dm *live, const struct cvm_dm *asked)
{
	static const char block_size[] = "block_size:4096";
	size_t mode = (size_t)(strstr(asked->params, " J ") - asked->params) + strlen(" J ");
	bool found = false;
	const char *word;
	size_t len;

	if (!same_target(live, asked) || strncmp(live->params, asked->params, mode))
		return false;
	/* behind their number */
	word = live->params + mode;
	word += strspn(word, "0123456789");
	for (; *word; word += len) {
		word += strspn(word, " ");
		len = strcspn(word, " ");
		if (len == strlen(block_size) && !strncmp(word, block_size, len))
			found = true;
		else if (len && !may_be_added(word, len))
			return false;
	}
	return found;
}

dev_t cvm_crypt_below(const struct cvm_dm *live)
{
	unsigned int first, second;

	if (sscanf(live->params, "%*s %*s 0 %u:%u 0 ", &first, &second) != 2)
		return 0;
	return makedev(first, second);
}

dev_t cvm_integrity_below(const struct cvm_dm *live)
{
	unsigned int first, second;

	return sscanf(live->params, "%u:%u 0 ", &first, &second) == 2 ? makedev(first, second) : 0;
}
