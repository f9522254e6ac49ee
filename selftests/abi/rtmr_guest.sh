#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the VM: rtmr_guest.sh KERNEL DRIVER. Prints TAP.
kernel=$1 driver=$2
files=/sys/class/misc/tdx_guest/measurements
n=0 failed=0

result() {	# STATUS NAME
	((n++))
	if [[ $1 == 0 ]]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		sed 's/^/# /' /tmp/err
		failed=1
	fi
}

register() { cvmctl rtmr read 2>/tmp/err | sed -n "s/^$1 //p"; }
# VALUE DIGEST: the value that comes next
next() { printf '%s%s' "$1" "$2" | xxd -r -p | openssl dgst -sha384 -r | cut -d' ' -f1; }
random() { od -An -v -tx1 -N48 /dev/urandom | tr -d ' \n'; }

cvmctl rtmr read >/tmp/text 2>/tmp/err
[[ $? == 0 && $(grep -cE '^[0-3] [0-9a-f]{96}$' /tmp/text) == 4 && $(wc -l </tmp/text) == 4 ]]
result $? 'read: four registers'
cvmctl rtmr read --json >/tmp/json 2>/tmp/err
[[ $(grep -oE '[0-9a-f]{96}' /tmp/json) == "$(cut -d' ' -f2 /tmp/text)" ]]
result $? 'read --json: the same'
cvmctl quote --report-data "$(random)$(printf %032d 0)" --out /tmp/quote 2>/tmp/err &&
	cvmctl show /tmp/quote --json >/tmp/shown 2>>/tmp/err
[[ $(cut -d' ' -f2 /tmp/text) == "$(tr -d '\n ' </tmp/shown | grep -oE '"rtmr":\[[^]]*' | grep -oE '[0-9a-f]{96}')" ]]
result $? 'so has the quote'

if [[ $kernel == 6.12 ]]; then
	cvmctl rtmr extend 3 "$(random)" 2>/tmp/err
	[[ $? == 4 && $(register 3) == "$(sed -n 's/^3 //p' /tmp/text)" ]]
	result $? 'extend: this kernel cannot, exit status 4'
	echo "1..$n"
	exit $failed
fi

backends=(native)
[[ $driver == intree ]] || backends+=(cvm)
for backend in '' "${backends[@]}"; do
	for i in 0 3; do
		digest=$(random) before=$(register $i)
		cvmctl rtmr extend $i "$digest" ${backend:+--backend $backend} 2>/tmp/err
		[[ $? == 0 && $(register $i) == "$(next "$before" "$digest")" ]]
		result $? "extend $i ${backend:-by the best}: SHA-384 of value and digest"
	done
done
before=$(register 2)
echo 'what is measured' >/tmp/data
cvmctl rtmr extend 2 --data /tmp/data 2>/tmp/err
[[ $? == 0 && $(register 2) == "$(next "$before" "$(openssl dgst -sha384 -r /tmp/data | cut -d' ' -f1)")" ]]
result $? 'extend --data: the digest of the file'
[[ $(od -An -v -tx1 $files/rtmr2:sha384 | tr -d ' \n') == "$(register 2)" ]]
result $? 'the file has it'
digest=$(random) before=$(register 1)
xxd -r -p <<<"$digest" >$files/rtmr1:sha384 2>/tmp/err
[[ $? == 0 && $(register 1) == "$(next "$before" "$digest")" ]]
result $? 'and extends one, as clients do'

# STATUS WORDS...
refused() {
	local status=$1 before after

	shift
	before=$(cvmctl rtmr read)
	cvmctl rtmr "$@" 2>/tmp/err
	[[ $? == "$status" && -s /tmp/err ]] && after=$(cvmctl rtmr read) && [[ $before == "$after" ]]
	result $? "exit status $status: rtmr $*"
}
refused 2 extend
refused 2 extend 4 "$digest"
refused 2 extend 3
refused 2 extend 3 "${digest:2}"
refused 2 extend 3 "${digest}00"
refused 2 extend 3 "$digest" --data /tmp/data
refused 2 extend 3 --json "$digest"
refused 1 extend 3 --data /tmp/nothing
refused 2 read 3
refused 2 rewind
refused 4 extend 3 "$digest" --backend tsm

if [[ $driver == cvm ]]; then
	# may be asked, may not change anything
	chmod 644 /dev/cvm/report
	as_nobody() { su -s /bin/sh nobody -c "$*" >/tmp/out 2>/tmp/err; }
	as_nobody cvmctl rtmr read && [[ $(wc -l </tmp/out) == 4 ]]
	result $? 'who may only read the node reads'
	before=$(register 3)
	as_nobody cvmctl rtmr extend 3 "$digest"
	[[ $? == 1 ]] && grep -q 'not open for writing' /tmp/err && [[ $(register 3) == "$before" ]]
	result $? 'and does not extend'
	chmod 600 /dev/cvm/report
fi
echo "1..$n"
exit $failed
