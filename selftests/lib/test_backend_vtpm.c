// SPDX-License-Identifier: GPL-2.0
/*
 * The backend vtpm against the simulated paravisor: evidence that is new and about what was
 * asked for, whoever else is at the TPM; and each way in which a paravisor keeps an old
 * report, which must be named, and nothing be served.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "cvmguest.h"
#include "driver/merkle.h"
#include "formats/hcl.h"
#include "tap.h"
#include "verify/hcl_claims.h"
#include "vtpm_simulated.h"

#define USER_DATA_INDEX	0x01400002U

/* what the library's sleeps are to last, added up: on a busy machine all else takes time, too */
static atomic_long slept_ms;

int __real_clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
			   struct timespec *left);
int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
			   struct timespec *left);

int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
			   struct timespec *left)
{
	struct timespec now = { 0 };
	long ms;

	if (flags & TIMER_ABSTIME)
		clock_gettime(clock, &now);
	ms = (until->tv_sec - now.tv_sec) * 1000 + (until->tv_nsec - now.tv_nsec) / 1000000;
	slept_ms += ms > 0 ? ms : 0;
	return __real_clock_nanosleep(clock, flags, until, left);
}

/* ---- evidence */

/* Taken apart by the parsers alone: user-data, and the key that the claims name */
static bool is_about(const struct cvm_evidence *evidence, const uint8_t *user_data)
{
	struct cvm_hcl_claims claims;
	struct cvm_hcl_report report;
	struct cvm_format_error err;
	size_t len;
	const void *data = cvm_evidence_data(evidence, &len);
	bool is;

	if (cvm_hcl_parse(data, len, &report, &err) ||
	    cvm_hcl_claims_parse(report.claims, &claims, NULL))
		return false;
	is = claims.has_user_data && !memcmp(claims.user_data, user_data, 64);
	EVP_PKEY_free(claims.ak);
	return is;
}

/* Of another context each time, which has seen no report; @seed: what is asked for */
static int ask(uint8_t seed, uint32_t timeout_ms, struct cvm_evidence **evidence,
	       struct cvm_error *error)
{
	const struct cvm_report_opts opts = { .size = sizeof(opts), .timeout_ms = timeout_ms };
	uint8_t data[64];
	struct cvm_ctx *ctx;
	int rc = open_ctx(&ctx, error);

	*evidence = NULL;
	if (rc)
		return rc;
	memset(data, seed, sizeof(data));
	rc = cvm_attest(ctx, data, &opts, evidence, error);
	cvm_close(ctx);
	return rc;
}

static void served(uint8_t seed, const char *name)
{
	struct cvm_evidence *evidence;
	struct cvm_error error = { 0 };
	uint8_t data[64];
	struct cvm_verify_opts opts = { .report_data = data };
	int rc = ask(seed, 0, &evidence, &error);

	memset(data, seed, sizeof(data));
	if (!check(!rc && is_about(evidence, data) && holds(evidence, &opts), "%s", name))
		printf("# %d: %s\n", rc, error.text);
	cvm_evidence_free(evidence);
}

static void refused(uint8_t seed, uint32_t timeout_ms, int want, const char *says,
		    const char *name)
{
	struct cvm_evidence *evidence;
	struct cvm_error error = { 0 };

	check_is(ask(seed, timeout_ms, &evidence, &error), want, name);
	check(!evidence, "%s: nothing is served", name);
	check_says(error.text, says, name);
	cvm_evidence_free(evidence);
}

