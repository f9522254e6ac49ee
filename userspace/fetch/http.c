// SPDX-License-Identifier: MIT
/* GET and POST, patiently and within bounds. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "curl.h"
#include "internal.h"

#define FIRST_WAIT_MS	500
#define LONGEST_WAIT_MS	30000
/* whether the deadline has been brought forward */
#define LOOK_AGAIN_MS	500
/* what Azure's host does not have after as many tries more it has not */
#define MAX_MISSING	3
/* how often waits and attempts get longer */
#define MAX_DOUBLED	6

struct transfer {
	const struct cvm_curl *curl;
	CURL *easy;
	struct curl_slist *headers;
	const struct cvm_item *item;
	const _Atomic int64_t *deadline;
	int64_t until;
	struct cvm_http_answer answer;
	char why[CURL_ERROR_SIZE];
	CURLcode code;
	long status;
	int64_t retry_after_ms;
	unsigned int attempt, lost;
};

int64_t cvm_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void cvm_http_answer_free(struct cvm_http_answer *answer)
{
	free(answer->body);
	free(answer->chain);
	*answer = (struct cvm_http_answer){ 0 };
}

static void cleanup_transfer(struct transfer *t)
{
	if (!t->curl)
		return;
	t->curl->slist_free_all(t->headers);
	if (t->easy)
		t->curl->easy_cleanup(t->easy);
	cvm_http_answer_free(&t->answer);
}

/* Fewer bytes taken than given end the transfer: no server fills our memory. */
static size_t take(char *data, size_t size, size_t count, void *context)
{
	struct cvm_http_answer *a = context;
	size_t len = size * count;
	char *grown;

	if (len > CVM_FETCH_MAX - a->len)
		return 0;
	grown = realloc(a->body, a->len + len + 1);
	if (!grown)
		return 0;
	memcpy(grown + a->len, data, len);
	a->body = grown;
	a->len += len;
	grown[a->len] = '\0';
	return len;
}

/* libcurl asks about once a second. Not 0: the deadline is another one than it was told. */
static int is_over(void *context, curl_off_t to_come, curl_off_t has_come, curl_off_t to_go,
		   curl_off_t has_gone)
{
	const struct transfer *t = context;

	return *t->deadline < t->until;
}

static bool watch_deadline(struct transfer *t)
{
	const struct cvm_curl *c = t->curl;

	return !c->easy_setopt(t->easy, CURLOPT_XFERINFOFUNCTION, is_over) &&
	       !c->easy_setopt(t->easy, CURLOPT_XFERINFODATA, t) &&
	       !c->easy_setopt(t->easy, CURLOPT_NOPROGRESS, 0L);
}

static bool is_direct(const struct cvm_item *item)
{
	const char *host = strstr(item->url, "://");

	if (item->direct)
		return true;
	return host && (!strncmp(host + 3, "169.254.", 8) || !strncasecmp(host + 3, "[fe8", 4));
}

static bool add_header(struct transfer *t, const char *header)
{
	struct curl_slist *longer = t->curl->slist_append(t->headers, header);

	if (longer)
		t->headers = longer;
	return longer;
}

static bool add_headers(struct transfer *t)
{
	if (t->item->header && !add_header(t, t->item->header))
		return false;
	/* with a charset behind it Azure's host takes it for another type */
	return !t->item->post || (add_header(t, "Content-Type: application/json") &&
				  add_header(t, "Accept: application/json"));
}

/* http too: what is fetched is signed. No redirects: nobody who is asked has any. */
static bool prepare(struct transfer *t)
{
	const struct cvm_curl *c = t->curl;
	bool good;

	t->easy = c->easy_init();
	if (!t->easy || !add_headers(t) || !watch_deadline(t))
		return false;
	good = !c->easy_setopt(t->easy, CURLOPT_URL, t->item->url) &&
	       !c->easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !c->easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !c->easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L) &&
	       !c->easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) &&
	       !c->easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->why) &&
	       !c->easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take) &&
	       !c->easy_setopt(t->easy, CURLOPT_WRITEDATA, &t->answer);
	if (good && is_direct(t->item))
		good = !c->easy_setopt(t->easy, CURLOPT_PROXY, "") &&
		       !c->easy_setopt(t->easy, CURLOPT_NOPROXY, "*");
	if (good && t->item->post)
		good = !c->easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->item->post);
	return good;
}

