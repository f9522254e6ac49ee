// SPDX-License-Identifier: GPL-2.0
/* libFuzzer target: a key record. What is taken must survive being written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "keys/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t key[CVM_RECORD_MAC_KEY];
	struct cvm_key_record record, again;
	struct cvm_error error = { 0 };
	char *text;

	if (cvm_record_parse((const char *)data, len, &record, &error)) {
		/* it goes to a terminal */
		for (const char *p = error.text; *p; p++)
			if (*p < ' ' || *p > '~')
				abort();
		return 0;
	}
	text = cvm_record_text(&record);
	if (!text || cvm_record_parse(text, strlen(text), &again, NULL) ||
	    memcmp(&record, &again, sizeof(record)) || cvm_record_sign(&again, key) ||
	    cvm_record_verify(&again, key))
		abort();
	free(text);
	return 0;
}
