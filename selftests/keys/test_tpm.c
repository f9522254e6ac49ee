// SPDX-License-Identifier: GPL-2.0
/* Secrets that a TPM keeps: whom it gives them to, and which of them are taken. */
#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forge.h"
#include "keys/unlock.h"
#include "memory.h"
#include "swtpm.h"
#include "tap.h"

#define PCRS	(1U << 0 | 1U << 7)

static struct swtpm ours, other;

static struct cvm_sealed none_sealed(void)
{
	return (struct cvm_sealed){ .pcrs = PCRS };
}

static volatile sig_atomic_t arrived;

static void on_signal(int number)
{
	arrived += number == SIGTERM;
}

/* as after a boot of the system that has sealed */
static struct cvm_tpm *boot(struct swtpm *swtpm, const char *what)
{
	struct cvm_tpm *tpm;

	swtpm_stop(swtpm);
	swtpm_start(swtpm);
	tpm = swtpm_open(swtpm);
	if (what) {
		swtpm_extend(tpm, 0, "firmware");
		swtpm_extend(tpm, 7, what);
	}
	return tpm;
}

static void refuse(struct cvm_tpm *tpm, const struct cvm_sealed *sealed, int want,
		   const char *says, const char *what)
{
	uint8_t secret[CVM_SEAL_SECRET] = { 0 };
	struct cvm_error error = { 0 };

	check_is(cvm_sealed_check(tpm, sealed, NULL), want, what);
	check_is(cvm_tpm_unseal(tpm, sealed, secret, &error), want, "nor given out");
	check_says(error.text, says, "and the message says why");
}

static bool gives(struct cvm_tpm *tpm, const struct cvm_sealed *sealed, uint8_t *secret)
{
	return !cvm_sealed_check(tpm, sealed, NULL) && !cvm_tpm_unseal(tpm, sealed, secret, NULL);
}

static void test_lists(void)
{
	static const char *const wrong[] = {
		"", ",", "7,", ",7", "7,7", "16", "23", "-1", "+7", " 7", "7 ", "7,,0", "007",
		"4294967303", "all",
	};
	char text[CVM_PCRS_TEXT];

	check(cvm_pcrs_parse("7,0") == PCRS && cvm_pcrs_parse("15") == 1U << 15, "lists of PCRs");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		check(!cvm_pcrs_parse(wrong[i]), "'%s' is none", wrong[i]);
	check(!strcmp(cvm_pcrs_text(PCRS, text), "0,7"), "and back");
	check(cvm_pcrs_parse(cvm_pcrs_text(CVM_PCRS_ALL, text)) == CVM_PCRS_ALL, "all of them too");
}

static void test_sealing(struct cvm_sealed *sealed)
{
	uint8_t secret[CVM_SEAL_SECRET], again[CVM_SEAL_SECRET];
	struct cvm_sealed unbound = none_sealed(), second = none_sealed();
	struct cvm_sealed anybodys = { .pcrs = 1U << 0 | 1U << 11 };
	struct cvm_tpm *tpm = boot(&ours, NULL);
	struct cvm_error error;

	check_is(cvm_tpm_seal(tpm, &unbound, &error), -EACCES, "nothing measured: nothing to bind to");
	check_says(error.text, "nothing has been measured", "and the message says so");
	swtpm_extend(tpm, 7, "ours");
	check_is(cvm_tpm_seal(tpm, &unbound, &error), -EACCES, "nothing in one of them: it would be bound to the other alone");
	check_says(error.text, "into the TPM's PCRs 0:", "and the message says which");
	swtpm_extend(tpm, 0, "firmware");
	check_is(cvm_tpm_seal(tpm, &anybodys, &error), -EINVAL, "none that says what has booted");
	check_says(error.text, "without 4 and 7", "and the message says so");
	*sealed = none_sealed();
	check_is(cvm_tpm_seal(tpm, sealed, NULL), 0, "a secret is sealed");
	check(gives(tpm, sealed, secret), "and given out");
	check(gives(tpm, sealed, again) && !memcmp(secret, again, sizeof(secret)), "again");
	check(!cvm_tpm_seal(tpm, &second, NULL) && gives(tpm, &second, again) &&
	      memcmp(secret, again, sizeof(secret)), "another one is another");
	swtpm_extend(tpm, 8, "whatever");
	check(gives(tpm, sealed, again), "a PCR that it is not bound to may change");
	cvm_tpm_close(tpm);
	tpm = boot(&ours, "ours");
	check(gives(tpm, sealed, again) && !memcmp(secret, again, sizeof(secret)),
	      "after a reboot of the same system it is the same");
	swtpm_extend(tpm, 7, "later");
	refuse(tpm, sealed, -ESTALE, "PCRs 0,7 are not what they were", "extended: not to be had");
	cvm_tpm_close(tpm);
	tpm = boot(&ours, "theirs");
	refuse(tpm, sealed, -ESTALE, "PCRs 0,7 are not what they were", "another system: not to be had");
	cvm_tpm_close(tpm);
	tpm = boot(&other, "ours");
	refuse(tpm, sealed, -EKEYREJECTED, "another TPM", "another TPM: not to be had");
	signal(SIGTERM, on_signal);
	raise(SIGTERM);
	check(!arrived, "no signal arrives while sessions have keys");
	cvm_tpm_close(tpm);
	check(arrived == 1, "it does when the TPM is closed");
	signal(SIGTERM, SIG_DFL);
	swtpm_stop(&other);
}

