// SPDX-License-Identifier: MIT
/* What cvmctl key and cvmctl disk share. */
#include <errno.h>
#include <keyutils.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "disk.h"
#include "keys/secret.h"

/* what is behind the @ of an option: the first line of a file, the caller's to free */
static int first_line(const char *path, char **line)
{
	size_t len;
	int rc = input_file(path, (void **)line, &len);

	if (!rc)
		(*line)[strcspn(*line, "\n")] = '\0';
	return rc;
}

#define NO_MIX	"no list of policy, image, family, measurement, svn, tcb, mit, each once, with commas"
#define NO_PCRS	"no list of PCRs from 0 to 15, each once, with commas; those above can be reset by whoever can use the TPM"

/* @parse: 0 is none; @is_none: what to say then */
static int parse_list(const char *option, const char *value, uint32_t (*parse)(const char *),
		      const char *is_none, uint32_t *list)
{
	__cleanup_free char *line = NULL;
	int rc;

	if (value[0] != '@') {
		*list = parse(value);
		return *list ? 0 : usage_error("--%s: '%s' is %s", option, value, is_none);
	}
	rc = first_line(value + 1, &line);
	if (rc)
		return rc;
	*list = parse(line);
	return *list ? 0 : fail(EXIT_FAILED, "%s: the first line is %s", value + 1, is_none);
}

int parse_mix(const char *value, uint32_t *mix)
{
	return parse_list("mix", value, cvm_mix_parse, NO_MIX, mix);
}

static const char *const from_names[] = {
	[CVM_FROM_FIRMWARE] = "firmware",
	[CVM_FROM_TPM]	    = "tpm",
	[CVM_FROM_BOTH]	    = "both",
};

const char *from_name(enum cvm_key_from from)
{
	return from_names[from];
}

int parse_from(const char *from, const char *pcrs, enum cvm_key_from *whose, uint32_t *mask)
{
	unsigned int known = CVM_FROM_FIRMWARE;
	struct cvm_error error;
	int rc;

	*mask = 0;
	while (from && strcmp(from, from_names[known]))
		if (++known == ARRAY_SIZE(from_names))
			return usage_error("--from: '%s' is none of firmware, tpm, both", from);
	*whose = (enum cvm_key_from)known;
	if (!(*whose & CVM_FROM_TPM))
		return pcrs ? usage_error("--pcrs is for the secrets of a TPM: --from tpm or both") : 0;
	/* they come from who knows what his system measures where; never from a record */
	if (!pcrs)
		return usage_error("--from %s: say what the TPM's secret is bound to: --pcrs", from);
	rc = parse_list("pcrs", pcrs, cvm_pcrs_parse, NO_PCRS, mask);
	if (rc || !cvm_pcrs_check(*mask, &error))
		return rc;
	return usage_error("--pcrs: %s", error.text);
}

int parse_tpm_whose(const char *value, enum tpm_whose *whose)
{
	*whose = !value ? TPM_UNSAID : strcmp(value, "host") ? TPM_TRUSTED : TPM_HOST;
	return *whose == TPM_TRUSTED && strcmp(value, "trusted") ?
		usage_error("--tpm: '%s' is neither trusted nor host", value) : 0;
}

#define SECURE_BOOT \
	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* behind four bytes of attributes; PCR 7 has the same, measured */
static bool is_secure_boot(void)
{
	__cleanup_free uint8_t *value = NULL;
	size_t len;

	return !cvm_read_file(SECURE_BOOT, 5, (void **)&value, &len) && len == 5 && value[4] == 1;
}

int check_seal(const char *action, enum tpm_whose whose, uint32_t pcrs)
{
	if (whose == TPM_UNSAID)
		return usage_error("%s: say who runs the TPM: --tpm trusted or host; nothing that the VM can see tells them apart",
				   action);
	if (whose == TPM_HOST)
		return fail(EXIT_NOT_SUPPORTED, "--tpm host: a TPM that the host runs tells the host its secrets, and gives them to whatever the host boots");
	if ((pcrs & CVM_PCRS_BOOT) == CVM_PCR_SECURE_BOOT && !is_secure_boot())
		return fail(EXIT_NOT_SUPPORTED, "--pcrs with 7 and without 4: Secure Boot is off, or not to be seen, and then 7 is the same whatever boots");
	return 0;
}

int parse_root(const char *value, uint32_t *root)
{
	int known = value ? cvm_root_parse(value) : CVM_ROOT_VCEK;

	if (known < 0 || known == CVM_ROOT_TPM)
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

int open_door(struct cvm_key_door *door, enum cvm_key_from from)
{
	struct cvm_error error;
	int rc = cvm_secret_process(&error);

	if (!rc)
		rc = cvm_key_door_open(door, from, &error);
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

int open_disk_door(struct cvm_key_door *door, enum cvm_key_from from)
{
	int rc = empty_session();

	return rc ? rc : open_door(door, from);
}

void tell_door(const struct cvm_key_door *door)
{
	if (door->from & CVM_FROM_FIRMWARE)
		fprintf(stderr, "cvmctl %s: by %s\n", command_name, cvm_key_door_text(door));
	if (door->from & CVM_FROM_TPM)
		fprintf(stderr, "cvmctl %s: by " CVM_TPM_NODE ": a secret of the TPM's passes through this process, in locked memory; a TPM that the host emulates has no secrets from the host\n",
			command_name);
}

int parse_keyring(const char *value, int32_t *keyring)
{
	uint32_t serial;
	int rc;

	if (!strcmp(value, "session")) {
		/* by its number: a new one, of this process, would go with it */
		*keyring = keyctl_get_keyring_ID(KEY_SPEC_SESSION_KEYRING, 0);
		return *keyring < 0 ? fail(EXIT_FAILED, "--keyring: no session keyring: %s",
					   strerror(errno)) : 0;
	}
	if (!strcmp(value, "user")) {
		*keyring = KEY_SPEC_USER_KEYRING;
		return 0;
	}
	rc = parse_number("keyring", value, INT32_MAX, &serial);
	*keyring = (int32_t)serial;
	return !rc && !serial ? usage_error("--keyring: 0 is no keyring") : rc;
}

int check_key_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return !len || name[len] || len > CVM_MAX_KEY_NAME ?
		usage_error("--name: '%s' is not 1 to %d letters, digits, and any of '._-'", name,
			    CVM_MAX_KEY_NAME) : 0;
}
