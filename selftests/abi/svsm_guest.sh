#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM, at VMPL 1 under an SVSM: what our driver makes of an SVSM that is wrong, and
# that it shares its queue. Prints TAP.
# shellcheck source=selftests/abi/svsm_lib.sh
. /t/svsm_lib.sh

now_ms() { awk '{ print int($1 * 1000) }' /proc/uptime; }
took_ms() { echo $(($(now_ms) - start)); }
between() { [ "$2" -ge "$1" ] && [ "$2" -le "$3" ] && return 0; echo "# $2 is not in $1 to $3"; return 1; }

# ---- what is wrong with an answer

modprobe cvm_guest
entry a
ok 'evidence of the SVSM' good
{ printf CVMGBAT; head -c 57 /dev/urandom; } >/tmp/tagged
ok 'the reserved tag is refused' refused_with a /tmp/tagged 'Invalid argument'
ok 'for the SVSM' /t/svsm_client save /t/nonce /tmp/report /tmp/manifest /tmp/certs

for lie in rcx=4097 rcx=70000 rcx=4294967295 rdx=16385 rdx=4294967295 r8=1183 r8=1185 r8=4097 \
		r8=4294967295 r8=0; do
	fw "svsm_liar=${lie%=*}" "svsm_lie=${lie#*=}" svsm_lie_n=1
	ok "a length that is not: $lie" bad
done
fw svsm_liar=rcx svsm_lie=20 svsm_lie_n=1
ok 'a part of the manifest' bad
fw svsm_lie=0 svsm_lie_n=1
ok 'none of it' bad
fw svsm_swap_n=1
ok 'another manifest' bad
fw bad_report_data_n=1
ok 'a report about something else' bad
fw svsm_own_level_n=1
ok 'a report that we could have had ourselves' bad
fw svsm_liar=rdx svsm_lie=18446744073709551615 svsm_lie_n=1
ok 'no word of certificates' good
ok 'is no certificates' empty $REPORTS/a/auxblob
ok 'and others have them' good
ok 'as they are' fails empty $REPORTS/a/auxblob
ok 'each of them is counted' file_is 15 /sys/class/misc/cvm_report/stats/rejected

# wishes: too many, without end, and one after the other
for wish in rcx=262145 rcx=4294967295 rdx=131073 rdx=4294967295 r8=8192; do
	fw "svsm_liar=${wish%=*}" "svsm_lie=${wish#*=}" svsm_lie_n=1 svsm_error=0x80000005
	ok "more room than there is: $wish" invalid
done
calls=$(status svsm_calls)
fw svsm_liar=rcx svsm_lie=4097 svsm_lie_step=4096 svsm_lie_n=99 svsm_error=0x80000005 svsm_error_n=99
ok 'more each time' invalid
ok 'has an end' [ $(($(status svsm_calls) - calls)) = 4 ]
fw svsm_lie_step=0 svsm_lie=262144 svsm_lie_n=1 svsm_error_n=1
ok 'as much as there is' good
fw svsm_lie_n=0 svsm_error_n=0
ok 'and all is well again' good

# the host: a throttled one, and one that does not run the SVSM
fw busy_ms=300
start=$(now_ms)
ok 'a throttled host' good
ok 'as soon as it may' between 200 "$(took_ms)" 5000
fw svsm_pending_n=2
ok 'a host that does not run it' invalid
ok 'twice' invalid
ok 'and then does' good

# the SVSM has a channel of its own: ours may be dead
mkdir $REPORTS/own
echo 1 >$REPORTS/own/privlevel
fw bad_tag_n=1
ok 'our key is gone' refused_with own /tmp/data 'nappropriate ioctl'
ok 'the SVSM has its own' good
rmdir $REPORTS/own $REPORTS/a
rmmod cvm_guest
ok 'pages that it may still write are kept' said 'the SVSM may still write to 1 pages'
# nor is there a VMPCK1 any more
ok 'the key is gone for good' fails modprobe cvm_guest
modprobe cvm_guest vmpck=2

# ---- one quota: the SVSM's reports are of those that the host lets through

# how often it is called for 6 reports is in $calls
six()
{
	calls=$(status svsm_calls)
	ok "6 reports of the SVSM, $1" [ "$(for _ in 1 2 3 4 5 6; do good && echo good; done | grep -c good)" = 6 ]
	calls=$(($(status svsm_calls) - calls))
	echo "# calls: $calls"
}

fw rate=2/2s
entry a
six 'by a rhythm that is not known'
unforeseen=$calls
for _ in 1 2 3 4 5 6 7 8; do
	fresh
	cvmctl report --backend cvm --report-data @/tmp/data --out /tmp/own
done
six 'by one that is'
# but for the time just before a window opens, which a busy machine makes longer
ok 'the SVSM is not called while the host would refuse it' [ $((calls * 2)) -lt "$unforeseen" ]
fw rate=0
rmdir $REPORTS/a

# ---- one queue

fw report_ms=20
ok '16 users' [ "$(/t/svsm_client 16 | grep -c '16 of 16 got what they asked for')" = 1 ]
fw report_ms=4000
entry a
fresh
ask a /tmp/data &
usleep 500000
start=$(now_ms)
ok 'whoever asks meanwhile has his deadline' \
	fails cvmctl report --backend cvm --timeout 500 --report-data @/tmp/data --out /tmp/own
ok 'and is not kept longer' between 400 "$(took_ms)" 3300
wait
ok 'the SVSM had not finished' length_is 1184
fresh
cat /tmp/data >$REPORTS/a/inblob
cat $REPORTS/a/outblob >/dev/null &
usleep 300000
start=$(now_ms)
kill -KILL $!
wait $!
ok 'who is killed goes at once' between 0 "$(took_ms)" 3300
# for him the SVSM works on, and the next one has his turn after that
sleep 4
{ fresh; ask a /tmp/data; echo $? >/tmp/exit; } &
usleep 500000
ok 'unload while the SVSM is at work' rmmod cvm_guest
wait
ok 'who read has his answer' [ "$(cat /tmp/exit)" = 0 ]
rmdir $REPORTS/a
ok 'no page is left shared' file_is 0 $SIM/shared_pages
ok 'no rule was broken' file_is 0 $SIM/violations
echo "1..$n"
