// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest says to its TPM, seen by the paravisor. When it makes a new
 * report: at a read of the report's index from offset 0, if the window is over;
 * a write to the input index does nothing. Whatever hinders it, the guest reads
 * the report that is there, and success.
 */
#include <inttypes.h>
#include <string.h>
#include <openssl/rand.h>

#include "azure.h"
#include "azure_front.h"

static uint64_t made_at;

static struct {
	uint64_t reports, stale, failed, reads, commands, quotes, boots;
} counts;

/* the host's time for it passes before the guest has its answer */
static void renew(struct fwd *fwd, uint64_t now, uint64_t *due)
{
	uint8_t user_data[AZURE_USER_DATA];

	if (now - made_at <= azure_config.window_ns) {
		counts.stale++;
		return;
	}
	if (fault(&azure_faults.renewal) || azure_nv_input(user_data) ||
	    azure_hcl_make(fwd, user_data)) {
		counts.failed++;
		return;
	}
	counts.reports++;
	made_at = now;
	*due = now + model_delay(MODEL_REPORT, now);
}

/* somebody else reads from offset 0 between two reads of this one */
static void tear(struct fwd *fwd)
{
	uint8_t user_data[AZURE_USER_DATA];

	RAND_bytes(user_data, sizeof(user_data));
	azure_hcl_make(fwd, user_data);
	made_at = model_now();
}

static size_t read_report(struct fwd *fwd, const uint8_t *command, size_t len,
			  uint8_t answer[TPM_MAX], uint64_t *due)
{
	/* the parameters are the last four bytes */
	size_t offset = len >= 4 ? get_be(command + len - 2, 2) : 0;

	counts.reads++;
	if (fault(&azure_faults.nv_rc_n))
		return azure_refuse(answer, azure_faults.nv_rc);
	if (!offset)
		renew(fwd, model_now(), due);
	else if (fault(&azure_faults.torn))
		tear(fwd);
	return azure_nv_read(&azure_report_index, command, len, answer);
}

static size_t read_certificate(struct fwd *fwd, const uint8_t *command, size_t len,
			       uint8_t answer[TPM_MAX])
{
	if (get_be(command + len - 2, 2) && fault(&azure_faults.cert_torn))
		azure_renew_certificate(fwd);
	return azure_nv_read(&azure_cert_index, command, len, answer);
}

static size_t nv_read(struct fwd *fwd, const uint8_t *command, size_t len,
		      uint8_t answer[TPM_MAX], uint64_t *due)
{
	uint32_t index = len >= TPM_HEADER + 8 ? get_be(command + TPM_HEADER + 4, 4) : 0;

	if (index == AZURE_REPORT_INDEX)
		return read_report(fwd, command, len, answer, due);
	if (index == AZURE_CERT_INDEX)
		return read_certificate(fwd, command, len, answer);
	return azure_swtpm_ask(command, len, answer);
}

static size_t nv_read_public(const uint8_t *command, size_t len, uint8_t answer[TPM_MAX])
{
	uint32_t index = len >= TPM_HEADER + 4 ? get_be(command + TPM_HEADER, 4) : 0;

	if (index == AZURE_REPORT_INDEX)
		return azure_nv_read_public(&azure_report_index, command, len, answer);
	if (index == AZURE_CERT_INDEX)
		return azure_nv_read_public(&azure_cert_index, command, len, answer);
	return azure_swtpm_ask(command, len, answer);
}

/* Azure's TPM takes a shorter nonce than swtpm; @handles: before the authorisations */
static bool nonce_too_long(const uint8_t *command, size_t len, unsigned int handles)
{
	size_t at = TPM_HEADER + 4 * handles + 4;

	if (len < at)
		return false;
	at += get_be(command + at - 4, 4);
	return len >= at + 2 && get_be(command + at, 2) > AZURE_MAX_QUALIFYING;
}

static size_t startup(struct fwd *fwd, const uint8_t *command, size_t len,
		      uint8_t answer[TPM_MAX])
{
	size_t n = azure_swtpm_ask(command, len, answer);

	/* else it has been started already */
	if (n && !get_be(answer + 6, 4) && azure_booted(fwd))
		return 0;
	return n;
}

size_t azure_command(struct fwd *fwd, const uint8_t *command, size_t len,
		     uint8_t answer[TPM_MAX], uint64_t *due)
{
	uint32_t code = get_be(command + 6, 4);

	counts.commands++;
	switch (code) {
	case TPM2_CC_Startup:
		return startup(fwd, command, len, answer);
	case TPM2_CC_NV_Read:
		return nv_read(fwd, command, len, answer, due);
	case TPM2_CC_NV_ReadPublic:
		return nv_read_public(command, len, answer);
	case TPM2_CC_Quote:
		counts.quotes++;
		if (nonce_too_long(command, len, 1))
			return azure_refuse(answer, TPM2_RC_SIZE | TPM2_RC_P | TPM2_RC_1);
		break;
	case TPM2_CC_Certify:
		if (nonce_too_long(command, len, 2))
			return azure_refuse(answer, TPM2_RC_SIZE | TPM2_RC_P | TPM2_RC_1);
		break;
	}
	return azure_swtpm_ask(command, len, answer);
}

int azure_booted(struct fwd *fwd)
{
	static const uint8_t none[AZURE_USER_DATA];

	counts.boots++;
	made_at = model_now();
	return azure_measure(fwd) || azure_provision(fwd) || azure_hcl_make(fwd, none) ? -1 : 0;
}

void azure_status(FILE *out)
{
	fprintf(out, "hcl_reports=%" PRIu64 "\nhcl_stale=%" PRIu64 "\nhcl_failed=%" PRIu64
		"\nhcl_reads=%" PRIu64 "\ntpm_commands=%" PRIu64 "\ntpm_quotes=%" PRIu64
		"\ntpm_boots=%" PRIu64 "\n",
		counts.reports, counts.stale, counts.failed, counts.reads, counts.commands,
		counts.quotes, counts.boots);
}
