// SPDX-License-Identifier: MIT
/*
 * A report that is new. Success of a TPM's command says nothing of that; what says it are
 * claims that are about what was left in the index, and were about something else before.
 */
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "vtpm.h"

/* a paravisor does not renew its report more often */
#define WINDOW_MS	2000
/* between two looks, each of which costs three commands */
#define LOOK_MS		50
/* with nobody in the way a report is new by then, or never will be */
#define NEVER_MS	6000
/* how often a report that is not whole is read again at once */
#define MAX_TORN	8

/**
 * struct renewal - one request under way
 * @vtpm: locked
 * @report, @user_data: the indices
 * @size: bytes of a report
 * @deadline: ms
 */
struct renewal {
	struct cvm_vtpm *vtpm;
	ESYS_TR report, user_data;
	size_t size;
	int64_t deadline;
};

static void sleep_until(int64_t when)
{
	const struct timespec at = { when / 1000, when % 1000 * 1000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

/*
 * The report as it is, without having it renewed if @peek. Somebody else may have it
 * renewed between two of our commands: then it is not whole, and read again.
 */
static int read_report(const struct renewal *r, bool peek, struct cvm_hcl *hcl,
		       struct cvm_error *error)
{
	int rc = -EBADMSG;

	for (int i = 0; rc == -EBADMSG && i < MAX_TORN; i++) {
		/* the first byte is the same of each; and an offset of 0 is what renews */
		hcl->data[0] = 'H';
		rc = cvm_vtpm_read_nv(r->vtpm, r->report, peek, hcl->data + peek, r->size - peek,
				      error);
		hcl->len = r->size;
		if (!rc)
			rc = cvm_hcl_read(hcl, error);
	}
	return rc;
}

/* There are tools that take the index away and make it anew each time. */
static int leave(struct renewal *r, const uint8_t *want, struct cvm_error *error)
{
	int rc = cvm_vtpm_write_nv(r->vtpm, r->user_data, want, error);

	if (rc != -ENOENT)
		return rc;
	rc = cvm_vtpm_find_user_data(r->vtpm, &r->user_data, error);
	return rc ? rc : cvm_vtpm_write_nv(r->vtpm, r->user_data, want, error);
}

/* Somebody who does not know of our lock has left something else there, or nothing. */
static int leave_again(struct renewal *r, const uint8_t *want, int64_t *left,
		       struct cvm_error *error)
{
	uint8_t now[CVM_REPORT_DATA_LEN];
	int rc = cvm_vtpm_read_nv(r->vtpm, r->user_data, 0, now, sizeof(now), error);

	if (rc && rc != -ENOENT && rc != -EBUSY)
		return rc;
	if (!rc && !memcmp(now, want, sizeof(now)))
		return 0;
	*left = cvm_vtpm_clock_ms();
	return leave(r, want, error);
}

static int too_late(const struct renewal *r, int64_t left, struct cvm_error *error)
{
	int64_t now = cvm_vtpm_clock_ms();

	if (now - left > NEVER_MS)
		return cvm_set_error(error, -EIO, "the vTPM: report 0x%x is old and stays so: what is to be reported has been in index 0x%x for %d s, and the paravisor does not renew its report; restart this VM",
				     CVM_VTPM_REPORT, CVM_VTPM_USER_DATA, NEVER_MS / 1000);
	if (now >= r->deadline)
		return cvm_set_error(error, -ETIMEDOUT, "the vTPM: no report that is new before the deadline (a paravisor renews it every 2 s at most); allow more time");
	return 0;
}

/* A moment before which it is no use to look again */
static int64_t next_look(const struct renewal *r)
{
	int64_t now = cvm_vtpm_clock_ms();
	int64_t open = atomic_load(&r->vtpm->place->renewed_ms) + WINDOW_MS + 1;
	int64_t next = open > now && open < now + WINDOW_MS ? open : now + LOOK_MS;

	return next < r->deadline ? next : r->deadline;
}

/*
 * One look. 0: it is about @want; -EAGAIN: not yet; -EBADMSG: no whole report is there, and
 * @error says why, which may be otherwise with the next one
 */
static int look(const struct renewal *r, const uint8_t *want, struct cvm_hcl *hcl,
		struct cvm_error *error)
{
	int64_t before = cvm_vtpm_clock_ms();
	int rc = read_report(r, false, hcl, error);

	if (rc)
		return rc;
	if (!hcl->has_user_data)
		return cvm_set_error(error, -EOPNOTSUPP, "the vTPM: the claims of report 0x%x have no user-data: this paravisor is too old to report what it is asked for",
				     CVM_VTPM_REPORT);
	if (memcmp(hcl->user_data, want, sizeof(hcl->user_data)))
		return -EAGAIN;
	atomic_store(&r->vtpm->place->renewed_ms, before);
	return 0;
}

/* Leaves @want, and waits for a report about it; what is there now is about something else. */
static int renew(struct renewal *r, const uint8_t *want, struct cvm_hcl *hcl,
		 struct cvm_error *error)
{
	int64_t left = cvm_vtpm_clock_ms();
	int rc = leave(r, want, error), late;

	while (!rc) {
		rc = look(r, want, hcl, error);
		if (rc != -EAGAIN && rc != -EBADMSG)
			return rc;
		late = too_late(r, left, rc == -EBADMSG ? NULL : error);
		if (late)
			return rc == -EBADMSG ? rc : late;
		sleep_until(next_look(r));
		rc = leave_again(r, want, &left, error);
	}
	return rc;
}

/*
 * Who asks for what is reported already could not tell a new report from the old one:
 * something else comes between. So it does where the old one is no report at all.
 */
static int part_from(struct renewal *r, const uint8_t *want, struct cvm_hcl *hcl,
		     struct cvm_error *error)
{
	uint8_t other[CVM_REPORT_DATA_LEN];
	int rc = read_report(r, true, hcl, error);

	if (rc && rc != -EBADMSG)
		return rc;
	/* where it is about nothing no other will be either, which says who looks at that */
	if (!rc && (!hcl->has_user_data || memcmp(hcl->user_data, want, sizeof(other))))
		return 0;
	if (getrandom(other, sizeof(other), 0) != sizeof(other))
		return cvm_set_error(error, -EIO, "no random numbers");
	return renew(r, other, hcl, error);
}

int cvm_vtpm_report(struct cvm_vtpm *vtpm, const uint8_t *user_data, bool unique,
		    int64_t deadline, struct cvm_hcl *hcl, struct cvm_error *error)
{
	struct renewal r = { .vtpm = vtpm, .deadline = deadline };
	int rc = cvm_vtpm_find_report(vtpm, &r.report, &r.size, error);

	if (!rc)
		rc = cvm_vtpm_find_user_data(vtpm, &r.user_data, error);
	if (!rc && !unique)
		rc = part_from(&r, user_data, hcl, error);
	if (!rc)
		rc = renew(&r, user_data, hcl, error);
	return rc;
}

/*
 * Torn ones are read again, as ever; what its claims name is what it is read for, so an old
 * paravisor's, which are about nothing, will do.
 */
int cvm_vtpm_present(struct cvm_vtpm *vtpm, struct cvm_hcl *hcl, struct cvm_error *error)
{
	struct renewal r = { .vtpm = vtpm };
	int rc = cvm_vtpm_find_report(vtpm, &r.report, &r.size, error);

	return rc ? rc : read_report(&r, true, hcl, error);
}
