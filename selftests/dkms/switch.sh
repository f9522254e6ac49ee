#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Our driver and the kernel's own on a Debian machine, in every order of loading,
# and from each to the other by README's commands:
#   selftests/dkms/switch.sh 6.12|7.3 snp|tdx
# Prints TAP.
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/dkms/lib.sh
. selftests/dkms/lib.sh
series=$1 platform=$2

make_packages
fresh_machine "$series"
install_packages
machine_disk "$dir/machine" "$dir/disk" 2>"$log"
result $? 'a disk'
# the kernel's own gives no page back as the platform's rules say
boot 'switching' --platform "$platform" --fw strict=0 --put README.md:/run/vm/README.md -- switch.sh
finish
