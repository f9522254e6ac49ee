// SPDX-License-Identifier: MIT
/* TCB info of TDX platforms, from JSON. */
#include <errno.h>
#include <stdlib.h>

#include "../common/util.h"
#include "collateral.h"
#include "json_in.h"

#define MAX_LEVELS	256
#define MAX_ADVISORIES	256

static int parse_status(const struct cvm_json *in, enum cvm_tcb_status *out)
{
	const char *name;
	int ret = cvm_json_get_text(in, "tcbStatus", &name);
	struct cvm_json member;

	if (ret)
		return ret;
	*out = cvm_tcb_status_of(name);
	/* those two are found by comparing, never issued */
	if (*out != CVM_TCB_UNKNOWN && *out != CVM_TCB_TD_RELAUNCH_ADVISED &&
	    *out != CVM_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED)
		return 0;
	cvm_json_member(in, "tcbStatus", &member);
	return cvm_json_wrong(&member, "a status that is known, such as UpToDate");
}

/* INTEL-SA-00106 and so on: a list of words of these characters */
static bool is_advisory(const char *name)
{
	return *name && strlen(name) < 32 &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == strlen(name);
}

static int append_advisory(const struct cvm_json *item, char **list)
{
	const char *name;
	char *grown;
	size_t used = strlen(*list);
	int ret = cvm_json_text(item, &name);

	if (ret)
		return ret;
	if (!is_advisory(name))
		return cvm_json_wrong(item, "an advisory as INTEL-SA-00106");
	grown = realloc(*list, used + strlen(name) + 2);
	if (!grown)
		return -ENOMEM;
	*list = grown;
	sprintf(grown + used, "%s%s", used ? " " : "", name);
	return 0;
}

static int parse_advisories(const struct cvm_json *in, char **out)
{
	struct cvm_json list, item;
	size_t count = 0;
	int ret = 0;

	*out = calloc(1, 1);
	if (!*out)
		return -ENOMEM;
	if (!cvm_json_has(in, "advisoryIDs"))
		return 0;
	cvm_json_member(in, "advisoryIDs", &list);
	ret = cvm_json_array(&list, MAX_ADVISORIES, &count);
	for (size_t i = 0; !ret && i < count; i++) {
		cvm_json_item(&list, i, &item);
		ret = append_advisory(&item, out);
	}
	return ret;
}

/* Sixteen objects with an svn each */
static int parse_components(const struct cvm_json *tcb, const char *key, uint8_t out[16])
{
	struct cvm_json list, item;
	uint64_t svn;
	size_t count;
	int ret = cvm_json_member(tcb, key, &list);

	if (!ret)
		ret = cvm_json_array(&list, 16, &count);
	if (!ret && count != 16)
		ret = cvm_json_wrong(&list, "16 components");
	for (size_t i = 0; !ret && i < 16; i++) {
		cvm_json_item(&list, i, &item);
		ret = cvm_json_get_number(&item, "svn", UINT8_MAX, &svn);
		out[i] = ret ? 0 : (uint8_t)svn;
	}
	return ret;
}

static int parse_level(const struct cvm_json *in, struct cvm_tcb_level *level)
{
	struct cvm_json tcb;
	uint64_t pcesvn = 0;
	int ret = cvm_json_member(in, "tcb", &tcb);

	if (!ret)
		ret = parse_components(&tcb, "sgxtcbcomponents", level->sgx);
	if (!ret)
		ret = parse_components(&tcb, "tdxtcbcomponents", level->tdx);
	if (!ret)
		ret = cvm_json_get_number(&tcb, "pcesvn", UINT16_MAX, &pcesvn);
	if (!ret)
		ret = parse_status(in, &level->status);
	if (!ret)
		ret = cvm_json_get_time(in, "tcbDate", &level->date);
	level->pcesvn = (uint16_t)pcesvn;
	return ret ? ret : parse_advisories(in, &level->advisories);
}

static int parse_svn_level(const struct cvm_json *in, struct cvm_svn_level *level)
{
	struct cvm_json tcb;
	uint64_t isvsvn = 0;
	int ret = cvm_json_member(in, "tcb", &tcb);

	if (!ret)
		ret = cvm_json_get_number(&tcb, "isvsvn", UINT16_MAX, &isvsvn);
	if (!ret)
		ret = parse_status(in, &level->status);
	if (!ret)
		ret = cvm_json_get_time(in, "tcbDate", &level->date);
	level->isvsvn = (uint16_t)isvsvn;
	return ret ? ret : parse_advisories(in, &level->advisories);
}

/* An array of @size bytes an element, all zero, for the member @key */
static int make_array(const struct cvm_json *in, const char *key, size_t size,
		      struct cvm_json *list, void **array, size_t *count)
{
	size_t wanted;
	int ret = cvm_json_member(in, key, list);

	if (!ret)
		ret = cvm_json_array(list, MAX_LEVELS, &wanted);
	if (ret)
		return ret;
	*array = calloc(wanted ? wanted : 1, size);
	if (!*array)
		return -ENOMEM;
	*count = wanted;
	return 0;
}

int cvm_svn_levels_parse(const struct cvm_json *in, struct cvm_svn_level **level, size_t *count)
{
	struct cvm_json list, item;
	void *array = NULL;
	int ret = make_array(in, "tcbLevels", sizeof(**level), &list, &array, count);

	*level = array;
	for (size_t i = 0; !ret && i < *count; i++) {
		cvm_json_item(&list, i, &item);
		ret = parse_svn_level(&item, &(*level)[i]);
	}
	return ret;
}

void cvm_svn_levels_free(struct cvm_svn_level *level, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(level[i].advisories);
	free(level);
}

