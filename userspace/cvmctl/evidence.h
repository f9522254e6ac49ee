/* SPDX-License-Identifier: MIT */
/* Asking for evidence and writing it, for cvmctl report and cvmctl quote. */
#ifndef CVMCTL_EVIDENCE_H
#define CVMCTL_EVIDENCE_H

#include "common/cleanup.h"
#include "cvmctl.h"

#define __cleanup_ctx		__cleanup(cleanup_ctx)
#define __cleanup_evidence	__cleanup(cleanup_evidence)

static inline void cleanup_ctx(struct cvm_ctx **ctx)
{
	cvm_close(*ctx);
}

static inline void cleanup_evidence(struct cvm_evidence **evidence)
{
	cvm_evidence_free(*evidence);
}

/* the same words in each of their tables */
#define HELP_REPORT_DATA \
	"the 64 bytes that the evidence carries, in hexadecimal or\nthe raw bytes of a file; required"
#define HELP_PAD \
	"fill REPORT_DATA that is shorter than 64 bytes with zeros"
#define HELP_OUT \
	"write the evidence there (default: the standard output)"
#define HELP_FORMAT \
	"raw (default): the bytes as the platform gave them;\njson: an object with them in hexadecimal; cmw: a conceptual\nmessage wrapper (RFC 9999) in JSON"
#define HELP_BACKEND \
	"where it comes from (default: the first of cvm, tsm,\nnative, vtpm that is there); sim: a simulated platform"
#define HELP_TIMEOUT \
	"the longest time until an answer, in ms (default: the\ndriver's); not for tsm and native"

enum format { FORMAT_RAW, FORMAT_JSON, FORMAT_CMW };

/* @value: of --format, or NULL. 0 or an exit status. */
int parse_format(const char *value, enum format *format);

/* @value: of --report-data, or NULL; @pad: of --pad, or NULL. 0 or an exit status. */
int parse_report_data(const char *value, const char *pad, uint8_t *report_data);

/* Writes @evidence to @out and, where @certs is not NULL, its table there. */
int write_evidence(const struct cvm_evidence *evidence, const char *out, const char *certs,
		   enum format format);

#endif /* CVMCTL_EVIDENCE_H */
