# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A root of Debian 12 that has what our packages are built with and nothing
# else, cached by what it is made of. Sourced at the top of the tree.
# shellcheck source=selftests/vm/lib.sh
. selftests/vm/lib.sh
# shellcheck source=selftests/vm/fetch.sh
. selftests/vm/fetch.sh
# shellcheck source=selftests/vm/root.sh
. selftests/vm/root.sh

debian=userspace/packaging/debian

depends()
{
	sed -n '/^Build-Depends:/,/^[A-Z]/{s/^Build-Depends://; /^[A-Z]/d; s/([^)]*)//g; s/,//g; p}' \
		$debian/control
}

# the sequences and the compatibility level are virtual packages
packages()
{
	depends | tr -s ' \n' '\n' | sed -e '/^$/d' -e 's/^debhelper-compat$/debhelper/' \
		-e 's/^dh-sequence-dkms$/dh-dkms/' -e '/^dh-sequence-installsysusers$/d'
	printf '%s\n' build-essential fakeroot lintian
}

# build_packages DIR: DIR/src, which has a debian/, into DIR, and what lintian says
build_packages()
{
	local wanted log=$1/log

	mapfile -t wanted < <(packages | sort -u)
	cached_root bookworm "${wanted[@]}" || return 1
	# shellcheck disable=SC2154 # root: set by cached_root
	if ! in_root "$root" "$PWD/$1" sh -c 'cd /build/src && dpkg-buildpackage -us -uc -b' >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		echo "${0##*/}: the packages did not build; the whole log is $log" >&2
		return 1
	fi
	ls "$1"/*.deb
	in_root "$root" "$PWD/$1" sh -c 'lintian --allow-root --fail-on error,warning --tag-display-limit 0 /build/*.changes'
}
