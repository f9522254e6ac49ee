// SPDX-License-Identifier: MIT
/* Times of certificates, lists and JSON, in seconds, and the windows they make. */
#include <stdio.h>
#include <time.h>

#include "certs.h"

const struct cvm_window cvm_window_always = { .from = INT64_MIN, .until = INT64_MAX };

void cvm_window_narrow(struct cvm_window *w, int64_t from, int64_t until, const char *whose)
{
	if (from > w->from) {
		w->from = from;
		snprintf(w->starts, sizeof(w->starts), "%s", whose);
	}
	if (until < w->until) {
		w->until = until;
		snprintf(w->ends, sizeof(w->ends), "%s", whose);
	}
}

const char *cvm_window_fault(const struct cvm_window *w, int64_t at, char *buf, size_t size)
{
	char when[32];

	if (at < w->from)
		snprintf(buf, size, "'%s' is not valid before %s", w->starts,
			 cvm_time_text(w->from, when));
	else if (at > w->until)
		snprintf(buf, size, "'%s' expired at %s", w->ends,
			 cvm_time_text(w->until, when));
	else
		return NULL;
	return buf;
}

bool cvm_time_of_asn1(const ASN1_TIME *time, int64_t *seconds)
{
	struct tm tm = { 0 };

	if (!time || !ASN1_TIME_to_tm(time, &tm))
		return false;
	*seconds = (int64_t)timegm(&tm);
	return true;
}

bool cvm_time_of_text(const char *text, int64_t *seconds)
{
	struct tm tm = { 0 }, same;
	char again[32];

	if (strlen(text) != strlen("2025-06-19T10:16:03Z") || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return false;
	same = tm;
	*seconds = (int64_t)timegm(&same);
	/* strptime() takes 30 February, and blanks; what it means must be what it says. */
	return !strcmp(cvm_time_text(*seconds, again), text);
}

const char *cvm_time_text(int64_t seconds, char buf[32])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		memcpy(buf, "?", 2);
	return buf;
}
