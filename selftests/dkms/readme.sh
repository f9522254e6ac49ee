#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What README.md tells a new user who has no packages, to the letter, on a Debian
# that has nothing but a kernel:
#   selftests/dkms/readme.sh 6.1|6.12|7.3 snp|tdx
# What compiles is done natively by chroot, all else in the machine. Prints TAP.
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/dkms/lib.sh
. selftests/dkms/lib.sh
series=$1 platform=$2

# the commands, without what README says of them
steps()
{
	sed -n '/^Without packages:/,/^`--auth/p' README.md |
		sed -e '1,/^```/d' -e '/^```/,$d' -e 's/   .*//'
}

# what the first of them would have apt-get install; linux-headers-* is there
apt_packages()
{
	mkdir "$dir/bin"
	printf '%s\n' '#!/bin/sh' 'printf "%s\n" "$@"' >"$dir/bin/apt-get"
	chmod +x "$dir/bin/apt-get"
	PATH=$dir/bin:$PATH sh -c "$1" | grep -v -e '^install$' -e '^-' -e '^linux-headers-'
}

source_tree()
{
	mkdir "$dir/machine/opt/cvm-guest"
	git ls-files -z | xargs -0 cp --parents -t "$dir/machine/opt/cvm-guest"
}

# by chroot, where DKMS shall believe that this is the kernel that runs
natively()
{
	in_machine "$dir/bin" env PATH=/build:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c "cd /opt/cvm-guest && $1"
	result $? "$1"
}

mapfile -t step < <(steps)
[[ ${step[0]} == *apt-get\ install* && ${step[-1]} == 'cvmctl verify '* ]]
result $? 'README has the steps'
mapfile -t wanted < <(apt_packages "${step[0]}")
echo "${wanted[*]}" >"$log"
[[ ${#wanted[@]} -gt 5 && " ${wanted[*]} " == *' dkms '* ]]
result $? "${step[0]}"
new_machine "$series" "$dir/machine" "${wanted[@]}" 2>"$log" && source_tree
result $? 'a Debian machine'
eval "$(selftests/vm/kernel "$series")"
printf '%s\n' '#!/bin/sh' "[ \"\$*\" != -r ] || exec echo $KVER" 'exec /usr/bin/uname "$@"' >"$dir/bin/uname"
chmod +x "$dir/bin/uname"
for ((i = 1; i < ${#step[@]}; i++)); do
	[[ ${step[i]} != *'cvmctl '* ]] || break
	natively "${step[i]}"
done
has_module "$KVER"
printf '%s\n' "${step[@]:i}" >"$dir/steps"
machine_disk "$dir/machine" "$dir/disk" 2>"$log"
result $? 'a disk'
boot 'in the machine' --platform "$platform" --put "$dir/steps:/run/vm/steps" -- readme.sh
finish
