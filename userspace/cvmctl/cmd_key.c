// SPDX-License-Identifier: MIT
/*
 * cvmctl key: a derived key, into a keyring, or to a file where that is asked for; the key of
 * an older firmware and that of the present one, for who moves from one to the other;
 * a secret of a TPM, in a record, from which such keys can be derived too; and keys for
 * systemd's units.
 */
#include <errno.h>
#include <keyutils.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "key.h"
#include "keys/secret.h"

enum {
	NAME, KEYRING, OUT, FROM, RECORD, PCRS, TPM, MIX, ROOT, VMPL, SVN, TCB, MIT, PURPOSE, TYPE,
	LENGTH, LABEL, SALT, TIMEOUT, HEX,
};

static const struct option_spec option_list[] = {
	[NAME]	  = { "name", "NAME", "the key's description is cvm:NAME; with --keyring required" },
	[KEYRING] = { "keyring", "session|user|SERIAL", "where the key goes" },
	[OUT]	  = { "out", "FILE", "or this file, raw and readable: user space has it then" },
	[FROM]	  = { "from", ARG_FROM, "derive: of whose secret: the firmware's (default), one\nthat the TPM keeps, or both" },
	[RECORD]  = { "record", "FILE", "seal: where the TPM's secret is kept, sealed; derive:\nwhere it is; required for both" },
	[PCRS]	  = { "pcrs", ARG_PCRS, "seal: PCRs that it is bound to; derive: what it must be\nbound to at least; required for both" },
	[TPM]	  = { "tpm", ARG_TPM, "seal: who runs the TPM: somebody whom the host cannot make\ntell (trusted), or the host, or nobody knows (host), which\nis refused; required" },
	[MIX]	  = { "mix", ARG_MIX, "what is mixed in (default: policy,image,family,\nmeasurement,svn,tcb, and mit where it is known);\ncredential: required" },
	[ROOT]	  = { "root", ARG_ROOT, HELP_ROOT },
	[VMPL]	  = { "vmpl", "0|1|2|3", "the VMPL that is mixed in (default: the kernel's own)" },
	[SVN]	  = { "svn", "N", "the guest SVN (default: the ID block's)" },
	[TCB]	  = { "tcb", "HEX", "the TCB_VERSION, 16 digits (default: the committed one)" },
	[MIT]	  = { "mit", "HEX", "the LAUNCH_MIT_VECTOR, 16 digits (default: this launch's)" },
	[PURPOSE] = { "purpose", "key|check|mac", "what the key is for (default: key)" },
	[TYPE]	  = { "type", "logon|user", "of the key; user: it can be read (default: logon)" },
	[LENGTH]  = { "length", "N", "bytes, 16 to 128 (default: 32)" },
	[LABEL]	  = { "label", "TEXT", "another label, another key (default: none)" },
	[SALT]	  = { "salt", "HEX", "of HKDF, up to 64 bytes (default: none)" },
	[TIMEOUT] = { "timeout", "S", "the kernel expires the key after so many seconds" },
	[HEX]	  = { "hex", NULL, "credential: hexadecimal digits instead of bytes" },
	{ 0 }
};

/* the number of a word in a list, @first and on */
static int parse_choice(const char *option, const char *value, const char *const *names,
			uint32_t first, uint32_t *chosen)
{
	*chosen = first;
	for (uint32_t i = 0; value && names[i]; i++) {
		*chosen = first + i;
		if (!strcmp(value, names[i]))
			return 0;
	}
	return value ? usage_error("--%s: '%s' is none of its words", option, value) : 0;
}

