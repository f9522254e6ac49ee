// SPDX-License-Identifier: MIT
/* Containers whose file systems have a node by which they reach the platform. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor.h"
#include "doctor_nodes.h"

/* containers that are named; of more there is only the number */
#define CONTAINERS_MAX	8

static bool is_pid(const char *name)
{
	return *name && strspn(name, "0123456789") == strlen(name);
}

/* of a process: false: not to be seen */
static bool look(const struct doctor *d, const char *pid, const char *what, struct stat *st)
{
	char path[PATH_MAX];

	return !stat(doctor_path(d, path, "/proc/%s/%s", pid, what), st);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * A service of the machine itself may well have a mount namespace, for a /tmp of
 * its own; a container has another root, or another /dev, or both.
 */
static bool is_container(const struct doctor *d, const char *pid)
{
	static const char *const parts[] = { "root/", "root/dev/" };
	struct stat its, ours;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (look(d, pid, parts[i], &its) && look(d, "1", parts[i], &ours) &&
		    !same(&its, &ours))
			return true;
	return false;
}

/*
 * A device node in the file system of process @pid by which it could reach the
 * platform. It may still be refused by the container's device rules, which
 * nobody can read.
 */
static const struct node *reachable(const struct doctor *d, const char *pid)
{
	char path[PATH_MAX];
	struct stat st;

	/* labels and scopes are made for the batch node to be handed out */
	for (size_t i = 1; i < DEVICE_NODES; i++)
		if (!stat(doctor_path(d, path, "/proc/%s/root%s", pid,
				      doctor_device_nodes[i].path), &st) && S_ISCHR(st.st_mode))
			return &doctor_device_nodes[i];
	return NULL;
}

/**
 * struct seen - mount namespaces that have been looked at
 * @count: of them
 * @ino: their numbers
 * @found: with a node
 */
struct seen {
	size_t count;
	ino_t ino[4096];
	unsigned int found;
};

static bool first_time(struct seen *seen, ino_t ino)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->ino[i] == ino)
			return false;
	if (seen->count < ARRAY_SIZE(seen->ino))
		seen->ino[seen->count++] = ino;
	return true;
}

static void look_at(struct doctor *d, const char *pid, struct seen *seen)
{
	char path[PATH_MAX];
	__cleanup_free char *name = NULL;
	const struct node *node;
	struct stat st;

	if (!look(d, pid, "ns/mnt", &st) || !first_time(seen, st.st_ino) || !is_container(d, pid))
		return;
	node = reachable(d, pid);
	if (!node || seen->found++ >= CONTAINERS_MAX)
		return;
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	name = doctor_line(d, path);
	/*
	 * No command: what would remove the node in there is the container's own
	 * program, and whoever may make nodes makes another.
	 */
	finding(d, CONTAINERS_NODE, NULL,
		"process %s (%s) has a file system of its own with %s in it: it can get %s, unless its device rules forbid that",
		pid, name ? name : "?", node->path, node->gives);
}

void doctor_containers(struct doctor *d)
{
	struct seen seen = { 0 };
	char path[PATH_MAX];
	struct dirent *entry;
	struct stat own;
	DIR *dir;

	/* everybody else may not look into other processes */
	if (!look(d, "1", "ns/mnt", &own)) {
		finding(d, CONTAINERS_UNSEEN, "sudo cvmctl doctor",
			"which containers can reach the nodes is only seen by root");
		return;
	}
	first_time(&seen, own.st_ino);
	dir = opendir(doctor_path(d, path, "/proc"));
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (is_pid(entry->d_name))
			look_at(d, entry->d_name, &seen);
	closedir(dir);
	if (!seen.found)
		fine(d, "containers",
		     "no container has a node in its file system, except perhaps /dev/cvm/batch");
	else if (seen.found > CONTAINERS_MAX)
		finding(d, CONTAINERS_NODE, NULL, "and %u more", seen.found - CONTAINERS_MAX);
}
