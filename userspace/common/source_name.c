// SPDX-License-Identifier: MIT
#include <string.h>

#include "cvmguest.h"
#include "source_name.h"

#define SIM_PREFIX	"sim:"
#define VTPM_PREFIX	"vtpm:"

void cvm_source_name(const char *name, struct cvm_open_opts *opts)
{
	opts->backend = name;
	if (name && !strncmp(name, SIM_PREFIX, strlen(SIM_PREFIX))) {
		opts->backend = "sim";
		opts->sim_socket = name + strlen(SIM_PREFIX);
	} else if (name && !strncmp(name, VTPM_PREFIX, strlen(VTPM_PREFIX))) {
		opts->backend = "vtpm";
		opts->tcti = name + strlen(VTPM_PREFIX);
	}
}
