// SPDX-License-Identifier: GPL-2.0
/* Addresses that name a unit and a credential, and all others. */
#include <errno.h>
#include <stddef.h>

#include "common/util.h"
#include "keys/credential.h"
#include "tap.h"

#define START	offsetof(struct sockaddr_un, sun_path)

/* @len characters behind the zero byte */
static int parse(const char *text, size_t len, struct cvm_credential *credential,
		 struct cvm_error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path + 1, text, len);
	return cvm_credential_parse(&address, (socklen_t)(START + 1 + len), credential, error);
}

static void accepts(const char *text, const char *unit, const char *id)
{
	struct cvm_credential credential;

	check(!parse(text, strlen(text), &credential, NULL) && !strcmp(credential.unit, unit) &&
	      !strcmp(credential.id, id), "%s", text);
}

#define REFUSES(text) refuses(text, sizeof(text) - 1)

static void refuses(const char *text, size_t len)
{
	struct cvm_credential credential;
	struct cvm_error error = { .text = "" };
	char printed[CVM_CREDENTIAL_NAME + 1] = "";

	for (size_t i = 0; i < len; i++)
		printed[i] = text[i] > ' ' && text[i] <= '~' && text[i] != '#' ? text[i] : '?';
	check(parse(text, len, &credential, &error) == -EBADMSG && strstr(error.text, "LoadCredential"),
	      "refused: '%s'", printed);
}

static void no_abstract_one(void)
{
	static const char text[] = "1f/unit/a.service/db";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct cvm_credential credential;

	memcpy(address.sun_path, text, sizeof(text));
	check(cvm_credential_parse(&address, START + sizeof(text), &credential, NULL) == -EBADMSG,
	      "no path");
	memmove(address.sun_path + 1, text, sizeof(text));
	address.sun_path[0] = '\0';
	check(!cvm_credential_parse(&address, START + sizeof(text), &credential, NULL), "an address");
	address.sun_family = AF_INET;
	check(cvm_credential_parse(&address, START + sizeof(text), &credential, NULL) == -EBADMSG,
	      "none of another family");
	for (socklen_t len = 0; len < START + sizeof(text) - 2; len++)
		if (cvm_credential_parse(&address, len, &credential, NULL) != -EBADMSG)
			check(false, "its first %u bytes", len);
	address.sun_family = AF_UNIX;
	check(cvm_credential_parse(&address, sizeof(address) + 1, &credential, NULL) == -EBADMSG,
	      "none that is longer than any");
}

static void longest(void)
{
	char text[sizeof(((struct sockaddr_un *)0)->sun_path)], label[CVM_CREDENTIAL_LABEL];
	struct cvm_credential credential = { 0 };

	memset(text, 'x', sizeof(text));
	memcpy(text, "1/unit/a.service/", 17);
	check(!parse(text, sizeof(text) - 1, &credential, NULL) &&
	      strlen(credential.id) == sizeof(text) - 1 - 17, "the longest");
	check(strlen(cvm_credential_label(&credential, label)) <= 255, "its label is one");
	check(!strncmp(label, "credential/a.service/xxx", 24), "which names both");
}

static void in_unit(const char *cgroups, const char *unit, bool wanted)
{
	const char *last = strrchr(cgroups, '\n');

	check(cvm_credential_in_unit(cgroups, unit) == wanted, "%s %s: %s",
	      wanted ? "in" : "not in", unit, last ? last + 1 : cgroups);
}

/* of systemd's names for cgroups */
static void cgroups(void)
{
	in_unit("0::/system.slice/a.service", "a.service", true);
	in_unit("0::/a.service", "a.service", true);
	in_unit("0::/system.slice/system-a.slice/a@b.service", "a@b.service", true);
	in_unit("1:name=systemd:/b.service\n0::/system.slice/a.service", "a.service", true);
	in_unit("0::/system.slice/_cpu.service", "cpu.service", true);
	in_unit("0::/system.slice/__a.service", "_a.service", true);
	/* of a unit that has cgroups of its own, and has systemd begin there */
	in_unit("0::/system.slice/a.service/.control", "a.service", true);
	in_unit("0::/system.slice/b.service", "a.service", false);
	in_unit("0::/system.slice/a.service.d", "a.service", false);
	in_unit("0::/system.slice/aa.service", "a.service", false);
	in_unit("0::/system.slice/a.servic", "a.service", false);
	in_unit("0::/system.slice/b.service/a.service", "a.service", false);
	in_unit("0::/system.slice/b.scope/a.service", "a.service", false);
	in_unit("0::/system.slice/b.scope/system.slice/a.service", "a.service", false);
	in_unit("0::/user.slice/user-0.slice/user@0.service/app.slice/a.service", "a.service", false);
	in_unit("0::/system.slice/b/a.service", "a.service", false);
	in_unit("0::/.slice/a.service", "a.service", false);
	in_unit("0::/../a.service", "a.service", false);
	in_unit("0::/system.slice//a.service", "a.service", false);
	in_unit("0::/system.slice", "a.service", false);
	in_unit("0::/", "a.service", false);
	in_unit("1:name=systemd:/system.slice/a.service", "a.service", false);
	in_unit("10::/system.slice/a.service", "a.service", false);
	in_unit("", "a.service", false);
}

int main(void)
{
	accepts("adf9d86b6eda275e/unit/foobar.service/credx", "foobar.service", "credx");
	accepts("0/unit/a.service/b", "a.service", "b");
	accepts("1f/unit/x@a-b\\x2d:c_.service/db key", "x@a-b\\x2d:c_.service", "db key");
	accepts("1f/unit/var-lib.mount/k", "var-lib.mount", "k");
	accepts("1f/unit/a.socket/k", "a.socket", "k");
	accepts("1f/unit/a.swap/..k", "a.swap", "..k");
	REFUSES("");
	REFUSES("/unit/a.service/b");
	REFUSES("1f");
	REFUSES("1f/unit");
	REFUSES("1f/unit/");
	REFUSES("1f/unit/a.service");
	REFUSES("1f/unit/a.service/");
	REFUSES("1f/unit//b");
	REFUSES("1f/user/a.service/b");
	REFUSES("1f/Unit/a.service/b");
	REFUSES("1-f/unit/a.service/b");
	REFUSES(" 1f/unit/a.service/b");
	REFUSES("1f/unit/a.service/b/");
	REFUSES("1f/unit/a.service/b/c");
	REFUSES("1f/unit/../a.service/b");
	REFUSES("1f/unit/.service/b");
	REFUSES("1f/unit/a@.service/b");
	REFUSES("1f/unit/@a.service/b");
	REFUSES("1f/unit/a.device/b");
	REFUSES("1f/unit/a/b");
	REFUSES("1f/unit/a.service.x/b");
	REFUSES("1f/unit/a b.service/b");
	REFUSES("1f/unit/a\0.service/b");
	REFUSES("1f/unit/a.service\0/b");
	REFUSES("1f/unit/a.service/b\0");
	REFUSES("1f/unit/a.service/b\n");
	REFUSES("1f/unit/a.service/b:c");
	REFUSES("1f/unit/a.service/\xc3\xa4");
	REFUSES("1f/unit/\xc3\xa4.service/b");
	REFUSES("1f/unit/a.service/.");
	REFUSES("1f/unit/a.service/..");
	REFUSES("1f\0/unit/a.service/b");
	no_abstract_one();
	longest();
	cgroups();
	return tap_end();
}
