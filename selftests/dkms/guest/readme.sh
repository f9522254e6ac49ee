# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# readme.sh: the steps that are left, in a folder of the user's. The platform's
# root of trust is the simulator's, which no manual names.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh

mkdir /run/vm/user
cd /run/vm/user || exit
while IFS= read -r step; do
	case $step in
	'cvmctl selftest'*) trust=' --trust-root /run/vm/trust-root.pem' ;;
	*) trust= ;;
	esac
	sh -c "$step$trust" >$log 2>&1
	result $? "$step"
done </run/vm/steps
driver cvm_guest 'after all that'
nodes
end
