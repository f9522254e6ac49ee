// SPDX-License-Identifier: GPL-2.0
/* Key records: their text, what of it is refused, what is authenticated, files. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "keys/derive.h"
#include "keys/record.h"
#include "tap.h"

static const uint8_t mac_key[CVM_RECORD_MAC_KEY] = "the test's key for the MAC";

static struct cvm_key_record good(enum cvm_disk_cipher cipher)
{
	struct cvm_key_record record = {
		.inputs = { .root = CVM_ROOT_VCEK, .mix = CVM_MIX_ALL, .vmpl = 2, .guest_svn = 7,
			    .tcb = 0xd300000000000004, .launch_mit = 5 },
		.cipher = cipher,
		.sectors = 8192,
		.label = "disk data",
	};

	memset(record.salt, 0x5a, sizeof(record.salt));
	memset(record.check, 0xc4, sizeof(record.check));
	memset(record.blob, 0xb1, cvm_disk_blob_len(cipher));
	cvm_record_sign(&record, mac_key);
	return record;
}

/* with a secret of a TPM: of a disk; or of none, and nothing of the firmware's */
static struct cvm_key_record good_tpm(enum cvm_disk_cipher cipher)
{
	struct cvm_key_record record = good(cipher);

	record.sealed = (struct cvm_sealed){ .pcrs = 1U << 0 | 1U << 7 | 1U << 15, .len = 300 };
	memset(record.sealed.bytes, 0x5e, record.sealed.len);
	if (cipher == CVM_DISK_NONE) {
		record.inputs = (struct cvm_key_inputs){ .root = CVM_ROOT_TPM };
		record.sectors = 0;
	}
	cvm_record_sign(&record, mac_key);
	return record;
}

static void test_tpm_text(void)
{
	for (enum cvm_disk_cipher c = CVM_DISK_NONE; c <= CVM_DISK_LUKS2; c++) {
		struct cvm_key_record record = good_tpm(c), again;
		char *text = cvm_record_text(&record);

		check(strlen(text) < CVM_RECORD_MAX_FILE, "with a TPM's secret it is short enough");
		check_is(cvm_record_parse(text, strlen(text), &again, NULL), 0, "it can be read");
		check(!memcmp(&record, &again, sizeof(record)), "and means the same");
		check_is(cvm_record_verify(&again, mac_key), 0, "and its MAC holds");
		again.sealed.pcrs ^= 1;
		check_is(cvm_record_verify(&again, mac_key), -EBADMSG, "but not for other PCRs");
		again.sealed.pcrs ^= 1;
		again.sealed.bytes[299] ^= 1;
		check_is(cvm_record_verify(&again, mac_key), -EBADMSG, "nor another secret");
		again.sealed = (struct cvm_sealed){ 0 };
		check_is(cvm_record_verify(&again, mac_key), -EBADMSG, "nor for none");
		free(text);
	}
}

static void test_text(void)
{
	for (enum cvm_disk_cipher c = CVM_DISK_XTS; c <= CVM_DISK_LUKS2; c++) {
		struct cvm_key_record record = good(c), again;
		char *text = cvm_record_text(&record);

		check_is(cvm_record_parse(text, strlen(text), &again, NULL), 0,
			 "what is written can be read");
		check(!memcmp(&record, &again, sizeof(record)), "and means the same");
		check_is(cvm_record_verify(&again, mac_key), 0, "and its MAC holds");
		free(text);
	}
}

/* @record with one member replaced (or, NULL, removed): refused, and @says so */
static void refuse_of(struct cvm_key_record record, const char *member, json_t *value,
		      const char *says)
{
	char *text = cvm_record_text(&record), *changed, what[128];
	json_t *json = json_loads(text, 0, NULL);
	struct cvm_error error = { 0 };

	if (value)
		json_object_set_new(json, member, value);
	else
		json_object_del(json, member);
	changed = json_dumps(json, JSON_ALLOW_NUL);
	snprintf(what, sizeof(what), "\"%s\" %s: refused", member, value ? "wrong" : "missing");
	check_is(cvm_record_parse(changed, strlen(changed), &record, &error), -EBADMSG, what);
	check_says(error.text, says, "and the message names it");
	free(changed);
	free(text);
	json_decref(json);
}

