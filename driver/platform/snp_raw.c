// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#include <linux/string.h>

#include "../blob.h"
#include "../request.h"
#include "snp_raw.h"

int cvm_snp_raw_check(const struct cvm_req *req, const struct cvm_snp_msg *msg,
		      const struct cvm_snp_report_req *asked,
		      const struct cvm_snp_report **report)
{
	const u8 *key;
	u32 status;
	int err;

	if (req->kind == CVM_KIND_KEY)
		err = cvm_snp_key_check(msg->response, msg->response_len, &key, &status);
	else
		err = cvm_snp_report_check(asked, msg->response, msg->response_len,
					   report, &status);
	/* its status is for the caller to read */
	return err == -EIO ? 0 : err;
}

/* the host may still write the table: this is the one copy of it */
static int take_table(struct cvm_req *req, const struct cvm_snp_msg *msg)
{
	if (!msg->table_len)
		return 0;
	req->certs = cvm_blob_alloc(msg->table_len);
	if (!req->certs)
		return -ENOMEM;
	memcpy(req->certs->data, msg->table, msg->table_len);
	return 0;
}

int cvm_snp_raw_take(struct cvm_req *req, const struct cvm_snp_msg *msg)
{
	int err = take_table(req, msg);

	if (err)
		return err;
	req->evidence = cvm_req_memory(req, msg->response_len);
	if (!req->evidence)
		return -ENOMEM;
	memcpy(req->evidence, msg->response, msg->response_len);
	req->evidence_len = msg->response_len;
	req->raw->short_of_pages = msg->wants_pages;
	if (msg->wants_pages)
		req->raw->pages = msg->wish;
	return 0;
}
