// SPDX-License-Identifier: MIT
/* Where a vTPM is, and what belongs to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/imds.h"
#include "vtpm.h"

#define LOCK	"/cvm-guest.lock"

void cvm_vtpm_unplace(struct cvm_source *source)
{
	if (source->vtpm) {
		free(source->vtpm->tcti);
		free(source->vtpm->imds);
		cvm_share_close(source->vtpm);
	}
	free(source->vtpm);
	source->vtpm = NULL;
}

/* Who does not come by the node, which need not be there, has a file for it. */
static int set_lock(const struct cvm_source *source, struct cvm_vtpm_place *place)
{
	const char *own = secure_getenv("XDG_RUNTIME_DIR");
	int len;

	if (!place->tcti)
		return cvm_source_path(source, CVM_VTPM_NODE, place->lock);
	len = snprintf(place->lock, sizeof(place->lock), "%s%s" LOCK,
		       own && *own == '/' ? "" : source->root, own && *own == '/' ? own : "/run");
	return len < (int)sizeof(place->lock) ? 0 : -ENAMETOOLONG;
}

int cvm_vtpm_place(struct cvm_source *source, const struct cvm_open_opts *opts,
		   struct cvm_error *error)
{
	struct cvm_vtpm_place *place = calloc(1, sizeof(*place));
	int rc;

	source->vtpm = place;
	if (!place)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	atomic_init(&place->renewed_ms, 0);
	place->share_fd = -1;
	place->imds = strdup(opts->imds ? opts->imds : CVM_IMDS_URL);
	place->tcti = opts->tcti ? strdup(opts->tcti) : NULL;
	if (!place->imds || (opts->tcti && !place->tcti))
		return cvm_set_error(error, -ENOMEM, "out of memory");
	rc = cvm_source_path(source, CVM_VTPM_NODE, place->node);
	if (!rc)
		rc = set_lock(source, place);
	return rc ? cvm_set_error(error, rc, "%s%s: the path is too long", source->root, CVM_VTPM_NODE) : 0;
}
