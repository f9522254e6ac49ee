# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian systems as directories, made of packages and cached by what they are
# made of. Sourced after lib.sh and fetch.sh.

# made_root RELEASE PATH PACKAGE...
made_root()
{
	local release=$1 path=$2 mode=unshare

	shift 2
	[ ! -s "$path/.complete" ] || return 0
	rm -rf "$path.new"
	mkdir -p "$path.new"
	apt_init "$release" || return 1
	echo "  ROOT     $release: $*" >&2
	[ "$(id -u)" != 0 ] || mode=root
	# a tar stream without device nodes: unpacking it needs no root
	mmdebstrap --quiet --mode=$mode --variant=minbase --architectures=amd64 \
		--include="$(IFS=,; echo "$*")" --format=tar "$release" - \
		"$CACHE/apt/$release/etc/sources.list" |
		tar -x --no-same-owner --exclude='./dev/*' -C "$path.new"
	[ "${PIPESTATUS[*]}" = '0 0' ] ||
		fetch_trouble "mmdebstrap failed (see above)" || return 1
	rm -rf "$path.new"/var/cache/apt/* "$path.new"/var/lib/apt/lists/*
	echo "$release" "$@" >"$path.new/.complete"
	publish "$path.new" "$path"
}

# cached_root RELEASE PACKAGE...: sets root
cached_root()
{
	local key

	key=$(sha256sum <<<"$*" | cut -c1-16)
	root=$CACHE/roots/$1-$key
	with_lock "root-$key" made_root "$1" "$root" "${@:2}"
}

# in_root ROOT DIR COMMAND...: with DIR at /build; the mounts are in a namespace
# of their own and end with the command
in_root()
{
	local how='unshare -m' root=$1 dir=$2

	shift 2
	[ "$(id -u)" = 0 ] || how='unshare -rm'
	mkdir -p "$root/build"
	# shellcheck disable=SC2016,SC2086 # expanded inside; a list of words
	$how sh -c '
		root=$1 dir=$2; shift 2
		mount --rbind /dev "$root/dev" && mount --rbind /proc "$root/proc" &&
		mount --bind "$dir" "$root/build" &&
		exec chroot "$root" "$@"' - "$root" "$dir" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"
}