/* what was named, before anything is asked */
static int parse_inputs(const struct arguments *args, struct cvm_key_inputs *in)
{
	int rc = parse_root(args->option[ROOT], &in->root);

	in->mix = CVM_MIX_ALL;
	if (!rc && args->option[MIX])
		rc = parse_mix(args->option[MIX], &in->mix);
	if (rc)
		return rc;
	if (args->option[SVN] && !(in->mix & CVM_MIX_GUEST_SVN))
		return usage_error("--svn: svn is not in --mix");
	if (args->option[TCB] && !(in->mix & CVM_MIX_TCB))
		return usage_error("--tcb: tcb is not in --mix");
	if (args->option[MIT] && !(in->mix & CVM_MIX_LAUNCH_MIT))
		return usage_error("--mit: mit is not in --mix");
	if (args->option[VMPL])
		rc = parse_number("vmpl", args->option[VMPL], 3, &in->vmpl);
	if (!rc && args->option[SVN])
		rc = parse_number("svn", args->option[SVN], UINT32_MAX, &in->guest_svn);
	if (!rc && args->option[TCB])
		rc = parse_hex64("tcb", args->option[TCB], &in->tcb);
	if (!rc && args->option[MIT])
		rc = parse_hex64("mit", args->option[MIT], &in->launch_mit);
	return rc;
}

int key_complete_inputs(const struct arguments *args, const struct cvm_key_door *door,
			struct cvm_key_inputs *in)
{
	struct cvm_key_inputs newest;
	struct cvm_error error;
	int rc;

	/* one that is named, and is not known, is not left out without a word */
	if (!args->option[MIX] && !args->option[MIT])
		in->mix &= cvm_key_door_mix(door);
	rc = cvm_key_door_check(door, in->mix, &error);
	if (rc)
		return fail_key(rc, "--mix", &error);
	cvm_key_inputs_newest(&newest, in->root, in->mix, &door->facts);
	if (!args->option[VMPL])
		in->vmpl = newest.vmpl;
	if (!args->option[SVN])
		in->guest_svn = newest.guest_svn;
	if (!args->option[TCB])
		in->tcb = newest.tcb;
	if (!args->option[MIT])
		in->launch_mit = newest.launch_mit;
	return 0;
}

static int parse_place(const struct arguments *args, struct cvm_key_ask *ask)
{
	const char *const types[] = { "logon", "user", NULL };
	int rc;

	if (!args->option[KEYRING] == !args->option[OUT])
		return usage_error("one of --keyring and --out is required");
	if (args->option[OUT]) {
		ask->form = CVM_FORM_MEMORY;
		if (args->option[NAME] || args->option[TYPE] || args->option[TIMEOUT])
			return usage_error("--name, --type and --timeout are for keys in keyrings");
		return 0;
	}
	if (!args->option[NAME])
		return usage_error("--name is missing");
	ask->name = args->option[NAME];
	rc = parse_choice("type", args->option[TYPE], types, CVM_FORM_LOGON, &ask->form);
	if (!rc && args->option[TIMEOUT])
		rc = parse_number("timeout", args->option[TIMEOUT], INT_MAX, &ask->timeout_s);
	return rc ? rc : parse_keyring(args->option[KEYRING], &ask->keyring);
}

/* what of it is not for its place */
static int parse_material(const struct arguments *args, struct cvm_key_set *set, uint8_t *salt)
{
	const char *const purposes[] = { "key", "check", "mac", NULL };
	struct cvm_key_ask *ask = &set->ask[0];
	const char *hex = args->option[SALT];
	int rc;

	ask->length = 32;
	set->count = 1;
	rc = parse_choice("purpose", args->option[PURPOSE], purposes, CVM_PURPOSE_KEY,
			  &ask->purpose);
	if (!rc && args->option[LENGTH])
		rc = parse_number("length", args->option[LENGTH], CVM_MAX_KEY, &ask->length);
	if (!rc && ask->length < CVM_MIN_KEY)
		rc = usage_error("--length: %d is the least", CVM_MIN_KEY);
	if (rc || !hex)
		return rc;
	set->salt = salt;
	set->salt_len = strlen(hex) / 2;
	if (set->salt_len > CVM_MAX_KEY_SALT)
		return usage_error("--salt: more than %d bytes", CVM_MAX_KEY_SALT);
	return parse_bytes("salt", hex, salt, set->salt_len, false);
}

