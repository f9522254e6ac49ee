// SPDX-License-Identifier: GPL-2.0-only
/*
 * Azure: a paravisor has the SNP firmware or the TDX module to itself, and gives
 * reports through the TPM that it is: a new one when the report is read and the
 * last one is two seconds old, and else, without a word, the old one.
 * Documentation/azure.rst has the whole of it. Here is when it is asked.
 */
#include <linux/cc_platform.h>
#include <linux/device.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <asm/cpufeature.h>
#include <asm/mshyperv.h>

#include "../platform.h"
#include "azure_vtpm.h"

/* of Hyper-V's CPUID leaf; not every kernel has a name for the second */
#define ISOLATION_SNP	2
#define ISOLATION_TDX	3

/* the time between two reports; read by sysfs, too */
static s64 window_ns = CVM_AZURE_WINDOW_MS * NSEC_PER_MSEC;

/**
 * @req: the request in hand, or NULL
 * @value: what is asked for
 * @waited: asked when the window should have been over, and it was not
 * @bad: reports in a row that were not whole
 * @asked: when it was asked last; 0: never
 * @next: when to ask again; KTIME_MAX without a request
 * @since: since when @value is asked for
 * @pause_ns: before the next look at a window that should be over
 */
static struct {
	struct cvm_req *req;
	struct cvm_vtpm_value value;
	bool waited;
	unsigned int bad;
	ktime_t asked, next, since;
	s64 pause_ns;
} cur = { .next = KTIME_MAX };

/* ---- the platform ---- */

/* where a paravisor has them, the processor's own features are hidden */
static bool detect(u32 isolation)
{
	return hv_get_isolation_type() == isolation &&
	       !cc_platform_has(CC_ATTR_GUEST_SEV_SNP) &&
	       !boot_cpu_has(X86_FEATURE_TDX_GUEST);
}

static bool snp_detect(void)
{
	return detect(ISOLATION_SNP);
}

static bool tdx_detect(void)
{
	return detect(ISOLATION_TDX);
}

static int azure_start(void)
{
	return cvm_vtpm_start(cvm_platform->id == CVM_PLATFORM_AZURE_TDX ? CVM_HCL_TDX :
									   CVM_HCL_SNP);
}

static int azure_check(const struct cvm_req *req)
{
	return req->flags || req->key_sel ? -EINVAL : 0;
}

static unsigned int azure_room(u32 kind)
{
	return !cur.req;
}

/* when the next report can be made; a time that is past where nothing is known */
static ktime_t opens(void)
{
	ktime_t made_at = cvm_vtpm_made_at();

	return made_at ? ktime_add_ns(made_at, window_ns) : 0;
}

static ktime_t azure_ready(u32 kind)
{
	return opens();
}

/* ---- the request in hand ---- */

static void settle(int result)
{
	struct cvm_req *req = cur.req;

	cur.req = NULL;
	cur.next = KTIME_MAX;
	memzero_explicit(&cur.value, sizeof(cur.value));
	cvm_req_finish(req, result);
}

static int give(void)
{
	struct cvm_req *req = cur.req;
	const u8 *report;
	u32 len;

	report = cvm_vtpm_report(&len);
	req->evidence = cvm_req_memory(req, len);
	if (!req->evidence)
		return -ENOMEM;
	memcpy(req->evidence, report, len);
	req->evidence_len = len;
	return 0;
}

static void start_over(ktime_t now)
{
	cur.since = now;
	cur.waited = false;
	cur.pause_ns = CVM_AZURE_PAUSE_MIN_MS * NSEC_PER_MSEC;
}

/* between two reports of ours of which the second was waited for: the paravisor's */
static void learn_window(ktime_t before)
{
	s64 least = CVM_AZURE_WINDOW_MS * NSEC_PER_MSEC;
	s64 most = CVM_AZURE_WINDOW_MAX_MS * NSEC_PER_MSEC;
	s64 passed = ktime_to_ns(ktime_sub(cvm_vtpm_made_at(), before));

	if (before && cur.waited)
		passed = clamp(passed, least, most);
	else
		passed = window_ns - ((window_ns - least) >> 3);
	WRITE_ONCE(window_ns, passed);
}

/* now the caller's own, which the report with the filler does not say */
static void take_fresh(ktime_t before)
{
	learn_window(before);
	if (!cur.value.filler) {
		settle(give());
		return;
	}
	cur.value.filler = false;
	memcpy(cur.value.data, cur.req->report_data, sizeof(cur.value.data));
	start_over(ktime_get());
	cur.next = opens();
}

