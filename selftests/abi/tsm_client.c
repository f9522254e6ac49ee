// SPDX-License-Identifier: GPL-2.0
/*
 * A client of configfs-tsm that does everything there is to do, right and wrong,
 * and prints what came of each call: a line that has nothing in it which differs
 * between two runs. It knows no driver; the same lines come from the kernel's own
 * and from ours, which is what tsm.sh looks at.
 *   tsm_client [THREADS [KEY=VALUE...]]
 * After each KEY=VALUE, of the simulated platform, it asks for a report once more;
 * what comes of that is not said where there is a - before it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tsm_entry.h"

#define SNP_VMPL	0x30

static unsigned char blob[BLOB], again[BLOB];

static void say_blob(int dir, const char *name, const unsigned char data[64])
{
	long len = get(dir, name, blob, BLOB);

	if (len < 0)
		say("%s: %s", name, outcome((int)-len));
	else
		say("%s: %ld bytes, %s", name, len,
		    !data ? "" : carries(blob, len, data) ? "mine" : "not mine");
}

/* inputs of every length; what is read then, and what was counted */
static void lengths(int dir)
{
	static const size_t sizes[] = { 0, 1, 32, 63, 65, 128, 4096, 64 };
	unsigned char data[4096];

	memset(data, 0x11, sizeof(data));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		say("inblob of %zu: %s", sizes[i], outcome(put(dir, "inblob", data, sizes[i])));
		say_text(dir, "generation");
		say_blob(dir, "outblob", sizes[i] == 64 ? data : NULL);
		say_text(dir, "generation");
	}
}

static void twice(int dir)
{
	unsigned char data[64];
	long first, second;

	fill(data, 5);
	say("inblob: %s", outcome(put(dir, "inblob", data, sizeof(data))));
	first = get(dir, "outblob", blob, BLOB);
	second = get(dir, "outblob", again, BLOB);
	say("read twice: %s", first > 0 && first == second && !memcmp(blob, again, first) ?
	    "the same" : "something else");
	second = get(dir, "outblob", again, 100);
	say("by pieces: %s", first == second && !memcmp(blob, again, first) ?
	    "the same" : "something else");
	say("inblob, the same: %s", outcome(put(dir, "inblob", data, sizeof(data))));
	say_blob(dir, "outblob", data);
	say_text(dir, "generation");
}

/* in the order in which nobody reads them: auxblob makes the report then */
static void certificates(int dir)
{
	unsigned char data[64];

	fill(data, 9);
	say("inblob: %s", outcome(put(dir, "inblob", data, sizeof(data))));
	say_blob(dir, "auxblob", NULL);
	say_blob(dir, "outblob", data);
	say_blob(dir, "auxblob", NULL);
	say_blob(dir, "manifestblob", NULL);
}

static void levels(int dir)
{
	static const char *const levels[] = { "0", "1", "2", "3", "4", "-1", "x", "", "0x2", "3\n" };
	unsigned char data[64];

	fill(data, 20);
	say_text(dir, "privlevel_floor");
	say("inblob: %s", outcome(put(dir, "inblob", data, sizeof(data))));
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		say("privlevel %zu: %s", i, outcome(put(dir, "privlevel", levels[i], strlen(levels[i]))));
		say_text(dir, "generation");
		say_blob(dir, "outblob", data);
		if (get(dir, "outblob", blob, BLOB) == 1184)
			say("VMPL: %u", blob[SNP_VMPL]);
	}
}

static void say_open(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags);

	say("open %s for %s: %s", name, flags == O_RDONLY ? "reading" : "writing",
	    outcome(fd < 0 ? errno : 0));
	if (fd >= 0)
		close(fd);
}

static void names(void)
{
	static const char *const services[] = { "service_provider", "service_guid",
						"service_manifest_version" };
	int dir = make("one"), other = make("one");

	say("the same name: %s", outcome(other < 0 ? -other : 0));
	for (size_t i = 0; i < 3; i++)
		say("%s: %s", services[i], outcome(put(dir, services[i], "svsm", 4)));
	say_open(dir, "inblob", O_RDONLY);
	say_open(dir, "outblob", O_WRONLY);
	say_open(dir, "generation", O_WRONLY);
	say_open(dir, "provider", O_WRONLY);
	say_open(dir, "privlevel", O_RDONLY);
	close(dir);
	say("remove: %s", outcome(drop("one")));
	say("remove again: %s", outcome(drop("one")));
}

/* an entry that is removed while its file is open */
static void removed(void)
{
	unsigned char data[64];
	int dir = make("gone"), fd;

	fill(data, 30);
	say("inblob: %s", outcome(put(dir, "inblob", data, sizeof(data))));
	fd = openat(dir, "outblob", O_RDONLY);
	close(dir);
	say("remove: %s", outcome(drop("gone")));
	say("read what is gone: %s", outcome(read(fd, blob, BLOB) < 0 ? errno : 0));
	close(fd);
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
	unsigned char data[64], *mine = malloc(BLOB);
	char name[32];
	int dir;

	snprintf(name, sizeof(name), "user%d", u->number);
	dir = make(name);
	fill(data, u->number);
	for (int i = 0; mine && i < 2; i++) {
		data[0] = (unsigned char)i;
		if (!put(dir, "inblob", data, sizeof(data)) &&
		    carries(mine, get(dir, "outblob", mine, BLOB), data))
			u->good++;
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

static void told(int dir, const char *line)
{
	static int seed = 40;
	unsigned char data[64];
	const char *what = line + (*line == '-');
	long len;

	tell(what);
	fill(data, seed++);
	put(dir, "inblob", data, sizeof(data));
	len = get(dir, "outblob", blob, BLOB);
	if (what == line)
		say("%s: %s", line, len < 0 ? outcome((int)-len) :
		    carries(blob, len, data) ? "mine" : "not mine");
}

int main(int argc, char **argv)
{
	int dir = make("test");

	if (dir < 0) {
		say("make an entry: %s", outcome(-dir));
		return 0;
	}
	list("test");
	say_text(dir, "provider");
	say_text(dir, "generation");
	say_blob(dir, "outblob", NULL);
	say_blob(dir, "auxblob", NULL);
	lengths(dir);
	twice(dir);
	certificates(dir);
	levels(dir);
	close(dir);
	names();
	removed();
	users(argc > 1 ? atoi(argv[1]) : 4);
	dir = make("told");
	for (int i = 2; i < argc; i++)
		told(dir, argv[i]);
	close(dir);
	say("remove: %s", outcome(drop("told")));
	say("remove: %s", outcome(drop("test")));
	return 0;
}
