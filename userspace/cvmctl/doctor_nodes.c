// SPDX-License-Identifier: MIT
/* Who can reach the nodes: by their modes, by groups, from containers. */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor.h"

#define COMMAND_MAX	(2 * NAME_MAX)
/* containers that are named; of more there is only the number */
#define CONTAINERS_MAX	8

/**
 * struct node - a device node, and what it gives to whoever opens it
 * @path: of it
 * @gives: for people
 * @mode: bits that it may have
 * @group: the only group that may have group bits; NULL: whichever root chose
 */
struct node {
	const char *path;
	const char *gives;
	mode_t mode;
	const char *group;
};

static const struct node nodes[] = {
	{ "/dev/cvm/batch", "proofs of its own scope", 0660, "cvm" },
	{ "/dev/cvm/report", "reports with any REPORT_DATA", 0660, NULL },
	{ "/dev/cvm/key", "the keys that seal disks", 0600, NULL },
	{ "/dev/sev-guest", "reports and the keys that seal disks", 0600, NULL },
	{ "/dev/tdx_guest", "TDREPORTs with any REPORTDATA", 0600, NULL },
};

/* the group's name in the root's own /etc/group; NULL: it has none */
static char *group_name(const struct doctor *d, gid_t gid)
{
	char path[PATH_MAX];
	FILE *file = fopen(doctor_path(d, path, "/etc/group"), "re");
	struct group *entry;
	char *name = NULL;

	if (!file)
		return NULL;
	while (!name && (entry = fgetgrent(file)))
		if (entry->gr_gid == gid)
			name = strdup(entry->gr_name);
	fclose(file);
	return name;
}

static bool has_group(const struct doctor *d, const char *wanted)
{
	char path[PATH_MAX];
	FILE *file = fopen(doctor_path(d, path, "/etc/group"), "re");
	struct group *entry;
	bool found = false;

	if (!file)
		return false;
	while (!found && (entry = fgetgrent(file)))
		found = !strcmp(entry->gr_name, wanted);
	fclose(file);
	return found;
}

/* NULL, or what is too much; @text has room for NAME_MAX bytes */
static const char *too_open(const struct doctor *d, const struct node *node,
			    const struct stat *st, char *text)
{
	mode_t mode = st->st_mode & 07777;
	__cleanup_free char *group = group_name(d, st->st_gid);

	if (st->st_uid != 0) {
		snprintf(text, NAME_MAX, "it belongs to uid %u", st->st_uid);
		return text;
	}
	if (mode & 07)
		return "everybody may open it";
	/* root's own group is nobody else's */
	if (!(mode & 070) || st->st_gid == 0)
		return NULL;
	if (node->mode & 070 &&
	    (!node->group || (group && !strcmp(group, node->group))))
		return NULL;
	snprintf(text, NAME_MAX, "members of group %s may open it", group ? group : "?");
	return text;
}

static void check_node(struct doctor *d, const struct node *node)
{
	char path[PATH_MAX], command[COMMAND_MAX], text[NAME_MAX];
	struct stat st;
	const char *fault;

	if (stat(doctor_path(d, path, "%s", node->path), &st))
		return;
	if (!S_ISCHR(st.st_mode)) {
		finding(d, "nodes", UNSAFE, NULL, "%s is no device: somebody has put it there",
			node->path);
		return;
	}
	fault = too_open(d, node, &st, text);
	if (!fault) {
		finding(d, "nodes", FINE, NULL, "%s: mode %04o", node->path, st.st_mode & 07777);
		return;
	}
	snprintf(command, sizeof(command), "chown root:%s %s && chmod %04o %s",
		 node->group ? node->group : "root", node->path, node->mode, node->path);
	finding(d, "nodes", UNSAFE, command, "%s gives %s, and %s", node->path, node->gives,
		fault);
}

void doctor_nodes(struct doctor *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		check_node(d, &nodes[i]);
}

void doctor_group(struct doctor *d)
{
	if (!doctor_exists(d, "/dev/cvm/batch"))
		return;
	if (has_group(d, "cvm"))
		finding(d, "group", FINE, NULL, "group cvm may use /dev/cvm/batch");
	else
		finding(d, "group", WARNING,
			"groupadd --system cvm && udevadm trigger --action=add /dev/cvm/batch",
			"there is no group cvm: only root can use /dev/cvm/batch");
}

static bool is_pid(const char *name)
{
	return *name && strspn(name, "0123456789") == strlen(name);
}

/* what tells one process's view of files from another's; false: not to be seen */
static bool mount_namespace(const struct doctor *d, const char *pid, struct stat *st)
{
	char path[PATH_MAX];

	return !stat(doctor_path(d, path, "/proc/%s/ns/mnt", pid), st);
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
	for (size_t i = 1; i < ARRAY_SIZE(nodes); i++)
		if (!stat(doctor_path(d, path, "/proc/%s/root%s", pid, nodes[i].path), &st) &&
		    S_ISCHR(st.st_mode))
			return &nodes[i];
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
	ino_t ino[256];
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
	char path[PATH_MAX], command[COMMAND_MAX];
	__cleanup_free char *name = NULL;
	const struct node *node;
	struct stat st;

	if (!mount_namespace(d, pid, &st) || !first_time(seen, st.st_ino))
		return;
	node = reachable(d, pid);
	if (!node || seen->found++ >= CONTAINERS_MAX)
		return;
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	name = doctor_line(d, path);
	snprintf(command, sizeof(command), "nsenter -t %s -m rm %s", pid, node->path);
	finding(d, "containers", WARNING, command,
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
	if (!mount_namespace(d, "1", &own)) {
		finding(d, "containers", NOTE, "sudo cvmctl doctor",
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
		finding(d, "containers", FINE, NULL,
			"no container has a node in its file system, except perhaps /dev/cvm/batch");
	else if (seen.found > CONTAINERS_MAX)
		finding(d, "containers", WARNING, NULL, "and %u more",
			seen.found - CONTAINERS_MAX);
}
