// SPDX-License-Identifier: MIT
/* The text of a key record. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "record.h"

#define VERSION		1
#define VERSION_TPM	2	/* there is a TPM's secret */
#define MAX_VMPL	3

static const struct {
	const char *name;
	size_t key_len, blob_len;
} ciphers[] = {
	[CVM_DISK_NONE]	    = { "none", 0, 0 },
	[CVM_DISK_XTS]	    = { "aes-xts-plain64", 64, CVM_BLOB_SIZE(64) },
	[CVM_DISK_XTS_HMAC] = { "aes-xts-plain64+hmac-sha256", 96, CVM_BLOB_SIZE(96) },
	[CVM_DISK_LUKS2]    = { "luks2", CVM_LUKS_KEY, CVM_LUKS_WRAPPED + CVM_LUKS_DIGEST },
};

/* the members of the object, as strings where they are such */
struct fields {
	json_t *mix, *pcrs;
	json_int_t version, vmpl, svn, sectors;
	const char *root, *tcb, *mit, *label, *salt, *check, *cipher, *key, *mac, *sealed;
};

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

size_t cvm_disk_key_len(enum cvm_disk_cipher cipher)
{
	return ciphers[cipher].key_len;
}

size_t cvm_disk_blob_len(enum cvm_disk_cipher cipher)
{
	return ciphers[cipher].blob_len;
}

static int bad(struct cvm_error *error, const char *name, const char *expected)
{
	return cvm_set_error(error, -EBADMSG, "key record: \"%s\": %s is expected", name, expected);
}

/* exactly @size bytes */
static int hex_field(const char *name, const char *text, void *out, size_t size,
		     struct cvm_error *error)
{
	size_t len, where;

	if (cvm_hex_decode(text, out, size, &len, &where) || len != size)
		return cvm_set_error(error, -EBADMSG, "key record: \"%s\": %zu hexadecimal digits are expected",
				     name, 2 * size);
	return 0;
}

static int hex64_field(const char *name, const char *text, uint64_t *out,
		       struct cvm_error *error)
{
	uint8_t bytes[8];
	int rc = hex_field(name, text, bytes, sizeof(bytes), error);

	*out = 0;
	for (size_t i = 0; !rc && i < sizeof(bytes); i++)
		*out = *out << 8 | bytes[i];
	return rc;
}

static int mix_field(const json_t *list, uint32_t *mix, struct cvm_error *error)
{
	*mix = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *name = json_string_value(item);
		uint32_t bit = name ? cvm_mix_bit(name, json_string_length(item)) : 0;

		if (!bit || *mix & bit)
			return bad(error, "mix", "an array of different names of what can be mixed in");
		*mix |= bit;
	}
	return json_is_array(list) ? 0 : bad(error, "mix", "an array");
}

static int label_field(const char *text, char *label, struct cvm_error *error)
{
	size_t len = strlen(text);

	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			len = 0;
	if (!len || len > CVM_RECORD_MAX_LABEL)
		return bad(error, "label", "1 to 96 printable characters of ASCII");
	memcpy(label, text, len + 1);
	return 0;
}

static int cipher_field(const char *text, enum cvm_disk_cipher *cipher, struct cvm_error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++) {
		if (strcmp(text, ciphers[i].name))
			continue;
		*cipher = (enum cvm_disk_cipher)i;
		return 0;
	}
	return bad(error, "cipher", "\"aes-xts-plain64\", \"aes-xts-plain64+hmac-sha256\", \"luks2\" or \"none\"");
}

static int input_fields(const struct fields *fields, struct cvm_key_inputs *in,
			struct cvm_error *error)
{
	int root = cvm_root_parse(fields->root), rc;

