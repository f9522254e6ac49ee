// SPDX-License-Identifier: GPL-2.0
/*
 * Every message that was ever encrypted under a VMPCK, in either direction:
 * with AES-GCM two plaintexts under one IV give away their XOR and the
 * authentication key. The log lives as long as the VM: it outlasts drivers
 * and kexec.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "fwd.h"

struct entry {
	bool used;
	uint32_t vmpck, repeats;
	uint64_t seqno;
	uint8_t hash[32];
};

/* open addressing; size is a power of two, never more than half full */
static struct entry *table;
static size_t size, used;
static uint64_t repeats, reused;

static struct entry *slot(struct entry *in, size_t n, uint32_t vmpck, uint64_t seqno)
{
	uint64_t i = (seqno * 4 + vmpck) * 0x9e3779b97f4a7c15ULL;

	for (i = (i >> 20) & (n - 1);; i = (i + 1) & (n - 1))
		if (!in[i].used || (in[i].vmpck == vmpck && in[i].seqno == seqno))
			return &in[i];
}

/* an IV log with a hole proves nothing, so without memory it is over */
static void grow(void)
{
	size_t bigger = size ? size * 2 : 1024, i;
	struct entry *to = calloc(bigger, sizeof(*to));

	if (!to) {
		perror("cvm-fwd: IV log");
		abort();
	}
	for (i = 0; i < size; i++)
		if (table[i].used)
			*slot(to, bigger, table[i].vmpck, table[i].seqno) = table[i];
	free(table);
	table = to;
	size = bigger;
}

static void write_line(FILE *log, const struct entry *entry)
{
	size_t i;

	fprintf(log, "vmpck=%u iv=%" PRIu64 " sha256=", entry->vmpck, entry->seqno);
	for (i = 0; i < sizeof(entry->hash); i++)
		fprintf(log, "%02x", entry->hash[i]);
	fprintf(log, "\n");
	fflush(log);
}

void ivlog_message(struct fwd *fwd, unsigned int vmpck, uint64_t seqno, const void *bytes,
		   size_t len)
{
	struct entry new = { .used = true, .vmpck = vmpck, .seqno = seqno }, *entry;

	EVP_Digest(bytes, len, new.hash, NULL, EVP_sha256(), NULL);
	if (fwd->log)
		write_line(fwd->log, &new);
	if (used * 2 >= size)
		grow();
	entry = slot(table, size, vmpck, seqno);
	if (!entry->used) {
		*entry = new;
		used++;
		return;
	}
	if (!memcmp(entry->hash, new.hash, sizeof(new.hash))) {
		entry->repeats++;
		repeats++;
		return;
	}
	reused++;
	violation(fwd, true, "IV %" PRIu64 " of VMPCK %u carried two plaintexts", seqno, vmpck);
}

void ivlog_status(FILE *out)
{
	fprintf(out, "ivs=%zu\niv_repeats=%" PRIu64 "\niv_reuse=%" PRIu64 "\n", used, repeats,
		reused);
}
