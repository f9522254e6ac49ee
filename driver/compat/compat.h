/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Force-included before everything else. The core is written for the newest
 * kernel it supports; what an older one lacks is supplied here, after a probe
 * in Kbuild.include.
 */
#ifndef CVM_COMPAT_H
#define CVM_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "cvm-guest needs Linux 6.1 or newer"
#endif

/* no kernel without it runs under an SVSM */
#ifdef CVM_COMPAT_NO_SNP_VMPL
#define snp_vmpl 0
#endif

#ifdef CVM_COMPAT_NO_KEY_CREATE
#include <linux/key.h>
key_ref_t cvm_compat_key_create(key_ref_t keyring, const char *type,
				const char *description, const void *payload,
				size_t plen, key_perm_t perm, unsigned long flags);
#define key_create cvm_compat_key_create
#endif

#ifdef CVM_COMPAT_NO_RTMR
#define tdx_mcall_extend_rtmr(index, data) (-EOPNOTSUPP)
#define CVM_EXTENDS_RTMR 0
#else
#define CVM_EXTENDS_RTMR 1
#endif

/* configfs-tsm, by the names that its provider's side had at first */
#ifdef CVM_COMPAT_TSM_OPS
#define tsm_report_ops tsm_ops
#define tsm_report_register tsm_register
#define tsm_report_unregister tsm_unregister
#endif

#ifdef CVM_COMPAT_NO_PERCPU_WQ
#define system_percpu_wq system_wq
#endif

#endif /* CVM_COMPAT_H */
