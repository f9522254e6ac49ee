# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests of an installed machine share: packages, a machine that is worked
# on by chroot, the same as a disk in a VM, and TAP of both. Sourced, from the top.
set -uo pipefail
# shellcheck source=selftests/vm/lib.sh
. selftests/vm/lib.sh
# shellcheck source=selftests/vm/fetch.sh
. selftests/vm/fetch.sh
# shellcheck source=selftests/vm/root.sh
. selftests/vm/root.sh
# shellcheck source=selftests/vm/machine.sh
. selftests/vm/machine.sh

# shellcheck disable=SC2034 # for who sources this
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
dir=$(mktemp -d -p "$TOP/build" machine-XXXXXX) || exit
trap 'rm -rf "$dir"' EXIT
debs=$dir/debs
n=0 failed=0
log=$dir/log
: >"$log"

result()	# STATUS NAME
{
	((n++))
	if [[ $1 == 0 ]]; then
		echo "ok $n $2"
		return
	fi
	echo "not ok $n $2"
	tail -n 40 "$log" | sed 's/^/# /'
	failed=1
}

finish()
{
	echo "1..$n"
	exit $failed
}

# tests that run at the same time share what is made of the same files
packages_of_these_files()
{
	local files made=$TOP/build/deb/.made

	files=$(git ls-files -z | xargs -0 sha256sum | sha256sum)
	if [[ ! -e $made || $files != "$(<"$made")" ]]; then
		userspace/packaging/deb || return
		echo "$files" >"$made"
	fi
	mkdir -p "$debs"
	cp build/deb/*.deb "$debs/"
}

# the packages of what git has, in $debs
make_packages()
{
	with_lock deb packages_of_these_files >"$log" 2>&1
	result $? 'the packages are made, and lintian has nothing to say'
}

# one_of PACKAGE...: the first that apt_conf's release has, or the last
one_of()
{
	local name

	for name; do
		[[ -z $(candidate "$name") ]] || break
	done
	echo "$name"
}

# dependencies SERIES: what of Debian's they need where that is the kernel
dependencies()
{
	local deb release
	local -a names

	read -r release _ <<<"$(series_source "$1")"
	apt_update "$release" || return
	for deb in "$debs"/{cvm-guest,cvm-guest-dkms,libcvmguest0}_*.deb; do
		dpkg-deb -f "$deb" Depends
	done | tr ',' '\n' | sed -e 's/([^)]*)//g' -e 's/[[:space:]]//g' | tr '|' ' ' |
		grep -vE 'cvm-?guest' | sort -u |
		while read -ra names; do one_of "${names[@]}"; done | sort -u
}

# fresh_machine SERIES [PACKAGE...]: in $dir/machine, a Debian that has those; sets
# KVER, of SERIES, and kernels, of all that it has
fresh_machine()
{
	local wanted

	mapfile -t wanted < <(dependencies "$1")
	new_machine "$1" "$dir/machine" "${wanted[@]}" "${@:2}" 2>"$log"
	result $? 'a Debian machine'
	eval "$(selftests/vm/kernel "$1")"
	# shellcheck disable=SC2034 # for who sources this
	mapfile -t kernels < <(ls "$dir/machine/usr/lib/modules")
}

# in_machine HOSTDIR COMMAND...: in $dir/machine, with HOSTDIR at /build
in_machine()
{
	in_root "$dir/machine" "$@" >"$log" 2>&1
}

# cvm-guest and its module, as README says
install_packages()
{
	in_machine "$debs" sh -c 'dpkg -i /build/cvm-guest_*.deb /build/cvm-guest-dkms_*.deb'
	result $? 'dpkg -i'
}

# modules [KVER]: those of ours that kernels of the machine have, or that one has
modules()
{
	find "$dir/machine/usr/lib/modules/${1:-}" -name 'cvm_guest.ko*'
}

# has_module KVER [VERSION]: one of ours for it, signed with the key of the machine
has_module()
{
	local ko

	ko=$(modules "$1")
	[[ $ko == */updates/dkms/* && $(modinfo -F vermagic "$ko") == "$1 "* &&
		$(modinfo -F version "$ko") == "${2:-$version}" ]]
	result $? "the module, for $1"
	[[ -n $(modinfo -F signer "$ko") ]]
	result $? 'signed with the key of the machine'
}

# files: all that there is in it, but what runs and logs and what dpkg keeps
files()
{
	(cd "$dir/machine" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./build \
		-o -path ./tmp -o -path ./run -o -path ./var/log -o -path ./var/cache \
		-o -path ./var/lib/dpkg \) -prune -o ! -type d -print | sort)
}

# purge BEFORE: the packages, by chroot; BEFORE is what files said before they came
purge()
{
	in_machine "$debs" dpkg -r cvm-guest cvm-guest-dkms libcvmguest0
	result $? 'dpkg -r by chroot'
	[[ -z $(modules) ]]
	result $? 'no module is left'
	in_machine "$debs" /etc/kernel/postinst.d/cvm-guest "${kernels[0]}" && [[ -z $(modules) ]]
	result $? 'and the hook, which stays until they are purged, makes none'
	in_machine "$debs" dpkg -P cvm-guest cvm-guest-dkms libcvmguest0
	result $? 'dpkg -P by chroot'
	# the group stays, as Debian's policy wants it; and DKMS its key
	files | diff "$1" - | grep '^[<>]' |
		grep -v -e /var/lib/dkms/mok -e '/etc/.*-$' -e '/modules\.' >"$log"
	[[ ! -s $log ]]
	result $? 'nothing else is left, or gone'
}

# boot NAME RUN-OPTION... -- GUEST-SCRIPT [ARG...]: the script, of this folder, in
# the machine that is $dir/disk; its results become ours
boot()
{
	local name=$1 options=() line rc

	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	selftests/vm/run --disk "$dir/disk" --kernel "$series" --memory 1024 --timeout 1500 "${options[@]}" \
		--put "selftests/dkms/guest:/run/vm/guest" \
		--put "$CACHE/fw-state/trust-root.pem:/run/vm/trust-root.pem" \
		-- sh "/run/vm/guest/$1" "${@:2}" >"$dir/tap" 2>"$log"
	rc=$?
	while IFS= read -r line; do
		case $line in
		'ok - '*) ((n++)); echo "ok $n $name: ${line#ok - }" ;;
		'not ok - '*) ((n++)); failed=1; echo "not ok $n $name: ${line#not ok - }" ;;
		'# '*) echo "$line" ;;
		esac
	done <"$dir/tap"
	grep -qx 'end of results' "$dir/tap" && [[ $rc == 0 ]]
	result $? "$name: the machine boots, runs and shuts down"
}