/* Of many it is enough to know that none is taken. */
static void test_changed(const struct cvm_sealed *sealed)
{
	struct cvm_tpm *tpm = boot(&ours, "ours");
	struct cvm_sealed changed = *sealed;
	size_t taken = 0;

	for (size_t i = 0; i < sealed->len; i++) {
		changed.bytes[i] ^= 0x10;
		if (!cvm_sealed_check(tpm, &changed, NULL)) {
			printf("# byte %zu\n", i);
			taken++;
		}
		changed.bytes[i] ^= 0x10;
	}
	check(!taken, "no byte of it may be changed");
	changed.len--;
	refuse(tpm, &changed, -EBADMSG, "nothing of the kind", "cut: refused");
	changed.len += 2;
	refuse(tpm, &changed, -EBADMSG, "nothing of the kind", "with something behind it: refused");
	changed = *sealed;
	changed.pcrs = 1U << 7;
	refuse(tpm, &changed, -ESTALE, "PCRs 7", "said to be bound to others: refused");
	check(!cvm_sealed_check(tpm, sealed, NULL), "and as it was it is taken");
	cvm_tpm_close(tpm);
}

/* ---- what somebody has sealed who knows it */

#define ATTRIBUTES	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA)
#define OUR_USE		"cvm-guest secret 1"

static void test_forged(const struct cvm_sealed *sealed)
{
	struct cvm_tpm *tpm = boot(&ours, "ours");
	struct cvm_sealed theirs, unbound, elsewhere, spliced, inside, open;
	struct forgery f = { ATTRIBUTES, { 0 }, PCRS, PCRS, OUR_USE };
	struct cvm_tpm_pcrs now;
	bool made;

	made = !cvm_tpm_parent(tpm, NULL, NULL) && !cvm_tpm_pcrs(tpm, PCRS, &now, NULL);
	f.policy = now.policy;
	made = made && forge(tpm, &f, &inside);
	check(made, "one is made as cvmctl makes them");
	check_is(cvm_sealed_check(tpm, &inside, NULL), 0, "by this system: who runs it is trusted");
	f.use = "another program";
	made = forge(tpm, &f, &elsewhere);
	f.use = OUR_USE;
	f.attributes |= TPMA_OBJECT_USERWITHAUTH;
	made = made && forge(tpm, &f, &open);
	f.attributes = ATTRIBUTES;
	cvm_tpm_close(tpm);
	tpm = boot(&ours, "theirs");
	made = made && forge(tpm, &f, &theirs);
	f.pcrs = 1U << 9;
	made = made && forge(tpm, &f, &unbound);
	check(made, "others are made, some by another system");
	cvm_tpm_close(tpm);

	tpm = boot(&ours, "ours");
	refuse(tpm, &elsewhere, -EBADMSG, "was not sealed by a system", "for another use: refused");
	refuse(tpm, &open, -EBADMSG, "not as cvmctl seals", "with a password beside the policy: refused");
	refuse(tpm, &theirs, -EBADMSG, "was not sealed by a system", "by another system: refused");
	refuse(tpm, &unbound, -EBADMSG, "was not sealed by a system", "whoever it was: refused");
	splice(&theirs, sealed, &spliced);
	refuse(tpm, &spliced, -EBADMSG, "did not seal this as it is said",
	       "by another system, with what was said of ours: refused");
	cvm_tpm_close(tpm);
}

/* ---- the wire */

