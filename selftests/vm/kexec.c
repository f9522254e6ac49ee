// SPDX-License-Identifier: GPL-2.0
/*
 * kexec KERNEL INITRD: boots KERNEL, with this kernel's command line, without
 * the firmware in between; devices are shut down first as at a reboot.
 */
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "vm-kexec: ");
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	char line[4096];
	int kernel, initrd, proc;
	ssize_t len;

	if (argc != 3)
		return 2;
	kernel = open(argv[1], O_RDONLY);
	if (kernel < 0)
		return fail(argv[1]);
	initrd = open(argv[2], O_RDONLY);
	if (initrd < 0)
		return fail(argv[2]);
	proc = open("/proc/cmdline", O_RDONLY);
	len = read(proc, line, sizeof(line));
	if (len <= 0 || line[len - 1] != '\n')
		return fail("/proc/cmdline");
	/* its length includes the terminating zero byte */
	line[len - 1] = '\0';
	if (syscall(SYS_kexec_file_load, kernel, initrd, len, line, 0UL))
		return fail("kexec_file_load");
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	return fail("reboot");
}
