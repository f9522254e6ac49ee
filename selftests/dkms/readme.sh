#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What README.md tells a new user who has no packages, to the letter, on a Debian
# that has nothing but a kernel, and who verifies what comes of it:
#   selftests/dkms/readme.sh 6.1|6.12|7.3
# What compiles is done natively by chroot, all else in the machine; the other side is
# this one, with a server in AMD's place. Prints TAP.
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/dkms/lib.sh
. selftests/dkms/lib.sh
series=$1
state=$CACHE/fw-state

# steps WORDS: the commands below a line of README that begins with those, without what
# it says of them
steps()
{
	sed -n "/^$1/,\$p" README.md | sed -e '1,/^```/d' | sed -e '/^```/,$d' -e 's/   .*//'
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

# what AMD publishes of that report's chip -> $port
serve()
{
	mkdir "$dir/www" &&
		build/bin/cvmctl show --json "$dir/user/report.bin" >"$dir/report.json" &&
		selftests/fetch/routes.py "$dir/www" snp Genoa "$dir/report.json" "$dir/user/certs.bin" \
			"$state/genoa-collateral.json" || return
	exec {server}< <(exec selftests/fetch/server.py "$dir/www")
	# shellcheck disable=SC2064 # of this one
	trap "kill $!; rm -rf '$dir'" EXIT
	read -r -t 60 port <&"$server"
}

# the other side: who has the evidence, and what is told of a good machine
relying_party()
{
	local one

	cp "$dir/user/report.bin" "$dir/user/good.bin"
	for one in "${other[@]}"; do
		case $one in
		'cvmctl certs fetch '*) one+=" --kds-url http://127.0.0.1:$port --cache $dir/cache" ;;
		'cvmctl policy init '*|'cvmctl verify '*) one+=" --trust-root $state/trust-root.pem" ;;
		esac
		(cd "$dir/user" && PATH=$TOP/build/bin:$PATH sh -c "$one") >"$log" 2>&1
		result $? "${one%% --kds-url*}"
	done
}

mapfile -t step < <(steps 'Without packages')
mapfile -t other < <(steps 'And on the machine that relies')
[[ ${step[0]-} == *apt-get\ install* && ${step[-1]-} == 'cvmctl report '* &&
	${other[-1]-} == 'cvmctl verify '* ]]
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
	[[ ! ${step[i]} =~ (cvmctl|modprobe)\  ]] || break
	natively "${step[i]}"
done
has_module "$KVER"
printf '%s\n' "${step[@]:i}" >"$dir/steps"
machine_disk "$dir/machine" "$dir/disk" 2>"$log"
result $? 'a disk'
boot 'in the machine' --platform snp --fw product=genoa --fw report_version=3 \
	--put "$dir/steps:/run/vm/steps" --get "/run/vm/user:$dir/user" -- readme.sh
serve 2>"$log"
result $? 'a server that has what AMD publishes'
relying_party
finish
