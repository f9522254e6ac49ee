#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM: vm_guest.sh PLATFORM DRIVER. cvmctl by every backend, and those
# that this driver does not give. Prints TAP.
platform=$1 driver=$2
n=0 failed=0

result() {	# STATUS NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2: $(cat /tmp/stderr)"
		failed=1
	fi
}

data=$(od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n')

# STATUS NAME ARGUMENTS...: and where it is 0, the evidence carries REPORT_DATA
try() {
	want=$1 name=$2
	shift 2
	rm -f /tmp/e
	cvmctl "$@" --report-data "$data" --out /tmp/e 2>/tmp/stderr
	[ $? = "$want" ]
	result $? "$name: exit status $want"
	[ "$want" = 0 ] || return
	carried=$(od -An -v -tx1 /tmp/e | tr -d ' \n')
	case $carried in *"$data"*) result 0 "$name: REPORT_DATA" ;; *) result 1 "$name: REPORT_DATA" ;; esac
}

yes_if() { [ "$1" = "$2" ] && echo 0 || echo 4; }	# DRIVER WANTED
cvm=$(yes_if "$driver" cvm)
# whichever driver it is
native=0

if [ "$platform" = snp ]; then
	try 0 'the best source' report
	try 0 'its choice of VMPL and key' report --vmpl 3 --key vcek
	for backend in cvm tsm native; do
		case $backend in
		cvm) status=$cvm ;;
		tsm) status=0 ;; # whoever provides for it
		native) status=$native ;;
		esac
		rm -f /tmp/c
		try "$status" "$backend" report --backend $backend --certs /tmp/c
		[ "$status" != 0 ] || { [ -s /tmp/c ]; result $? "$backend: certificates"; }
	done
	try 4 'no quote' quote
else
	try 0 'the best source' quote
	try 0 'its TDREPORT' quote --tdreport
	try "$cvm" cvm quote --backend cvm
	try "$cvm" 'cvm, TDREPORT' quote --backend cvm --tdreport
	try 0 tsm quote --backend tsm
	try 4 'tsm, TDREPORT' quote --backend tsm --tdreport
	try 4 'native, quote' quote --backend native
	try "$native" 'native, TDREPORT' quote --backend native --tdreport
	try 4 'no report' report
	cvmctl key derive --out /tmp/key 2>/tmp/stderr
	[ $? = 4 ] && [ ! -e /tmp/key ] && grep -q 'TDX derives no keys' /tmp/stderr
	result $? 'no derived keys, and why'
fi

# a batch, by the driver's node or gathered by the library, and its clients
od -An -v -tx1 -w64 -N512 /dev/urandom | tr -d ' ' >/tmp/in
cvmctl batch --input /tmp/in --out /tmp/batch 2>/tmp/stderr &&
	[ "$(cd /tmp/batch && echo ?????proof* [rq]*.bin | wc -w)" = 9 ]
result $? 'batch: eight proofs, one report'
for mode in --mode=batch --pipeline --mode=direct; do
	cvmctl bench $mode --clients 4 --seconds 1 --json >/tmp/bench 2>/tmp/stderr &&
		grep -q '"errors": 0,' /tmp/bench
	result $? "bench $mode"
done
if [ "$driver" = cvm ]; then
	cvmctl batch --input /tmp/in --jsonl --label web 2>/tmp/stderr | grep -c user_data | grep -q '^8$'
	result $? 'batch --label'
	# whoever may use this node alone has it, without privileges
	chmod 666 /dev/cvm/batch
	su -s /bin/sh nobody -c 'cvmctl batch --input /tmp/in --jsonl' 2>/tmp/stderr | grep -c user_data | grep -q '^8$'
	result $? 'batch, as nobody'
	chmod 660 /dev/cvm/batch
	su -s /bin/sh nobody -c 'cvmctl batch --input /tmp/in --jsonl' >/tmp/lines 2>/tmp/stderr
	[ $? = 1 ] && [ ! -s /tmp/lines ] && grep -q 'run as root, or have the administrator' /tmp/stderr
	result $? 'batch, as nobody, to whom the node is closed'
fi

[ -z "$(ls /sys/kernel/config/tsm/report 2>/dev/null)" ]
result $? 'no entry is left in configfs-tsm'
cvmctl status --json >/tmp/status 2>/tmp/stderr && grep -q "\"platform\": \"$platform\"" /tmp/status
result $? 'status'

# a live view, of what eight batches and direct requests do meanwhile
if [ "$driver" = cvm ]; then
	cvmctl status --watch --json --interval 0.5 --count 6 >/tmp/watch 2>/tmp/stderr &
	watcher=$!
	cvmctl bench --mode=batch --clients 8 --seconds 2 --json >/tmp/bench 2>/tmp/stderr
	wait $watcher && [ "$(wc -l </tmp/watch)" = 6 ] && ! grep -v '"channel":"[a-z]*"' /tmp/watch
	result $? 'status --watch: a line for each interval'
	grep -v '"leaves_per_batch":0.0' /tmp/watch | grep -v '"completed":0,' | grep -q '"p50_ms":[0-9]'
	result $? 'status --watch: sees requests, batches and their time'
else
	cvmctl status --watch --count 1 2>/tmp/stderr
	[ $? = 4 ] && grep -q 'load cvm_guest' /tmp/stderr
	result $? "status --watch, of the kernel's own driver: exit status 4"
fi

# all in one file
cvmctl evidence --report-data "$data" --format cmw-cbor --out /tmp/cbor 2>/tmp/stderr &&
	cvmctl evidence --from /tmp/cbor --format cmw --out /tmp/cmw 2>/tmp/stderr &&
	cvmctl show --json /tmp/cmw 2>/tmp/stderr | grep -q "$data"
result $? 'evidence, as a CMW in CBOR and JSON'

cvmctl module status >/tmp/status 2>/tmp/stderr
case $driver in
cvm)
	grep -q '^state *live$' /tmp/status
	result $? 'module status: live'
	exec 9</dev/cvm/report
	cvmctl module unload 2>/tmp/stderr
	[ $? = 1 ] && grep -q 'in use' /tmp/stderr
	result $? 'module unload, while it is open: refused'
	exec 9<&-
	cvmctl module unload 2>/tmp/stderr && [ ! -e /dev/cvm/report ]
	result $? 'module unload'
	cvmctl module unload 2>/tmp/stderr
	[ $? = 1 ]
	result $? 'module unload, when it is not loaded'
	cvmctl module load 2>/tmp/stderr && [ -e /dev/cvm/report ]
	result $? 'module load'
	;;
intree)
	cvmctl module load 2>/tmp/stderr
	[ $? = 1 ] && grep -q 'modprobe -r' /tmp/stderr
	result $? "module load, beside the kernel's own driver: refused"
	;;
esac

echo "1..$n"
exit $failed