static void test_happy(void)
{
	struct cvm_status status = { .size = sizeof(status) };
	struct cvm_evidence *first, *again;
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;
	const void *data, *other;
	size_t len, other_len;

	check_is(open_ctx(&ctx, &error), 0, "open");
	check(!cvm_status(ctx, &status, NULL) && status.tee == CVM_TEE_SNP &&
	      status.types == 1U << CVM_EVIDENCE_HCL_REPORT && !strcmp(status.backend, "vtpm") &&
	      status.max_evidence == 2600 && status.max_leaves && status.default_timeout_ms,
	      "what it offers");
	check(!fw_status(fwd.fd, "hcl_reports"), "looking makes no report anew");
	check_is(cvm_attest(ctx, (const uint8_t[64]){ "CVMGBAT" }, NULL, &first, &error), -EINVAL,
		 "the reserved tag");
	cvm_close(ctx);
	slept_ms = 0;
	served(0x11, "an index that is missing is made, and the first answer is about it");
	/* whose length the library takes to be 2 s, whatever it is */
	check(slept_ms < 1900, "the first one does not wait for a window");
	served(0x12, "the next one, within the window");
	served(0, "zeros, which the vTPM's quote carries none of");
	check(!ask(0x13, 0, &first, &error) && !ask(0x13, 0, &again, &error), "the same twice");
	check(fw_status(fwd.fd, "hcl_reports") >= 6, "something else was between them");
	data = cvm_evidence_data(first, &len);
	other = cvm_evidence_data(again, &other_len);
	check(len == other_len && memcmp(data, other, len), "two reports");
	cvm_evidence_free(first);
	cvm_evidence_free(again);
}

/* ---- many in one call */

#define MANY	100

static void test_batch(void)
{
	static struct cvm_batch_request requests[MANY];
	uint64_t before = fw_status(fwd.fd, "hcl_reports");
	struct cvm_verify_opts opts = { .scope = "any" };
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;
	size_t good = 0, len;
	long done;

	for (int i = 0; i < MANY; i++) {
		requests[i].size = sizeof(requests[i]);
		memset(requests[i].user_data, i + 1, sizeof(requests[i].user_data));
	}
	check_is(open_ctx(&ctx, &error), 0, "open");
	done = cvm_batch(ctx, requests, MANY, NULL, &error);
	cvm_close(ctx);
	check_is(done, MANY, "many in one call");
	check(fw_status(fwd.fd, "hcl_reports") - before == 1, "share one report");
	for (int i = 0; i < MANY; i++) {
		struct cvm_evidence *evidence = requests[i].evidence;

		opts.user_data = requests[i].user_data;
		opts.proof = cvm_evidence_proof(evidence, &len);
		opts.proof_len = len;
		good += holds(evidence, &opts);
		cvm_evidence_free(evidence);
	}
	check_is((long)good, MANY, "each proof, claims and the vTPM's quote hold together");
}

/* ---- traps and faults */

static void test_faults(void)
{
	static const struct {
		const char *set;
		int rc;
		const char *says, *name;
	} faults[] = {
		{ "torn_n=100000", -EBADMSG, "hash of its claims", "a report that is never whole" },
		{ "claims_hash_n=100", -EBADMSG, "hash of its claims", "claims of another report" },
		{ "other_ak_n=1", -EBADMSG, "HCLAkPub", "another AK than the claims name" },
		{ "nv_rc=0x14a nv_rc_n=1", -EBUSY, "not been written", "a report not written yet" },
		{ "nv_rc=0x922 nv_rc_n=60", -EBUSY, "try again", "a TPM that is busy" },
		{ "nv_short_n=1", -EBADMSG, "bytes of index 0x1400001", "a byte too few" },
		{ "claims_size=9999 claims_size_n=100", -EBADMSG, "report 0x1400001",
		  "claims that are longer than the index" },
		{ "renewal_fails_n=100000", -ETIMEDOUT, "no report that is new",
		  "a report that stays old" },
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		usleep(310000);
		check(fw_set(fwd.fd, faults[i].set), "%s", faults[i].set);
		refused((uint8_t)(0x20 + i), 1500, faults[i].rc, faults[i].says, faults[i].name);
		fw_set(fwd.fd, "torn_n=0 claims_hash_n=0 other_ak_n=0 nv_rc_n=0 claims_size_n=0 renewal_fails_n=0");
		usleep(310000);
		served((uint8_t)(0x40 + i), "and served when it is over");
	}
	fw_set(fwd.fd, "torn_n=1");
	served(0x60, "a report renewed while it is read is read again");
	usleep(310000);
	fw_set(fwd.fd, "other_user_data_n=1");
	served(0x61, "one about something else is passed over");
	fw_set(fwd.fd, "renewal_fails_n=2");
	served(0x62, "renewals that fail are waited out");
	fw_set(fwd.fd, "renewal_fails_n=1000000");
	slept_ms = 0;
	refused(0x63, 60000, -EIO, "old and stays so", "no renewal, with all the time there is");
	check(slept_ms > 1000, "which is waited for, asleep");
}

