// SPDX-License-Identifier: MIT
/* Lists of PCRs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/api.h"
#include "seal.h"

uint32_t cvm_pcrs_parse(const char *text)
{
	uint32_t pcrs = 0;

	for (;;) {
		size_t len = strspn(text, "0123456789");
		unsigned long pcr = strtoul(text, NULL, 10);

		if (!len || len > 2 || pcr >= CVM_PCRS || pcrs & 1U << pcr)
			return 0;
		pcrs |= 1U << pcr;
		text += len;
		if (!*text)
			return pcrs;
		if (*text++ != ',')
			return 0;
	}
}

int cvm_pcrs_check(uint32_t pcrs, struct cvm_error *error)
{
	if (pcrs & CVM_PCRS_BOOT)
		return 0;
	return cvm_set_error(error, -EINVAL, "PCRs without 4 and 7: whatever boots can give the others the values that it likes");
}

const char *cvm_pcrs_text(uint32_t pcrs, char text[CVM_PCRS_TEXT])
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int pcr = 0; pcr < CVM_PCRS; pcr++)
		if (pcrs & 1U << pcr)
			len += (size_t)snprintf(text + len, CVM_PCRS_TEXT - len, "%s%u",
						len ? "," : "", pcr);
	return text;
}