static int parse_key(const struct arguments *args, struct cvm_key_set *set, uint8_t *salt)
{
	int rc = args->option[HEX] ? usage_error("--hex is for credentials") :
				     parse_place(args, &set->ask[0]);

	set->label = args->option[LABEL] ? args->option[LABEL] : "";
	set->label_len = strlen(set->label);
	if (!rc && set->ask[0].name)
		rc = check_key_name(set->ask[0].name);
	if (!rc && set->label_len > 255)
		rc = usage_error("--label: more than 255 bytes");
	return rc ? rc : parse_material(args, set, salt);
}

/* no disk's */
#define RECORD_LABEL	"key"

/* rotate: the name of the key that is to be used no more, but to read */
#define OLD		".old"

static int parse_source(const struct arguments *args, struct key_source *source)
{
	static const int firmwares[] = { MIX, ROOT, VMPL, SVN, TCB, MIT };
	int rc = parse_from(args->option[FROM], args->option[PCRS], &source->from,
			    &source->accept.pcrs);

	if (rc)
		return rc;
	if (args->option[TPM])
		return usage_error("key %s takes no --tpm", args->operand[0]);
	source->record = args->option[RECORD];
	source->accept.root = CVM_ROOT_TPM;
	source->accept.label = RECORD_LABEL;
	if (!source->record != !(source->from & CVM_FROM_TPM))
		return source->record ?
			usage_error("--record is for the secrets of a TPM: --from tpm or both") :
			usage_error("--from %s: --record is missing", from_name(source->from));
	for (size_t i = 0; source->from == CVM_FROM_TPM && i < ARRAY_SIZE(firmwares); i++)
		if (args->option[firmwares[i]])
			return usage_error("--%s is for keys that the firmware derives, not for --from tpm",
					   option_list[firmwares[i]].name);
	return 0;
}

int key_unseal(const struct key_source *source, const struct cvm_key_door *door, uint8_t *secret)
{
	struct cvm_key_record record;
	struct cvm_error error;
	int rc = cvm_record_read(source->record, &record, &error);

	if (rc)
		return fail_key(rc, NULL, &error);
	rc = cvm_record_secret(&record, &source->accept, door, secret, &error);
	return rc ? fail_key(rc, source->record, &error) : 0;
}

/* What is said may be waited for: not with a secret, but by who wants it in a file. */
static int derive_key(const struct arguments *args, const struct key_source *source,
		      const struct cvm_key_door *door, struct cvm_key_set *set,
		      struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_secret struct cvm_secret key = { 0 }, secret = { 0 };
	struct cvm_key_ask *ask = &set->ask[0];
	int rc;

	cvm_secret_begin(&time);
	if (source->from & CVM_FROM_TPM) {
		rc = key_unseal(source, door, secret.bytes);
		if (rc)
			return rc;
		set->tpm_secret = secret.bytes;
	}
	if (ask->form == CVM_FORM_MEMORY)
		ask->memory = key.bytes;
	rc = cvm_key_inputs_check(&set->inputs, &door->facts, error);
	if (!rc)
		rc = cvm_key_derive(door, set, error);
	if (!rc && ask->form == CVM_FORM_MEMORY)
		rc = output_secret(args->option[OUT], key.bytes, ask->length);
	/* they go with this function */
	set->tpm_secret = NULL;
	ask->memory = NULL;
	return rc;
}

static int derive(const struct arguments *args, const struct key_source *source,
		  struct cvm_key_set *set)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	struct cvm_error error;
	int rc = open_door(&door, source->from);

	if (!rc && source->from & CVM_FROM_FIRMWARE)
		rc = key_complete_inputs(args, &door, &set->inputs);
	if (!rc)
		rc = derive_key(args, source, &door, set, &error);
	if (rc)
		return rc < 0 ? fail_key(rc, NULL, &error) : rc;
	tell_door(&door);
	if (set->ask[0].form == CVM_FORM_MEMORY)
		return EXIT_DONE;
	printf("%d\n", set->ask[0].serial);
	return flush_output();
}

