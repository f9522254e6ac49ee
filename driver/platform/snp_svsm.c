// SPDX-License-Identifier: GPL-2.0-only
/*
 * Evidence of an SVSM's services, such as a vTPM: SVSM specification, attestation
 * protocol. The SVSM asks the firmware for a report of VMPL 0, over a channel of
 * its own, whose REPORT_DATA is a hash of the caller's nonce and of its manifest.
 *
 * The kernel makes the call, with interrupts off, and repeats it by itself for as
 * long as the SVSM says that it is busy: that cannot be cut short, but then no
 * counter, key or message of ours is in it.
 *
 * The SVSM sees the memory of this VM as we do. So its buffers are private pages,
 * not shared ones. It can do to us what it likes; but what it is told to write is
 * measured, since a mistake of its own should not become one of ours.
 */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/sev.h>

#include "../blob.h"
#include "../platform.h"
#include "snp_channel.h"
#include "snp_svsm.h"
#include "snp_wire.h"

#define SHA512_SIZE	64

static_assert(SHA512_SIZE == CVM_REPORT_DATA_SIZE);
static_assert(CVM_GUID_SIZE == sizeof_field(struct svsm_attest_call, service_guid));

/**
 * struct buffer - where the SVSM writes
 * @start: whole pages, one after the other
 * @pages: how many
 * @late: of a call that has not been answered: it may still write here
 */
struct buffer {
	void *start;
	u32 pages;
	bool late;
};

static struct {
	struct crypto_shash *sha512;
	u8 *nonce;		/* in one page, which a kmalloc() of its size is */
	struct buffer report;
	struct buffer manifest;
	struct buffer certs;
	bool present;
} svsm;

bool cvm_svsm_present(void)
{
	return svsm.present;
}

static u32 size_of(const struct buffer *buf)
{
	return buf->pages << PAGE_SHIFT;
}

static void give_back(struct buffer *buf)
{
	if (buf->late)
		pr_err("snp: the SVSM may still write to %u pages, they are kept out of use\n",
		       buf->pages);
	else if (buf->start)
		free_pages_exact(buf->start, size_of(buf));
	*buf = (struct buffer){};
}

static int take_pages(struct buffer *buf, u32 pages)
{
	void *start = alloc_pages_exact((size_t)pages << PAGE_SHIFT,
					GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO);

	if (!start)
		return -ENOMEM;
	give_back(buf);
	*buf = (struct buffer){ .start = start, .pages = pages };
	return 0;
}

static struct svsm_loc_entry location(const void *start, u32 len)
{
	return (struct svsm_loc_entry){ .pa = __pa(start), .len = len };
}

/* emptied, so that no earlier answer may pass for this one's */
static struct svsm_loc_entry cleared(const struct buffer *buf)
{
	memset(buf->start, 0, size_of(buf));
	return location(buf->start, size_of(buf));
}

static void prepare(const struct cvm_req *req, struct svsm_attest_call *ask)
{
	memcpy(svsm.nonce, req->report_data, sizeof(req->report_data));
	*ask = (struct svsm_attest_call){
		.report_buf = cleared(&svsm.report),
		.nonce = location(svsm.nonce, sizeof(req->report_data)),
		.manifest_buf = cleared(&svsm.manifest),
		.certificates_buf = cleared(&svsm.certs),
	};
	if (!req->service->single)
		return;
	memcpy(ask->service_guid, req->service->guid, sizeof(ask->service_guid));
	ask->service_manifest_ver = req->service->manifest_version;
}

/* 1: it has room for @len bytes now; 0: it had, or may not have; -ENOMEM */
static int grow(struct buffer *buf, u32 len, u32 most)
{
	u32 pages = DIV_ROUND_UP(len, PAGE_SIZE);

	if (pages <= buf->pages || pages > most)
		return 0;
	return take_pages(buf, pages) ?: 1;
}

/* -EAGAIN: the SVSM wants more room, and has it; a report is never longer */
static int make_room(const struct svsm_attest_call *ask)
{
	int manifest = grow(&svsm.manifest, ask->manifest_buf.len, CVM_SVSM_PAGES_MAX);
	int certs = grow(&svsm.certs, ask->certificates_buf.len, CVM_SNP_CERT_PAGES_MAX);

	if (manifest < 0 || certs < 0)
		return -ENOMEM;
	return manifest || certs ? -EAGAIN : -EINVAL;
}

/*
 * The host has come back without a word that it ran, or has stopped it halfway: it
 * may go on when the host lets it. So these pages are never somebody else's;
 * they serve the next call, since what is taken from them is copied and then
 * looked at. A buffer that grows leaves its pages behind: those of all sizes up to
 * CVM_SVSM_PAGES_MAX and CVM_SNP_CERT_PAGES_MAX at worst, until the module goes.
 */
static void note_late(void)
{
	svsm.report.late = true;
	svsm.manifest.late = true;
	svsm.certs.late = true;
}

/* SVSM_ERR_*, and those of each protocol; what RAX was before has higher bits */
static bool is_error(u64 rax)
{
	return rax >> 31 == 1;
}

