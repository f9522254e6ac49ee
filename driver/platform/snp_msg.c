// SPDX-License-Identifier: GPL-2.0-only
/*
 * The message layer of kernels that export no more than the exit itself
 * (snp_issue_guest_request): AES-256-GCM, the sequence counter, and the pages
 * shared with the host.
 */
#include <crypto/aead.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/linux/sev-guest.h>

#include <asm/sev.h>
#include <asm/svm.h>

#include "snp_channel.h"
#include "snp_pages.h"

const char cvm_snp_layer_name[] = "own";
const bool cvm_snp_layer_loud;

/*
 * @request, @response: private copies. The host sees and writes only the
 * pages behind @shared_*, so nothing it does to them after a copy matters.
 */
static struct {
	unsigned int vmpck;
	struct cvm_snp_secrets *secrets;
	u64 seqno;			/* the last one the firmware has answered to */
	struct crypto_aead *tfm;
	struct aead_request *aead;
	struct cvm_snp_page *request;
	struct cvm_snp_page *response;
	struct cvm_snp_page *shared_request;
	struct cvm_snp_page *shared_response;
} layer;

/* en- or decrypts @page in place; its header holds size and sequence number */
static int gcm(struct cvm_snp_page *page, bool encrypt)
{
	struct cvm_snp_hdr *hdr = &page->hdr;
	u8 iv[CVM_SNP_IV_LEN] = {};
	struct scatterlist sg[3];
	unsigned int len = hdr->size + (encrypt ? 0 : CVM_SNP_TAG_LEN);

	memcpy(iv, &hdr->seqno, sizeof(hdr->seqno));
	sg_init_table(sg, ARRAY_SIZE(sg));
	sg_set_buf(&sg[0], &hdr->algo, CVM_SNP_AAD_LEN);
	sg_set_buf(&sg[1], page->payload, hdr->size);
	sg_set_buf(&sg[2], hdr->tag, CVM_SNP_TAG_LEN);

	aead_request_set_callback(layer.aead, 0, NULL, NULL);
	aead_request_set_ad(layer.aead, CVM_SNP_AAD_LEN);
	aead_request_set_crypt(layer.aead, sg, sg, len, iv);
	return encrypt ? crypto_aead_encrypt(layer.aead) : crypto_aead_decrypt(layer.aead);
}

int cvm_snp_layer_seal(const struct cvm_snp_msg *msg)
{
	struct cvm_snp_page *page = layer.request;
	int err;

	/* the page keeps 32 bits: a counter that wrapped there would repeat IVs */
	if (layer.seqno >= U32_MAX - 2)
		return -EOVERFLOW;
	if (msg->request_len > sizeof(page->payload))
		return -EINVAL;

	cvm_snp_hdr_make(&page->hdr, layer.seqno + 1, layer.vmpck, msg->type,
			 msg->version, msg->request_len);
	memset(page->payload, 0, sizeof(page->payload));
	memcpy(page->payload, msg->request, msg->request_len);
	err = gcm(page, true);
	if (err) {
		memzero_explicit(page, sizeof(*page));
		return err;
	}
	/*
	 * Written ahead: from here on the message may reach the host, so no
	 * driver that comes after us, by unload, kexec or crash, may find a
	 * counter that lets it use this IV again.
	 */
	WRITE_ONCE(layer.secrets->seqno[layer.vmpck], layer.seqno + 2);
	wmb();
	return 0;
}

void cvm_snp_layer_issue(struct cvm_snp_msg *msg, struct cvm_snp_call *call)
{
	struct snp_guest_request_ioctl rio = {};
	struct snp_req_data data = {
		.req_gpa = __pa(layer.shared_request),
		.resp_gpa = __pa(layer.shared_response),
		.data_gpa = call->extended ? __pa(call->certs) : 0,
		.data_npages = call->extended ? call->pages : 0,
	};

	/* from the private copy each time: the host may have changed the other */
	memcpy(layer.shared_request, layer.request, sizeof(*layer.request));
	memset(layer.shared_response, 0, sizeof(*layer.shared_response));
	call->result = snp_issue_guest_request(call->extended ?
					       SVM_VMGEXIT_EXT_GUEST_REQUEST :
					       SVM_VMGEXIT_GUEST_REQUEST, &data, &rio);
	call->info = rio.exitinfo2;
	call->pages = data.data_npages;
}

