// SPDX-License-Identifier: MIT
/* Groups, and who is in them. */
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "doctor.h"

char *doctor_find_group(const struct doctor *d, const char *name, gid_t *gid)
{
	char path[PATH_MAX];
	FILE *file = fopen(doctor_path(d, path, "/etc/group"), "re");
	struct group *entry;
	char *found = NULL;

	if (!file)
		return NULL;
	while (!found && (entry = fgetgrent(file))) {
		if (name ? strcmp(entry->gr_name, name) : entry->gr_gid != *gid)
			continue;
		found = strdup(entry->gr_name);
		*gid = entry->gr_gid;
	}
	fclose(file);
	return found;
}

/* where there is no room for the next one */
#define MORE	", ..."

/* once, and neither root nor the user for whom the group is */
static size_t add_member(char *members, const char *group, const char *name)
{
	char word[COMMAND_MAX], all[COMMAND_MAX + 4];
	size_t len = strlen(members);

	snprintf(word, sizeof(word), ", %s,", name);
	snprintf(all, sizeof(all), ", %s,", members);
	if (!strcmp(name, "root") || (group && !strcmp(name, group)) || strstr(all, word))
		return 0;
	if (len + strlen(name) + sizeof(", " MORE) <= COMMAND_MAX)
		strcat(strcat(members, len ? ", " : ""), name);
	else if (len < strlen(MORE) || strcmp(members + len - strlen(MORE), MORE))
		strcat(members, MORE);
	return 1;
}

static size_t add_primary(const struct doctor *d, gid_t gid, const char *group, char *members)
{
	char path[PATH_MAX];
	FILE *file = fopen(doctor_path(d, path, "/etc/passwd"), "re");
	struct passwd *entry;
	size_t count = 0;

	while (file && (entry = fgetpwent(file)))
		if (entry->pw_gid == gid)
			count += add_member(members, group, entry->pw_name);
	if (file)
		fclose(file);
	return count;
}

size_t doctor_members(const struct doctor *d, gid_t gid, char *members)
{
	__cleanup_free char *group = doctor_find_group(d, NULL, &gid);
	char path[PATH_MAX];
	FILE *file = fopen(doctor_path(d, path, "/etc/group"), "re");
	struct group *entry;
	size_t count = 0;

	*members = '\0';
	while (file && (entry = fgetgrent(file))) {
		if (entry->gr_gid != gid)
			continue;
		for (char **name = entry->gr_mem; *name; name++)
			count += add_member(members, group, *name);
	}
	if (file)
		fclose(file);
	return count + add_primary(d, gid, group, members);
}
