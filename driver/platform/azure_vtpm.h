/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report that is in the paravisor's TPM, and what is known of it. The
 * worker's alone, but for what sysfs shows.
 */
#ifndef CVM_AZURE_VTPM_H
#define CVM_AZURE_VTPM_H

#include <linux/ktime.h>
#include <linux/types.h>

#include "azure_report.h"

/* what keeps new reports from being made, for the administrator */
enum cvm_trouble {
	CVM_TROUBLE_NONE,
	CVM_TROUBLE_INPUT_SIZE,
	CVM_TROUBLE_INPUT_RIGHTS,
	CVM_TROUBLE_OWNER_PASSWORD,
	CVM_TROUBLE_NO_USER_DATA,
	CVM_TROUBLE_STALE,
	CVM_TROUBLE_CONTENDED,
	CVM_TROUBLE_TORN,
	CVM_TROUBLE_TPM,
	CVM_TROUBLE_NO_TPM,
};

/* notes it, says what to do when it is a new one, and returns @err */
int cvm_vtpm_fail(enum cvm_trouble trouble, int err);
const char *cvm_vtpm_trouble(void);

/**
 * struct cvm_vtpm_value - what a report is asked for with
 * @data: the bytes
 * @unheard: no report that is there can say them
 * @filler: they are random, because the report that is there says the caller's
 */
struct cvm_vtpm_value {
	u8 data[CVM_HCL_DATA_SIZE];
	bool unheard;
	bool filler;
};

/* @type: CVM_HCL_SNP or CVM_HCL_TDX; 0 or a negative errno, after one message */
int cvm_vtpm_start(u32 type);
void cvm_vtpm_stop(void);

/* what cvm_vtpm_ask() has read */
enum cvm_vtpm_answer {
	CVM_VTPM_FRESH,		/* it was made for this value */
	CVM_VTPM_OLD,		/* whole, and the one that was there */
	CVM_VTPM_OTHERS,	/* whole and new, but somebody else had it made */
	CVM_VTPM_BAD,		/* no whole one */
};

/*
 * Writes @value and reads the report. An enum cvm_vtpm_answer, or a negative errno,
 * which has been explained; *@status: the TPM's return code where it has one.
 */
int cvm_vtpm_ask(struct cvm_vtpm_value *value, u64 *status);

/* why does the paravisor make no new report? A negative errno, explained */
int cvm_vtpm_find_hindrance(u64 *status);

/* the report that was read last, after CVM_VTPM_FRESH */
const u8 *cvm_vtpm_report(u32 *len);

/* when it was made, at the latest; 0: unknown */
ktime_t cvm_vtpm_made_at(void);

#endif /* CVM_AZURE_VTPM_H */
