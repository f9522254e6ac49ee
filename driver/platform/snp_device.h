/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_SNP_DEVICE_H
#define CVM_SNP_DEVICE_H

struct platform_device;

/* the sev-guest device, ours alone until released; or an ERR_PTR(), said why */
struct platform_device *cvm_snp_device_claim(void);
void cvm_snp_device_release(void);

#endif /* CVM_SNP_DEVICE_H */
