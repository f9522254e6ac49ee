# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts here share. Sourced, never run.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=$TOP/build/cache
# shellcheck disable=SC2034 # for the scripts that source this
SERIES_LIST='6.1 6.12 7.3'

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# the newest packages of a series come from this release and these metapackages
series_source()
{
	case $1 in
	6.1)  echo bookworm linux-image-cloud-amd64 linux-headers-cloud-amd64 ;;
	6.12) echo bookworm linux-image-6.12-cloud-amd64 linux-headers-6.12-cloud-amd64 ;;
	7.3)  echo trixie linux-image-cloud-amd64 ;;
	*)    die "no kernel series '$1': one of $SERIES_LIST" ;;
	esac
}

# with_lock NAME COMMAND...: one at a time; the lock is not handed to children
with_lock()
{
	local lock_file=$CACHE/locks/$1 lock_fd rc

	shift
	mkdir -p "$CACHE/locks"
	exec {lock_fd}>"$lock_file" || return 1
	flock "$lock_fd"
	"$@" {lock_fd}>&-
	rc=$?
	exec {lock_fd}>&-
	return $rc
}

# publish NEW FINAL: moves a finished directory into place, in one step
publish()
{
	rm -rf "$2.old"
	[ ! -e "$2" ] || mv "$2" "$2.old"
	mv "$1" "$2"
	rm -rf "$2.old"
}

# a sign-file that runs here: the signature is the same for every kernel, but a
# newer Debian's program wants its own C library
sign_file()
{
	local file

	for file in "$@" "$CACHE"/kernels/*/usr/lib/linux-kbuild-*/scripts/sign-file \
		/usr/lib/linux-kbuild-*/scripts/sign-file; do
		[ -x "$file" ] || continue
		"$file" >/dev/null 2>&1
		# its usage
		[ $? != 2 ] || { echo "$file"; return; }
	done
	return 1
}
