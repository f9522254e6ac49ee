// SPDX-License-Identifier: GPL-2.0
/* Guest requests, and what is done with their responses. */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/sev-guest.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/sev.h>
#include <asm/svm.h>

#include "misuse.h"

#define SIZE_OFFSET	0x36	/* msg_sz in struct snp_guest_msg_hdr */

/* on this kernel's terms; in->data_npages and *info as it left them */
static int issue(u64 exit_code, struct snp_req_data *in, u64 *info)
{
#ifdef HAVE_SNP_GUEST_REQ
	struct snp_guest_req req = { .exit_code = exit_code, .input = *in };
	int (*call)(struct snp_guest_req *req) = misuse_function("snp_issue_guest_request");
	int ret = call ? call(&req) : -ENOENT;

	*in = req.input;
	*info = req.exitinfo2;
#else
	struct snp_guest_request_ioctl rio = {};
	int ret = snp_issue_guest_request(exit_code, in, &rio);

	*info = rio.exitinfo2;
#endif
	return ret;
}

/* a request with shared pages, and what is done with the response */
static int with_response(int (*use)(u8 *response))
{
	u8 *request = misuse_share(), *response = misuse_share();
	struct snp_req_data in = { .req_gpa = __pa(request), .resp_gpa = __pa(response) };
	u64 info;
	int ret = issue(SVM_VMGEXIT_GUEST_REQUEST, &in, &info);

	if (!ret)
		ret = use(response);
	misuse_unshare(request);
	misuse_unshare(response);
	return ret;
}

static u8 copied[PAGE_SIZE];

static int read_once(u8 *response)
{
	memcpy(copied, response, sizeof(copied));
	return copied[SIZE_OFFSET];
}

/* wrong: the size that is looked at may not be the size that is used */
static int read_size_first(u8 *response)
{
	u16 size = READ_ONCE(*(u16 *)(response + SIZE_OFFSET));

	memcpy(copied, response, sizeof(copied));
	return size;
}

/* wrong */
static int read_payload_twice(u8 *response)
{
	memcpy(copied, response, 0x60);
	memcpy(copied + 0x60, response + 0x60, 64);
	return memcmp(copied + 0x60, response + 0x60, 64);
}

/* the header first, then the rest: each byte once */
static int read_in_parts(u8 *response)
{
	memcpy(copied, response, 0x60);
	memcpy(copied + 0x60, response + 0x60, copied[SIZE_OFFSET]);
	return copied[SIZE_OFFSET];
}

static int read_and_wipe(u8 *response)
{
	memcpy(copied, response, sizeof(copied));
	memset(response, 0, PAGE_SIZE);
	memcpy(copied, response, sizeof(copied));
	return copied[SIZE_OFFSET];
}

static int snp_right(void)
{
	return with_response(read_once);
}

static int snp_parts(void)
{
	return with_response(read_in_parts);
}

static int snp_wipe(void)
{
	return with_response(read_and_wipe);
}

static int snp_size_first(void)
{
	return with_response(read_size_first);
}

static int snp_payload_twice(void)
{
	return with_response(read_payload_twice);
}

/* which page is wrong, and how */
enum { REQUEST_PRIVATE = 1, RESPONSE_PRIVATE, REQUEST_UNALIGNED, ONE_PAGE, BAD_CODE };

static int bad_request(int how)
{
	u8 *request = misuse_share(), *response = misuse_share();
	u8 *private = (u8 *)__get_free_page(GFP_KERNEL);
	struct snp_req_data in = { .req_gpa = __pa(request), .resp_gpa = __pa(response) };
	u64 info;
	int ret;

	if (how == REQUEST_PRIVATE)
		in.req_gpa = __pa(private);
	if (how == RESPONSE_PRIVATE)
		in.resp_gpa = __pa(private);
	if (how == REQUEST_UNALIGNED)
		in.req_gpa += 16;
	if (how == ONE_PAGE)
		in.req_gpa = in.resp_gpa;
	ret = issue(how == BAD_CODE ? SVM_VMGEXIT_AP_HLT_LOOP : SVM_VMGEXIT_GUEST_REQUEST,
		    &in, &info);
	free_page((unsigned long)private);
	misuse_unshare(request);
	misuse_unshare(response);
	return ret;
}

static int snp_request_private(void)
{
	return bad_request(REQUEST_PRIVATE);
}

static int snp_response_private(void)
{
	return bad_request(RESPONSE_PRIVATE);
}

static int snp_unaligned(void)
{
	return bad_request(REQUEST_UNALIGNED);
}

static int snp_one_page(void)
{
	return bad_request(ONE_PAGE);
}

static int snp_bad_code(void)
{
	return bad_request(BAD_CODE);
}

/* an extended request with npages pages, shared or not: -ENOSPC becomes the pages needed */
static int extended(unsigned int npages, bool share)
{
	u8 *request = misuse_share(), *response = misuse_share();
	void *certs = alloc_pages_exact(4 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	struct snp_req_data in = {
		.req_gpa = __pa(request), .resp_gpa = __pa(response),
		.data_gpa = __pa(certs), .data_npages = npages,
	};
	u64 info;
	int ret;

	if (share)
		set_memory_decrypted((unsigned long)certs, 4);
	ret = issue(SVM_VMGEXIT_EXT_GUEST_REQUEST, &in, &info);
	if (!ret)
		ret = *(u8 *)certs;
	if (ret == -ENOSPC)
		ret = in.data_npages;
	if (share)
		set_memory_encrypted((unsigned long)certs, 4);
	free_pages_exact(certs, 4 * PAGE_SIZE);
	misuse_unshare(request);
	misuse_unshare(response);
	return ret;
}

static int snp_certs(void)
{
	return extended(4, true);
}

static int snp_no_certs(void)
{
	return extended(0, false);
}

static int snp_certs_private(void)
{
	return extended(4, false);
}

const struct misuse_case misuse_snp[] = {
	{ "snp_right", snp_right },
	{ "snp_parts", snp_parts },
	{ "snp_wipe", snp_wipe },
	{ "snp_size_first", snp_size_first },
	{ "snp_payload_twice", snp_payload_twice },
	{ "snp_request_private", snp_request_private },
	{ "snp_response_private", snp_response_private },
	{ "snp_unaligned", snp_unaligned },
	{ "snp_one_page", snp_one_page },
	{ "snp_bad_code", snp_bad_code },
	{ "snp_certs", snp_certs },
	{ "snp_no_certs", snp_no_certs },
	{ "snp_certs_private", snp_certs_private },
	{ }
};