static void test_trap(const char *option, int rc, const char *says, const char *name)
{
	start(option);
	refused(0x70, 3000, rc, says, name);
	stop();
}

static void test_no_hardware(void)
{
	start("nv_size=2600");
	check(fw_set(fwd.fd, "hcl_type=3 hcl_type_n=1000"), "reports without the hardware's");
	refused(0x72, 3000, -EOPNOTSUPP, "no confidential VM", "a report without the hardware's");
	refused(0x72, 3000, -ENODEV, "no confidential VM", "as it is from the beginning");
	stop();
}

static void test_variants(void)
{
	static const char *const variants[] = { "nv_size=2048", "nv_size=2900", "hex_case=upper",
						"hcl_version=1", "nv_input=good" };

	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		start(variants[i]);
		served(0x75, variants[i]);
		stop();
	}
	test_trap("nv_input=short", -EIO, "not 64", "an index of another size, too short");
	test_trap("nv_input=long", -EIO, "not 64", "an index of another size, too long");
	test_trap("nv_input=unreadable", -EIO, "ownerread", "an index that the paravisor cannot read");
	test_trap("owner_password=1", -EACCES, "owner hierarchy has a password", "an owner's password");
	test_trap("no_user_data=1", -EOPNOTSUPP, "too old", "claims without user-data");
}

/* ---- a TPM that is none of Azure's, and none at all */

static void test_others(void)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .root = tap_dir };
	struct cvm_error error;
	struct cvm_ctx *ctx;
	char state[160], server[200], control[200];
	pid_t pid;

	snprintf(state, sizeof(state), "dir=%s", tap_dir);
	snprintf(server, sizeof(server), "type=unixio,path=%s", where);
	snprintf(control, sizeof(control), "type=unixio,path=%s.ctrl", where);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server,
		       "--ctrl", control, "--flags", "not-need-init,startup-clear", NULL);
		_exit(127);
	}
	for (int i = 0; i < 200 && access(where, F_OK); i++)
		usleep(20000);
	check_is(open_ctx(&ctx, &error), -ENODEV, "a TPM without a report");
	check_says(error.text, "no report 0x1400001", "a TPM without a report");
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	unlink(where);
	check_is(open_ctx(&ctx, &error), -ENODEV, "no TPM where the TCTI says");
	opts.backend = "vtpm";
	check_is(cvm_open(&ctx, &opts, &error), -ENODEV, "no node of a TPM");
	check_says(error.text, "/dev/tpmrm0", "no node of a TPM");
	opts.backend = NULL;
	check_is(cvm_open(&ctx, &opts, &error), -ENODEV, "nothing at all");
	tap_write(tap_path("/dev/tpmrm0"), "", 0);
	opts.backend = "vtpm";
	check(cvm_open(&ctx, &opts, &error) < 0, "a node that is no TPM's");
}

/* ---- with company */

/* the answer is about what was asked for, and came in time */
static bool one_more(uint8_t seed)
{
	struct cvm_evidence *evidence;
	uint8_t data[64];
	bool good = !ask(seed, 0, &evidence, NULL);

	memset(data, seed, sizeof(data));
	good = good && is_about(evidence, data);
	cvm_evidence_free(evidence);
	return good;
}

static pid_t process(uint8_t seed, int count)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < count; i++)
		if (!one_more((uint8_t)(seed + i)))
			_exit(1);
	_exit(0);
}

static bool ends_well(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && !status;
}

/* What else a TPM is for: random numbers, and measurements, which change what is quoted */
static ESYS_CONTEXT *other_user(TSS2_TCTI_CONTEXT **way)
{
	ESYS_CONTEXT *esys = NULL;

	if (Tss2_TctiLdr_Initialize(tcti, way) || Esys_Initialize(&esys, *way, NULL)) {
		printf("Bail out! no second way to the TPM\n");
		exit(1);
	}
	return esys;
}

static void measure(ESYS_CONTEXT *esys)
{
	TPML_DIGEST_VALUES values = { .count = 1, .digests[0].hashAlg = TPM2_ALG_SHA256 };

	for (BYTE i = 0;; i++) {
		TPM2B_DIGEST *random = NULL;

		values.digests[0].digest.sha256[0] = i;
		if (Esys_PCR_Extend(esys, ESYS_TR_PCR10, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				    ESYS_TR_NONE, &values) ||
		    Esys_GetRandom(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, 16, &random))
			_exit(1);
		Esys_Free(random);
		usleep(3000);
	}
}