/* of the good record */
static void refuse(const char *member, json_t *value, const char *says)
{
	refuse_of(good(CVM_DISK_XTS), member, value, says);
}

static json_t *repeat(const char *text, int times)
{
	char *all = calloc((size_t)times, strlen(text) + 1);
	json_t *json;

	for (int i = 0; i < times; i++)
		strcat(all, text);
	json = json_string(all);
	free(all);
	return json;
}

static void test_refused(void)
{
	static const char *const members[] = {
		"version", "root", "mix", "vmpl", "svn", "tcb", "mit", "label", "salt", "check",
		"cipher", "sectors", "key", "mac",
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		refuse(members[i], NULL, members[i]);
		refuse(members[i], json_null(), "");
		refuse(members[i], json_pack("{s:i}", "a", 1), "");
	}
	refuse("comment", json_string("hello"), "comment");
	refuse("version", json_integer(3), "version");
	refuse("version", json_integer(2), "pcrs");
	refuse("pcrs", json_pack("[i]", 7), "pcrs");
	refuse("sealed", json_string("00"), "sealed");
	refuse("root", json_string("tpm"), "root");
	refuse("cipher", json_string("none"), "cipher");
	refuse("version", json_real(1.0), "");
	refuse("root", json_string("vlek"), "root");
	refuse("mix", json_pack("[s,s]", "policy", "policy"), "mix");
	refuse("mix", json_pack("[s]", "everything"), "mix");
	refuse("mix", json_pack("[i]", 1), "mix");
	refuse("vmpl", json_integer(4), "vmpl");
	refuse("vmpl", json_integer(-1), "vmpl");
	refuse("svn", json_integer(4294967296), "svn");
	refuse("svn", json_integer(-1), "svn");
	refuse("tcb", repeat("0", 15), "tcb");
	refuse("tcb", repeat("0", 17), "tcb");
	refuse("tcb", repeat("g", 16), "tcb");
	refuse("mit", json_string("0x00000000000005"), "mit");
	refuse("mix", json_pack("[s,s]", "svn", "tcb"), "mit");
	refuse("mix", json_pack("[s,s]", "mit", "tcb"), "svn");
	refuse("mix", json_pack("[s,s]", "svn", "mit"), "tcb");
	refuse("label", json_string(""), "label");
	refuse("label", repeat("x", 97), "label");
	refuse("label", json_string("disk\ndata"), "label");
	refuse("label", json_string("disk \xc3\xa4"), "label");
	refuse("label", json_stringn("disk\0data", 9), "");
	refuse("salt", repeat("00", 31), "salt");
	refuse("salt", repeat("00", 33), "salt");
	refuse("check", repeat("00", 15), "check");
	refuse("cipher", json_string("cipher_null-ecb"), "cipher");
	refuse("cipher", json_string("aes-cbc-plain64"), "cipher");
	refuse("sectors", json_integer(0), "sectors");
	refuse("sectors", json_integer(-8), "sectors");
	refuse("sectors", json_integer(12), "sectors");
	refuse("sectors", json_integer((1LL << 48) + 8), "sectors");
	refuse("key", repeat("00", 112), "key");
	/* as long as that of the other cipher */
	refuse("key", repeat("00", 145), "key");
	refuse("mac", repeat("00", 31), "mac");
}