static int refused(const struct svsm_call *call, const struct svsm_attest_call *ask)
{
	int err = -EINVAL;

	if (!is_error(call->rax_out)) {
		note_late();
		pr_warn_ratelimited("snp: the host did not say that the SVSM has run\n");
		return err;
	}
	if (call->rax_out == SVSM_ERR_INVALID_PARAMETER)
		err = make_room(ask);
	if (err == -EINVAL)
		pr_warn_ratelimited("snp: the SVSM refuses to attest (0x%llx)\n",
				    call->rax_out);
	return err;
}

static int ask_once(struct cvm_req *req, struct svsm_attest_call *ask)
{
	u32 id = req->service->single ? SVSM_ATTEST_SINGLE_SERVICE : SVSM_ATTEST_SERVICES;
	struct svsm_call call = {};
	int err;

	prepare(req, ask);
	err = snp_issue_svsm_attest_req(SVSM_ATTEST_CALL(id), &call, ask);
	req->status = call.rax_out;	/* for the trace event */
	if (err)
		return refused(&call, ask);
	/* an SVSM that has none may leave RDX as it was, which is no length */
	if (call.rdx_out == call.rdx)
		ask->certificates_buf.len = 0;
	return 0;
}

static bool lengths_fit(const struct svsm_attest_call *ask)
{
	return ask->report_buf.len == CVM_SNP_REPORT_SIZE &&
	       ask->manifest_buf.len <= size_of(&svsm.manifest) &&
	       ask->certificates_buf.len <= size_of(&svsm.certs);
}

static int take_report(struct cvm_req *req)
{
	req->evidence = cvm_req_memory(req, CVM_SNP_REPORT_SIZE);
	if (!req->evidence)
		return -ENOMEM;
	memcpy(req->evidence, svsm.report.start, CVM_SNP_REPORT_SIZE);
	req->evidence_len = CVM_SNP_REPORT_SIZE;
	return 0;
}

/* with the nonce before it, as it is hashed */
static int take_manifest(struct cvm_req *req, u32 len)
{
	u8 *bytes = cvm_req_memory(req, CVM_REPORT_DATA_SIZE + len);

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, req->report_data, CVM_REPORT_DATA_SIZE);
	memcpy(bytes + CVM_REPORT_DATA_SIZE, svsm.manifest.start, len);
	req->service->manifest = bytes;
	req->service->manifest_len = len;
	return 0;
}

static int take_certs(struct cvm_req *req, u32 len)
{
	if (!len)
		return 0;
	req->certs = cvm_blob_alloc(len);
	if (!req->certs)
		return -ENOMEM;
	memcpy(req->certs->data, svsm.certs.start, len);
	return 0;
}

/*
 * Of what has been copied: is it about this nonce and this manifest, and by the
 * SVSM, which is at VMPL 0? One of our VMPL or above we could have had ourselves.
 */
static int check(struct cvm_req *req)
{
	const struct cvm_snp_report *report = req->evidence;
	u32 len = req->service->manifest_len;
	u8 *bytes = req->service->manifest;
	u8 hash[SHA512_SIZE];
	int err;

	err = crypto_shash_tfm_digest(svsm.sha512, bytes, CVM_REPORT_DATA_SIZE + len, hash);
	if (err)
		return err;
	if (report->version < 2 || report->vmpl ||
	    memcmp(report->report_data, hash, sizeof(hash)))
		return -EBADMSG;
	memmove(bytes, bytes + CVM_REPORT_DATA_SIZE, len);
	return 0;
}

static int take(struct cvm_req *req, const struct svsm_attest_call *ask)
{
	int err;

	if (!lengths_fit(ask))
		return -EBADMSG;
	err = take_report(req) ?: take_manifest(req, ask->manifest_buf.len) ?:
	      take_certs(req, ask->certificates_buf.len);
	return err ?: check(req);
}

int cvm_svsm_attest(struct cvm_req *req)
{
	struct svsm_attest_call ask;
	unsigned int calls = 0;
	int err;

	do {
		if (!cvm_req_wanted(req))
			return -ECANCELED;
		err = ask_once(req, &ask);
	} while (err == -EAGAIN && ++calls < CVM_SVSM_CALLS);
	if (err)
		return err == -EAGAIN ? -EINVAL : err;
	cvm_snp_channel_spent();
	err = take(req, &ask);
	if (err == -EBADMSG)
		cvm_count(rejected);
	return err;
}

static int allocate(void)
{
	struct crypto_shash *sha512 = crypto_alloc_shash("sha512", 0, 0);

	if (IS_ERR(sha512))
		return PTR_ERR(sha512);
	svsm.sha512 = sha512;
	svsm.nonce = kzalloc(CVM_REPORT_DATA_SIZE, GFP_KERNEL);
	if (!svsm.nonce)
		return -ENOMEM;
	return take_pages(&svsm.report, 1) ?: take_pages(&svsm.manifest, CVM_SVSM_PAGES) ?:
	       take_pages(&svsm.certs, CVM_SNP_CERT_PAGES);
}

void cvm_svsm_start(void)
{
	int err;

	if (!snp_vmpl)
		return;
	err = allocate();
	if (!err) {
		svsm.present = true;
		return;
	}
	pr_warn("snp: the SVSM's services cannot be attested (error %d)\n", err);
	cvm_svsm_stop();
}

void cvm_svsm_stop(void)
{
	give_back(&svsm.report);
	give_back(&svsm.manifest);
	give_back(&svsm.certs);
	kfree(svsm.nonce);
	crypto_free_shash(svsm.sha512);
	memset(&svsm, 0, sizeof(svsm));
}
