// SPDX-License-Identifier: GPL-2.0
/*
 * The backend vtpm, when a TPM says one thing when it is opened and another later; and
 * what is said of a TPM by who has named no backend.
 */
#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "formats/hcl.h"
#include "vtpm_simulated.h"

/* What a TPM says of its index when it is opened need not be so when it is read. */
static void test_said(void)
{
	static const unsigned int sizes[] = { 0, 1, CVM_HCL_CLAIMS - 1, 8193, 65535 };
	struct cvm_evidence *evidence = NULL;
	const uint8_t data[64] = { 0x7b };
	struct cvm_error error;
	struct cvm_ctx *ctx;
	char set[64];

	start("nv_size=2600");
	check_is(open_ctx(&ctx, &error), 0, "opened");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(set, sizeof(set), "nv_said=%u nv_said_n=2", sizes[i]);
		check(fw_set(fwd.fd, set), "%s", set);
		check_is(cvm_attest(ctx, data, NULL, &evidence, &error), -EBADMSG,
			 "a report that has another size since it was opened");
		check_says(error.text, sizes[i] < CVM_HCL_CLAIMS ? "cut short" : "at most", set);
	}
	check_is(cvm_attest(ctx, data, NULL, &evidence, &error), 0, "served when it is over");
	cvm_evidence_free(evidence);
	cvm_close(ctx);
	stop();
}

/* Where no backend is named: what is wrong with a TPM that has a report is said. */
static void by_itself(const char *option, const char *set, int rc, const char *says,
		      const char *name)
{
	const struct cvm_open_opts opts = { .size = sizeof(opts), .root = tap_dir, .tcti = tcti };
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx = NULL;

	start(option);
	if (set)
		check(fw_set(fwd.fd, set), "%s", set);
	check_is(cvm_open(&ctx, &opts, &error), rc, name);
	if (rc)
		check_says(error.text, says, name);
	cvm_close(ctx);
	stop();
}

static void test_by_itself(void)
{
	static const char none[] = "no source of evidence";

	by_itself("nv_size=2600", NULL, 0, NULL, "a TPM with a report, by itself");
	by_itself("owner_password=1", NULL, -EACCES, "owner hierarchy has a password",
		  "an owner's password, by itself");
	by_itself("nv_size=2600", "nv_rc=0x14a nv_rc_n=1", -EBUSY, "not been written",
		  "a report not written yet, by itself");
	by_itself("nv_size=2600", "nv_said=64 nv_said_n=2", -ENODEV, none,
		  "an index of somebody else's, by itself");
}

/* Is the node of the TPM opened by who has named no backend, on a machine of @vendor? */
static bool is_opened(const char *vendor)
{
	const struct cvm_open_opts opts = { .size = sizeof(opts), .root = tap_dir };
	const char *node = tap_path("/dev/tpmrm0");
	struct inotify_event event;
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	bool opened;

	tap_write(node, "", 0);
	if (vendor)
		tap_write(tap_path("/sys/class/dmi/id/sys_vendor"), vendor, strlen(vendor));
	if (watch < 0 || inotify_add_watch(watch, node, IN_OPEN) < 0)
		printf("Bail out! no watch of %s\n", node);
	check_is(cvm_open(&ctx, &opts, &error), -ENODEV, "no TPM at all, by itself");
	check_says(error.text, vendor ? "is this a confidential VM" : "name the backend: vtpm",
		   "and the message says what to do");
	opened = read(watch, &event, sizeof(event)) == sizeof(event);
	close(watch);
	return opened;
}

static void test_whose(void)
{
	check(!is_opened(NULL), "a machine of nobody's: its TPM is left alone");
	check(!is_opened("QEMU\n"), "a machine of others: its TPM is left alone");
	check(is_opened("Microsoft Corporation\n"), "one of Hyper-V's is looked at");
}

/* A context holds nothing of a TPM that starts over under it, or is away for a time. */
static void test_anew(void)
{
	static const char *const how[] = { "vm_reset=now", "cert_renew=now" };
	uint8_t data[64] = { 0x31 };
	struct cvm_verify_opts opts = { .report_data = data };
	struct cvm_evidence *evidence;
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;

	start("nv_size=2600");
	check_is(open_ctx(&ctx, &error), 0, "a context");
	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		check(fw_set(fwd.fd, how[i]), "%s", how[i]);
		data[1]++;
		check_is(cvm_attest(ctx, data, NULL, &evidence, &error), 0, "evidence by the same context");
		check(evidence && holds(evidence, &opts), "is complete");
		cvm_evidence_free(evidence);
	}
	stop();
	check_is(cvm_attest(ctx, data, NULL, &evidence, &error), -ENODEV, "none while the TPM is away");
	check_says(error.text, "no way to a TPM", "and the message says so");
	start("nv_size=2900");
	data[1]++;
	check_is(cvm_attest(ctx, data, NULL, &evidence, &error), 0, "another TPM in its place");
	check(evidence && holds(evidence, &opts), "whose evidence is complete");
	cvm_evidence_free(evidence);
	cvm_close(ctx);
	stop();
}

int main(void)
{
	setup();
	test_said();
	test_by_itself();
	test_whose();
	test_anew();
	return tap_end();
}
