#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl rtmr on the simulated platforms: what is read and extended, and command
# lines that are wrong. With drivers: selftests/abi/rtmr.sh. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

tdx=$dir/tdx snp=$dir/snp
simulate "$tdx" platform=tdx
simulate "$snp" platform=snp
digest=$(openssl rand -hex 48)

rtmr() { try "$1" "$2" "$3" rtmr "${@:4}" --backend "sim:$tdx"; }
all() { "$cvmctl" rtmr read --backend "sim:$tdx"; }

rtmr 0 '' 'read' read
result "$([[ $(grep -cE '^[0-3] [0-9a-f]{96}$' "$dir/stdout") == 4 ]]; echo $?)" 'four registers' "$(cat "$dir/stdout")"
cp "$dir/stdout" "$dir/text"
rtmr 0 '' 'read --json' read --json
result "$([[ $(jq -r '.rtmr[]' "$dir/stdout") == "$(cut -d' ' -f2 "$dir/text")" ]]; echo $?)" 'the same'
old=$(sed -n 's/^3 //p' "$dir/text")
new=$(printf '%s%s' "$old" "$digest" | xxd -r -p | openssl dgst -sha384 -r | cut -d' ' -f1)
rtmr 0 '' 'extend' extend 3 "$digest"
result "$([[ $(all) == "$(sed "s/^3 .*/3 $new/" "$dir/text")" ]]; echo $?)" 'that register alone, by SHA-384'
head -c 5000 /dev/urandom >"$dir/data"
old=$new
new=$(printf '%s%s' "$old" "$(openssl dgst -sha384 -r "$dir/data" | cut -d' ' -f1)" | xxd -r -p |
	openssl dgst -sha384 -r | cut -d' ' -f1)
rtmr 0 '' 'extend --data' extend 3 --data "$dir/data"
result "$([[ $(all | sed -n 's/^3 //p') == "$new" ]]; echo $?)" 'the digest of the file'

all >"$dir/text"
rtmr 2 'neither read nor extend' 'no such action' write 3 "$digest"
rtmr 2 'no register' 'read takes no register' read 3
rtmr 2 'no register' 'nor data' read --data "$dir/data"
rtmr 2 'a register, 0 to 3' 'a register is missing' extend
rtmr 2 'a register, 0 to 3' 'register 4' extend 4 "$digest"
rtmr 2 'a register, 0 to 3' 'register 03' extend 03 "$digest"
rtmr 2 'a DIGEST or --data' 'a digest is missing' extend 3
rtmr 2 'one of them' 'two digests' extend 3 "$digest" --data "$dir/data"
rtmr 2 'no SHA-384 digest' 'a digest that is short' extend 3 "${digest:2}"
rtmr 2 'no SHA-384 digest' 'one that is long' extend 3 "${digest}00"
rtmr 2 'no SHA-384 digest' 'one that is not hexadecimal' extend 3 "${digest:1}x"
rtmr 2 'no --json' 'extend prints nothing' extend 3 "$digest" --json
rtmr 1 'nothing' 'no such file' extend 3 --data "$dir/nothing"
result "$([[ $(all) == "$(cat "$dir/text")" ]]; echo $?)" 'none of them changed a register'
try 4 'no TDX quotes' 'SNP: nothing to read' rtmr read --backend "sim:$snp"
try 4 'no RTMRs' 'SNP: nothing to extend' rtmr extend 3 "$digest" --backend "sim:$snp"
finish
