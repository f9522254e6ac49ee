# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Bytes, and what a proof must be about, by the specification's words ("Batch v1", section 1).

hex() { od -An -v -tx1 | tr -d ' \n'; }
bytes() { printf %b "$(printf %s "$1" | sed 's/../\\x&/g')"; }	# of hexadecimal digits

# HEX: the part after its length in four bytes, the lowest first
part() {
	bytes "$(printf '%08x' $((${#1} / 2)) | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/')$1"
}

# HEX...: user data of these parts, in hexadecimal
user_data() {
	local one
	{
		printf 'CVMGUD1\0'
		for one; do part "$one"; done
	} | openssl dgst -sha512 -r | cut -d' ' -f1
}
