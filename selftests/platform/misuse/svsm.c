// SPDX-License-Identifier: GPL-2.0
/* Calls of the SVSM, and the memory that they name. */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/string.h>
#include <asm/sev.h>

#include "misuse.h"

#ifdef HAVE_SVSM

enum { RIGHT, REPORT_SHARED, MANIFEST_SHARED, CERTS_SHARED, NONCE_SHARED, UNALIGNED,
       NONCE_CROSSES, RESERVED, NO_CERTS };

enum { REPORT, MANIFEST, CERTS, NONCE, PAGES };

/* which page @how wants shared; PAGES: none */
static int shared_page(int how)
{
	return how >= REPORT_SHARED && how <= NONCE_SHARED ? how - REPORT_SHARED : PAGES;
}

static int attest(u8 *const pages[PAGES], int how)
{
	struct svsm_attest_call ask = {
		.report_buf = { .pa = __pa(pages[REPORT]), .len = PAGE_SIZE },
		.manifest_buf = { .pa = __pa(pages[MANIFEST]), .len = PAGE_SIZE },
		.certificates_buf = { .pa = __pa(pages[CERTS]), .len = PAGE_SIZE },
		.nonce = { .pa = __pa(pages[NONCE]), .len = 64 },
	};
	struct svsm_call call = {};
	int ret;

	if (how == UNALIGNED)
		ask.manifest_buf.pa += 16;
	if (how == NONCE_CROSSES)
		ask.nonce.pa += PAGE_SIZE - 63;
	if (how == RESERVED)
		ask.rsvd[0] = 1;
	if (how == NO_CERTS)
		ask.certificates_buf = (struct svsm_loc_entry){};
	ret = snp_issue_svsm_attest_req(SVSM_ATTEST_CALL(SVSM_ATTEST_SERVICES), &call, &ask);
	/* what has been written, or what was said of it */
	if (!ret)
		ret = pages[REPORT][0] << 8 | ask.manifest_buf.len;
	return ret;
}

static int with_pages(int how)
{
	u8 *pages[PAGES] = {};
	int i, ret = -ENOMEM;

	for (i = 0; i < PAGES; i++)
		pages[i] = i == shared_page(how) ? misuse_share() :
						   (u8 *)get_zeroed_page(GFP_KERNEL);
	if (pages[0] && pages[1] && pages[2] && pages[3])
		ret = attest(pages, how);
	for (i = 0; i < PAGES; i++) {
		if (i == shared_page(how))
			misuse_unshare(pages[i]);
		else
			free_page((unsigned long)pages[i]);
	}
	return ret;
}

static int svsm_right(void) { return with_pages(RIGHT); }
static int svsm_report_shared(void) { return with_pages(REPORT_SHARED); }
static int svsm_manifest_shared(void) { return with_pages(MANIFEST_SHARED); }
static int svsm_certs_shared(void) { return with_pages(CERTS_SHARED); }
static int svsm_nonce_shared(void) { return with_pages(NONCE_SHARED); }
static int svsm_unaligned(void) { return with_pages(UNALIGNED); }
static int svsm_nonce_crosses(void) { return with_pages(NONCE_CROSSES); }
static int svsm_reserved(void) { return with_pages(RESERVED); }
static int svsm_no_certs(void) { return with_pages(NO_CERTS); }

const struct misuse_case misuse_svsm[] = {
	{ "svsm_right", svsm_right },
	{ "svsm_report_shared", svsm_report_shared },
	{ "svsm_manifest_shared", svsm_manifest_shared },
	{ "svsm_certs_shared", svsm_certs_shared },
	{ "svsm_nonce_shared", svsm_nonce_shared },
	{ "svsm_unaligned", svsm_unaligned },
	{ "svsm_nonce_crosses", svsm_nonce_crosses },
	{ "svsm_reserved", svsm_reserved },
	{ "svsm_no_certs", svsm_no_certs },
	{ }
};

#else

const struct misuse_case misuse_svsm[] = { { } };

#endif
