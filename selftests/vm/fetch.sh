# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian packages without root: an apt of our own under build/cache/apt, whose
# lists and downloads never touch the machine's. Sourced, never run.

fetch_trouble()
{
	echo "selftests/vm: $*" >&2
	return 1
}

# the mirror of the suites RE that the machine's own apt uses
configured_mirror()
{
	# shellcheck disable=SC2016 # apt's fields, not the shell's
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null |
		awk -v re="$1" '$1 ~ re { print $2; exit }'
}

# sets main_mirror and security_mirror
find_mirrors()
{
	local names='bookworm|trixie|forky|sid|stable|oldstable|testing'

	main_mirror=${CVM_MIRROR:-$(configured_mirror "^($names)\$")}
	[ -n "$main_mirror" ] ||
		fetch_trouble 'apt has no Debian mirror: set CVM_MIRROR to the URL of one' ||
		return 1
	main_mirror=${main_mirror%/}
	security_mirror=$(configured_mirror '-security$')
	if [ -n "${CVM_MIRROR:-}" ] || [ -z "$security_mirror" ]; then
		security_mirror=$main_mirror-security
	fi
	security_mirror=${security_mirror%/}
}

# source_lines RELEASE: what sources.list holds for it
source_lines()
{
	local key=/usr/share/keyrings/debian-archive-keyring.gpg

	find_mirrors || return 1
	echo "deb [signed-by=$key] $main_mirror $1 main"
	case $1 in
	bookworm)
		echo "deb [signed-by=$key] $security_mirror $1-security main" ;;
	trixie)
		echo "deb [signed-by=$key] $main_mirror $1-backports main" ;;
	esac
}

# put FILE: what comes, all at once, and only where it is something else: others who run at
# the same time read the file meanwhile
put()
{
	cat >"$1.$$" || return 1
	if cmp -s "$1.$$" "$1"; then rm "$1.$$"; else mv "$1.$$" "$1"; fi
}

default_release()
{
	[ "$1" = bookworm ] || echo "APT::Default-Release \"${1/%trixie/trixie-backports}\";"
}

# apt_init RELEASE: makes the private apt, sets apt_conf
apt_init()
{
	local dir=$CACHE/apt/$1 sources

	apt_conf=$dir/apt.conf
	mkdir -p "$dir"/{etc,state/lists/partial,cache/archives/partial,debs}
	find_mirrors || return 1
	sources=$(source_lines "$1") || return 1
	put "$dir/etc/sources.list" <<<"$sources" || return 1
	put "$dir/state/status" </dev/null || return 1
	# lists of hooks from the machine's apt.conf.d are cleared: they touch
	# its caches, which we neither own nor use
	put "$apt_conf" <<-END
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Post-Invoke;
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
$(default_release "$1")
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Dir::Etc::SourceList "$dir/etc/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State "$dir/state";
		Dir::State::status "$dir/state/status";
		Dir::Cache "$dir/cache";
	END
}

fresh_lists()
{
	local stamp=$CACHE/apt/$1/updated

	apt_init "$1" || return 1
	if [ -n "$(find "$stamp" -mmin -10 2>/dev/null)" ] &&
		cmp -s "$stamp" "${apt_conf%/*}/etc/sources.list"; then
		return 0
	fi
	apt-get -c "$apt_conf" -qq --error-on=any update >&2 ||
		fetch_trouble "cannot read the package lists of $1 from $main_mirror (see above)" ||
		return 1
	cp "${apt_conf%/*}/etc/sources.list" "$stamp"
}

# apt_update RELEASE: fresh lists, at most once in ten minutes; sets apt_conf
apt_update()
{
	with_lock "lists-$1" fresh_lists "$1"
}

# candidate PACKAGE: "VERSION DEPENDS", of the newest
candidate()
{
	apt-cache -c "$apt_conf" --no-all-versions show "$1" 2>/dev/null |
		awk '/^Version: / && !v { v = $2 } /^Depends: / && !d { d = $0 }
		     END { sub(/^Depends: /, "", d); if (v) print v, d }'
}

# closure RE PACKAGE...: those and what they depend on, as far as RE matches,
# a line "name version" each; of alternatives the first
closure()
{
	local re=$1 todo name line dep
	declare -A seen=()

	shift
	todo=("$@")
	while [ ${#todo[@]} -gt 0 ]; do
		name=${todo[0]}
		todo=("${todo[@]:1}")
		[ -z "${seen[$name]:-}" ] || continue
		line=$(candidate "$name")
		[ -n "$line" ] || fetch_trouble "no package $name" || return 1
		seen[$name]=${line%% *}
		echo "$name ${line%% *}"
		while read -r dep; do
			[[ ! $dep =~ $re ]] || todo+=("$dep")
		done < <(tr ',' '\n' <<<"${line#* }" | awk '{ print $1 }')
	done
}

# download DIR: the packages on stdin ("name version") into DIR, their sums
# into DIR.sums
download()
{
	local list

	mkdir -p "$1"
	list=$(tr ' ' '=')
	# shellcheck disable=SC2086 # a list of words
	(cd "$1" && apt-get -c "$apt_conf" -qq download $list) >&2 ||
		fetch_trouble "cannot download: ${list//$'\n'/ }" || return 1
	(cd "$1" && sha256sum -- *.deb) >"$1.sums"
}