	if (root < 0 || (root == CVM_ROOT_TPM && !fields->sealed))
		return bad(error, "root", "\"vcek\", \"vmrk\", or with version 2 \"tpm\"");
	if (fields->vmpl < 0 || fields->vmpl > MAX_VMPL)
		return bad(error, "vmpl", "a number from 0 to 3");
	if (fields->svn < 0 || fields->svn > UINT32_MAX)
		return bad(error, "svn", "a number from 0 to 4294967295");
	in->root = (uint32_t)root;
	in->vmpl = (uint32_t)fields->vmpl;
	in->guest_svn = (uint32_t)fields->svn;
	rc = mix_field(fields->mix, &in->mix, error);
	if (!rc)
		rc = hex64_field("tcb", fields->tcb, &in->tcb, error);
	if (!rc)
		rc = hex64_field("mit", fields->mit, &in->launch_mit, error);
	if (rc)
		return rc;
	if (in->root == CVM_ROOT_TPM && (in->mix || in->vmpl))
		return bad(error, "mix", "with \"tpm\" none, and the VMPL 0,");
	/* what is not mixed in has no value, or the record would say what is not so */
	if (in->guest_svn && !(in->mix & CVM_MIX_GUEST_SVN))
		return bad(error, "svn", "0, since it is not in \"mix\",");
	if (in->tcb && !(in->mix & CVM_MIX_TCB))
		return bad(error, "tcb", "0, since it is not in \"mix\",");
	if (in->launch_mit && !(in->mix & CVM_MIX_LAUNCH_MIT))
		return bad(error, "mit", "0, since it is not in \"mix\",");
	return 0;
}

static int disk_fields(const struct fields *fields, struct cvm_key_record *record,
		       struct cvm_error *error)
{
	int rc = cipher_field(fields->cipher, &record->cipher, error);

	if (rc)
		return rc;
	if (record->cipher == CVM_DISK_NONE) {
		if (record->inputs.root != CVM_ROOT_TPM)
			return bad(error, "cipher", "a disk's, unless \"root\" is \"tpm\",");
		return fields->sectors ? bad(error, "sectors", "0, since there is no disk,") :
			hex_field("key", fields->key, record->blob, 0, error);
	}
	if (fields->sectors <= 0 || (uint64_t)fields->sectors > CVM_DISK_MAX_SECTORS ||
	    fields->sectors % CVM_DISK_ALIGN)
		return bad(error, "sectors", "a multiple of 8 from 8 to 2^48");
	record->sectors = (uint64_t)fields->sectors;
	return hex_field("key", fields->key, record->blob,
			 cvm_disk_blob_len(record->cipher), error);
}

/* rising: one text for one meaning, as of numbers */
static int pcrs_field(const json_t *list, uint32_t *pcrs, struct cvm_error *error)
{
	*pcrs = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		json_int_t pcr = json_integer_value(item);

		if (!json_is_integer(item) || pcr < 0 || pcr >= CVM_PCRS || *pcrs >> pcr)
			return bad(error, "pcrs", "an array of numbers from 0 to 15, rising,");
		*pcrs |= 1U << pcr;
	}
	return *pcrs ? 0 : bad(error, "pcrs", "an array of numbers from 0 to 15, at least one,");
}

static int tpm_fields(const struct fields *fields, struct cvm_sealed *sealed,
		      struct cvm_error *error)
{
	size_t len, where;
	int rc;

	if (!fields->sealed)
		return 0;
	rc = pcrs_field(fields->pcrs, &sealed->pcrs, error);
	if (rc)
		return rc;
	if (cvm_hex_decode(fields->sealed, sealed->bytes, sizeof(sealed->bytes), &len, &where) ||
	    !len)
		return bad(error, "sealed", "1 to 640 bytes in hexadecimal");
	sealed->len = (uint32_t)len;
	return 0;
}

static int check_version(const struct fields *fields, struct cvm_error *error)
{
	if (fields->version != VERSION && fields->version != VERSION_TPM)
		return bad(error, "version", "1 or 2, which this program knows,");
	if (!fields->pcrs != (fields->version == VERSION))
		return bad(error, "pcrs", "it with version 2, and without it none,");
	return !fields->sealed != (fields->version == VERSION) ?
		bad(error, "sealed", "it with version 2, and without it none,") : 0;
}

static int all_fields(const struct fields *fields, struct cvm_key_record *record,
		      struct cvm_error *error)
{
	int rc = check_version(fields, error);

	if (!rc)
		rc = input_fields(fields, &record->inputs, error);
	if (!rc)
		rc = tpm_fields(fields, &record->sealed, error);
	if (!rc)
		rc = label_field(fields->label, record->label, error);
	if (!rc)
		rc = hex_field("salt", fields->salt, record->salt, CVM_RECORD_SALT, error);
	if (!rc)
		rc = hex_field("check", fields->check, record->check, CVM_RECORD_CHECK, error);
	if (!rc)
		rc = disk_fields(fields, record, error);
	if (!rc)
		rc = hex_field("mac", fields->mac, record->mac, CVM_RECORD_MAC, error);
	return rc;
}

