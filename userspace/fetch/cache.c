// SPDX-License-Identifier: MIT
/*
 * What was fetched, on disk: one file for each item, named after all that it depends
 * on, replaced by rename(). Who fetches holds a lock beside it, so that others
 * who want the same wait for that one fetch and then find it here, or its failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../common/util.h"
#include "internal.h"

#define LOCK_POLL_MS	20

/**
 * struct entry - a file of the cache
 * @fresh_until: when it is to be fetched anew
 */
struct entry {
	struct cvm_fetched fetched;
	int64_t fresh_until;
};

static void cleanup_entry(struct entry *entry)
{
	cvm_fetched_free(&entry->fetched);
}

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

static void cleanup_answer(struct cvm_http_answer *answer)
{
	cvm_http_answer_free(answer);
}

void cvm_fetched_free(struct cvm_fetched *fetched)
{
	free(fetched->text);
	free(fetched->chain);
	*fetched = (struct cvm_fetched){ 0 };
}

/* @path: a directory and all above it, as mkdir -p makes them */
static int make_directories(const char *path)
{
	__cleanup_free char *part = strdup(path);

	if (!part)
		return -ENOMEM;
	for (char *at = part + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(part, 0777) && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return mkdir(part, 0777) && errno != EEXIST ? -errno : 0;
}

static char *path_of(const struct cvm_fetch *f, const struct cvm_item *item, const char *end)
{
	char *path;

	return asprintf(&path, "%s/%s%s", f->cache, item->key, end) < 0 ? NULL : path;
}

/* A file that is not as we write them is as good as none. */
static bool parse_entry(const char *data, size_t len, const char *from, struct entry *entry)
{
	json_t *json __cleanup(cleanup_json) = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	json_int_t version, fresh, expires;
	const char *url, *text, *chain = NULL;

	if (json_unpack(json, "{s:I, s:s, s:I, s:I, s:s, s?s}", "version", &version, "url", &url,
			"fresh_until", &fresh, "expires", &expires, "text", &text, "chain",
			&chain) || version != 1)
		return false;
	/* of another server it is another's answer */
	if (strcmp(url, from))
		return false;
	entry->fresh_until = fresh;
	entry->fetched = (struct cvm_fetched){ strdup(text), chain ? strdup(chain) : NULL, expires,
					       false };
	return entry->fetched.text && !entry->fetched.chain == !chain;
}

/* False where there is none that still holds */
static bool find(const struct cvm_fetch *f, const struct cvm_item *item, struct entry *entry)
{
	__cleanup_free char *path = path_of(f, item, ".json");
	__cleanup_free void *data = NULL;
	size_t len;

	if (!path || cvm_read_file(path, 8 * CVM_FETCH_MAX, &data, &len))
		return false;
	if (parse_entry(data, len, item->url, entry) && f->now <= entry->fetched.expires)
		return true;
	cvm_fetched_free(&entry->fetched);
	return false;
}

static int keep(const struct cvm_fetch *f, const struct cvm_item *item,
		const struct cvm_fetched *fetched)
{
	json_t *json __cleanup(cleanup_json) =
		json_pack("{s:i, s:s, s:I, s:I, s:I, s:s, s:s*}", "version", 1, "url", item->url,
			  "fetched", (json_int_t)f->now, "fresh_until",
			  (json_int_t)(f->now + item->fresh), "expires",
			  (json_int_t)fetched->expires, "text", fetched->text, "chain",
			  fetched->chain);
	__cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	__cleanup_free char *path = path_of(f, item, ".json");

	return text && path ? cvm_write_file(path, text, strlen(text), 0644) : -ENOMEM;
}

/* The lock of @item; -ETIMEDOUT where somebody else holds it until @deadline */
static int lock(const struct cvm_fetch *f, const struct cvm_item *item, int64_t deadline)
{
	const struct timespec pause = { 0, LOCK_POLL_MS * 1000000L };
	__cleanup_free char *path = path_of(f, item, ".lock");
	__cleanup_fd int fd = -1;
	int ret = path ? make_directories(f->cache) : -ENOMEM;

	if (ret)
		return ret;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (cvm_clock_ms() >= deadline)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	ret = fd;
	fd = -1;
	return ret;
}

static int fetch(const struct cvm_fetch *f, const struct cvm_item *item, int64_t deadline,
		 struct cvm_fetched *out, struct cvm_error *error)
{
	struct cvm_http_answer answer __cleanup(cleanup_answer) = { 0 };
	const _Atomic int64_t until = deadline;
	int ret = cvm_http_get(item, &until, &answer, error);

	if (ret)
		return ret;
	ret = item->read(item, answer.body, answer.len, out, error);
	if (!ret && item->chain_header && !answer.chain)
		ret = cvm_set_error(error, -EBADMSG, "%.150s: no header %s", item->url,
				    item->chain_header);
	if (!ret && item->chain_header)
		ret = cvm_check_issuers(item, answer.chain, error);
	if (!ret && out->expires < f->now)
		ret = cvm_set_error(error, -EBADMSG, "%.150s: what the server has is out of date",
				    item->url);
	if (ret) {
		cvm_fetched_free(out);
		return ret;
	}
	out->chain = cvm_take_ptr(answer.chain);
	ret = keep(f, item, out);
	if (!ret)
		return 0;
	cvm_fetched_free(out);
	return cvm_set_error(error, ret, "%.200s: cannot be written: %s", f->cache, strerror(-ret));
}

/*
 * Whoever waited for a fetch that failed shares its failure, as it would have shared
 * what came: else each of them would ask a server that is away or busy, in turn.
 * But not that it had less time, or memory, than they have.
 */
static void leave_failure(int locked, const struct cvm_item *item, int ret,
			  const struct cvm_error *error)
{
	json_t *json __cleanup(cleanup_json) =
		ret == -ETIMEDOUT || ret == -ENOMEM ? NULL :
		json_pack("{s:I, s:s, s:i, s:s}", "at", (json_int_t)cvm_clock_ms(), "url",
			  item->url, "result", ret, "error", error->text);
	__cleanup_free char *text = json ? json_dumps(json, 0) : NULL;

	/* what is not there, or cut short, is no failure to share */
	if (text && !ftruncate(locked, 0) &&
	    pwrite(locked, text, strlen(text), 0) != (ssize_t)strlen(text))
		(void)!ftruncate(locked, 0);
}

/* That of a fetch from the same place that ended while we waited, since @start; 0: none did */
static int failure_since(int locked, const struct cvm_item *item, int64_t start,
			 struct cvm_error *error)
{
	char data[4096];
	ssize_t len = pread(locked, data, sizeof(data), 0);
	json_t *json __cleanup(cleanup_json) = len > 0 ? json_loadb(data, (size_t)len, 0, NULL) :
							 NULL;
	json_int_t at;
	const char *url, *text;
	int ret;

	if (json_unpack(json, "{s:I, s:s, s:i, s:s}", "at", &at, "url", &url, "result", &ret,
			"error", &text) ||
	    ret >= 0 || strcmp(url, item->url) || at < start || at > cvm_clock_ms())
		return 0;
	return cvm_set_error(error, ret, "%.250s", text);
}

/* Under the lock: somebody else may have fetched it meanwhile. */
static int find_or_fetch(const struct cvm_fetch *f, const struct cvm_item *item, int locked,
			 int64_t start, struct cvm_fetched *out, struct cvm_error *error)
{
	struct entry entry __cleanup(cleanup_entry) = { 0 };
	bool found = find(f, item, &entry);
	int ret;

	if (found && !f->refresh && f->now < entry.fresh_until) {
		*out = entry.fetched;
		entry.fetched = (struct cvm_fetched){ 0 };
		return 0;
	}
	ret = failure_since(locked, item, start, error);
	if (!ret) {
		ret = fetch(f, item, start + (int64_t)f->timeout * 1000, out, error);
		if (ret)
			leave_failure(locked, item, ret, error);
	}
	if (!ret || !found || f->refresh)
		return ret;
	*out = entry.fetched;
	out->old = true;
	entry.fetched = (struct cvm_fetched){ 0 };
	return 0;
}

int cvm_fetch_item(const struct cvm_fetch *f, const struct cvm_item *item,
		   struct cvm_fetched *out, struct cvm_error *error)
{
	struct entry entry __cleanup(cleanup_entry) = { 0 };
	int64_t start = cvm_clock_ms();
	__cleanup_fd int locked = -1;

	*out = (struct cvm_fetched){ 0 };
	if (!f->refresh && find(f, item, &entry) && (f->offline || f->now < entry.fresh_until)) {
		*out = entry.fetched;
		entry.fetched = (struct cvm_fetched){ 0 };
		return 0;
	}
	if (f->offline)
		return cvm_set_error(error, -ENOENT, "%.150s: not in the cache %.200s, or too old",
				     item->url, f->cache);
	locked = lock(f, item, start + (int64_t)f->timeout * 1000);
	if (locked == -ETIMEDOUT)
		return cvm_set_error(error, locked, "%.150s: somebody else has been fetching it for too long",
				     item->url);
	if (locked < 0)
		return cvm_set_error(error, locked, "%.200s: cannot be locked: %s", f->cache,
				     strerror(-locked));
	return find_or_fetch(f, item, locked, start, out, error);
}
