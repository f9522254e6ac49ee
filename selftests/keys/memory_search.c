// SPDX-License-Identifier: GPL-2.0
/*
 * memory_search IMAGE <SECRETS: looks for secrets in a VM's memory, in each of their
 * forms (forms.h), at each byte. A line of SECRETS is a name and hexadecimal digits.
 * Of what is found a line is printed for each secret and form:
 *	NAME FORM TIMES ADDRESS
 * ADDRESS is that of the first. A part of a secret that lies at the end of a page is
 * found as well: 8 bytes of it are enough, or 16 characters.
 * Exit status: 0 nothing is there; 1 something is; 2 it could not be searched.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forms.h"

#define PAGE		4096
#define MAX_SECRETS	128
#define HASH_BITS	22
#define HASH_SIZE	(1U << HASH_BITS)

/**
 * struct needle - a part of a form
 * @head: its first 8 bytes, as a number
 * @bytes: all of them
 * @len: how many
 * @secret: of which secret
 * @form: in which form
 */
struct needle {
	uint64_t head;
	uint8_t bytes[FORM_TEXT_PART];
	uint8_t len, secret, form;
};

static struct {
	char name[64];
	struct {
		unsigned long times;
		size_t first;
	} found[FORM_COUNT];
} secrets[MAX_SECRETS];
static unsigned int secret_count;

static struct needle *needles;
static size_t needle_count, needle_room;
/* needles by the hash of their heads: the first, and behind each the next; 0: none */
static uint32_t first[HASH_SIZE], *next;
/* whether there is any: small enough for a cache */
static uint64_t any[HASH_SIZE / 64];

__attribute__((noreturn))
static void die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t head_of(const uint8_t *bytes)
{
	uint64_t head;

	memcpy(&head, bytes, sizeof(head));
	return head;
}

static uint32_t hash(uint64_t head)
{
	return (uint32_t)(head * 0x9e3779b97f4a7c15 >> (64 - HASH_BITS));
}

static void add_needle(const uint8_t *bytes, size_t len, enum form form)
{
	struct needle needle = {
		.head = head_of(bytes), .len = (uint8_t)len,
		.secret = (uint8_t)(secret_count - 1), .form = (uint8_t)form,
	};

	if (needle_count == needle_room) {
		needle_room = needle_room ? 2 * needle_room : 1024;
		needles = realloc(needles, needle_room * sizeof(*needles));
		next = realloc(next, needle_room * sizeof(*next));
		if (!needles || !next)
			die("memory_search");
	}
	memcpy(needle.bytes, bytes, len);
	next[needle_count] = first[hash(needle.head)];
	needles[needle_count++] = needle;
	first[hash(needle.head)] = (uint32_t)needle_count;
	any[hash(needle.head) / 64] |= 1ULL << hash(needle.head) % 64;
}

static void add_form(void *context, enum form form, const uint8_t *bytes, size_t len, size_t part)
{
	size_t i;

	for (i = 0; i + part <= len; i++)
		add_needle(bytes + i, part, form);
}

static void read_secrets(void)
{
	char name[64], hex[2 * FORM_MAX_SECRET + 1];
	uint8_t bytes[FORM_MAX_SECRET];
	size_t len, i;

	while (scanf("%63s %256s", name, hex) == 2) {
		len = strlen(hex) / 2;
		for (i = 0; i < len && sscanf(hex + 2 * i, "%2hhx", &bytes[i]) == 1; i++)
			;
		if (strlen(hex) % 2 || i < len || len < FORM_PART ||
		    secret_count == MAX_SECRETS) {
			fprintf(stderr, "memory_search: not a secret: %s\n", name);
			exit(2);
		}
		strcpy(secrets[secret_count++].name, name);
		forms_of(bytes, len, add_form, NULL);
	}
	if (!secret_count) {
		fprintf(stderr, "memory_search: no secrets\n");
		exit(2);
	}
}

static void look_at(const uint8_t *memory, size_t at, size_t end)
{
	uint64_t head = head_of(memory + at);
	const struct needle *needle;
	uint32_t i = hash(head);

	if (!(any[i / 64] >> i % 64 & 1))
		return;
	for (i = first[i]; i; i = next[i - 1]) {
		needle = &needles[i - 1];
		if (needle->head != head || at + needle->len > end ||
		    memcmp(needle->bytes, memory + at, needle->len))
			continue;
		if (!secrets[needle->secret].found[needle->form].times++)
			secrets[needle->secret].found[needle->form].first = at;
	}
}

/* Pages of zeros are most of it; a needle may begin in one and end in the next. */
static void search(const uint8_t *memory, size_t size)
{
	static const uint8_t zeros[PAGE];
	size_t at = 0, page;

	while (at + FORM_PART <= size) {
		page = at - at % PAGE + PAGE;
		if (at % PAGE == 0 && page <= size && !memcmp(memory + at, zeros, PAGE))
			at = page - FORM_TEXT_PART + 1;
		for (; at < page && at + FORM_PART <= size; at++)
			look_at(memory, at, size);
	}
}

static bool print_found(void)
{
	bool found = false;
	unsigned int i, form;

	for (i = 0; i < secret_count; i++)
		for (form = 0; form < FORM_COUNT; form++) {
			if (!secrets[i].found[form].times)
				continue;
			printf("%s %s %lu 0x%zx\n", secrets[i].name, form_names[form],
			       secrets[i].found[form].times, secrets[i].found[form].first);
			found = true;
		}
	return found;
}

int main(int argc, char **argv)
{
	struct stat st;
	void *memory;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: memory_search IMAGE <SECRETS\n");
		return 2;
	}
	read_secrets();
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die(argv[1]);
	memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		die(argv[1]);
	search(memory, (size_t)st.st_size);
	return print_found();
}