static bool heard(const uint8_t *secret)
{
	for (size_t i = 0; i + 16 <= swtpm_wire->len; i++)
		if (!memcmp(swtpm_wire->log + i, secret, 16))
			return true;
	return false;
}

/* An answer to @command is changed, and none is believed after it. */
static void spoil(const struct cvm_sealed *sealed, TPM2_CC command, const char *says,
		  const char *what)
{
	struct cvm_tpm *tpm = boot(&ours, "0123456789abcdef0123456789abcdef");
	uint8_t secret[CVM_SEAL_SECRET] = { 0 };
	struct cvm_error error = { 0 };

	swtpm_wire->spoil = command;
	check_is(cvm_tpm_unseal(tpm, sealed, secret, &error), -EIO, what);
	check_says(error.text, says, "and the message says so");
	cvm_tpm_close(tpm);
	swtpm_wire->spoil = 0;
}

static void test_wire(void)
{
	static struct swtpm_wire wire;
	uint8_t secret[CVM_SEAL_SECRET] = { 0 };
	struct cvm_sealed sealed = none_sealed();
	TPM2B_DIGEST *random = NULL;
	struct cvm_error error = { 0 };
	struct cvm_tpm *tpm;

	swtpm_wire = &wire;
	tpm = boot(&ours, "0123456789abcdef0123456789abcdef");
	check(heard((const uint8_t *)"0123456789abcdef"), "what is not encrypted is heard");
	check(!cvm_tpm_seal(tpm, &sealed, NULL) && gives(tpm, &sealed, secret), "a secret passes twice");
	check(!heard(secret) && !heard(secret + 16), "and is not heard");
	cvm_tpm_flush(tpm, &tpm->session);
	check(Esys_GetRandom(tpm->esys, cvm_tpm_session(tpm, TPMA_SESSION_ENCRYPT), ESYS_TR_NONE,
			     ESYS_TR_NONE, CVM_TPM_DIGEST, &random),
	      "without the session that is to encrypt there is no command");
	cvm_tpm_close(tpm);
	spoil(&sealed, TPM2_CC_PCR_Read, "its PCRs: no good answer", "PCRs that somebody else says are none");
	spoil(&sealed, TPM2_CC_CertifyCreation, "who sealed it: no good answer", "nor is who vouches");
	spoil(&sealed, TPM2_CC_Unseal, "what is sealed: no good answer", "nor is a secret");
	wire.spoil = TPM2_CC_PCR_Read;
	tpm = boot(&ours, "ours");
	check_is(cvm_tpm_seal(tpm, &sealed, &error), -EIO, "nor is anything sealed to such PCRs");
	check_says(error.text, "its PCRs: no good answer", "and the message says why");
	cvm_tpm_close(tpm);
	swtpm_wire = NULL;
}

/* ---- owners, and others who use it */

static void set_owner(struct cvm_tpm *tpm, const TPM2B_AUTH *old, const TPM2B_AUTH *password)
{
	Esys_TR_SetAuth(tpm->esys, ESYS_TR_RH_OWNER, old);
	check(!Esys_HierarchyChangeAuth(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					ESYS_TR_NONE, password), "the owner has another password");
}

static void test_owner(const struct cvm_sealed *sealed)
{
	const TPM2B_AUTH empty = { 0 }, password = { 8, "password" };
	struct cvm_tpm *tpm = boot(&ours, "ours");
	struct cvm_sealed second = none_sealed();
	struct cvm_error error = { 0 };
	ESYS_TR srk;

	set_owner(tpm, &empty, &password);
	cvm_tpm_close(tpm);
	tpm = swtpm_open(&ours);
	check_is(cvm_tpm_seal(tpm, &second, &error), -EACCES, "an owner's password: not sealed");
	check_says(error.text, "tpm2_evictcontrol", "and the message says what helps");
	set_owner(tpm, &password, &empty);
	check(!cvm_tpm_parent(tpm, NULL, NULL) &&
	      !Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, tpm->parent, ESYS_TR_PASSWORD,
				 ESYS_TR_NONE, ESYS_TR_NONE, 0x81000001, &srk), "that is done");
	set_owner(tpm, &empty, &password);
	cvm_tpm_close(tpm);
	tpm = swtpm_open(&ours);
	check(!cvm_tpm_seal(tpm, &second, NULL) && !cvm_sealed_check(tpm, &second, NULL),
	      "then one is sealed, and given out");
	check_is(cvm_sealed_check(tpm, sealed, NULL), 0, "so is what was sealed before");
	set_owner(tpm, &password, &empty);
	cvm_tpm_close(tpm);
}