static char *header_of(struct transfer *t, const char *name)
{
	struct curl_header *header;

	if (t->curl->easy_header(t->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

static bool take_chain(struct transfer *t)
{
	const char *value = t->item->chain_header ? header_of(t, t->item->chain_header) : NULL;
	char *text;

	if (!value)
		return true;
	text = t->curl->easy_unescape(t->easy, value, 0, NULL);
	t->answer.chain = text ? strdup(text) : NULL;
	t->curl->free(text);
	return t->answer.chain;
}

static int64_t retry_after_ms(struct transfer *t)
{
	curl_off_t seconds = 0;

	t->curl->easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &seconds);
	return seconds < 0 || seconds > 3600 ? 3600 * 1000 : seconds * 1000;
}

static int64_t doubled(int64_t ms, unsigned int times)
{
	return ms << (times < MAX_DOUBLED ? times : MAX_DOUBLED);
}

/*
 * The deadline is that of all attempts: whose answer is lost is to have another one, as long as
 * there is time for one with twice as much; else the answer may be late, and is waited for.
 */
static long attempt_ms(const struct transfer *t)
{
	int64_t left = t->until - cvm_clock_ms(), most = doubled(CVM_FETCH_DIRECT_MS, t->lost);

	if (is_direct(t->item) && left > 3 * most)
		left = most;
	return left > 1 ? (long)left : 1;
}

/* Returns 0 or -ENOMEM; what the server said is in @t. */
static int ask_once(struct transfer *t)
{
	t->until = *t->deadline;
	cvm_http_answer_free(&t->answer);
	t->why[0] = '\0';
	t->status = 0;
	t->curl->easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, attempt_ms(t));
	t->code = t->curl->easy_perform(t->easy);
	t->lost += t->code == CURLE_OPERATION_TIMEDOUT;
	t->curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	t->retry_after_ms = retry_after_ms(t);
	return t->code || t->status != 200 || take_chain(t) ? 0 : -ENOMEM;
}

/*
 * Of what may be otherwise in a moment. Azure's host has nothing of anything for a moment,
 * or nothing any more (410) for a minute, while it is being updated.
 */
static bool is_passing(const struct transfer *t)
{
	switch (t->code) {
	case CURLE_OK:
		if (t->item->direct && t->status == 404)
			return t->attempt < MAX_MISSING;
		if (t->item->direct && t->status == 410)
			return true;
		return t->status == 429 || t->status == 500 || t->status == 502 ||
		       t->status == 503 || t->status == 504;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_ABORTED_BY_CALLBACK:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return true;
	default:
		return false;
	}
}

/* Half of it for certain and the rest by chance, so that many who were sent away together part */
static int64_t with_jitter(int64_t ms)
{
	uint32_t chance = 0;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = (uint32_t)cvm_clock_ms();
	return ms / 2 + chance % (ms / 2 + 1);
}

/* False: the deadline has been brought forward */
static bool wait_until(const struct transfer *t, int64_t until)
{
	int64_t left;

	while ((left = until - cvm_clock_ms()) > 0) {
		int64_t ms = left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS;
		const struct timespec pause = { 0, ms * 1000000 };

		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		if (until >= *t->deadline)
			return false;
	}
	return true;
}

/* False where the wait would end after the deadline */
static bool wait_for_turn(struct transfer *t)
{
	int64_t ms = doubled(FIRST_WAIT_MS, t->attempt);

	ms = with_jitter(ms < LONGEST_WAIT_MS ? ms : LONGEST_WAIT_MS);
	if (ms < t->retry_after_ms)
		ms = t->retry_after_ms;
	ms += cvm_clock_ms();
	if (ms >= *t->deadline)
		return false;
	t->attempt++;
	return wait_until(t, ms);
}

static int no_answer(const struct transfer *t, struct cvm_error *error)
{
	const char *url = t->item->url;

	if (t->code == CURLE_WRITE_ERROR)
		return cvm_set_error(error, -EBADMSG, "%.100s: longer than %u bytes", url,
				     CVM_FETCH_MAX);
	if (t->code)
		return cvm_set_error(error, is_passing(t) ? -ETIMEDOUT : -EIO, "%.100s: %.100s",
				     url, t->why[0] ? t->why : "no answer");
	/* whether or not there was time to ask more often */
	if (is_passing(t) && t->status != 404)
		return cvm_set_error(error, -ETIMEDOUT,
				     "%.100s: the server is busy (status %ld): try again later, or with a longer --timeout",
				     url, t->status);
	if (t->status == 200)
		return cvm_set_error(error, -EBADMSG, "%.150s: an empty answer", url);
	if (t->status == 404)
		return cvm_set_error(error, -ENOENT, "%.150s: the server has none (status 404)",
				     url);
	return cvm_set_error(error, -EIO, "%.150s: status %ld", url, t->status);
}

int cvm_http_get(const struct cvm_item *item, const _Atomic int64_t *deadline,
		 struct cvm_http_answer *out, struct cvm_error *error)
{
	struct transfer t __cleanup(cleanup_transfer) = {
		.curl = cvm_curl(), .item = item, .deadline = deadline,
	};

	if (!t.curl)
		return cvm_set_error(error, -EOPNOTSUPP, "libcurl.so.4 is needed to fetch anything: apt-get install libcurl4");
	if (!prepare(&t))
		return cvm_set_error(error, -EIO, "%.100s: libcurl takes no such request", item->url);
	do {
		if (ask_once(&t))
			return cvm_set_error(error, -ENOMEM, "out of memory");
	} while (is_passing(&t) && wait_for_turn(&t));
	if (t.code || t.status != 200 || !t.answer.body)
		return no_answer(&t, error);
	*out = t.answer;
	t.answer = (struct cvm_http_answer){ 0 };
	return 0;
}
