// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host left in a buffer: is it the quote that was asked for?
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../request.h"
#include "tdx_abi.h"
#include "tdx_quote.h"

/* where REPORT_DATA is in a quote of @len bytes; 0 if that is no quote */
static size_t report_data_offset(const u8 *quote, size_t len)
{
	const struct tdx_quote_header *header = (const void *)quote;
	const struct tdx_quote_body_header *body = (const void *)(header + 1);
	size_t start = sizeof(*header);
	size_t size = TDX_BODY_TD10_SIZE;

	if (len < sizeof(*header) + sizeof(*body) ||
	    le32_to_cpu(header->tee_type) != TDX_TEE_TYPE)
		return 0;

	switch (le16_to_cpu(header->version)) {
	case 4:
		break;
	case 5:
		start += sizeof(*body);
		if (le16_to_cpu(body->type) == TDX_BODY_TD15)
			size = TDX_BODY_TD15_SIZE;
		else if (le16_to_cpu(body->type) != TDX_BODY_TD10)
			return 0;
		if (le32_to_cpu(body->size) != size)
			return 0;
		break;
	default:
		return 0;
	}
	return len >= start + size ? start + TDX_BODY_DATA : 0;
}

/* Whatever the host wrote, or writes next: a copy of ours is what is checked. */
int cvm_tdx_quote_take(struct cvm_req *req, const struct tdx_quote_buf *buf)
{
	u32 len = le32_to_cpu(READ_ONCE(buf->out_len));
	size_t offset;
	u8 *quote;

	if (!len || len > TDX_QUOTE_MAX)
		return -EBADMSG;

	quote = cvm_req_memory(req, len);
	if (!quote)
		return -ENOMEM;
	memcpy(quote, buf->data, len);

	offset = report_data_offset(quote, len);
	if (!offset || memcmp(quote + offset, req->report_data,
			      sizeof(req->report_data))) {
		kvfree(quote);
		return -EBADMSG;
	}
	req->evidence = quote;
	req->evidence_len = len;
	return 0;
}