/* whose secret it is of, and of that what */
static int parse_origin(const struct arguments *args, struct key_source *source,
			struct cvm_key_inputs *inputs)
{
	int rc = parse_source(args, source);

	if (rc || source->from != CVM_FROM_TPM)
		return rc ? rc : parse_inputs(args, inputs);
	inputs->root = CVM_ROOT_TPM;
	return 0;
}

static int run_derive(const struct arguments *args)
{
	struct cvm_key_set set = { 0 };
	struct key_source source = { 0 };
	uint8_t salt[CVM_MAX_KEY_SALT];
	int rc = parse_key(args, &set, salt);

	if (!rc)
		rc = parse_origin(args, &source, &set.inputs);
	return rc ? rc : derive(args, &source, &set);
}

/* Who asks has no say in it, nor has the door: another mix would be another key. */
static int run_credential(const struct arguments *args)
{
	static const int others[] = { NAME, KEYRING, OUT, PURPOSE, TYPE, LABEL, TIMEOUT };
	struct cvm_key_set set = { .ask[0].form = CVM_FORM_MEMORY };
	struct key_source source = { 0 };
	uint8_t salt[CVM_MAX_KEY_SALT];
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (args->option[others[i]])
			return usage_error("key credential takes no --%s", option_list[others[i]].name);
	rc = parse_material(args, &set, salt);
	if (!rc)
		rc = parse_origin(args, &source, &set.inputs);
	if (!rc && source.from != CVM_FROM_TPM && !args->option[MIX])
		rc = usage_error("key credential: --mix is missing");
	return rc ? rc : key_serve(args, &source, &set, args->option[HEX]);
}

/* what has the name of @ask in its keyring; 0: nothing */
static int32_t find_key(const struct cvm_key_ask *ask)
{
	char description[sizeof("cvm:") + CVM_MAX_KEY_NAME];
	long serial;

	snprintf(description, sizeof(description), "cvm:%s", ask->name);
	serial = keyctl_search(ask->keyring, ask->form == CVM_FORM_USER ? "user" : "logon",
			       description, 0);
	return serial < 0 ? 0 : (int32_t)serial;
}

/* A key is never put over another of its name: that one is taken out first. */
static int replace(const struct cvm_key_door *door, struct cvm_key_set *set)
{
	struct cvm_key_ask *ask = &set->ask[0];
	int32_t former = find_key(ask);
	struct cvm_error error;
	int rc;

	if (former && keyctl_unlink(former, ask->keyring))
		return fail(EXIT_FAILED, "--name: cvm:%s, key %d, cannot be taken out of the keyring: %s",
			    ask->name, former, strerror(errno));
	rc = cvm_key_derive(door, set, &error);
	return rc ? fail_key(rc, NULL, &error) : 0;
}

static bool same_inputs(const struct cvm_key_inputs *a, const struct cvm_key_inputs *b)
{
	return a->guest_svn == b->guest_svn && a->tcb == b->tcb && a->launch_mit == b->launch_mit;
}

/* the key of what is named first: the one of that until now is in the keyring all the time */
static int rotate(const struct arguments *args, struct cvm_key_set *set)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	char old_name[CVM_MAX_KEY_NAME + 1];
	struct cvm_key_set old;
	struct cvm_key_inputs newest;
	struct cvm_error error;
	bool two;
	int rc = open_door(&door, CVM_FROM_FIRMWARE);

	if (!rc)
		rc = key_complete_inputs(args, &door, &set->inputs);
	if (rc)
		return rc;
	rc = cvm_key_inputs_check(&set->inputs, &door.facts, &error);
	if (rc)
		return fail_key(rc, NULL, &error);
	cvm_key_inputs_newest(&newest, set->inputs.root, set->inputs.mix, &door.facts);
	newest.vmpl = set->inputs.vmpl;
	two = !same_inputs(&newest, &set->inputs);
	snprintf(old_name, sizeof(old_name), "%s" OLD, set->ask[0].name);
	old = *set;
	old.ask[0].name = old_name;
	set->inputs = newest;
	cvm_secret_begin(&time);
	if (two)
		rc = replace(&door, &old);
	if (!rc)
		rc = replace(&door, set);
	if (rc)
		return rc;
	tell_door(&door);
	printf("%d\n", set->ask[0].serial);
	if (two)
		printf("%d\n", old.ask[0].serial);
	return flush_output();
}

