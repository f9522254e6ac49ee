# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For the tests of Secure Boot: firmware, and modules that it would take or not.
# Sourced at the top of the tree, after vm/lib.sh.

# prepare SERIES [OPTION of vm/secureboot]: sets signer, the program that signs; makes
# firmware in $dir/uefi, and in $dir/modules cvm_guest.ko as
#   unsigned   built, and no more          signed    with the key that is in db
#   changed    signed, then another word  other     with a key that is nowhere
prepare()
{
	local vars modules=$dir/modules

	signer=$(sign_file '') || return 1
	selftests/vm/secureboot "${@:2}" "$dir/uefi" || return 1
	vars=$(selftests/vm/kernel "$1") && eval "$vars" && selftests/vm/module "$1" guest >&2 || return 1
	mkdir "$modules"
	# shellcheck disable=SC2154 # KVER: one of vars
	objcopy --strip-debug "build/modules/$KVER/cvm_guest.ko" "$modules/unsigned.ko" || return 1
	openssl req -new -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj '/CN=somebody else' \
		-keyout "$dir/other.key" -out "$dir/other.pem" 2>/dev/null || return 1
	sign signed "$dir/uefi/module" && sign other "$dir/other" || return 1
	# in the text of a message: it would load and run
	sed 's/nothing to drive here/nothing to drive HERE/' "$modules/signed.ko" >"$modules/changed.ko"
	! cmp -s "$modules/signed.ko" "$modules/changed.ko"
}

# sign NAME KEY: the unsigned module as NAME.ko
sign()
{
	"$signer" sha256 "$2.key" "$2.pem" "$modules/unsigned.ko" "$modules/$1.ko"
}
