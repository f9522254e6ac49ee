// SPDX-License-Identifier: MIT
/*
 * The backend tsm: configfs-tsm of the kernel (Documentation/ABI/testing/
 * configfs-tsm-report). Each request has an entry of its own for as long as it
 * takes: entries are shared by everybody who can write to configfs, and the
 * provider cannot be changed while one exists.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "lib.h"

#define REPORTS		"/sys/kernel/config/tsm/report"

/* how often a request starts again after somebody wrote to its entry */
#define MAX_RACES	3
#define MAX_NAMES	64
#define MAX_TEXT	256

/* An entry, open as a directory; writes counts what we wrote to it. */
struct entry {
	char path[PATH_MAX];
	int dir;
	unsigned long writes;
};

static int close_entry(struct entry *entry)
{
	if (entry->dir < 0)
		return 0;
	close(entry->dir);
	entry->dir = -1;
	return rmdir(entry->path) ? -errno : 0;
}

static void cleanup_entry(struct entry *entry)
{
	close_entry(entry);
}

/* A name that another thread, process or an earlier crash has taken is passed over. */
static int make_entry(const char *reports, struct entry *entry)
{
	static atomic_uint serial;

	entry->writes = 0;
	for (int tries = 0; tries < MAX_NAMES; tries++) {
		int len = snprintf(entry->path, sizeof(entry->path), "%s/cvmguest-%d-%u", reports,
				   (int)getpid(), atomic_fetch_add(&serial, 1));

		if (len >= (int)sizeof(entry->path))
			return -ENAMETOOLONG;
		if (!mkdir(entry->path, 0700)) {
			entry->dir = open(entry->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (entry->dir >= 0)
				return 0;
			rmdir(entry->path);
			return -errno;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int read_attribute(const struct entry *entry, const char *name, size_t max, void **data,
			  size_t *len)
{
	__cleanup_fd int fd = openat(entry->dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : cvm_read_fd(fd, max, data, len);
}

/* A decimal attribute; everything but digits and a newline is refused. */
static int read_number(const struct entry *entry, const char *name, unsigned long *number)
{
	__cleanup_free char *text = NULL;
	size_t len;
	char *end;
	int rc = read_attribute(entry, name, MAX_TEXT, (void **)&text, &len);

	if (rc)
		return rc;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return end == text || (*end && *end != '\n') || errno ? -EBADMSG : 0;
}

static int write_attribute(struct entry *entry, const char *name, const void *data, size_t len)
{
	int fd = openat(entry->dir, name, O_WRONLY | O_CLOEXEC);
	ssize_t put;
	int rc = 0;

	if (fd < 0)
		return -errno;
	/* in one write: the kernel takes each as a value of its own */
	put = write(fd, data, len);
	if (put != (ssize_t)len)
		rc = put < 0 ? -errno : -EIO;
	/* binary attributes reach the provider when they are closed */
	if (close(fd) && !rc)
		rc = -errno;
	/* one that is refused leaves the generation as it was */
	entry->writes += put >= 0;
	return rc;
}

static void set_provider(struct cvm_source *source, const char *provider)
{
	if (!strncmp(provider, "sev_guest", 9)) {
		source->status.tee = CVM_TEE_SNP;
		source->status.types = CVM_TYPE_BIT(CVM_EVIDENCE_SNP_REPORT);
	} else if (!strncmp(provider, "tdx_guest", 9)) {
		source->status.tee = CVM_TEE_TDX;
		source->status.types = CVM_TYPE_BIT(CVM_EVIDENCE_TDX_QUOTE);
	}
}

static int probe(struct cvm_source *source, const char *reports, struct cvm_error *error)
{
	__cleanup(cleanup_entry) struct entry entry = { .dir = -1 };
	__cleanup_free char *provider = NULL;
	unsigned long floor = 0;
	size_t len;
	int rc = make_entry(reports, &entry);

	if (rc == -ENXIO)
		return cvm_set_error(error, -ENODEV, "%s: no driver has registered with configfs-tsm (is sev-guest or tdx-guest loaded?)",
				     reports);
	if (rc)
		return cvm_path_error(error, rc, reports, "make an entry in");
	rc = read_attribute(&entry, "provider", MAX_TEXT, (void **)&provider, &len);
	if (rc)
		return cvm_path_error(error, rc, entry.path, "read the provider of");
	set_provider(source, provider);
	if (!source->status.types)
		return cvm_set_error(error, -ENODEV, "%s: the provider '%.*s' is neither sev_guest nor tdx_guest",
				     reports, (int)strcspn(provider, "\n"), provider);
	/* not on TDX, which has no such levels */
	if (!read_number(&entry, "privlevel_floor", &floor))
		source->status.vmpl = (uint32_t)floor;
	return 0;
}

static int open_tsm(struct cvm_source *source, const struct cvm_open_opts *opts,
		    struct cvm_error *error)
{
	const char *reports = source->status.source;
	int rc = cvm_source_set(source, source->root, REPORTS, error);

	if (rc)
		return rc;
	source->status.max_evidence = CVM_EVIDENCE_MAX;
	source->status.max_certs = CVM_CERTS_MAX;
	if (!cvm_source_has(source, REPORTS))
		return cvm_set_error(error, -ENODEV, "%s: no configfs-tsm (is configfs mounted, and this kernel 6.7 or later?)",
				     reports);
	return probe(source, reports, error);
}

static int write_inputs(struct entry *entry, const struct cvm_source *source,
			const struct cvm_job *job)
{
	char level[16];
	int rc = write_attribute(entry, "inblob", job->report_data, CVM_REPORT_DATA_LEN);

	/* under an SVSM the provider's own default, 0, is below its floor */
	if (!rc && (job->flags & CVM_REQUEST_VMPL || source->status.vmpl)) {
		uint32_t vmpl = job->flags & CVM_REQUEST_VMPL ? job->vmpl : source->status.vmpl;
		int len = snprintf(level, sizeof(level), "%u", vmpl);

		rc = write_attribute(entry, "privlevel", level, (size_t)len);
	}
	return rc;
}

/*
 * The provider makes the report when outblob is first read, from what is in
 * the entry at that moment. Only as many writes as ours means ours alone.
 */
static int one_try(const struct cvm_source *source, struct cvm_job *job)
{
	__cleanup(cleanup_entry) struct entry entry = { .dir = -1 };
	__cleanup_free void *data = NULL;
	__cleanup_free void *certs = NULL;
	unsigned long generation = 0;
	size_t len = 0, certs_len = 0;
	int rc = make_entry(source->status.source, &entry);

	if (!rc)
		rc = write_inputs(&entry, source, job);
	if (!rc)
		rc = read_attribute(&entry, "outblob", CVM_EVIDENCE_MAX, &data, &len);
	if (!rc && job->flags & CVM_REQUEST_CERTS)
		rc = read_attribute(&entry, "auxblob", CVM_CERTS_MAX, &certs, &certs_len);
	/* read whatever happened: a race may be why the rest failed */
	if (entry.dir >= 0 && !read_number(&entry, "generation", &generation) &&
	    generation != entry.writes)
		return -EAGAIN;
	if (!rc && !generation)
		return -EBADMSG;
	if (!rc)
		cvm_job_done(job, source, &(struct cvm_answer) {
			.data = cvm_take_ptr(data), .len = len,
			.certs = cvm_take_ptr(certs), .certs_len = certs_len });
	return rc;
}

static int request(const struct cvm_source *source, struct cvm_job *job)
{
	int rc = -EAGAIN;

	if (job->signing_key != CVM_SIGNING_KEY_AUTO)
		return cvm_set_error(&job->error, -EOPNOTSUPP, "%s: configfs-tsm has no choice of signing key; use the backend cvm or native",
				     source->status.source);
	for (int tries = 0; rc == -EAGAIN && tries < MAX_RACES; tries++)
		rc = one_try(source, job);
	if (!rc)
		return job->result;
	if (rc == -EAGAIN)
		return cvm_set_error(&job->error, -EBUSY, "%s: somebody else writes to our entries; find out who, or use the backend cvm",
				     source->status.source);
	/* the kernel's drivers, and ours for it, answer so once their key is wiped */
	if (rc == -ENOTTY)
		rc = -ENOKEY;
	/* what an entry that was made answers about itself is the provider gone */
	return cvm_source_error(&job->error, rc == -ENXIO ? -ECANCELED : rc, source, 0);
}

static void issue_tsm(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		      uint32_t timeout_ms)
{
	for (size_t i = 0; i < count; i++) {
		if (timeout_ms)
			jobs[i].result = cvm_set_error(&jobs[i].error, -EOPNOTSUPP, "%s: configfs-tsm knows no deadlines; leave it out",
						       source->status.source);
		else
			jobs[i].result = request(source, &jobs[i]);
	}
}

const struct cvm_backend cvm_backend_tsm = {
	.name = "tsm",
	.open = open_tsm,
	.issue = issue_tsm,
};