static void test_tpm_refused(void)
{
	const struct cvm_key_record both = good_tpm(CVM_DISK_XTS), alone = good_tpm(CVM_DISK_NONE);

	refuse_of(both, "version", json_integer(1), "pcrs");
	refuse_of(both, "pcrs", NULL, "pcrs");
	refuse_of(both, "sealed", NULL, "sealed");
	refuse_of(both, "pcrs", json_null(), "pcrs");
	refuse_of(both, "pcrs", json_integer(7), "pcrs");
	refuse_of(both, "pcrs", json_array(), "pcrs");
	refuse_of(both, "pcrs", json_pack("[i,i]", 7, 7), "pcrs");
	refuse_of(both, "pcrs", json_pack("[i,i]", 7, 0), "pcrs");
	refuse_of(both, "pcrs", json_pack("[i]", 16), "pcrs");
	refuse_of(both, "pcrs", json_pack("[i]", -1), "pcrs");
	refuse_of(both, "pcrs", json_pack("[s]", "7"), "pcrs");
	refuse_of(both, "pcrs", json_pack("[f]", 7.0), "pcrs");
	refuse_of(both, "sealed", json_string(""), "sealed");
	refuse_of(both, "sealed", json_string("0"), "sealed");
	refuse_of(both, "sealed", repeat("00", CVM_SEALED_MAX + 1), "sealed");
	refuse_of(both, "cipher", json_string("none"), "cipher");
	refuse_of(alone, "mix", json_pack("[s]", "policy"), "mix");
	refuse_of(alone, "vmpl", json_integer(1), "mix");
	refuse_of(alone, "svn", json_integer(1), "svn");
	refuse_of(alone, "sectors", json_integer(8), "sectors");
	refuse_of(alone, "key", json_string("00"), "key");
	refuse_of(alone, "cipher", json_string("aes-xts-plain64"), "sectors");
}

static void refuse_text(const char *text, size_t len, const char *what)
{
	struct cvm_key_record record;
	struct cvm_error error;

	check_is(cvm_record_parse(text, len, &record, &error), -EBADMSG, what);
	for (const char *p = error.text; *p; p++)
		if (*p < ' ' || *p > '~')
			check(false, "nothing unprintable goes to the terminal");
}

static void test_malformed(void)
{
	struct cvm_key_record record = good(CVM_DISK_XTS);
	char *text = cvm_record_text(&record), *twice;
	char large[CVM_RECORD_MAX_FILE + 1];

	refuse_text("", 0, "nothing");
	refuse_text("[]", 2, "an array");
	refuse_text("{}", 2, "an empty object");
	refuse_text(text, strlen(text) - 3, "cut short");
	if (asprintf(&twice, "{\"version\": 1, %s", text + 1) > 0)
		refuse_text(twice, strlen(twice), "a member twice");
	free(twice);
	if (asprintf(&twice, "%s%s", text, text) > 0)
		refuse_text(twice, strlen(twice), "two records");
	free(twice);
	refuse_text("{\"\\u001b[2J\": 1}", 16, "a member that would clear the screen");
	memset(large, ' ', sizeof(large));
	memcpy(large, text, strlen(text));
	refuse_text(large, sizeof(large), "a byte more than a file may have");
	memset(large, '[', sizeof(large));
	refuse_text(large, CVM_RECORD_MAX_FILE, "4096 arrays in each other");
	free(text);
}

/* every byte of the struct but the MAC itself, and unused ends of the arrays */
static void test_mac(void)
{
	struct cvm_key_record record = good(CVM_DISK_XTS_HMAC), changed;
	uint8_t other[CVM_RECORD_MAC_KEY] = { 1 };
	const struct { const char *what; size_t at, len; } fields[] = {
#define FIELD(f) { #f, offsetof(struct cvm_key_record, f), sizeof(record.f) }
		FIELD(inputs.root), FIELD(inputs.mix), FIELD(inputs.vmpl),
		FIELD(inputs.guest_svn), FIELD(inputs.tcb), FIELD(inputs.launch_mit),
		FIELD(sectors), FIELD(salt), FIELD(check), FIELD(blob), FIELD(mac),
		{ "label", offsetof(struct cvm_key_record, label), strlen(record.label) },
	};

	check_is(cvm_record_verify(&record, other), -EBADMSG, "another key: refused");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t refused = 0;

		for (size_t bit = 0; bit < 8 * fields[i].len; bit++) {
			changed = record;
			((uint8_t *)&changed)[fields[i].at + bit / 8] ^= (uint8_t)(1 << bit % 8);
			refused += cvm_record_verify(&changed, mac_key) == -EBADMSG;
		}
		check_is((long)refused, (long)(8 * fields[i].len), fields[i].what);
	}
	changed = record;
	changed.cipher = CVM_DISK_XTS;
	check_is(cvm_record_verify(&changed, mac_key), -EBADMSG, "another cipher: refused");
	changed = record;
	strcpy(changed.label, "disk dat");
	check_is(cvm_record_verify(&changed, mac_key), -EBADMSG, "a shorter label: refused");
}

