// SPDX-License-Identifier: MIT
/* cvmctl disk: disks whose key derived keys wrap: the firmware's, or of a TPM's secret. */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "disk.h"

enum {
	RECORD, FROM, PCRS, TPM, MIX, MIN_TCB, ROOT, SYSTEM, INTEGRITY, LUKS, RECOVERY, FORCE,
	READ_ONLY, KEY, TEMPORARY, JSON,
};

static const struct option_spec option_list[] = {
	[RECORD]	= { "record", "FILE", "where the disk's key is kept, wrapped; required for\nformat, open and rotate" },
	[FROM]		= { "from", ARG_FROM, "format, open, rotate: whose secret the disk's key is wrapped\nunder: what the firmware derives (default), one that the\nTPM keeps, or both" },
	[PCRS]		= { "pcrs", ARG_PCRS, "format: PCRs that the TPM's secret is bound to; open,\nrotate: what it must be bound to at least; required for\n--from tpm and both" },
	[TPM]		= { "tpm", ARG_TPM, "format: who runs the TPM: somebody whom the host cannot\nmake tell (trusted), or the host, or nobody knows (host),\nwhich is refused unless the firmware's keys alone would do.\nRequired for --from tpm, and for --from both with --system\nfirmware" },
	[MIX]		= { "mix", ARG_MIX, "format: what is mixed into the key; open, rotate: what\nmust be at least (default: policy,image,family,\nmeasurement,svn,tcb; format and rotate mix in mit too,\nwhere it is known)" },
	[MIN_TCB]	= { "min-tcb", "HEX", "open, rotate: the least TCB_VERSION, 16 digits, that the\nrecord may be of (default: any)" },
	[ROOT]		= { "root", ARG_ROOT, HELP_ROOT },
	[SYSTEM]	= { "system", "measured|firmware", "what the launch measurement is known to cover: kernel,\ninitrd and command line too; or the firmware alone, so\nthat whoever has the same firmware would have the key,\nwhich is refused unless --from both --tpm trusted. Required for\nformat, but with --from tpm" },
	[INTEGRITY]	= { "integrity", NULL, "format: authenticate each sector (AES-XTS and HMAC-SHA-256)" },
	[LUKS]		= { "luks", NULL, "format: with a LUKS2 header, whose key slot the record opens" },
	[RECOVERY]	= { "recovery", "FILE", "format --luks: a second key slot, which opens anywhere by\nthe passphrase that is written here: keep it elsewhere" },
	[FORCE]		= { "force", NULL, "format, temporary: a device that is not blank; what is on\nit is lost" },
	[READ_ONLY]	= { "read-only", NULL, "open: so that nothing can be written" },
	[KEY]		= { "key", "derived|random", "temporary: what the disk's key comes from: a key that the\nfirmware derives (default), or, where it derives none,\nrandom numbers alone" },
	[TEMPORARY]	= { "temporary", NULL, "close: a temporary disk alone, if it is open" },
	[JSON]		= { "json", NULL, "status: as a JSON object" },
	{ 0 }
};

#define BIT(option)	(1U << (option))
#define WHOSE		(BIT(FROM) | BIT(PCRS))

/* @record, @device: it must have one; @takes: options */
static const struct {
	const char *name;
	int (*run)(const struct disk_options *options);
	bool record, device;
	unsigned int takes;
} actions[] = {
	{ "format", disk_format, true, true, BIT(RECORD) | WHOSE | BIT(MIX) | BIT(ROOT) |
					     BIT(TPM) | BIT(SYSTEM) | BIT(INTEGRITY) | BIT(LUKS) |
					     BIT(RECOVERY) | BIT(FORCE) },
	{ "open", disk_open, true, true, BIT(RECORD) | WHOSE | BIT(MIX) | BIT(MIN_TCB) | BIT(ROOT) |
					 BIT(READ_ONLY) },
	{ "close", disk_close, false, false, BIT(TEMPORARY) },
	{ "rotate", disk_rotate, true, false, BIT(RECORD) | WHOSE | BIT(MIX) | BIT(MIN_TCB) |
					      BIT(ROOT) },
	{ "status", disk_status, false, false, BIT(RECORD) | BIT(MIX) | BIT(JSON) },
	{ "temporary", disk_temporary, false, true, BIT(MIX) | BIT(ROOT) | BIT(FORCE) | BIT(KEY) },
};

static const char *const systems[] = {
	[SYSTEM_MEASURED] = "measured",
	[SYSTEM_FIRMWARE] = "firmware",
};

static int parse_system(const char *value, enum disk_system *system)
{
	*system = SYSTEM_UNSAID;
	if (!value)
		return 0;
	for (size_t i = SYSTEM_MEASURED; i < ARRAY_SIZE(systems); i++)
		if (!strcmp(value, systems[i]))
			*system = (enum disk_system)i;
	return *system ? 0 : usage_error("--system: '%s' is neither measured nor firmware", value);
}

