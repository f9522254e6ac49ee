#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvm-agent as systemd starts it, in a Debian machine with our packages; see
# units_guest.sh.
#   selftests/agent/units.sh 6.1|6.12|7.3
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/dkms/lib.sh
. selftests/dkms/lib.sh
series=$1

make_packages
fresh_machine "$series" libmicrohttpd12 libseccomp2
install_packages
! grep 'triggers for initramfs-tools' "$log"
result $? 'no RAM disk is made anew where it has no part of ours'
in_machine "$debs" sh -c 'dpkg -i /build/cvm-agent_*.deb && systemctl enable cvm-agent.socket cvm-agent@web.socket'
result $? 'cvm-agent, and sockets of it'
machine_disk "$dir/machine" "$dir/disk" 2>"$log"
result $? 'a disk'
boot "$series" --platform snp --put selftests/agent/units_guest.sh:/run/vm/agent.sh \
	--put build/tests/agent_client:/run/vm/agent_client -- ../agent.sh
finish