static int run_rotate(const struct arguments *args)
{
	struct cvm_key_set set = { 0 };
	uint8_t salt[CVM_MAX_KEY_SALT];
	int rc;

	if (args->option[OUT])
		return usage_error("key rotate takes no --out: it changes keys of a keyring");
	if (args->option[FROM] || args->option[RECORD] || args->option[PCRS] || args->option[TPM])
		return usage_error("key rotate is for keys that the firmware derives: it takes no --from, --record, --pcrs and --tpm");
	if (!args->option[SVN] && !args->option[TCB] && !args->option[MIT])
		return usage_error("key rotate: what the key is of until now is missing: --tcb, --svn or --mit");
	rc = parse_key(args, &set, salt);
	if (!rc && strlen(set.ask[0].name) > CVM_MAX_KEY_NAME - strlen(OLD))
		rc = usage_error("--name: more than %zu bytes, and there is a key NAME" OLD,
				 CVM_MAX_KEY_NAME - strlen(OLD));
	if (!rc)
		rc = parse_inputs(args, &set.inputs);
	return rc ? rc : rotate(args, &set);
}

static int seal(const char *path, uint32_t pcrs)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	__cleanup_draft struct draft draft = { "" };
	struct cvm_key_record record = {
		.inputs.root = CVM_ROOT_TPM, .sealed.pcrs = pcrs, .label = RECORD_LABEL,
	};
	struct cvm_data_key none = { 0 };
	struct cvm_error error;
	struct stat st;
	int rc;

	if (!lstat(path, &st))
		return fail(EXIT_FAILED, "%s: is there already, and may hold the only secret of something: choose another file, or remove it",
			    path);
	rc = name_draft(path, &draft);
	if (!rc)
		rc = open_door(&door, CVM_FROM_TPM);
	if (rc)
		return rc;
	rc = cvm_record_make(&record, &door, RECORD_LABEL, &none, &error);
	if (!rc)
		rc = cvm_record_write(draft.path, &record, NULL, &error);
	if (rc)
		return fail_key(rc, NULL, &error);
	rc = place_draft(&draft, path, "the new secret");
	if (!rc)
		tell_door(&door);
	return rc;
}

static int run_seal(const struct arguments *args)
{
	enum cvm_key_from from;
	enum tpm_whose whose;
	uint32_t pcrs;
	int rc;

	for (int i = 0; option_list[i].name; i++)
		if (args->option[i] && i != RECORD && i != PCRS && i != TPM)
			return usage_error("key seal takes no --%s", option_list[i].name);
	if (!args->option[RECORD])
		return usage_error("key seal: --record is missing");
	rc = parse_from(from_name(CVM_FROM_TPM), args->option[PCRS], &from, &pcrs);
	if (!rc)
		rc = parse_tpm_whose(args->option[TPM], &whose);
	if (!rc)
		rc = check_seal("key seal", whose, pcrs);
	return rc ? rc : seal(args->option[RECORD], pcrs);
}

static int run(const struct arguments *args)
{
	if (!strcmp(args->operand[0], "derive"))
		return run_derive(args);
	if (!strcmp(args->operand[0], "rotate"))
		return run_rotate(args);
	if (!strcmp(args->operand[0], "credential"))
		return run_credential(args);
	return strcmp(args->operand[0], "seal") ?
		usage_error("'%s' is none of derive, rotate, seal, credential", args->operand[0]) :
		run_seal(args);
}

const struct command cmd_key = {
	.name = "key",
	.summary = "derive a key that only this VM can, into a keyring",
	.operands = "derive|rotate|seal|credential",
	.min_operands = 1,
	.max_operands = 1,
	.options = option_list,
	.run = run,
};