/* a key that came from outside: whoever made it has what is sealed under it */
static void test_foreign_parent(void)
{
	struct cvm_tpm *tpm = boot(&other, "ours");
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPML_PCR_SELECTION no_pcrs = { 0 };
	const TPM2B_DATA nothing = { 0 };
	struct cvm_sealed sealed = none_sealed();
	TPM2B_PUBLIC template = {
		.publicArea = {
			.type = TPM2_ALG_ECC, .nameAlg = TPM2_ALG_SHA256,
			/* not fixedTPM: it could be on many */
			.objectAttributes = TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_DECRYPT |
					    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_USERWITHAUTH,
			.parameters.eccDetail = {
				.symmetric = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128,
					       .mode.aes = TPM2_ALG_CFB },
				.scheme.scheme = TPM2_ALG_NULL, .curveID = TPM2_ECC_NIST_P256,
				.kdf.scheme = TPM2_ALG_NULL,
			},
		},
	};
	ESYS_TR key, srk;

	check(!Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				  ESYS_TR_NONE, &sensitive, &template, &nothing, &no_pcrs, &key,
				  NULL, NULL, NULL, NULL) &&
	      !Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				 ESYS_TR_NONE, 0x81000001, &srk), "a key that is not the TPM's alone");
	Esys_FlushContext(tpm->esys, key);
	check(!cvm_tpm_seal(tpm, &sealed, NULL) && tpm->made, "nothing is sealed under it");
	cvm_tpm_close(tpm);
	swtpm_stop(&other);
}

static void test_busy(const struct cvm_sealed *sealed)
{
	struct cvm_tpm *tpm = boot(&ours, "ours"), *others[8];
	struct cvm_error error = { 0 };
	ESYS_TR key = ESYS_TR_NONE;
	int count = 0, rc = 0;

	/* no resource manager is between us */
	while (count < 8) {
		others[count] = tpm;
		rc = Esys_TR_FromTPMPublic(tpm->esys, 0x81000001, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, &key);
		if (rc || cvm_tpm_code(Esys_StartAuthSession(tpm->esys, key, ESYS_TR_NONE,
				ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_HMAC,
				&(TPMT_SYM_DEF){ .algorithm = TPM2_ALG_NULL }, TPM2_ALG_SHA256,
				&key)))
			break;
		count++;
	}
	check(count && others[0] == tpm, "somebody takes all its sessions");
	check_is(cvm_sealed_check(tpm, sealed, &error), -EBUSY, "it is busy");
	check_says(error.text, "busy", "and the message says so");
	cvm_tpm_close(tpm);
}

static void test_none(void)
{
	struct cvm_error error = { 0 };
	struct cvm_tpm *tpm;

	check_is(cvm_tpm_open_at(tap_path("/dev/tpmrm0"), &tpm, &error), -ENODEV, "no TPM");
	check_says(error.text, "there is no TPM", "and the message says so");
	tap_write(tap_path("/dev/tpmrm0"), "", 0);
	if (!cvm_tpm_open_at(tap_path("/dev/tpmrm0"), &tpm, &error))
		check(cvm_tpm_parent(tpm, NULL, &error) < 0, "a file is none");
	else
		check(!tpm, "a file is none");
	cvm_tpm_close(tpm);
}

/* ---- records */

static void refuse_record(const struct cvm_key_door *door, const struct cvm_key_record *record,
			  uint32_t pcrs, int want, const char *says, const char *what)
{
	const struct cvm_key_accept accept = { .root = CVM_ROOT_TPM, .pcrs = pcrs, .label = "key" };
	uint8_t secret[CVM_SEAL_SECRET];
	struct cvm_error error = { 0 };

	check_is(cvm_record_secret(record, &accept, door, secret, &error), want, what);
	check_says(error.text, says, "and the message says why");
}

