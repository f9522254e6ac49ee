// SPDX-License-Identifier: MIT
/* The subcommands, in the order in which they are shown. */
#include "cvmctl.h"

const struct command *const commands[] = {
	&cmd_status,
	&cmd_doctor,
	&cmd_report,
	&cmd_quote,
	&cmd_evidence,
	&cmd_batch,
	&cmd_expect,
	&cmd_show,
	&cmd_verify,
	&cmd_policy,
	&cmd_certs,
	&cmd_key,
	&cmd_skr,
	&cmd_disk,
	&cmd_rtmr,
	&cmd_bench,
	&cmd_module,
	&cmd_selftest,
	NULL
};
