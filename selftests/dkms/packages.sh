#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The Debian packages, made and put into a Debian 12 with the headers of two
# kernels and nothing of ours: the module is built for each, the tools run, an
# upgrade builds it anew, a removal leaves nothing. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/vm/lib.sh
. selftests/vm/lib.sh
# shellcheck source=selftests/vm/fetch.sh
. selftests/vm/fetch.sh
# shellcheck source=selftests/vm/root.sh
. selftests/vm/root.sh

dir=$(mktemp -d -p build)
trap 'rm -rf "$dir"' EXIT
n=0 failed=0
log=$dir/log

result() {	# STATUS NAME
	((n++))
	if [[ $1 == 0 ]]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		tail -n 30 "$log" | sed 's/^/# /'
		failed=1
	fi
}

userspace/packaging/deb >"$log" 2>&1
result $? 'the packages are made, and lintian has nothing to say'

for series in 6.1 6.12; do
	read -r _ _ headers <<<"$(series_source $series)"
	wanted+=("$headers")
done
cached_root bookworm dkms kmod openssl systemd udev libjansson4 libkmod2 libssl3 "${wanted[@]}" 2>>"$log"
result $? 'a Debian 12'
cp -a "$root" "$dir/machine"
debs=$PWD/build/deb

there() { in_root "$dir/machine" "$debs" "$@" >"$log" 2>&1; }
files() { (cd "$dir/machine" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./build -o -path ./tmp -o -path ./run \
	-o -path ./var/log -o -path ./var/cache -o -path ./var/lib/dpkg \) -prune -o ! -type d -print | sort); }
modules() { (cd "$dir/machine" && find lib/modules/ usr/lib/modules/ -name 'cvm_guest.ko*' 2>/dev/null | sed 's|^usr/||' | sort -u); }

files >"$dir/before"
mapfile -t kernels < <(cd "$dir/machine/lib/modules" && ls)
there sh -c 'dpkg -i /build/cvm-guest_*.deb /build/cvm-guest-dkms_*.deb /build/libcvmguest0_*.deb'
result $? 'dpkg -i'
for kernel in "${kernels[@]}"; do
	ko=$(modules | grep -F "/$kernel/")
	[[ -n $ko && $(modinfo -F vermagic "$dir/machine/$ko") == "$kernel "* ]]
	result $? "the module for $kernel"
	[[ -n $(modinfo -F signer "$dir/machine/$ko") ]]
	result $? 'it is signed with the key of the machine'
done
[[ ${#kernels[@]} == 2 ]]
result $? 'for two kernels'
there cvmctl --version
result $? 'cvmctl runs'
there sh -c 'getent group cvm && test -s /usr/lib/udev/rules.d/60-cvm-guest.rules && udevadm --version'
result $? 'its group and rules are there'
there sh -c 'modprobe -n -v --set-version '"${kernels[0]}"' sev_guest; modprobe -c | grep -q "install sev_guest"'
result $? 'modprobe has the rule'
there sh -c 'dpkg -i /build/cvm-guest-dkms_*.deb /build/cvm-guest_*.deb' &&
	[[ $(modules | wc -l) == 2 ]]
result $? 'an upgrade'
there dpkg -P cvm-guest cvm-guest-dkms libcvmguest0
result $? 'dpkg -P'
[[ -z $(modules) ]]
result $? 'no module is left'
files >"$dir/after"
# the group stays, as Debian's policy wants it; and DKMS its key
diff "$dir/before" "$dir/after" | grep '^>' |
	grep -v -e /var/lib/dkms/mok -e '/etc/.*-$' -e /modules.dep -e '/modules\.' >"$log"
[[ ! -s $log ]]
result $? 'nothing else is left'
echo "1..$n"
exit $failed