static void test_record(void)
{
	const struct cvm_key_accept accept = { .root = CVM_ROOT_TPM, .pcrs = 1U << 7,
					       .label = "key" };
	struct cvm_key_record record = { .inputs.root = CVM_ROOT_TPM, .sealed.pcrs = PCRS,
					 .label = "key" }, again, changed;
	struct cvm_key_door door = { .from = CVM_FROM_TPM, .fd = -1, .tpm = boot(&ours, "ours") };
	uint8_t secret[CVM_SEAL_SECRET], sealed[CVM_SEAL_SECRET];
	struct cvm_data_key none = { 0 };
	char *text;

	check_is(cvm_record_make(&record, &door, "key", &none, NULL), 0, "a record of a secret");
	check(!none.serial, "has no disk's key");
	text = cvm_record_text(&record);
	check_is(cvm_record_parse(text, strlen(text), &again, NULL), 0, "can be read");
	check(!memcmp(&record, &again, sizeof(record)), "and means the same");
	free(text);
	check(!cvm_record_secret(&again, &accept, &door, secret, NULL) &&
	      gives(door.tpm, &record.sealed, sealed) && !memcmp(secret, sealed, sizeof(secret)),
	      "its secret is what was sealed");
	refuse_record(&door, &again, 1U << 7 | 1U << 4, -EACCES, "not sealed to PCRs 4",
		      "fewer PCRs than must be: refused");
	refuse_record(&door, &again, 0, -EACCES, "secret of a TPM", "of a TPM where none is asked for");
	refuse_record(&door, &again, 1U << 0, -EINVAL, "without 4 and 7", "PCRs that say nothing: refused");
	changed = again;
	changed.salt[0] ^= 1;
	refuse_record(&door, &changed, PCRS, -EKEYREJECTED, "has been changed", "another salt: refused");
	changed = again;
	changed.mac[0] ^= 1;
	refuse_record(&door, &changed, PCRS, -EBADMSG, "MAC is wrong", "another MAC: refused");
	check(!cvm_tpm_seal(door.tpm, &changed.sealed, NULL), "another secret");
	refuse_record(&door, &changed, PCRS, -EKEYREJECTED, "has been changed", "in its place: refused");
	cvm_tpm_close(door.tpm);
}

/* ---- memory */

/* Asks for the secret in a process of its own, so that this one has never had it. */
static bool learn_elsewhere(struct cvm_tpm *tpm, const struct cvm_sealed *sealed)
{
	uint8_t secret[CVM_SEAL_SECRET];
	bool good;
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return false;
	pid = fork();
	if (!pid) {
		good = gives(tpm, sealed, secret);
		/* nor does the pipe bring it here as it is */
		for (size_t i = 0; i < sizeof(secret); i++)
			secret[i] ^= 0x5a;
		_exit(!good || write(ends[1], secret, sizeof(secret)) != sizeof(secret));
	}
	close(ends[1]);
	good = read(ends[0], secret, sizeof(secret)) == sizeof(secret);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	memory_learn_masked(secret, sizeof(secret), 0x5a);
	return good;
}

static void test_memory_of_seal(void)
{
	struct cvm_tpm *tpm = boot(&ours, "ours");
	struct cvm_sealed sealed = none_sealed();
	bool good = !cvm_tpm_seal(tpm, &sealed, NULL) && learn_elsewhere(tpm, &sealed);

	check(good && !memory_has(), "a secret that was only sealed is nowhere in this process");
	/* the other process has ended this one's session */
	tpm->session = ESYS_TR_NONE;
	cvm_tpm_close(tpm);
}

static void test_memory(void)
{
	struct cvm_tpm *tpm = boot(&ours, "ours");
	struct cvm_sealed sealed = none_sealed();
	uint8_t secret[CVM_SEAL_SECRET];
	bool good = !cvm_tpm_seal(tpm, &sealed, NULL) && gives(tpm, &sealed, secret);

	memory_learn(secret, sizeof(secret));
	check(good && memory_has(), "a secret that is there is found");
	OPENSSL_cleanse(secret, sizeof(secret));
	check(!memory_has(), "wiped, it is nowhere in this process");
	cvm_tpm_close(tpm);
	check(!memory_has(), "nor when the TPM is closed");
}

int main(void)
{
	struct cvm_sealed sealed;

	tap_make_dir();
	ours.state = strdup(tap_path("/ours"));
	other.state = strdup(tap_path("/other"));
	mkdir(ours.state, 0700);
	mkdir(other.state, 0700);
	test_lists();
	test_none();
	test_sealing(&sealed);
	test_changed(&sealed);
	test_forged(&sealed);
	test_wire();
	test_record();
	if (memory_can()) {
		test_memory_of_seal();
		test_memory();
	}
	test_owner(&sealed);
	test_busy(&sealed);
	test_foreign_parent();
	swtpm_stop(&ours);
	return tap_end();
}
