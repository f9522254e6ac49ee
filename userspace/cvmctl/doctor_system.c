// SPDX-License-Identifier: MIT
/* What keys and verdicts lean on besides the processor: TPM, time, random numbers. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/timex.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor.h"

void doctor_tpm(struct doctor *d)
{
	char path[PATH_MAX];
	struct stat st;

	if (!doctor_exists(d, "/sys/class/tpm/tpm0")) {
		finding(d, "tpm", NOTE, NULL,
			"no TPM: keys can be bound to the launch measurement only, not to what has booted since");
		return;
	}
	if (stat(doctor_path(d, path, "/dev/tpm0"), &st) || !(st.st_mode & 07))
		finding(d, "tpm", FINE, NULL, "there is a TPM, which not everybody may open");
	else
		finding(d, "tpm", UNSAFE, "chmod 0660 /dev/tpm0",
			"everybody may open /dev/tpm0: whoever does can extend PCRs and use what is sealed to them");
}

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
		finding(d, "clock", NOTE, NULL, "the clock source is not to be seen");
	else if (host_paced(source))
		finding(d, "clock", WARNING, KERNEL_OPTION("clocksource=tsc"),
			"the clock is %s, whose pace the host sets: certificates expire when it likes",
			source);
	else
		finding(d, "clock", FINE, NULL, "the clock source is %s", source);
}

/* of the machine that runs us; a root elsewhere has no other one */
void doctor_clock(struct doctor *d)
{
	struct timex timex = { 0 };

	check_source(d);
	if (adjtimex(&timex) < 0)
		return;
	if (timex.status & STA_UNSYNC)
		finding(d, "clock", WARNING, "timedatectl set-ntp true",
			"the time was set by the host and is compared with nobody's: use NTS or give verify its time with --at");
	else
		finding(d, "clock", FINE, NULL, "the time is synchronised");
}

void doctor_entropy(struct doctor *d)
{
	unsigned char byte;

	if (getrandom(&byte, 1, GRND_NONBLOCK) != 1) {
		finding(d, "entropy", UNSAFE, "reboot",
			"the kernel's random numbers are not ready: %s", strerror(errno));
		return;
	}
	if (doctor_word(d, "/proc/cpuinfo", "rdrand") || doctor_word(d, "/proc/cpuinfo", "rdseed"))
		finding(d, "entropy", FINE, NULL,
			"random numbers are ready and come from the processor too");
	else
		finding(d, "entropy", UNSAFE, NULL,
			"the processor offers no random numbers (rdrand, rdseed): all there is came through the host");
}
