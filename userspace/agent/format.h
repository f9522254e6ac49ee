/* SPDX-License-Identifier: MIT */
/*
 * The forms in which evidence is handed out. A new one is a row in the table of format.c
 * and its function: what a client writes in Accept or ?format= is looked up there.
 */
#ifndef CVM_AGENT_FORMAT_H
#define CVM_AGENT_FORMAT_H

#include <jansson.h>

#include "verify/evidence_file.h"

/**
 * struct agent_format - a form
 * @name: of ?format=
 * @type: media type, of the answer and of Accept
 * @write: @body is for free(), and has @len bytes. 0, or -EOPNOTSUPP: not of such
 *	evidence, or others as of cvm_evidence_json()
 */
struct agent_format {
	const char *name;
	const char *type;
	int (*write)(const struct cvm_evidence_file *file, char **body, size_t *len,
		     struct cvm_error *error);
};

/* What is given where nobody asks for a form, and that of the confidential-containers' */
const struct agent_format *agent_format_default(void);
const struct agent_format *agent_format_coco(void);

/* By its name; NULL: there is none */
const struct agent_format *agent_format_named(const char *name);

/* The first that a client takes, by its Accept or NULL; NULL: none of them */
const struct agent_format *agent_format_accepted(const char *accept);

/* coco.c: read what is for root alone, and release it; 0 or -errno: evidence goes without */
int agent_coco_start(void);
void agent_coco_end(void);

/* coco.c: as struct agent_format.write */
int agent_coco_write(const struct cvm_evidence_file *file, char **body, size_t *len,
		     struct cvm_error *error);

/* Takes over @json, which may be NULL: no memory. As struct agent_format.write */
int agent_json_text(json_t *json, char **body, size_t *len, struct cvm_error *error);

#endif /* CVM_AGENT_FORMAT_H */
