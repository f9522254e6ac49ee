/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * configfs-tsm, where this kernel has it: we are its provider, if nobody else is.
 */
#ifndef CVM_ABI_TSM_H
#define CVM_ABI_TSM_H

#ifdef CVM_HAVE_TSM
/* never fails: without it the driver has its own nodes all the same */
void cvm_tsm_start(void);
/*
 * Waits for whoever is inside. The worker has been stopped: so nobody is for
 * longer than its queue takes to be emptied.
 */
void cvm_tsm_stop(void);
/*
 * For sysfs: "registered"; "busy": somebody else is, or there are entries of a
 * provider that has gone; "off"; "none": this kernel has no configfs-tsm
 */
const char *cvm_tsm_state(void);
#else
static inline void cvm_tsm_start(void) {}
static inline void cvm_tsm_stop(void) {}
static inline const char *cvm_tsm_state(void)
{
	return "none";
}
#endif

#endif /* CVM_ABI_TSM_H */
