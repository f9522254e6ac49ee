// SPDX-License-Identifier: MIT
/* A record that is made, until it has its name. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/util.h"
#include "disk.h"

void remove_draft(struct draft *draft)
{
	if (draft->path[0])
		unlink(draft->path);
}

/* another one than any other process has, and than any that was killed has left */
int name_draft(const char *record, struct draft *draft)
{
	struct cvm_error error;
	char suffix[2 * 8 + 1];
	uint8_t random[8];
	int rc;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return fail(EXIT_FAILED, "no random numbers");
	cvm_hex_encode(random, sizeof(random), suffix);
	rc = cvm_record_draft(record, suffix, draft->path, &error);
	if (!rc)
		return 0;
	draft->path[0] = '\0';
	return fail_key(rc, NULL, &error);
}

int place_draft(struct draft *draft, const char *path, const char *whose)
{
	struct cvm_error error;
	int rc = cvm_record_place(draft->path, path, false, &error);

	if (rc == -EEXIST) {
		rc = fail(EXIT_FAILED, "%s: somebody else has made it meanwhile, and it is left alone; the record of %s is %s: give it another name",
			  path, whose, draft->path);
		draft->path[0] = '\0';
		return rc;
	}
	if (rc)
		return fail_key(rc, NULL, &error);
	draft->path[0] = '\0';
	return 0;
}
