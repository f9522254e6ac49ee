// SPDX-License-Identifier: MIT
#include <openssl/sha.h>
#include <stdio.h>

#include "boot_log.h"

#define EV_ACTION	0x00000005
#define EV_EFI_ACTION	0x80000007

/* EV_NO_ACTION of PCR 0: who started the TPM, which is where that PCR begins */
static const char locality[16] = "StartupLocality";

static void extend(uint8_t pcr[CVM_EVENT_DIGEST], const uint8_t digest[CVM_EVENT_DIGEST])
{
	uint8_t both[2 * CVM_EVENT_DIGEST];

	memcpy(both, pcr, CVM_EVENT_DIGEST);
	memcpy(both + CVM_EVENT_DIGEST, digest, CVM_EVENT_DIGEST);
	SHA256(both, sizeof(both), pcr);
}

/* as TPM2_Startup leaves it: those of a dynamic launch that there was none of are all ones */
static void start(uint32_t pcr, uint8_t value[CVM_EVENT_DIGEST])
{
	memset(value, pcr >= 17 && pcr <= 22 ? 0xff : 0, CVM_EVENT_DIGEST);
}

/* Takes one event to the value of its PCR; false: it extends nothing. @first: of that PCR */
static bool apply(const struct cvm_event *e, uint8_t value[CVM_EVENT_DIGEST], bool first)
{
	if (e->type != CVM_EV_NO_ACTION) {
		extend(value, e->digest);
		return true;
	}
	if (!e->pcr && first && e->data.len == sizeof(locality) + 1 &&
	    !memcmp(e->data.data, locality, sizeof(locality)))
		value[CVM_EVENT_DIGEST - 1] = e->data.data[sizeof(locality)];
	return false;
}

static bool is_hash_of(const uint8_t digest[CVM_EVENT_DIGEST], const void *data, size_t len)
{
	uint8_t hash[CVM_EVENT_DIGEST];

	SHA256(data, len, hash);
	return !memcmp(hash, digest, sizeof(hash));
}

/* The separator of firmware that failed to measure */
static bool is_failure(const struct cvm_event *e)
{
	return is_hash_of(e->digest, "\1\0\0", 4);
}

/*
 * By its digest, whatever the event calls itself: one under another name would put what the
 * system did after the firmware before it.
 */
static bool is_separator(const struct cvm_event *e)
{
	return is_hash_of(e->digest, "\0\0\0", 4) || is_hash_of(e->digest, "\xff\xff\xff\xff", 4) ||
	       is_failure(e);
}

/*
 * Of db and dbx: the entry that an image was checked by, and not the list: EFI_SIGNATURE_DATA,
 * where EFI_SIGNATURE_LIST has its own size. By what was hashed, for its type says nothing.
 */
static bool is_entry(const struct cvm_span *data)
{
	uint32_t size = data->len >= 28 ? cvm_le32(data->data + 16) : 0;

	return data->len > 16 && (size < 28 || size > data->len);
}

static void measure(struct cvm_boot_log *boot, const struct cvm_event *e,
		    const struct cvm_efi_variable *variable)
{
	enum cvm_boot_variable which = cvm_boot_variable_of(variable);
	struct cvm_measured *m = &boot->variable[which];

	if (which == CVM_BOOT_VARIABLES)
		return;
	if (m->number || boot->separator || e->type != CVM_EV_EFI_VARIABLE_DRIVER_CONFIG) {
		if (!m->again && (which < CVM_BOOT_DB || !is_entry(&variable->data)))
			m->again = e->number;
		return;
	}
	m->number = e->number;
	m->is_one = variable->data.len == 1 && *variable->data.data == 1;
	SHA256(variable->data.data, variable->data.len, m->digest);
}

/*
 * All of PCR 7 hashes what it shows, but for a zero that firmware has been seen to add. @len: what
 * was hashed, for a zero that a sender adds must not hide a variable.
 */
static bool is_shown(const struct cvm_event *e, size_t *len)
{
	*len = e->data.len;
	if (is_hash_of(e->digest, e->data.data, *len))
		return true;
	if (!*len || e->data.data[*len - 1])
		return false;
	--*len;
	return is_hash_of(e->digest, e->data.data, *len);
}

/* Whatever its type: under another one a variable could be changed, and nobody see it. */
static void take_boot(struct cvm_boot_log *boot, const struct cvm_event *e)
{
	struct cvm_efi_variable variable;
	struct cvm_format_error err;
	size_t len;

	if (!boot->failed && is_failure(e))
		boot->failed = e->number;
	if (is_separator(e)) {
		if (!boot->separator)
			boot->separator = e->number;
		return;
	}
	if (!is_shown(e, &len)) {
		if (!boot->unfounded)
			boot->unfounded = e->number;
		return;
	}
	if (!cvm_efi_variable_parse(e->data.data, len, &variable, &err))
		measure(boot, e, &variable);
}

