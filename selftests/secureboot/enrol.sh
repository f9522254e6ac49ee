#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module that DKMS builds and signs with a machine's own key, under Secure Boot:
# refused, then taken once doctor's command has enrolled that key; what a stored
# MokListRT does, and doctor's command against it; and what of all that is measured,
# by the TPM's PCRs. Three boots of one machine. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/vm/lib.sh
. selftests/vm/lib.sh
# shellcheck source=selftests/secureboot/lib.sh
. selftests/secureboot/lib.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 failed=0

result() {	# STATUS NAME
	((n++))
	if [[ $1 == 0 ]]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		[[ ! -s $dir/log ]] || tail -n 30 "$dir/log" | sed 's/^/# /'
		failed=1
	fi
}

# in a mount namespace where /var/lib/dkms and /etc/dkms are the test's own
dkms_module()
{
	local how='unshare -m' version

	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	[ "$(id -u)" = 0 ] || how='unshare -rm'
	mkdir -p "$dir"/{var,etc,"installed/$KVER","src/cvm-guest-$version"}
	git ls-files -z Kbuild dkms.conf driver | xargs -0 cp --parents -t "$dir/src/cvm-guest-$version"
	# where a machine has the kernel's headers installed it is found
	echo "sign_file=\"$signer\"" >"$dir/etc/framework.conf"
	# shellcheck disable=SC2016,SC2086 # expanded inside; a list of words
	$how sh -ec '
		dir=$1 headers=$2 kver=$3 version=$4
		mount --bind "$dir/var" /var/lib/dkms
		mount --bind "$dir/etc" /etc/dkms
		for verb in build install; do
			dkms $verb -m cvm-guest -v "$version" -k "$kver" --kernelsourcedir "$headers" \
				--sourcetree "$dir/src" --installtree "$dir/installed" --no-depmod
		done' - "$dir" "$(realpath "$HEADERS")" "$KVER" "$version" >"$dir/log" 2>&1
}

# of a real machine, which doctor's commands use
tools=()
for tool in chattr efi-updatevar mount openssl; do tools+=(--put "/usr/bin/$tool:/usr/bin/$tool"); done

# boot STEP: of the same machine
boot()
{
	selftests/vm/run --kernel 6.12 --uefi "$dir/uefi" --tpm --platform snp --driver none \
		--put "$dir/modules:/tmp/modules" --put "$dir/keys:/tmp/keys" \
		"${tools[@]}" \
		--put selftests/secureboot/enrol_guest.sh:/tmp/guest.sh \
		--get "/tmp/pcrs:$dir/pcrs.$1" --get "/tmp/event-log:$dir/event-log.$1" -- sh /tmp/guest.sh "$1" >"$dir/results" 2>"$dir/log"
	local rc=$? line

	while read -r line; do
		case $line in
		'ok '*) result 0 "boot $1: ${line#ok * }" ;;
		'not ok '*) result 1 "boot $1: ${line#not ok * }" ;;
		'#'*) echo "$line" ;;
		esac
	done <"$dir/results"
	result "$([[ $rc == 0 ]] && grep -q '^1\.\.' "$dir/results"; echo $?)" "boot $1 ran to its end"
}

# leads STEP: the log that firmware and boot left does, to each PCR that it has events of
leads()
{
	local shown=$dir/shown.$1

	build/bin/cvmctl show --json "$dir/event-log.$1" >"$shown"
	jq -r '.pcrs | to_entries[] | "\(.key) \(.value)"' "$shown" >"$dir/led"
	tr A-F a-f <"$dir/pcrs.$1" | grep -Fxf "$dir/led" >"$dir/same"
	[[ $(wc -l <"$dir/led") -ge 9 ]] && cmp -s "$dir/led" "$dir/same"
	result $? "boot $1: the event log leads to PCRs $(cut -d' ' -f1 "$dir/led" | paste -sd' ')"
	[[ $(jq -c '[.events[].variable.name // empty]' "$shown") == '["SecureBoot","PK","KEK","db","dbx"]' &&
		$(jq -r '.events[].variable | select(.name == "db").sha256' "$shown") == "$(tail -n 1 "$dir/pcrs.$1" | cut -d' ' -f2)" ]]
	result $? "boot $1: with db as UEFI has it"
}

# changed FROM TO PCR...: just these, of those that the firmware and the boot extend
changed()
{
	local what

	what=$(diff "$dir/pcrs.$1" "$dir/pcrs.$2" | sed -n 's/^> \([0-9][0-9]*\) .*/\1/p' | grep -vx 10 | paste -sd' ')
	[[ $what == "${*:3}" ]]
	result $? "boot $1 and $2 differ in PCRs ${*:3} ($what)"
}

prepare 6.12 || { echo 'Bail out! firmware and modules could not be made'; exit 1; }
dkms_module
result $? 'DKMS builds and installs it'
ko=$(find "$dir/installed/$KVER/updates/dkms" -name 'cvm_guest.ko*')
[[ $(modinfo -F signer "$ko") == "$(openssl x509 -in "$dir/var/mok.pub" -noout -subject -nameopt multiline | sed -n 's/^ *commonName *= //p')" ]]
result $? 'signed by the key of the machine'
[[ $(modinfo -F sig_key "$ko" | tr -d :) == "$(openssl x509 -in "$dir/var/mok.pub" -noout -serial | cut -d= -f2)" ]]
result $? 'by that one, not another of the same name'

# as it is where the kernel's own modules are compressed
case $ko in
*.xz)	cp "$ko" "$dir/modules/dkms.ko.xz" ;;
*)	xz --check=crc32 -c "$ko" >"$dir/modules/dkms.ko.xz" ;;
esac
mkdir "$dir/keys"
cp "$dir/var/mok.pub" "$dir/uefi/KEK.key" "$dir/keys/"
cert-to-efi-sig-list "$dir/other.pem" "$dir/keys/other.esl"
boot 1
boot 2
boot 3
for step in 1 2 3; do leads $step; done
# the image that is booted has the step's number in it, so it is another each time
changed 1 2 4 7 9 11
changed 2 3 4 9 11
[[ $(grep -E '^(8|12|14) ' "$dir/pcrs.3" | tr -d ' 0\n') == 81214 ]]
result $? 'without shim and GRUB nothing is measured into PCRs 8, 12 and 14'
echo "1..$n"
exit $failed
