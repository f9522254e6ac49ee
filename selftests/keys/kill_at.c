// SPDX-License-Identifier: GPL-2.0
/*
 * kill_at files|dm|all N COMMAND...: runs COMMAND, and kills it just before its Nth
 * system call that changes files, or is the device-mapper's, or (all) that changes
 * files, keys or devices. What an impatient administrator can do, at each place where it
 * makes a difference; no power cut, for what the kernel has not written yet it still
 * writes. Exit status: 137 killed; else COMMAND's, which made fewer of them.
 */
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static bool all, dm;

static bool is_dm(const struct user_regs_struct *regs)
{
	return regs->orig_rax == SYS_ioctl && _IOC_TYPE(regs->rsi) == DM_IOCTL;
}

static bool changes(const struct user_regs_struct *regs)
{
	if (dm)
		return is_dm(regs);
	switch (regs->orig_rax) {
	case SYS_openat:
		return regs->rdx & O_CREAT;
	case SYS_write:
	case SYS_pwrite64:
		return regs->rdi > 2;
	case SYS_fsync:
	case SYS_rename:
	case SYS_renameat:
	case SYS_renameat2:
	case SYS_unlink:
	case SYS_unlinkat:
		return true;
	case SYS_ioctl:
	case SYS_add_key:
	case SYS_keyctl:
		return all;
	default:
		return false;
	}
}

static int trace(pid_t child, long left)
{
	struct user_regs_struct regs;
	bool entry = true;
	int status, signal;

	for (;;) {
		if (waitpid(child, &status, 0) < 0)
			return 1;
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		signal = WSTOPSIG(status);
		if (signal == (SIGTRAP | 0x80)) {
			if (entry && !ptrace(PTRACE_GETREGS, child, NULL, &regs) &&
			    changes(&regs) && --left == 0)
				kill(child, SIGKILL);
			entry = !entry;
			signal = 0;
		} else if (signal == SIGTRAP) {
			signal = 0;
		}
		ptrace(PTRACE_SYSCALL, child, NULL, signal);
	}
}

int main(int argc, char **argv)
{
	pid_t child;
	int status;

	if (argc < 4 || atol(argv[2]) < 1) {
		fprintf(stderr, "usage: kill_at files|dm|all N COMMAND...\n");
		return 2;
	}
	all = !strcmp(argv[1], "all");
	dm = !strcmp(argv[1], "dm");
	child = fork();
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	waitpid(child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, child, NULL, 0);
	return trace(child, atol(argv[2]));
}
