// SPDX-License-Identifier: MIT
/* What cvmctl key and cvmctl disk share. */
#include <errno.h>
#include <keyutils.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "disk.h"
#include "keys/secret.h"

int parse_mix(const char *value, uint32_t *mix)
{
	__cleanup_free char *text = NULL;
	size_t len;
	int rc;

	if (value[0] != '@') {
		*mix = cvm_mix_parse(value);
		return *mix ? 0 : usage_error("--mix: '%s' is no list of policy, image, family, measurement, svn, tcb, mit, each once, with commas",
					      value);
	}
	rc = input_file(value + 1, (void **)&text, &len);
	if (rc)
		return rc;
	text[strcspn(text, "\n")] = '\0';
	*mix = cvm_mix_parse(text);
	return *mix ? 0 : fail(EXIT_FAILED, "%s: the first line is no list of policy, image, family, measurement, svn, tcb, mit, each once, with commas",
			       value + 1);
}

int parse_root(const char *value, uint32_t *root)
{
	int known = value ? cvm_root_parse(value) : CVM_ROOT_VCEK;

	if (known < 0)
		return usage_error("--root: '%s' is neither vcek nor vmrk", value);
	*root = (uint32_t)known;
	return 0;
}

int parse_hex64(const char *option, const char *value, uint64_t *number)
{
	uint8_t bytes[8];
	int rc = parse_bytes(option, value, bytes, sizeof(bytes), false);

	*number = 0;
	for (size_t i = 0; !rc && i < sizeof(bytes); i++)
		*number = *number << 8 | bytes[i];
	return rc;
}

int fail_key(int rc, const char *what, const struct cvm_error *error)
{
	int status = rc == -EOPNOTSUPP ? EXIT_NOT_SUPPORTED : EXIT_FAILED;

	return what ? fail(status, "%s: %s", what, error->text) : fail(status, "%s", error->text);
}

int open_door(struct cvm_key_door *door)
{
	struct cvm_error error;
	int rc = cvm_secret_process(&error);

	if (!rc)
		rc = cvm_key_door_open(door, &error);
	return rc ? fail_key(rc, NULL, &error) : 0;
}

/*
 * The kernel looks for master and data keys by name, in the keyring of this process
 * and then in that of the session, which may be an unprivileged user's (sudo), who may
 * have put keys of those names there. So it gets an empty one.
 */
int empty_session(void)
{
	if (keyctl_join_session_keyring(NULL) < 0)
		return fail(EXIT_FAILED, "a session keyring of its own: %s", strerror(errno));
	return 0;
}

int open_disk_door(struct cvm_key_door *door)
{
	int rc = empty_session();

	return rc ? rc : open_door(door);
}

void tell_door(const struct cvm_key_door *door)
{
	fprintf(stderr, "cvmctl %s: by %s\n", command_name, cvm_key_door_text(door));
}
