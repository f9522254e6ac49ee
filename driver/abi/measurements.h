/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measurement registers as files, where this kernel can extend them: the group
 * measurements/ of a misc device, as the kernel's own TDX driver has it.
 */
#ifndef CVM_ABI_MEASUREMENTS_H
#define CVM_ABI_MEASUREMENTS_H

struct attribute_group;

#ifdef CVM_HAVE_MEASUREMENTS
/* for any number of devices: it has no state */
extern const struct attribute_group cvm_measurements;
#define CVM_MEASUREMENTS (&cvm_measurements)
#else
#define CVM_MEASUREMENTS NULL
#endif

#endif /* CVM_ABI_MEASUREMENTS_H */
