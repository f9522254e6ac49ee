# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What the scripts with a TPM share in the VM. Sourced.

# measure PCR TEXT: TPM2_PCR_Extend, SHA-256; TEXT is 32 characters. QEMU's firmware
# measures nothing into 11, and into 7 the same each time
measure()
{
	# shellcheck disable=SC2059 # escapes
	{ printf "\200\002\0\0\0\101\0\0\001\202\0\0\0\\$(printf %o "$1")"
	  printf '\0\0\0\011\100\0\0\011\0\0\0\0\0\0\0\0\001\0\013%s' "$2"; } >/tmp/extend
	dd if=/tmp/extend of=/dev/tpmrm0 bs=65 count=1 2>/dev/null
}
