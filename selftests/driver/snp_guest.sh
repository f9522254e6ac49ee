#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: one part of what the SNP platform does when the host misbehaves.
#   snp_guest.sh smoke|live|storm|dead1|dead2|overflow|handover|patience
# Each part is one boot, with our module loaded. Prints TAP.
SIM=/sys/kernel/cvm_platform_sim
DEV=/sys/class/misc/cvm_report
CLIENT=${CLIENT:-/snp_client}
FOR_EVER=4000000000
n=0

ok()	# NAME CONDITION...
{
	local name=$1

	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		echo "# $*"
		cat "$DEV"/channel/state $DEV/stats/* 2>/dev/null | sed 's/^/# /'
		grep . $SIM/status | sed 's/^/# /'
	fi
}

fw()
{
	local line

	for line; do
		echo "$line" >$SIM/control || echo "# cvm-fwd refused $line"
	done
}

# one of cvm-fwd's counters
seen()
{
	sed -n "s/^$1=//p" $SIM/status
}

counter()
{
	cat $DEV/stats/"$1"
}

state_is()
{
	[ "$(cat $DEV/channel/state)" = "$1" ]
}

# field NAME LINE: the number after NAME=
field()
{
	local word

	for word in $2; do
		[ "${word%%=*}" = "$1" ] && echo "${word#*=}"
	done
}

ask()
{
	$CLIENT report "$@"
}

# is LINE a report that carries what was asked?
good()
{
	[ "$(field result "$1")" = 0 ] && [ "$(field own "$1")" = 1 ]
}

works()
{
	good "$(ask "$@")"
}

gives()	# RESULT [option...]
{
	local want=$1 line

	shift
	line=$(ask "$@")
	[ "$(field result "$line")" = "$want" ] && return 0
	echo "# $line"
	return 1
}

between()
{
	[ "$2" -ge "$1" ] && [ "$2" -le "$3" ] && return 0
	echo "# $2 is not in $1 to $3"
	return 1
}

# await TENTHS COMMAND...
await()
{
	local left=$1

	shift
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		usleep 100000
	done
}

now_ms()
{
	local up

	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}0"
}


no_trouble()
{
	[ "$(seen iv_reuse)" = 0 ] && [ "$(cat $SIM/violations)" = 0 ]
}

# ---- the channel lives ----

certificates()
{
	local line asked

	fw certs=1 generic_n=1
	line=$(ask -c)
	ok 'extended and refused by the VMM: a report, no certificates' good "$line"
	ok 'no certificates are no bytes' [ "$(field certs "$line")" = 0 ]
	for pages in 0 33 4294967295; do
		fw invalid_len=$pages
		ok "INVALID_LEN that names $pages pages: a report all the same" works -c -t 3000
	done

	fw certs_pages=9 reported_tcb=0
	fw invalid_len_n=0
	line=$(ask -c)
	ok 'certificates of more pages than were offered' good "$line"
	ok 'all of them' between 4097 "$(field certs "$line")" 36864
	asked=$(seen extended_requests)
	line=$(ask -c)
	ok 'the same again' good "$line"
	ok 'are not asked for again' [ "$(seen extended_requests)" = "$asked" ]
	ok 'and are handed out' between 4097 "$(field certs "$line")" 36864

	fw reported_tcb=0100000000000001
	ok 'after a TCB update' works -c
	ok 'they are asked for again' [ "$(seen extended_requests)" -gt "$asked" ]

	fw certs=0 reported_tcb=0100000000000002
	line=$(ask -c)
	ok 'a host without certificates: a report' good "$line"
	ok 'and none left over' [ "$(field certs "$line")" = 0 ]
	fw certs=1
}

# the report is there, the certificates would be let through in 20 s
report_first()
{
	local line

	fw certs=1 certs_pages=2 reported_tcb=0100000000000003
	ok 'certificates are known' works -c
	fw reported_tcb=0100000000000004 rate=1/20s
	line=$(ask -c -t 15000)
	ok 'others are needed, and throttled: a report' good "$line"
	ok 'which waits for no certificates' between 0 "$(field ms "$line")" 3000
	ok 'and has none that do not fit' [ "$(field certs "$line")" = 0 ]
	fw rate=0
	line=$(ask -c -t 15000)
	ok 'throttled no more: a report' good "$line"
	ok 'with certificates' between 4097 "$(field certs "$line")" 8192
	ok 'and the channel is ready' state_is ready
}

choices()
{
	ok 'VMPL 3' works -v 3
	ok 'VMPL 4 is refused' gives -22 -v 4
	ok 'an unknown key is refused' [ "$(field errno "$(ask -k 3)")" = 22 ]
	ok 'the VCEK' works -k 1
}

busy()
{
	local line before retries

	before=$(counter throttled)
	retries=$(seen iv_repeats)
	fw busy_ms=500
	line=$(ask -t 8000)
	ok 'BUSY for 500 ms: a report' good "$line"
	ok 'soon after, not 2 s later' between 400 "$(field ms "$line")" 1950
	ok 'asked a few times' between 1 $(($(counter throttled) - before)) 25
	ok 'with the same ciphertext' [ "$(seen iv_repeats)" -gt "$retries" ]
	ok 'and is ready' state_is ready
}

# where a driver that comes after us would go on, less what the firmware has
# counted: the secrets page is where the runner reserved memory for it
ahead_by()
{
	local counter

	counter=$(dd if=/dev/mem bs=4 skip=$((0x1f0000a0 / 4)) count=1 2>/dev/null | od -An -tu4)
	[ $((counter - $(seen msg_count_0))) = "$1" ]
}

busy_for_ever()
{
	local start

	fw busy_n=$FOR_EVER
	ok 'BUSY for ever: a caller leaves at its deadline' gives -110 -t 300
	ok 'the message is parked' state_is parked
	ok 'the counter has been written ahead of it' ahead_by 2
	start=$(now_ms)
	ok 'another, too, behind it' gives -110 -t 300
	ok 'not later' between 250 $(($(now_ms) - start)) 1950
	ask -t 60000 >/tmp/killed &
	usleep 200000
	start=$(now_ms)
	kill -9 $!
	wait $! 2>/dev/null
	ok 'a caller that is killed is gone' between 0 $(($(now_ms) - start)) 1950
	fw busy_n=0
	ok 'the host recovers, and so does the channel' await 30 state_is ready
	ok 'the firmware has caught up' ahead_by 0
	ok 'reports again' works
}

refusals()
{
	local line

	fw generic_n=3
	ok 'GENERIC three times: a report' works
	fw report_status=39
	line=$(ask)
	ok 'the firmware refuses: EIO' [ "$(field result "$line")" = -5 ]
	ok 'and says why' [ "$(field status "$line")" = 0x27 ]
	ok 'the next is answered' works
	fw fw_error=22
	ok 'a firmware error, once: a report' works
	fw es_result=2
	ok 'a failure of the exit, once: a report' works
	fw bad_report_data_n=1
	ok "a report for somebody else: EBADMSG" gives -74
	ok 'the next is our own' works
}

many()
{
	local i wrong=0

	for i in 1 2 3 4 5 6 7 8; do
		ask -n 32 -t 30000 >/tmp/many.$i &
	done
	wait
	for i in 1 2 3 4 5 6 7 8; do
		[ "$(grep -c 'result=0 .* own=1' /tmp/many.$i)" = 32 ] || wrong=1
	done
	ok '256 reports from 8 callers, each its own' [ $wrong = 0 ]
}

# pages whose state could not be changed are lost, never given back
leaks()
{
	rmmod cvm_guest
	fw fail_decrypt_n=1
	ok 'a page that cannot be shared: the module does not load' refused_load
	fw fail_decrypt_n=0
	ok 'the next time it does' modprobe cvm_guest
	ok 'and works' works
	fw fail_encrypt_n=1
	ok 'a page that cannot be taken back' rmmod cvm_guest
	fw fail_encrypt_n=0
	modprobe cvm_guest
	ok 'is not missed' works
}

refused_load()
{
	! modprobe "${1:-cvm_guest}" ${2:+"$2"} 2>/dev/null
}

live()
{
	certificates
	report_first
	choices
	busy
	busy_for_ever
	refusals
	many
	# the request pages of the kernel's own layer are not ours to lose
	[ "$(cat $DEV/channel/layer)" = own ] && leaks
	ok 'no rule was broken' no_trouble
}

# ---- the channel dies ----

dies()	# VMPCK FAULT...
{
	local vmpck=$1 what

	shift
	what="$*"
	rmmod cvm_guest
	modprobe cvm_guest vmpck="$vmpck"
	ok "VMPCK$vmpck: a report" works -v 3
	fw "$@"
	ok "$what: ENOKEY" gives -126 -v 3 -t 8000
	ok "$what: the channel is dead" state_is dead
	ok "$what: everybody is told so, at once" gives -126 -v 3 -t 8000
	rmmod cvm_guest
	ok "$what: the key is gone for whoever comes next" refused_load cvm_guest vmpck="$vmpck"
	# what is loaded when the next one begins
	modprobe cvm_guest vmpck=$(((vmpck + 1) % 4)) 2>/dev/null
}

dead1()
{
	dies 0 bad_tag_n=1
	dies 1 bad_seq_n=1
	dies 2 bad_type_n=1
	dies 3 bad_version_n=1
	ok 'no rule was broken' no_trouble
}

dead2()
{
	dies 0 bad_size=65535 bad_size_n=1
	dies 1 replay_n=1
	dies 2 lost_n=1
	dies 3 es_result=2 es_result_n=8
	ok 'no rule was broken' no_trouble
}

# the page keeps 32 bits of the counter; the runner starts it 4 messages short
overflow()
{
	for i in 1 2 3 4; do
		ok "report $i of the last 4" works
	done
	ok 'the counter is used up: ENOKEY' gives -126
	ok 'and the channel dead' state_is dead
	ok 'the firmware never saw it wrap' [ "$(seen msg_count_0)" = 4294967294 ]
	ok 'no rule was broken' no_trouble
}

# ---- one driver after the other ----

intree_works()
{
	[ "$($CLIENT intree)" = own=1 ]
}

# a message that is answered while we leave; then each driver goes on from
# where the other stopped
answered_in_time()
{
	fw busy_ms=2000
	ok 'a caller leaves' gives -110 -t 200
	ok 'a message is parked' state_is parked
	ok 'the module leaves' rmmod cvm_guest
	ok 'the in-tree driver takes over' modprobe sev-guest
	ok 'and is answered' intree_works
	ok 'ours does not load beside it' refused_load
	rmmod sev-guest
	modprobe cvm_guest
	ok 'ours goes on from there' works
}

# a message that is never answered
leaves_in_time()	# FAULT
{
	local start spent

	start=$(now_ms)
	ok 'the module leaves all the same' rmmod cvm_guest
	spent=$(($(now_ms) - start))
	ok 'within bounded time' between 4000 $spent 8000
	fw "$1=0"
}

# the longer the host fails it, the later it is tried again
failing_for_long()
{
	ok 'with another key' modprobe cvm_guest vmpck=2
	fw generic_n=$FOR_EVER
	ok 'another caller leaves' gives -110 -t 20000
	leaves_in_time generic_n
	ok 'the other key is gone' refused_load cvm_guest vmpck=2
}

given_up()
{
	fw busy_n=$FOR_EVER
	ok 'another caller leaves' gives -110 -t 200
	leaves_in_time busy_n
	ok 'the key is gone' refused_load
	ok 'dmesg says so' sh -c 'dmesg | grep -q "cvm_guest: .*left a message unanswered.*key was wiped"'
}

handover()
{
	if modprobe -n -q sev-guest; then
		answered_in_time
	fi
	given_up
	if modprobe -n -q sev-guest; then
		ok 'nor does the in-tree driver get it' refused_load sev-guest
		ok 'which works with another' modprobe sev-guest vmpck_id=1
		ok 'and is answered' intree_works
		rmmod sev-guest
	fi
	failing_for_long
	ok 'no rule was broken' no_trouble
}

# what an honest host sees of us, in short
smoke()
{
	ok 'a report' works
	fw busy_n=2
	ok 'a report, throttled' works
	ok 'a report with certificates' works -c
	ok 'no rule was broken' no_trouble
}

# 32 callers, 5,120 requests of every kind
round()
{
	local i

	for i in 0 1 2 3 4 5 6 7; do
		ask -n 20 -t 100000 >/tmp/storm.$i.a &
		ask -n 20 -t 100000 -c >/tmp/storm.$i.b &
		ask -n 20 -t 100000 -v 3 >/tmp/storm.$i.c &
		ask -n 20 -t 100000 -k 1 -v 1 >/tmp/storm.$i.d &
	done
	wait
	cat /tmp/storm.* | grep -c 'result=0 .* own=1'
}

available_kb()
{
	sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

storm()
{
	local total before

	fw busy_n=3
	total=$(round)
	before=$(available_kb)
	for _ in 2 3 4 5 6 7 8; do
		total=$((total + $(round)))
	done
	ok '5,120 requests of 32 callers: each has its own report' [ "$total" = 5120 ]
	# less than the evidence of these requests would take
	ok 'memory use is flat' [ $((before - $(available_kb))) -le 4096 ]
	ok 'no rule was broken' no_trouble
}

# the host throttles for longer than any driver of the kernel's own waits
patience()
{
	fw busy_ms=90000
	ok 'callers give up after 5 s' gives -110 -t 5000
	ok 'the message is parked' state_is parked
	ok 'for 90 s' await 1000 state_is ready
	ok 'the key lives' works
	ok 'no rule was broken' no_trouble
}

"$1"
echo "1..$n"
