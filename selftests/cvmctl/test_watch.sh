#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl status --watch, of statistics that this test makes up. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

sysfs=$dir/machine/sys/class/misc/cvm_report
names=(completed failed refused timeouts issued batches leaves throttled retries late)

# COMPLETED ISSUED BATCHES LEAVES THROTTLED, then COUNT of each of three buckets: as one
# change, so that no look sees half of it
driver() {
	local new=$dir/new i
	rm -rf "$new" "$dir/old"
	mkdir -p "$new/stats" "$new/channel"
	for name in "${names[@]}"; do echo 0 >"$new/stats/$name"; done
	i=0
	for name in completed issued batches leaves throttled; do
		((++i))
		echo "${!i}" >"$new/stats/$name"
	done
	printf '64 %s\n128000 %s\ninf %s\n' "$6" "$7" "$8" >"$new/stats/latency_us"
	echo "${state:-ready}" >"$new/channel/state"
	mkdir -p "${sysfs%/*}"
	[[ ! -e $sysfs ]] || mv "$sysfs" "$dir/old"
	mv "$new" "$sysfs"
}

field() { jq -r "$2" <<<"$(sed -n "$1p" "$dir/lines")"; }	# LINE EXPRESSION
is() { result "$([[ $1 == "$2" ]]; echo $?)" "$3" "got $1, wanted $2"; }

try 4 'load cvm_guest' 'no driver' status --watch --root "$dir/machine" --count 1
driver 100 10 5 50 1 100 0 0
try 0 '' 'nothing happens' status --watch --root "$dir/machine" --json --interval 0.05 --count 2
cp "$dir/stdout" "$dir/lines"
is "$(wc -l <"$dir/lines")" 2 'a line for each interval'
is "$(field 1 '.completed, .rate, .p50_ms, .leaves_per_batch' | paste -sd,)" 0,0,null,0 'and nothing in it'

# what happens in an interval, and then the driver is another one, and then gone
"$cvmctl" status --watch --root "$dir/machine" --json --interval 1 --count 5 >"$dir/lines" &
watcher=$!
until [[ $(wc -l <"$dir/lines") -ge 1 ]]; do sleep 0.05; done
driver 300 20 9 300 4 110 270 20
until [[ $(wc -l <"$dir/lines") -ge 2 ]]; do sleep 0.05; done
driver 5 5 0 0 0 5 0 0
until [[ $(wc -l <"$dir/lines") -ge 3 ]]; do sleep 0.05; done
state=parked driver 1005 7 0 0 0 5 0 1000
until [[ $(wc -l <"$dir/lines") -ge 4 ]]; do sleep 0.05; done
rm -rf "$sysfs"
wait $watcher
result $? 'it ends when it has counted to its end'
is "$(field 2 '.completed, .issued, .batches, .leaves, .throttled, .channel' | paste -sd,)" 200,10,4,250,3,ready 'what happened'
is "$(field 2 '.leaves_per_batch, .p50_ms, .p99_ms' | paste -sd,)" 62.5,128,null \
	'requests in a batch; half took less than 128 ms, and one in a hundred more than is counted'
is "$(field 2 '(.rate * .seconds | round), (.seconds > 0.5)' | paste -sd,)" 200,true 'the rate is by the clock'
is "$(field 3 '.completed, .batches, .p50_ms' | paste -sd,)" 0,0,null 'another driver: no numbers below zero'
is "$(field 4 '.completed, .channel, .p50_ms' | paste -sd,)" 1000,parked,null 'and on from there'
is "$(field 5 '.completed, .channel' | paste -sd,)" 0,unloaded 'the driver is gone, and it waits'

# the three forms
driver 100 10 5 50 1 100 0 0
try 0 '' 'text' status --watch --root "$dir/machine" --interval 0.05 --count 3
is "$(wc -l <"$dir/stdout")" 4 'a header, and a line for each interval'
grep -q $'\e' "$dir/stdout"
result "$([[ $? == 1 ]]; echo $?)" 'nothing for terminals in it'
[[ $(sed -n 1p "$dir/stdout" | wc -w) == 8 && $(sed -n 2p "$dir/stdout" | wc -w) == 8 ]]
result $? 'as many columns as are named' "$(cat "$dir/stdout")"
python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
	"$cvmctl" status --watch --root "$dir/machine" --interval 0.05 --count 3 </dev/null >"$dir/terminal"
result $? 'on a terminal'
[[ $(grep -c $'\e\[H.*channel' "$dir/terminal") == 3 && $(grep -c $'\e\[2J' "$dir/terminal") == 1 ]]
result $? 'it is drawn in place, and wiped once' "$(cat -v "$dir/terminal")"

# signals: while it is asleep for long, and while it is busy
for signal in INT TERM; do
	"$cvmctl" status --watch --root "$dir/machine" --interval 100 >"$dir/lines" 2>"$dir/stderr" &
	watcher=$!
	# it sleeps for nothing else for so long
	until grep -q '^State:.S' /proc/$watcher/status && sleep 0.5 && grep -q '^State:.S' /proc/$watcher/status; do
		kill -0 $watcher || break
	done
	kill -$signal $watcher
	wait $watcher
	is "$? $(cat "$dir/lines" "$dir/stderr" | wc -c)" '0 0' "SIG$signal: the end, at once and well"
done
"$cvmctl" status --watch --root "$dir/machine" --interval 0.05 --json >"$dir/lines" &
watcher=$!
until [[ $(wc -l <"$dir/lines") -ge 3 ]]; do sleep 0.05; done
kill -INT $watcher
wait $watcher
is "$?" 0 'SIGINT in the middle'
jq -e .completed "$dir/lines" >/dev/null
result $? 'every line is whole'
"$cvmctl" status --watch --root "$dir/machine" --count 1 --interval 0.05 >/dev/full 2>"$dir/stderr"
is "$? $(wc -l <"$dir/stderr")" '1 1' 'a full disk'

# what a hostile file could do to a terminal
state=$'\e[2Jx' driver 1 1 1 1 1 1 1 1
try 4 'load cvm_guest' 'a state that is no word' status --watch --root "$dir/machine" --count 1
driver 1 x 1 1 1 1 1 1
try 4 'load cvm_guest' 'a count that is none' status --watch --root "$dir/machine" --count 1
driver 1 1 1 1 1 1 1 z
try 4 'load cvm_guest' 'a bucket that is none' status --watch --root "$dir/machine" --count 1

for interval in '' x 1x 1. .5 -1 1.5.5 0.04 3601 1e1; do
	try 2 '--interval' "--interval '$interval'" status --watch --root "$dir/machine" --interval "$interval"
done
try 2 'without --backend' 'a backend' status --watch --backend cvm
try 2 'go with --watch' '--count alone' status --count 1
try 2 'go with --watch' '--interval alone' status --interval 1

finish
