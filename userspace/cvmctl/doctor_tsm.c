// SPDX-License-Identifier: MIT
/* configfs-tsm: are we what programs find there, and can they find it? */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "doctor.h"

#define STATE	"/sys/class/misc/cvm_report/channel/tsm"
#define CONFIGFS "/sys/kernel/config"
#define REPORTS	CONFIGFS "/tsm/report"

/* How many entries there are, and the provider of one of them, to be freed, or NULL. */
static int look_at_entries(const struct doctor *d, char **provider)
{
	char path[PATH_MAX], file[PATH_MAX];
	struct dirent *entry;
	DIR *directory = opendir(doctor_path(d, path, REPORTS));
	int count = 0;

	*provider = NULL;
	if (!directory)
		return 0;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		snprintf(file, sizeof(file), REPORTS "/%s/provider", entry->d_name);
		if (!*provider)
			*provider = doctor_line(d, file);
	}
	closedir(directory);
	return count;
}

/* The command that loads our driver again, which now has the platform; NULL: it would not come. */
static const char *load_again(const struct doctor *d)
{
	if (doctor_loading_off(d) || doctor_outlook(d) < TAKEN)
		return NULL;
	return "modprobe -r cvm_guest && modprobe cvm_guest";
}

/* Entries outlive the driver that they were made by, and keep every other one out. */
static void busy(struct doctor *d)
{
	__cleanup_free char *provider = NULL;
	const char *again = load_again(d);
	char command[COMMAND_MAX];
	int count = look_at_entries(d, &provider);

	if (provider) {
		finding(d, TSM_BUSY, NULL,
			"configfs-tsm has another provider, '%s': unload its driver, then load cvm_guest again",
			provider);
	} else if (count) {
		snprintf(command, sizeof(command), "rmdir " REPORTS "/* && %s", again ? again : "");
		finding(d, TSM_BUSY, again ? command : NULL,
			"configfs-tsm has no provider: entries of one that has gone, %d in " REPORTS ", keep cvm_guest out",
			count);
	} else {
		finding(d, TSM_BUSY, again,
			"configfs-tsm had another provider, or entries in " REPORTS ", when cvm_guest was loaded");
	}
}

void doctor_tsm(struct doctor *d)
{
	__cleanup_free char *state = doctor_line(d, STATE);

	if (!d->ours || !state)
		return;
	if (!strcmp(state, "busy"))
		busy(d);
	else if (!strcmp(state, "registered") && !doctor_exists(d, REPORTS))
		finding(d, TSM_UNSEEN, "mount -t configfs configfs " CONFIGFS,
			"cvm_guest provides for configfs-tsm, which is not mounted: programs find nothing at "
			REPORTS);
	else if (!strcmp(state, "registered"))
		fine(d, "tsm", "cvm_guest provides for configfs-tsm");
}