/* the window is not over, or something hinders the paravisor */
static void wait_longer(void)
{
	ktime_t now = ktime_get();

	cvm_count(throttled);
	if (ktime_ms_delta(now, cur.since) > CVM_AZURE_PATIENCE_MS) {
		settle(cvm_vtpm_find_hindrance(&cur.req->status));
		return;
	}
	cur.next = opens();
	if (ktime_before(now, cur.next))
		return;
	cur.waited = true;
	cur.next = ktime_add_ns(now, cur.pause_ns);
	cur.pause_ns = min_t(s64, cur.pause_ns * 3 / 2, CVM_AZURE_PAUSE_MAX_MS * NSEC_PER_MSEC);
}

/*
 * Who has a report of his own made in each window keeps us waiting, and hinders nobody:
 * the window that he has opened was not open when we asked before. Patience begins
 * anew; the deadline does not.
 */
static void take_others(ktime_t before)
{
	ktime_t now = ktime_get();

	cvm_count(throttled);
	start_over(now);
	cur.next = max(ktime_add_ns(before, window_ns), ktime_add_ns(now, cur.pause_ns));
}

/* somebody else's fault once, perhaps; until the window is over it is the same */
static void take_bad(void)
{
	if (++cur.bad == CVM_AZURE_TRIES)
		settle(cvm_vtpm_fail(CVM_TROUBLE_TORN, -EBADMSG));
	else
		cur.next = ktime_add_ns(ktime_get(), window_ns);
}

static void ask(void)
{
	ktime_t before = cvm_vtpm_made_at(), asked = cur.asked;
	int answer;

	if (!cvm_req_wanted(cur.req)) {
		settle(-ECANCELED);
		return;
	}
	cur.asked = ktime_get();
	answer = cvm_vtpm_ask(&cur.value, &cur.req->status);
	if (answer != CVM_VTPM_BAD)
		cur.bad = 0;
	switch (answer) {
	case CVM_VTPM_FRESH:
		take_fresh(before);
		break;
	case CVM_VTPM_BAD:
		take_bad();
		break;
	case CVM_VTPM_OLD:
		wait_longer();
		break;
	case CVM_VTPM_OTHERS:
		take_others(asked);
		break;
	default:
		settle(answer);
	}
}

static void azure_issue(struct cvm_req *req)
{
	cur.req = req;
	cur.bad = 0;
	/* the root of a tree with salts in it */
	cur.value.unheard = cvm_req_leads(req);
	memcpy(cur.value.data, req->report_data, sizeof(cur.value.data));
	start_over(ktime_get());
	ask();
}

static ktime_t azure_poll(void)
{
	if (cur.req && !ktime_before(ktime_get(), cur.next)) {
		cvm_count(retries);
		ask();
	}
	return cur.next;
}

/* between two commands of ours nothing is on its way */
static void azure_drain(void)
{
	if (cur.req)
		settle(-ECANCELED);
}

static u32 azure_channel(void)
{
	return CVM_CHANNEL_READY;
}

static u32 azure_max_inflight(void)
{
	return 1;
}

static ssize_t trouble_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", cvm_vtpm_trouble());
}
static DEVICE_ATTR_RO(trouble);

static ssize_t window_ms_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", div_u64(READ_ONCE(window_ns), NSEC_PER_MSEC));
}
static DEVICE_ATTR_RO(window_ms);

static struct attribute *const azure_attrs[] = {
	&dev_attr_trouble.attr,
	&dev_attr_window_ms.attr,
	NULL,
};

#define AZURE_PLATFORM						\
	.kinds = BIT(CVM_KIND_HCL_REPORT),			\
	.batch_kind = CVM_KIND_HCL_REPORT,			\
	.max_evidence = PAGE_SIZE,				\
	.attrs = azure_attrs,					\
	.start = azure_start,					\
	.stop = cvm_vtpm_stop,					\
	.check = azure_check,					\
	.room = azure_room,					\
	.ready = azure_ready,					\
	.issue = azure_issue,					\
	.poll = azure_poll,					\
	.drain = azure_drain,					\
	.channel = azure_channel,				\
	.max_inflight = azure_max_inflight

const struct cvm_platform cvm_azure_snp = {
	.name = "azure-snp",
	.id = CVM_PLATFORM_AZURE_SNP,
	.detect = snp_detect,
	AZURE_PLATFORM,
};

const struct cvm_platform cvm_azure_tdx = {
	.name = "azure-tdx",
	.id = CVM_PLATFORM_AZURE_TDX,
	.detect = tdx_detect,
	AZURE_PLATFORM,
};