/* Without the measurement whoever can run any guest on this chip has the key. */
static int check_mix(uint32_t mix)
{
	return mix & CVM_MIX_MEASUREMENT ? 0 :
		usage_error("--mix without measurement: any guest on this chip can derive the key");
}

static int parse_key(const char *value, bool *random)
{
	*random = value && !strcmp(value, "random");
	if (!value || *random || !strcmp(value, "derived"))
		return 0;
	return usage_error("--key: '%s' is neither derived nor random", value);
}

/* what the firmware's keys are derived from */
static int parse_firmware(const struct arguments *args, struct disk_options *options)
{
	const char *mix = args->option[MIX];
	int rc = parse_system(args->option[SYSTEM], &options->system);

	options->accept.mix = CVM_MIX_DEFAULT;
	options->mix = CVM_MIX_ALL;
	if (!rc && mix) {
		rc = parse_mix(mix, &options->mix);
		options->accept.mix = options->mix;
	}
	if (!rc)
		rc = check_mix(options->mix);
	if (!rc && args->option[MIN_TCB])
		rc = options->accept.mix & CVM_MIX_TCB ?
			parse_hex64("min-tcb", args->option[MIN_TCB], &options->accept.min_tcb) :
			usage_error("--min-tcb: tcb is not in --mix");
	return rc ? rc : parse_root(args->option[ROOT], &options->accept.root);
}

/* a TPM's secret alone is derived from nothing */
static int parse_tpm(const struct arguments *args, struct disk_options *options)
{
	static const int firmwares[] = { MIX, MIN_TCB, ROOT, SYSTEM };

	options->accept.root = CVM_ROOT_TPM;
	for (size_t i = 0; i < ARRAY_SIZE(firmwares); i++)
		if (args->option[firmwares[i]])
			return usage_error("--%s is for keys that the firmware derives, not for --from tpm",
					   option_list[firmwares[i]].name);
	return 0;
}

static int parse_options(const struct arguments *args, struct disk_options *options)
{
	int rc;

	options->record = args->option[RECORD];
	options->integrity = args->option[INTEGRITY];
	options->luks = args->option[LUKS];
	options->recovery = args->option[RECOVERY];
	if (options->luks && options->integrity)
		return usage_error("--luks and --integrity: one of them");
	if (options->recovery && !options->luks)
		return usage_error("--recovery is for --luks: another disk has no key slots");
	options->force = args->option[FORCE];
	options->read_only = args->option[READ_ONLY];
	options->temporary = args->option[TEMPORARY];
	options->json = args->option[JSON];
	rc = parse_key(args->option[KEY], &options->random);
	if (!rc)
		rc = parse_from(args->option[FROM], args->option[PCRS], &options->from,
				&options->accept.pcrs);
	if (rc)
		return rc;
	if (args->option[TPM] && !(options->from & CVM_FROM_TPM))
		return usage_error("--tpm is for the secrets of a TPM: --from tpm or both");
	rc = parse_tpm_whose(args->option[TPM], &options->tpm);
	if (rc)
		return rc;
	return options->from == CVM_FROM_TPM ? parse_tpm(args, options) :
					       parse_firmware(args, options);
}

static int check_taken(size_t i, const struct arguments *args)
{
	for (unsigned int o = 0; option_list[o].name; o++)
		if (args->option[o] && !(actions[i].takes & BIT(o)))
			return usage_error("disk %s takes no --%s", actions[i].name,
					   option_list[o].name);
	return 0;
}

static int run_action(size_t i, const struct arguments *args, struct disk_options *options)
{
	if (!options->name)
		return usage_error("disk %s: NAME is missing", actions[i].name);
	if (!cvm_disk_name_valid(options->name))
		return usage_error("'%s' is no name of a disk: 1 to %d letters, digits, and any of '._-', no '.' first, and not 'control'",
				   options->name, CVM_DISK_MAX_NAME);
	if (actions[i].device != !!options->device)
		return usage_error(options->device ? "disk %s takes no DEVICE" :
				   "disk %s: DEVICE is missing", actions[i].name);
	if (actions[i].record && !options->record)
		return usage_error("disk %s: --record is missing", actions[i].name);
	if (check_taken(i, args))
		return EXIT_USAGE;
	/* a record of one disk opens no other */
	snprintf(options->label, sizeof(options->label), "disk %s", options->name);
	options->accept.label = options->label;
	return actions[i].run(options);
}

static int run(const struct arguments *args)
{
	struct disk_options options = {
		.name = args->operand[1], .device = args->operand[1] ? args->operand[2] : NULL,
	};
	int rc = parse_options(args, &options);

	if (rc)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(args->operand[0], actions[i].name))
			return run_action(i, args, &options);
	return usage_error("'%s' is none of format, open, close, rotate, status, temporary", args->operand[0]);
}

const struct command cmd_disk = {
	.name = "disk",
	.summary = "format, open, close and re-key disks under derived keys",
	.operands = "format|open|close|rotate|status|temporary NAME [DEVICE]",
	.min_operands = 1,
	.max_operands = 3,
	.options = option_list,
	.run = run,
};