static uint64_t sectors_at(const char *path)
{
	struct cvm_key_record record;

	return cvm_record_read(path, &record, NULL) ? 0 : record.sectors;
}

static void test_draft(void)
{
	char draft[PATH_MAX], path[PATH_MAX];

	check(!cvm_record_draft("/a/b.json", "new", draft, NULL) &&
	      !strcmp(draft, "/a/.b.json.cvmctl-new"), "a draft is beside its record");
	check(!cvm_record_draft("b.json", "1f", draft, NULL) &&
	      !strcmp(draft, ".b.json.cvmctl-1f"), "in this directory too");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	check_is(cvm_record_draft(path, "new", draft, NULL), -ENAMETOOLONG, "unless it has no room");
}

static void test_files(void)
{
	struct cvm_key_record record = good(CVM_DISK_XTS), other = record, got;
	const char *path = tap_path("/record"), *draft = tap_path("/.record.cvmctl-new");
	struct cvm_error error;

	check_is(cvm_record_read(path, &got, &error), -ENOENT, "no file");
	check_says(error.text, path, "the message names it");
	check_is(cvm_record_write(draft, &record, NULL, NULL), 0, "a record is written");
	check(!cvm_record_read(draft, &got, NULL) && !memcmp(&got, &record, sizeof(got)), "and read");
	check_is(cvm_record_place(draft, path, false, NULL), 0, "it gets its name");
	check(sectors_at(path) == 8192 && access(draft, F_OK), "and has no other");
	other.sectors = 16;
	tap_write(draft, "left over", 9);
	check_is(cvm_record_write(draft, &other, NULL, NULL), 0,
		 "another is written, whatever a killed process has left");
	check_is(cvm_record_place(draft, path, false, &error), -EEXIST,
		 "no record is replaced unasked");
	check_says(error.text, path, "the message names it");
	check(sectors_at(path) == 8192 && sectors_at(draft) == 16, "and both are as they were");
	check_is(cvm_record_place(draft, path, true, NULL), 0, "but when it is asked for");
	check(sectors_at(path) == 16 && access(draft, F_OK), "it is the other");
	check_is(cvm_record_place(draft, path, true, NULL), -ENOENT, "and is not there twice");
	check(sectors_at(path) == 16, "and the record is as it was");
}

static void test_full(void)
{
	struct rlimit limit = { .rlim_cur = 100, .rlim_max = RLIM_INFINITY };
	struct cvm_key_record record = good(CVM_DISK_XTS);
	const char *draft = tap_path("/.record.cvmctl-full");
	int rc;

	/* no more than 100 bytes fit */
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	rc = cvm_record_write(draft, &record, NULL, NULL);
	/* results have more */
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	check_is(rc, -EFBIG, "a full disk is an error");
	check(access(draft, F_OK), "and nothing is left");
}

static void test_like(void)
{
	struct cvm_key_record record = good(CVM_DISK_XTS);
	const char *draft = tap_path("/.record.cvmctl-like");
	struct stat like = { .st_mode = S_IFREG | 0640, .st_uid = geteuid(), .st_gid = getegid() };
	struct stat st;

	check_is(cvm_record_write(draft, &record, NULL, NULL), 0, "a record of nobody's likeness");
	check(!stat(draft, &st) && (st.st_mode & 07777) == 0600, "is its owner's alone");
	check_is(cvm_record_write(draft, &record, &like, NULL), 0, "one like another");
	check(!stat(draft, &st) && (st.st_mode & 07777) == 0640, "has its mode");
	if (geteuid()) {
		like.st_uid = 0;
		check_is(cvm_record_write(draft, &record, &like, NULL), -EPERM, "or is not made");
		check(access(draft, F_OK), "and nothing is left");
	}
}

