// SPDX-License-Identifier: GPL-2.0
/*
 * A client of configfs-tsm under an SVSM: its services are attested, in every way that
 * there is, right and wrong. Like tsm_client it knows no driver, and prints lines that
 * differ in nothing between two runs; svsm.sh compares those of two drivers.
 *   svsm_client [THREADS [LINE...]]
 * Each LINE goes to the simulated platform, and then all services are asked for once
 * more.
 *   svsm_client save NONCE OUTBLOB MANIFESTBLOB AUXBLOB
 * asks once with what is in the file NONCE, and writes what came to the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "tsm_entry.h"

#define REPORT_LEN	1184
#define REPORT_VMPL	0x30
#define REPORT_DATA	0x50

#define VTPM	"c476f1eb-0123-45a5-9641-b4e7dde5bfe3"
#define CLOCK	"5d8a1c3e-6f0b-4b7e-9a52-0c71f3e8d246"
#define NOBODY	"5d8a1c3e-6f0b-4b7e-9a52-0c71f3e8d247"
#define ALL	"00000000-0000-0000-0000-000000000000"

/* what one reader of an entry has */
struct evidence {
	unsigned char report[BLOB], certs[BLOB];
	unsigned char hashed[64 + BLOB];	/* nonce and manifest */
	long report_len, manifest_len, certs_len;
};

static struct evidence here;

static int put_text(int dir, const char *name, const char *text)
{
	return put(dir, name, text, strlen(text));
}

static void read_all(int dir, const unsigned char nonce[64], struct evidence *e)
{
	memcpy(e->hashed, nonce, 64);
	e->report_len = get(dir, "outblob", e->report, BLOB);
	e->manifest_len = get(dir, "manifestblob", e->hashed + 64, BLOB);
	e->certs_len = get(dir, "auxblob", e->certs, BLOB);
}

/* the report is about this nonce and this manifest */
static bool bound(const struct evidence *e)
{
	unsigned char hash[64];

	if (e->report_len != REPORT_LEN || e->manifest_len < 0)
		return false;
	EVP_Digest(e->hashed, 64 + (size_t)e->manifest_len, hash, NULL, EVP_sha512(), NULL);
	return !memcmp(e->report + REPORT_DATA, hash, 64);
}

static void say_length(const char *name, long len)
{
	if (len < 0)
		say("%s: %s", name, outcome((int)-len));
	else
		say("%s: %ld bytes", name, len);
}

/* another nonce each time */
static void ask(int dir, const char *what)
{
	static int seed;
	unsigned char nonce[64];

	fill(nonce, ++seed);
	say("%s: %s", what, outcome(put(dir, "inblob", nonce, sizeof(nonce))));
	read_all(dir, nonce, &here);
	say_length("outblob", here.report_len);
	say_length("manifestblob", here.manifest_len);
	say_length("auxblob", here.certs_len);
	/* 6.12's files have no more than 32 KiB */
	if (here.report_len == REPORT_LEN && here.manifest_len >= 0)
		say("VMPL %u, %s", here.report[REPORT_VMPL], bound(&here) ? "bound" : "not bound");
	say_text(dir, "generation");
}

static void providers(int dir)
{
	static const char *const names[] = { "sev", "svsm ", "SVSM", "svsm\n\n", "\n", "tdx", "svsm\n",
					     "svsm" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		say("service_provider %zu: %s", i, outcome(put_text(dir, "service_provider", names[i])));
		ask(dir, "all services");
	}
}

static void services(int dir)
{
	static const char *const guids[] = {
		VTPM, CLOCK, NOBODY, ALL, "C476F1EB-0123-45A5-9641-B4E7DDE5BFE3", VTPM "\n",
		"c476f1eb", "", "not a GUID at all, but of its length",
	};

	for (size_t i = 0; i < sizeof(guids) / sizeof(guids[0]); i++) {
		say("service_guid %zu: %s", i, outcome(put_text(dir, "service_guid", guids[i])));
		ask(dir, "this service");
	}
}

static void versions(int dir, const char *guid)
{
	static const char *const numbers[] = { "0", "1", "2", "0x1", "4294967295", "4294967296", "-1",
					       "x", "0" };

	say("service_guid: %s", outcome(put_text(dir, "service_guid", guid)));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		say("service_manifest_version %zu: %s", i,
		    outcome(put_text(dir, "service_manifest_version", numbers[i])));
		ask(dir, "in this form");
	}
	say("service_guid: %s", outcome(put_text(dir, "service_guid", ALL)));
}

static void lengths(int dir)
{
	static const size_t sizes[] = { 0, 1, 32, 63, 65 };
	unsigned char data[65] = { 1 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		say("inblob of %zu: %s", sizes[i], outcome(put(dir, "inblob", data, sizes[i])));
		say_length("manifestblob", get(dir, "manifestblob", here.hashed, BLOB));
		say_length("outblob", get(dir, "outblob", here.report, BLOB));
	}
}

