/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SVSM, which has VMPL 0 where this kernel has another. Called by the worker,
 * but for cvm_svsm_present().
 */
#ifndef CVM_SNP_SVSM_H
#define CVM_SNP_SVSM_H

#include <linux/errno.h>
#include <linux/types.h>

struct cvm_req;

#ifdef CVM_HAVE_SVSM
/* does without, after one line, where there is no memory for it */
void cvm_svsm_start(void);
void cvm_svsm_stop(void);

/* constant in between */
bool cvm_svsm_present(void);

/*
 * Evidence of what @req->service says, with the manifest and with certificates
 * if the SVSM has any. 0, -ENOMEM; -ECANCELED: nobody waits for it; -EINVAL:
 * the SVSM will not; -EBADMSG: what it says is not about this
 */
int cvm_svsm_attest(struct cvm_req *req);
#else
static inline void cvm_svsm_start(void) { }
static inline void cvm_svsm_stop(void) { }

static inline bool cvm_svsm_present(void)
{
	return false;
}

static inline int cvm_svsm_attest(struct cvm_req *req)
{
	return -EOPNOTSUPP;
}
#endif

#endif /* CVM_SNP_SVSM_H */
