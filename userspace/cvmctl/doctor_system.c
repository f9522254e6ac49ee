// SPDX-License-Identifier: MIT
/* What keys and verdicts lean on besides the processor: time and random numbers. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timex.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor.h"

/* a clock whose pace the host sets while the VM runs */
static bool host_paced(const char *source)
{
	static const char *const names[] = { "kvm-clock", "hyperv_clocksource_tsc_page",
					     "hyperv_clocksource_msr", "xen", "refined-jiffies",
					     "acpi_pm", "hpet", "jiffies" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(source, names[i]))
			return true;
	return false;
}

static void check_source(struct doctor *d)
{
	__cleanup_free char *source = doctor_line(d,
		"/sys/devices/system/clocksource/clocksource0/current_clocksource");

	if (!source)
		finding(d, CLOCK_UNSEEN, "mount -t sysfs sysfs /sys",
			"the clock source is not to be seen");
	else if (host_paced(source))
		finding(d, CLOCK_HOST, KERNEL_OPTION("clocksource=tsc"),
			"the clock is %s, whose pace the host sets: certificates expire when it likes",
			source);
	else if (d->tee == CVM_TEE_SNP && !strcmp(source, "tsc"))
		finding(d, CLOCK_TSC, NULL,
			"the clock is the TSC, whose pace the host sets unless the guest has Secure TSC");
	else
		fine(d, "clock", "the clock source is %s", source);
}

/* of the machine that runs us; a root elsewhere has no other one */
void doctor_clock(struct doctor *d)
{
	struct timex timex = { 0 };

	check_source(d);
	if (adjtimex(&timex) < 0)
		return;
	if (timex.status & STA_UNSYNC)
		finding(d, CLOCK_NOT_SYNCHRONISED, "timedatectl set-ntp true",
			"the time was set by the host and is compared with nobody's: use NTS or give verify its time with --at");
	else
		fine(d, "clock", "the time is synchronised");
}

void doctor_entropy(struct doctor *d)
{
	unsigned char byte;

	if (getrandom(&byte, 1, GRND_NONBLOCK) != 1) {
		finding(d, ENTROPY_NOT_READY, "reboot",
			"the kernel's random numbers are not ready: %s", strerror(errno));
		return;
	}
	if (doctor_word(d, "/proc/cpuinfo", "rdrand") || doctor_word(d, "/proc/cpuinfo", "rdseed"))
		fine(d, "entropy", "random numbers are ready and come from the processor too");
	else
		finding(d, ENTROPY_HOST, NULL,
			"the processor offers no random numbers (rdrand, rdseed): all there is came through the host");
}
