// SPDX-License-Identifier: MIT
/*
 * Which files an agent may open whose source is opened by its path at each request: it keeps
 * a capability for which rights of files are nothing. By Landlock, which that does not pass,
 * those of the source, and what libraries read that it needs; whoever took it over could
 * read no key, and write no file. Kernels without Landlock leave it to the unit.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "common/cleanup.h"
#include "common/util.h"

#define ACCESS(name)	LANDLOCK_ACCESS_FS_##name

#define READ		(ACCESS(READ_FILE) | ACCESS(READ_DIR))
#define FILE_WRITE	(ACCESS(READ_FILE) | ACCESS(WRITE_FILE))
#define TSM		(READ | FILE_WRITE | ACCESS(MAKE_DIR) | ACCESS(REMOVE_DIR))

/* of the third version, which Debian 12's header has no name for */
#define TRUNCATE	(1ULL << 14)

/* of the first; what else is later is of files that are not opened, and calls not let through */
#define ALL		(READ | FILE_WRITE | ACCESS(EXECUTE) | ACCESS(REMOVE_DIR) | \
			 ACCESS(REMOVE_FILE) | ACCESS(MAKE_CHAR) | ACCESS(MAKE_DIR) | \
			 ACCESS(MAKE_REG) | ACCESS(MAKE_SOCK) | ACCESS(MAKE_FIFO) | \
			 ACCESS(MAKE_BLOCK) | ACCESS(MAKE_SYM))

static const struct {
	const char *path;
	uint64_t access;
} rules[] = {
	/* the sources */
	{ "/sys/kernel/config/tsm", TSM },
	{ "/dev/sev-guest", FILE_WRITE },
	{ "/dev/tdx_guest", FILE_WRITE },
	{ "/dev/tpmrm0", FILE_WRITE },
	{ "/dev/tpm0", FILE_WRITE },
	{ "/sys/class", READ },
	{ "/sys/devices", READ },
	{ "/sys/module", READ },
	/* of libcurl, tpm2-tss and OpenSSL, and to find them and the host's service */
	{ "/usr/lib", READ },
	{ "/lib", READ },
	{ "/lib64", READ },
	{ "/etc/ld.so.cache", ACCESS(READ_FILE) },
	{ "/etc/ssl/openssl.cnf", ACCESS(READ_FILE) },
	{ "/etc/hosts", ACCESS(READ_FILE) },
	{ "/etc/host.conf", ACCESS(READ_FILE) },
	{ "/etc/nsswitch.conf", ACCESS(READ_FILE) },
	{ "/etc/resolv.conf", ACCESS(READ_FILE) },
	{ "/etc/gai.conf", ACCESS(READ_FILE) },
	{ "/etc/localtime", ACCESS(READ_FILE) },
	{ "/dev/null", FILE_WRITE },
	{ "/dev/urandom", ACCESS(READ_FILE) },
};

/* What is not there cannot be opened later either. */
static int add_rule(int ruleset, const char *path, uint64_t access)
{
	__cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .parent_fd = fd, .allowed_access = access };

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ?
	       -errno : 0;
}

/*
 * No file is truncated, nor need a source be. Before the third version of Landlock that takes no
 * more than the right to read: there the filter alone keeps open() from it.
 */
static uint64_t all_access(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);

	return version >= 3 ? ALL | TRUNCATE : ALL;
}

int agent_sandbox_files(void)
{
	struct landlock_ruleset_attr all = { .handled_access_fs = all_access() };
	__cleanup_fd int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all,
						sizeof(all.handled_access_fs), 0);
	int rc = 0;

	if (ruleset < 0)
		return -errno;
	for (size_t i = 0; !rc && i < ARRAY_SIZE(rules); i++)
		rc = add_rule(ruleset, rules[i].path, rules[i].access);
	if (!rc && syscall(SYS_landlock_restrict_self, ruleset, 0))
		rc = -errno;
	return rc;
}
