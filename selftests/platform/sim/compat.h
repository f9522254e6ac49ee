/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the kernels differ: the only file that looks at what Kbuild found.
 */
#ifndef SIM_COMPAT_H
#define SIM_COMPAT_H

#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/hrtimer.h>

#ifndef SIM_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/*
 * What tdx_mcall_get_report0() makes of a TDCALL status. The kernel that got
 * tdx_mcall_extend_rtmr() tells a busy operand from other failures.
 */
#ifdef SIM_HAVE_TDX_BUSY
#define SIM_TDX_INVALID	(-ENXIO)
#define SIM_TDX_BUSY	(-EBUSY)
#else
#define SIM_TDX_INVALID	(-EINVAL)
#define SIM_TDX_BUSY	(-EIO)
#endif

#endif /* SIM_COMPAT_H */
