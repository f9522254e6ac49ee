/* SPDX-License-Identifier: MIT */
/* What a piece of evidence needs to be verified, and what the cache has. */
#ifndef CVMCTL_CERTS_H
#define CVMCTL_CERTS_H

#include "common/cleanup.h"
#include "cvmctl.h"
#include "fetch/fetch.h"

/**
 * struct certs_wish - what the evidence may not say itself
 * @product: or 0
 * @thim: the VCEK from the host of an Azure guest
 */
struct certs_wish {
	enum cvm_snp_product product;
	bool thim;
};

/* Each: 0 or an exit status; what went wrong has been said. */

/*
 * certs_fetch.c: @text: out: for free(): of SNP, PEM as verify --certs takes it; of TDX,
 * JSON as verify --collateral does
 */
int certs_for(const char *path, const struct cvm_fetch *f, const struct certs_wish *wish,
	      char **text);

/* The VCEK of the SNP report in an HCL report, and its chain, from Azure's host; @text: as above */
int certs_vcek(const void *data, size_t len, const struct cvm_fetch *f, char **text);

/* cmd_certs.c: the cache that is this user's own */
int certs_cache(char *path, size_t size);

/* certs_show.c: the cache at @path */
int certs_show(const char *path, bool as_json);

#endif /* CVMCTL_CERTS_H */
