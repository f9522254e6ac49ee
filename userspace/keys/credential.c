// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/api.h"
#include "common/util.h"
#include "credential.h"

#define DIGITS	"0123456789"
#define LETTERS	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* units that run something, and so may have credentials */
static const char *const suffixes[] = { ".service", ".socket", ".mount", ".swap" };

/* what there is of the address, in order */
struct reader {
	const char *at, *end;
};

static bool skip(struct reader *reader, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, text, len))
		return false;
	reader->at += len;
	return true;
}

/* Up to the next '/', or the end; neither empty nor with anything else than @allowed */
static bool take(struct reader *reader, const char *allowed, char out[CVM_CREDENTIAL_NAME])
{
	size_t len = 0;

	for (; reader->at < reader->end && *reader->at != '/'; reader->at++) {
		if (!*reader->at || !strchr(allowed, *reader->at))
			return false;
		out[len++] = *reader->at;
	}
	out[len] = '\0';
	return len;
}

static bool is_unit(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t suffix = strlen(suffixes[i]);

		/* "a@.service" is no unit but what units are made of */
		if (len > suffix && !strcmp(name + len - suffix, suffixes[i]))
			return name[0] != '@' && name[len - suffix - 1] != '@';
	}
	return false;
}

int cvm_credential_parse(const struct sockaddr_un *address, socklen_t len,
			 struct cvm_credential *credential, struct cvm_error *error)
{
	size_t start = offsetof(struct sockaddr_un, sun_path);
	struct reader reader = { address->sun_path, address->sun_path };
	char random[CVM_CREDENTIAL_NAME];

	/* a name of the file system has its zero byte at its end, and is shorter by it */
	if (len > start + 1 && len <= sizeof(*address) && address->sun_family == AF_UNIX &&
	    !address->sun_path[0])
		reader = (struct reader){ address->sun_path + 1, (const char *)address + len };
	if (!take(&reader, DIGITS LETTERS, random) || !skip(&reader, "/unit/") ||
	    !take(&reader, DIGITS LETTERS ":-_.\\@", credential->unit) ||
	    !is_unit(credential->unit) || !skip(&reader, "/") ||
	    !take(&reader, DIGITS LETTERS " !\"#$%&'()*+,-.;<=>?@[\\]^_`{|}~", credential->id) ||
	    !strcmp(credential->id, ".") || !strcmp(credential->id, "..") ||
	    reader.at != reader.end)
		return cvm_set_error(error, -EBADMSG, "who has connected has no address that names a unit and a credential, as systemd has for LoadCredential=");
	return 0;
}

/* The unified hierarchy's, which has the number 0; a name has no end of line in it. */
static const char *find_cgroup(const char *cgroups)
{
	static const char unified[] = "\n0::/";
	const char *at = strstr(cgroups, unified);

	if (!strncmp(cgroups, unified + 1, strlen(unified + 1)))
		return cgroups + strlen(unified + 1);
	return at ? at + strlen(unified) : NULL;
}

bool cvm_credential_in_unit(const char *cgroups, const char *unit)
{
	static const char slice[] = ".slice";
	const char *at = find_cgroup(cgroups);
	size_t len = at ? strcspn(at, "/\n") : 0, suffix = strlen(slice);

	while (at && at[len] == '/' && len > suffix && !strncmp(at + len - suffix, slice, suffix)) {
		at += len + 1;
		len = strcspn(at, "/\n");
	}
	if (!at)
		return false;
	/* before names that would be files of a cgroup, and those that begin so themselves */
	if (*at == '_') {
		at++;
		len--;
	}
	return len == strlen(unit) && !strncmp(at, unit, len);
}

const char *cvm_credential_label(const struct cvm_credential *credential,
				 char label[CVM_CREDENTIAL_LABEL])
{
	snprintf(label, CVM_CREDENTIAL_LABEL, "credential/%s/%s", credential->unit,
		 credential->id);
	return label;
}