static void test_inputs(void)
{
	struct cvm_key_facts facts = { .vmpl = 1, .guest_svn = 3,
				       .committed_tcb = 0x0500000000000302,
				       .has_launch_mit = true, .launch_mit = 6 };
	struct cvm_key_inputs in, same;
	char text[CVM_MIX_TEXT];

	check(cvm_mix_parse("policy,tcb") == (CVM_MIX_POLICY | CVM_MIX_TCB), "a list of mixes");
	check(!cvm_mix_parse("") && !cvm_mix_parse("policy,") && !cvm_mix_parse("policy,policy") &&
	      !cvm_mix_parse("pol") && !cvm_mix_parse("policyx"), "none of these is one");
	check(!strcmp(cvm_mix_text(CVM_MIX_ALL, text),
		      "policy,image,family,measurement,svn,tcb,mit"), "and back");
	cvm_key_inputs_newest(&in, CVM_ROOT_VCEK, CVM_MIX_ALL, &facts);
	check(in.tcb == facts.committed_tcb && in.guest_svn == 3 && in.launch_mit == 6 &&
	      in.vmpl == 1, "the newest that may be asked for");
	check_is(cvm_key_inputs_check(&in, &facts, NULL), 0, "which this VM can derive");
	same = in;
	same.tcb -= 0x0100000000000000;
	check_is(cvm_key_inputs_check(&same, &facts, NULL), 0, "and an older one");
	/* less as a number, and one component is above */
	same.tcb = 0x0400000000000303;
	check_is(cvm_key_inputs_check(&same, &facts, NULL), -ESTALE, "no component above the TCB");
	same = in;
	same.guest_svn = 4;
	check_is(cvm_key_inputs_check(&same, &facts, NULL), -ESTALE, "no newer guest");
	same = in;
	same.launch_mit = 1;
	check_is(cvm_key_inputs_check(&same, &facts, NULL), -ESTALE, "no other mitigation");
	same = in;
	same.vmpl = 0;
	check_is(cvm_key_inputs_check(&same, &facts, NULL), -EINVAL, "no more privileged VMPL");
	facts.has_launch_mit = false;
	check_is(cvm_key_inputs_check(&in, &facts, NULL), -ESTALE, "no firmware that lacks them");
	cvm_key_inputs_newest(&in, CVM_ROOT_VMRK, CVM_MIX_DEFAULT, &facts);
	check(in.mix == CVM_MIX_DEFAULT && !in.launch_mit, "without mitigations it has none");
}

/* what can be asked for is the firmware's to know, and the door's to say */
static void test_doors(void)
{
	struct cvm_key_door door = { .fd = -1, .path = "/dev/door" };
	struct cvm_error error;

	check(cvm_key_door_mix(&door) == CVM_MIX_DEFAULT, "the kernel's driver, old firmware");
	check_is(cvm_key_door_check(&door, CVM_MIX_DEFAULT, NULL), 0, "all of that may be named");
	check_is(cvm_key_door_check(&door, CVM_MIX_ALL, &error), -EOPNOTSUPP, "mitigations may not");
	check_says(error.text, "firmware does not know mit", "because of the firmware");
	door.facts.has_launch_mit = true;
	check(cvm_key_door_mix(&door) == CVM_MIX_DEFAULT, "the kernel's driver, new firmware");
	check_is(cvm_key_door_check(&door, CVM_MIX_ALL, &error), -EOPNOTSUPP, "mitigations may not");
	check_says(error.text, "/dev/door cannot ask for mit", "because of the driver");
	door.driver = true;
	check(cvm_key_door_mix(&door) == CVM_MIX_ALL, "the module, new firmware");
	check_is(cvm_key_door_check(&door, CVM_MIX_ALL, NULL), 0, "and everything may be named");
	door.facts.has_launch_mit = false;
	check(cvm_key_door_mix(&door) == CVM_MIX_DEFAULT, "the module, old firmware");
}

int main(void)
{
	tap_make_dir();
	test_text();
	test_tpm_text();
	test_refused();
	test_tpm_refused();
	test_malformed();
	test_mac();
	test_draft();
	test_files();
	test_full();
	test_like();
	test_inputs();
	test_doors();
	return tap_end();
}