/* jansson quotes what it found, which may be anything */
static int malformed(struct cvm_error *error, json_error_t *wrong)
{
	for (char *p = wrong->text; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return cvm_set_error(error, -EBADMSG, "key record: line %d, column %d: %s", wrong->line,
			     wrong->column, wrong->text);
}

int cvm_record_parse(const char *text, size_t len, struct cvm_key_record *record,
		     struct cvm_error *error)
{
	__cleanup(cleanup_json) json_t *root = NULL;
	struct fields f = { 0 };
	json_error_t wrong;

	memset(record, 0, sizeof(*record));
	if (len > CVM_RECORD_MAX_FILE)
		return cvm_set_error(error, -EBADMSG, "key record: more than %d bytes",
				     CVM_RECORD_MAX_FILE);
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &wrong);
	if (!root)
		return malformed(error, &wrong);
	/* strict: what is not named here is refused */
	if (json_unpack_ex(root, &wrong, JSON_STRICT,
			   "{s:I, s:s, s:o, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s?o, s?s}",
			   "version", &f.version, "root", &f.root, "mix", &f.mix,
			   "vmpl", &f.vmpl, "svn", &f.svn, "tcb", &f.tcb, "mit", &f.mit,
			   "label", &f.label, "salt", &f.salt, "check", &f.check,
			   "cipher", &f.cipher, "sectors", &f.sectors,
			   "key", &f.key, "mac", &f.mac,
			   "pcrs", &f.pcrs, "sealed", &f.sealed))
		return malformed(error, &wrong);
	return all_fields(&f, record, error);
}

static json_t *hex(const void *data, size_t len)
{
	char text[2 * CVM_SEALED_MAX + 1];

	_Static_assert(CVM_BLOB_MAX <= CVM_SEALED_MAX, "there is nothing longer");
	cvm_hex_encode(data, len, text);
	return json_string(text);
}

static json_t *hex64(uint64_t value)
{
	return json_sprintf("%016llx", (unsigned long long)value);
}

static json_t *mix_list(uint32_t mix)
{
	json_t *list = json_array();

	for (unsigned int bit = 0; cvm_mix_name(bit); bit++)
		if (mix & 1U << bit)
			json_array_append_new(list, json_string(cvm_mix_name(bit)));
	return list;
}

static json_t *pcr_list(uint32_t pcrs)
{
	json_t *list = json_array();

	for (unsigned int pcr = 0; pcr < CVM_PCRS; pcr++)
		if (pcrs & 1U << pcr)
			json_array_append_new(list, json_integer(pcr));
	return list;
}

/* into @json, which may be NULL; NULL where it fails */
static json_t *add_tpm(json_t *json, const struct cvm_sealed *sealed)
{
	if (!sealed->pcrs || !json)
		return json;
	if (!json_object_set_new(json, "pcrs", pcr_list(sealed->pcrs)) &&
	    !json_object_set_new(json, "sealed", hex(sealed->bytes, sealed->len)))
		return json;
	json_decref(json);
	return NULL;
}

char *cvm_record_text(const struct cvm_key_record *record)
{
	const struct cvm_key_inputs *in = &record->inputs;
	__cleanup(cleanup_json) json_t *json = NULL;
	__cleanup_free char *text = NULL;
	char *line;

	json = json_pack("{s:i, s:s, s:o, s:I, s:I, s:o, s:o, s:s, s:o, s:o, s:s, s:I, s:o, s:o}",
			 "version", record->sealed.pcrs ? VERSION_TPM : VERSION, "root", cvm_root_name(in->root),
			 "mix", mix_list(in->mix), "vmpl", (json_int_t)in->vmpl,
			 "svn", (json_int_t)in->guest_svn, "tcb", hex64(in->tcb),
			 "mit", hex64(in->launch_mit), "label", record->label,
			 "salt", hex(record->salt, CVM_RECORD_SALT),
			 "check", hex(record->check, CVM_RECORD_CHECK),
			 "cipher", ciphers[record->cipher].name,
			 "sectors", (json_int_t)record->sectors,
			 "key", hex(record->blob, cvm_disk_blob_len(record->cipher)),
			 "mac", hex(record->mac, CVM_RECORD_MAC));
	json = add_tpm(json, &record->sealed);
	text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	return text && asprintf(&line, "%s\n", text) >= 0 ? line : NULL;
}
