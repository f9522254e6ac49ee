// SPDX-License-Identifier: MIT
/*
 * Where a module of ours comes from: sources that DKMS builds, of whatever version,
 * for packages are upgraded apart; or a package that was built elsewhere.
 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "doctor.h"

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* it becomes a word of a command */
static bool is_version(const char *text)
{
	return isdigit((unsigned char)*text) && strlen(text) < NAME_MAX &&
	       strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz.+~-") == strlen(text);
}

/* the newest version of those that entries of @folder have behind @prefix, if there is one */
static bool newest(const struct doctor *d, const char *folder, const char *prefix, char *version)
{
	char path[PATH_MAX];
	DIR *dir __cleanup(cleanup_dir) = opendir(doctor_path(d, path, "%s", folder));
	struct dirent *entry;
	bool found = false;

	while (dir && (entry = readdir(dir))) {
		const char *its = entry->d_name + strlen(prefix);

		if (strncmp(entry->d_name, prefix, strlen(prefix)) || !is_version(its) ||
		    (found && strverscmp(its, version) < 0))
			continue;
		memcpy(version, its, strlen(its) + 1);
		found = true;
	}
	return found;
}

/* of what is in /usr/src DKMS adds by itself what it does not know yet */
bool doctor_sources(const struct doctor *d, char *version)
{
	return newest(d, "/var/lib/dkms/cvm-guest", "", version) ||
	       newest(d, "/usr/src", "cvm-guest-", version);
}

bool doctor_prebuilt(const struct doctor *d)
{
	char path[PATH_MAX];
	DIR *dir __cleanup(cleanup_dir) = opendir(doctor_path(d, path, "/usr/share/cvm-guest"));
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *end = strrchr(entry->d_name, '.');

		if (end && !strcmp(end, ".der"))
			return true;
	}
	return false;
}

/* names of packages have no capitals and no underscores */
const char *doctor_install_prebuilt(const struct doctor *d, const char *option, char *command)
{
	char *at = command + snprintf(command, COMMAND_MAX, "apt-get install %scvm-guest-module-",
				      option);

	snprintf(at, (size_t)(COMMAND_MAX - (at - command)), "%s", d->release);
	for (; *at; at++)
		*at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
	return command;
}