/* somebody who knows nothing of our lock leaves something else, time and again */
static void disturb(ESYS_CONTEXT *esys)
{
	TPM2B_MAX_NV_BUFFER data = { .size = 64 };
	ESYS_TR index;

	if (Esys_TR_FromTPMPublic(esys, USER_DATA_INDEX, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				  &index))
		_exit(1);
	for (BYTE i = 0;; i++) {
		memset(data.buffer, 0x80 | i, 64);
		Esys_NV_Write(esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			      ESYS_TR_NONE, &data, 0);
		usleep(70000);
	}
}

/* and there are tools that take the index away each time, and make it anew, of nothing */
static void redefine(ESYS_CONTEXT *esys)
{
	const TPM2B_NV_PUBLIC public = {
		.nvPublic = {
			.nvIndex = USER_DATA_INDEX, .nameAlg = TPM2_ALG_SHA256, .dataSize = 64,
			.attributes = TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA,
		},
	};
	const TPM2B_AUTH none = { 0 };
	ESYS_TR index;

	for (;;) {
		if (!Esys_TR_FromTPMPublic(esys, USER_DATA_INDEX, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, &index))
			Esys_NV_UndefineSpace(esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD,
					      ESYS_TR_NONE, ESYS_TR_NONE);
		usleep(20000);
		if (!Esys_NV_DefineSpace(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					 ESYS_TR_NONE, &none, &public, &index))
			Esys_TR_Close(esys, &index);
		usleep(150000);
	}
}

static pid_t company(void (*what)(ESYS_CONTEXT *esys))
{
	TSS2_TCTI_CONTEXT *way;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	what(other_user(&way));
	_exit(0);
}

static void test_company(void)
{
	pid_t busy, first, second;

	served(0x90, "before there is company");
	busy = company(measure);
	first = process(0xa0, 4);
	second = process(0xb0, 4);
	check(ends_well(first) & ends_well(second),
	      "two processes, with others who measure: each gets what it asked for");
	check(!waitpid(busy, NULL, WNOHANG), "and the others go on");
	kill(busy, SIGKILL);
	waitpid(busy, NULL, 0);
	busy = company(disturb);
	first = process(0xc0, 3);
	check(ends_well(first), "somebody else writes to the index: what was asked for all the same");
	kill(busy, SIGKILL);
	waitpid(busy, NULL, 0);
	busy = company(redefine);
	first = process(0xc8, 3);
	check(ends_well(first), "or takes it away and makes it anew");
	kill(busy, SIGKILL);
	waitpid(busy, NULL, 0);
}

static void *thread(void *seed)
{
	return (void *)(long)one_more((uint8_t)(uintptr_t)seed);
}

static void test_threads(void)
{
	pthread_t id[4];
	long good = 0;
	void *is;

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&id[i], NULL, thread, (void *)(0xd0 + i));
	for (int i = 0; i < 4; i++) {
		pthread_join(id[i], &is);
		good += (long)is;
	}
	check_is(good, 4, "four threads at once");
}

/* ---- the lock */

static void test_lock(void)
{
	int fd = open(tap_path("/cvm-guest.lock"), O_RDONLY);

	slept_ms = 0;
	check(fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB), "the lock is a file, and free");
	refused(0xe0, 400, -ETIMEDOUT, "locked until the deadline", "the lock is held by another");
	check(slept_ms < 450, "not for longer than the deadline");
	close(fd);
	served(0xe1, "it is given up when its holder is gone");
	setenv("XDG_RUNTIME_DIR", tap_path("/none"), 1);
	refused(0xe2, 0, -ENOENT, "lock", "no place for the lock");
	setenv("XDG_RUNTIME_DIR", tap_dir, 1);
	setenv("TSS2_LOG", "all+none", 0);
}

int main(void)
{
	setup();
	start("nv_size=2600");
	test_happy();
	test_batch();
	test_lock();
	test_threads();
	test_company();
	test_faults();
	stop();
	test_variants();
	test_no_hardware();
	test_others();
	return tap_end();
}