int cvm_boot_log_replay(struct cvm_span log, struct cvm_boot_log *boot,
			struct cvm_format_error *err)
{
	struct cvm_event_log events;
	struct cvm_event e;
	int ret = cvm_event_log_open(log.data, log.len, &events, err);

	*boot = (struct cvm_boot_log){ 0 };
	for (uint32_t i = 0; i < CVM_EVENT_PCRS; i++)
		start(i, boot->pcr[i]);
	while (!ret && cvm_event_log_more(&events)) {
		ret = cvm_event_log_next(&events, &e, err);
		if (ret)
			break;
		boot->count++;
		if (e.pcr >= CVM_EVENT_PCRS)
			continue;
		if (!apply(&e, boot->pcr[e.pcr], !boot->events[e.pcr]))
			continue;
		boot->events[e.pcr]++;
		if (e.pcr == CVM_BOOT_PCR)
			take_boot(boot, &e);
	}
	return ret;
}

/* ---- why not */

/* Events whose digest is, by the profile, the hash of what they show */
static bool is_founded(const struct cvm_event *e)
{
	switch (e->type) {
	case CVM_EV_SEPARATOR:
	case EV_ACTION:
	case CVM_EV_EFI_VARIABLE_DRIVER_CONFIG:
	case CVM_EV_EFI_VARIABLE_AUTHORITY:
	case EV_EFI_ACTION:
		return is_hash_of(e->digest, e->data.data, e->data.len);
	default:
		return true;
	}
}

static const char *variable_of(const struct cvm_event *e)
{
	struct cvm_efi_variable variable;
	struct cvm_format_error err;
	enum cvm_boot_variable which;

	if (e->type != CVM_EV_EFI_VARIABLE_DRIVER_CONFIG ||
	    cvm_efi_variable_parse(e->data.data, e->data.len, &variable, &err))
		return NULL;
	which = cvm_boot_variable_of(&variable);
	return which == CVM_BOOT_VARIABLES ? NULL : cvm_boot_variable_name(which);
}

/* "event 5 (EV_EFI_VARIABLE_DRIVER_CONFIG, db)" */
static void name_event(const struct cvm_event *e, char *text, size_t size)
{
	const char *type = cvm_event_type_name(e->type), *variable = variable_of(e);
	char number[sizeof("0x00000000")];

	snprintf(number, sizeof(number), "0x%08x", e->type);
	snprintf(text, size, "event %u (%s%s%s)", e->number, type ? type : number,
		 variable ? ", " : "", variable ? variable : "");
}

#define NAME_SIZE	96

/**
 * struct search - how far a log and a PCR agree
 * @next: the first event behind the one that led to the PCR's value; "": none did
 * @unfounded: the first event whose digest is not of what it shows, or ""
 */
struct search {
	char next[NAME_SIZE], unfounded[NAME_SIZE];
};

static void search(struct cvm_span log, uint32_t pcr, const uint8_t quoted[CVM_EVENT_DIGEST],
		   struct search *s)
{
	uint8_t value[CVM_EVENT_DIGEST];
	struct cvm_event_log events;
	struct cvm_format_error err;
	struct cvm_event e;
	bool first = true;

	*s = (struct search){ 0 };
	start(pcr, value);
	if (cvm_event_log_open(log.data, log.len, &events, &err))
		return;
	while (cvm_event_log_more(&events) && !cvm_event_log_next(&events, &e, &err)) {
		bool was = !memcmp(value, quoted, sizeof(value));

		if (e.pcr != pcr || !apply(&e, value, first))
			continue;
		first = false;
		if (was)
			name_event(&e, s->next, sizeof(s->next));
		if (!*s->unfounded && !is_founded(&e))
			name_event(&e, s->unfounded, sizeof(s->unfounded));
	}
}

void cvm_boot_log_explain(struct cvm_span log, uint32_t pcr,
			  const uint8_t quoted[CVM_EVENT_DIGEST], char *text, size_t size)
{
	struct search s;

	search(log, pcr, quoted, &s);
	if (*s.next)
		snprintf(text, size, "PCR %u: %s and what follows it is not in the quote", pcr,
			 s.next);
	else if (*s.unfounded)
		snprintf(text, size, "PCR %u: %s has a digest that is not of what it shows", pcr,
			 s.unfounded);
	else
		snprintf(text, size, "PCR %u: the quote's value comes after none of its events: one was changed or left out, or the PCR was extended by what is not in the log",
			 pcr);
}