int cvm_snp_layer_open(struct cvm_snp_msg *msg)
{
	struct cvm_snp_page *page = layer.response;
	int err;

	/* the one read of what the host wrote; all that follows is about the copy */
	memcpy(page, layer.shared_response, sizeof(*page));
	err = cvm_snp_hdr_check(&layer.request->hdr, &page->hdr, CVM_SNP_PAYLOAD);
	if (!err)
		err = gcm(page, false);
	if (!err) {
		memcpy(msg->response, page->payload, page->hdr.size);
		msg->response_len = page->hdr.size;
		layer.seqno += 2;
	}
	/* a plaintext that failed its tag is nobody's business either */
	memzero_explicit(page, sizeof(*page));
	return err ? -EBADMSG : 0;
}

/* there is nothing to cut short: an exit returns when the host has answered */
void cvm_snp_layer_leave(void)
{
}

void cvm_snp_layer_wipe(void)
{
	memzero_explicit(layer.secrets->vmpck[layer.vmpck], CVM_SNP_VMPCK_LEN);
	wmb();
	/* frees the expanded key, which wipes it */
	aead_request_free(layer.aead);
	layer.aead = NULL;
	crypto_free_aead(layer.tfm);
	layer.tfm = NULL;
}

static int map_secrets(struct platform_device *pdev)
{
	const struct sev_guest_platform_data *data = dev_get_platdata(&pdev->dev);
	void __iomem *map;

	if (!data)
		return -ENODEV;
	map = ioremap_encrypted(data->secrets_gpa, sizeof(*layer.secrets));
	if (!map)
		return -ENOMEM;
	layer.secrets = (__force struct cvm_snp_secrets *)map;
	return 0;
}

static int set_key(void)
{
	const u8 *key = layer.secrets->vmpck[layer.vmpck];

	if (!memchr_inv(key, 0, CVM_SNP_VMPCK_LEN))
		return -ENOKEY;
	/* synchronous, so that a message is sealed when seal returns */
	layer.tfm = crypto_alloc_aead("gcm(aes)", 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(layer.tfm)) {
		layer.tfm = NULL;
		return -ELIBACC;
	}
	return crypto_aead_setkey(layer.tfm, key, CVM_SNP_VMPCK_LEN) ?:
	       crypto_aead_setauthsize(layer.tfm, CVM_SNP_TAG_LEN);
}

static int allocate(void)
{
	layer.aead = aead_request_alloc(layer.tfm, GFP_KERNEL);
	layer.request = kzalloc(sizeof(*layer.request), GFP_KERNEL);
	layer.response = kzalloc(sizeof(*layer.response), GFP_KERNEL);
	layer.shared_request = cvm_snp_share(1);
	layer.shared_response = cvm_snp_share(1);
	if (!layer.aead || !layer.request || !layer.response ||
	    !layer.shared_request || !layer.shared_response)
		return -ENOMEM;
	return 0;
}

int cvm_snp_layer_start(struct platform_device *pdev, unsigned int vmpck)
{
	int err;

	layer.vmpck = vmpck;
	err = map_secrets(pdev) ?: set_key() ?: allocate();
	if (err) {
		cvm_snp_layer_stop();
		return err;
	}
	layer.seqno = READ_ONCE(layer.secrets->seqno[vmpck]);
	return 0;
}

void cvm_snp_layer_stop(void)
{
	cvm_snp_unshare(layer.shared_response, 1);
	cvm_snp_unshare(layer.shared_request, 1);
	kfree_sensitive(layer.response);
	kfree_sensitive(layer.request);
	if (layer.aead)
		aead_request_free(layer.aead);
	crypto_free_aead(layer.tfm);
	if (layer.secrets)
		iounmap((__force void __iomem *)layer.secrets);
	memset(&layer, 0, sizeof(layer));
}