/* the manifest first, which makes the report; and by pieces */
static void orders(int dir)
{
	static unsigned char pieces[BLOB];
	unsigned char nonce[64];
	long len;

	fill(nonce, 100);
	say("inblob: %s", outcome(put(dir, "inblob", nonce, sizeof(nonce))));
	len = get(dir, "manifestblob", pieces, 7);
	read_all(dir, nonce, &here);
	say("the manifest first: %s, %s", len == here.manifest_len && len > 0 &&
	    !memcmp(pieces, here.hashed + 64, (size_t)len) ? "the same" : "something else",
	    bound(&here) ? "bound" : "not bound");
	/* it is not asked for the level */
	say("privlevel: %s", outcome(put_text(dir, "privlevel", "3")));
	ask(dir, "for another level");
}

/* the kernel's own report in another entry, and certificates as an SVSM gives them */
static void ordinary(int dir)
{
	static struct evidence own;
	unsigned char nonce[64];
	int other = make("own");

	fill(nonce, 101);
	say("inblob: %s", outcome(put(other, "inblob", nonce, sizeof(nonce))));
	say_text(other, "privlevel_floor");
	say("at level 0: %s", outcome((int)-get(other, "outblob", own.report, BLOB)));
	say("privlevel: %s", outcome(put_text(other, "privlevel", "2")));
	read_all(other, nonce, &own);
	say_length("outblob", own.report_len);
	say_length("manifestblob", own.manifest_len);
	ask(dir, "all services");
	say("certificates: %s", own.certs_len > 0 && own.certs_len <= here.certs_len &&
	    !memcmp(own.certs, here.certs, (size_t)own.certs_len) ? "the same" : "something else");
	close(other);
	say("remove: %s", outcome(drop("own")));
}

struct user {
	pthread_t thread;
	int number;
	int good;
};

/* each has an entry, and gets what it asked for */
static void *user(void *arg)
{
	struct user *u = arg;
	struct evidence *mine = malloc(sizeof(*mine));
	unsigned char nonce[64];
	char name[32];
	int dir;

	snprintf(name, sizeof(name), "user%d", u->number);
	dir = make(name);
	put_text(dir, "service_provider", "svsm");
	put_text(dir, "service_guid", u->number % 2 ? VTPM : ALL);
	fill(nonce, u->number);
	for (int i = 0; mine && i < 2; i++) {
		nonce[0] = (unsigned char)i;
		if (!put(dir, "inblob", nonce, sizeof(nonce))) {
			read_all(dir, nonce, mine);
			u->good += bound(mine);
		}
	}
	close(dir);
	if (drop(name))
		u->good = -1;
	free(mine);
	return NULL;
}

static void users(int count)
{
	struct user *all = calloc((size_t)count, sizeof(*all));
	int good = 0;

	for (int i = 0; i < count; i++) {
		all[i].number = i;
		if (pthread_create(&all[i].thread, NULL, user, &all[i]))
			exit(1);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(all[i].thread, NULL);
		good += all[i].good == 2;
	}
	say("users with an entry of their own: %d of %d got what they asked for", good, count);
	free(all);
}

/*
 * In an entry of its own: where certificates are gone that the entry before had, the
 * kernel's own driver leaves their length, and reading them is an oops.
 */
static void told(const char *line)
{
	int dir = make("told");

	tell(line);
	put_text(dir, "service_provider", "svsm");
	ask(dir, line);
	close(dir);
	say("remove: %s", outcome(drop("told")));
}

static int save_file(const char *path, const void *bytes, long len)
{
	FILE *file = len >= 0 ? fopen(path, "w") : NULL;
	size_t written = file ? fwrite(bytes, 1, (size_t)len, file) : 0;

	return !file || fclose(file) || written != (size_t)len;
}

static int save(char **paths)
{
	unsigned char nonce[64] = { 0 };
	FILE *file = fopen(paths[0], "r");
	int dir = make("save"), ret;

	if (!file || fread(nonce, 1, sizeof(nonce), file) != sizeof(nonce))
		return 1;
	fclose(file);
	ret = put_text(dir, "service_provider", "svsm") ?: put(dir, "inblob", nonce, sizeof(nonce));
	read_all(dir, nonce, &here);
	close(dir);
	ret |= save_file(paths[1], here.report, here.report_len) |
	       save_file(paths[2], here.hashed + 64, here.manifest_len) |
	       save_file(paths[3], here.certs, here.certs_len);
	if (here.report_len < 0)
		say("outblob: %s", outcome((int)-here.report_len));
	return drop("save") || ret;
}

int main(int argc, char **argv)
{
	int dir;

	if (argc == 6 && !strcmp(argv[1], "save"))
		return save(argv + 2);
	dir = make("test");
	if (dir < 0) {
		say("make an entry: %s", outcome(-dir));
		return 0;
	}
	list("test");
	providers(dir);
	services(dir);
	versions(dir, VTPM);
	versions(dir, CLOCK);
	lengths(dir);
	orders(dir);
	ordinary(dir);
	users(argc > 1 ? atoi(argv[1]) : 4);
	for (int i = 2; i < argc; i++)
		told(argv[i]);
	close(dir);
	say("remove: %s", outcome(drop("test")));
	return 0;
}