static int parse_levels(const struct cvm_json *in, struct cvm_tcb_info *info)
{
	struct cvm_json list, item;
	void *array = NULL;
	int ret = make_array(in, "tcbLevels", sizeof(*info->level), &list, &array,
			     &info->level_count);

	info->level = array;
	for (size_t i = 0; !ret && i < info->level_count; i++) {
		cvm_json_item(&list, i, &item);
		ret = parse_level(&item, &info->level[i]);
	}
	return ret;
}

static int parse_module(const struct cvm_json *in, struct cvm_tdx_module *module)
{
	int ret = cvm_json_get_hex(in, "mrsigner", module->mrsigner, sizeof(module->mrsigner));

	if (!ret)
		ret = cvm_json_get_hex(in, "attributes", module->attributes,
				       sizeof(module->attributes));
	if (!ret)
		ret = cvm_json_get_hex(in, "attributesMask", module->attributes_mask,
				       sizeof(module->attributes_mask));
	return ret;
}

/* "TDX_03": the major version as two digits */
static int parse_module_id(const struct cvm_json *in, uint8_t *version)
{
	struct cvm_json member;
	size_t len, where;
	const char *id;
	int ret = cvm_json_member(in, "id", &member);

	if (!ret)
		ret = cvm_json_text(&member, &id);
	if (ret)
		return ret;
	if (strncmp(id, "TDX_", 4) || strlen(id) != 6 ||
	    cvm_hex_decode(id + 4, version, 1, &len, &where))
		return cvm_json_wrong(&member, "TDX_ and two hexadecimal digits");
	return 0;
}

static int parse_identities(const struct cvm_json *in, struct cvm_tcb_info *info)
{
	struct cvm_json list, item;
	void *array = NULL;
	int ret;

	/* TDX 1.0 has none */
	if (!cvm_json_has(in, "tdxModuleIdentities"))
		return 0;
	ret = make_array(in, "tdxModuleIdentities", sizeof(*info->identity), &list, &array,
			 &info->module_count);
	info->identity = array;
	for (size_t i = 0; !ret && i < info->module_count; i++) {
		struct cvm_tdx_module *module = &info->identity[i];

		cvm_json_item(&list, i, &item);
		ret = parse_module_id(&item, &module->version);
		if (!ret)
			ret = parse_module(&item, module);
		if (!ret)
			ret = cvm_svn_levels_parse(&item, &module->level, &module->level_count);
	}
	return ret;
}

/* What it is, and of which platform */
static int parse_head(const struct cvm_json *in, struct cvm_tcb_info *info)
{
	struct cvm_json member;
	uint64_t number = 0;
	const char *id;
	int ret = cvm_json_get_text(in, "id", &id);

	if (!ret && strcmp(id, "TDX")) {
		cvm_json_member(in, "id", &member);
		return cvm_json_wrong(&member, "TDX: this is of another TEE");
	}
	if (!ret)
		ret = cvm_json_get_number(in, "version", UINT32_MAX, &number);
	if (!ret && number != 3) {
		cvm_json_member(in, "version", &member);
		return cvm_json_wrong(&member, "3");
	}
	if (!ret)
		ret = cvm_json_get_number(in, "tcbType", UINT32_MAX, &number);
	/* how levels are compared: there is one way so far */
	if (!ret && number) {
		cvm_json_member(in, "tcbType", &member);
		return cvm_json_wrong(&member, "0");
	}
	if (!ret)
		ret = cvm_json_get_hex(in, "fmspc", info->fmspc, sizeof(info->fmspc));
	if (!ret)
		ret = cvm_json_get_hex(in, "pceId", info->pceid, sizeof(info->pceid));
	if (!ret)
		ret = cvm_json_get_number(in, "tcbEvaluationDataNumber", UINT32_MAX, &number);
	info->evaluation = (uint32_t)number;
	return ret;
}

static int parse(const struct cvm_json *in, struct cvm_tcb_info *info)
{
	struct cvm_json module;
	int ret = parse_head(in, info);

	if (!ret)
		ret = cvm_json_get_time(in, "issueDate", &info->sig.issued);
	if (!ret)
		ret = cvm_json_get_time(in, "nextUpdate", &info->sig.next);
	if (!ret)
		ret = cvm_json_member(in, "tdxModule", &module);
	if (!ret)
		ret = parse_module(&module, &info->module);
	if (!ret)
		ret = parse_identities(in, info);
	return ret ? ret : parse_levels(in, info);
}

int cvm_tcb_info_parse(struct cvm_tcb_info *info, struct cvm_error *error)
{
	struct cvm_json in;
	int ret = cvm_json_load(info->sig.text, info->sig.len, CVM_COLLATERAL_TCB_INFO, &in,
				error);

	if (ret)
		return ret;
	ret = parse(&in, info);
	json_decref((json_t *)in.value);
	return ret;
}

static void free_signed(struct cvm_signed *s)
{
	X509_free(s->signer);
	free(s->text);
}

void cvm_tcb_info_free(struct cvm_tcb_info *info)
{
	if (!info)
		return;
	for (size_t i = 0; i < info->module_count; i++)
		cvm_svn_levels_free(info->identity[i].level, info->identity[i].level_count);
	for (size_t i = 0; i < info->level_count; i++)
		free(info->level[i].advisories);
	free(info->identity);
	free(info->level);
	free_signed(&info->sig);
	free(info);
}

void cvm_qe_identity_free(struct cvm_qe_identity *identity)
{
	if (!identity)
		return;
	cvm_svn_levels_free(identity->level, identity->level_count);
	free_signed(&identity->sig);
	free(identity);
}
