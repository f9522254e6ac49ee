/* SPDX-License-Identifier: GPL-2.0 */
/* The host's service of a simulated Azure guest: selftests/fetch/imds.py, for vtpm_simulated.h. */
#ifndef LIB_IMDS_HOST_H
#define LIB_IMDS_HOST_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "vtpm_simulated.h"

static pid_t imds_host;

/* Returns its URL; in tap_dir is what it is told to do wrong. */
static inline const char *start_imds(void)
{
	static char url[64];
	char socket[96], port[16] = "";
	int ends[2];

	snprintf(socket, sizeof(socket), "%s/s", fwd.dir);
	if (pipe(ends))
		exit(1);
	imds_host = fork();
	if (!imds_host) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		execlp("selftests/fetch/imds.py", "imds.py", socket, tap_dir, "0", NULL);
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], port, sizeof(port) - 1) < 2)
		exit(1);
	close(ends[0]);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", atoi(port));
	return url;
}

static inline void stop_imds(void)
{
	if (imds_host)
		kill(imds_host, SIGKILL);
}

#endif /* LIB_IMDS_HOST_H */
