#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl skr where it waits for others: a signal ends it, and a request that does not come
# about leaves no state. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/../cvmctl/lib.sh"

export XDG_RUNTIME_DIR=$dir XDG_CACHE_HOME=$dir/cache
export http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1
simulate "$dir/fw" --tpm "$dir/tpm" platform=azure-snp window_ms=300
backend=vtpm:swtpm:path=$dir/tpm
kid=https://vault.simulated.example/keys/disk/0123456789abcdef
openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=root -out "$dir/root.pem" 2>/dev/null
mkfifo "$dir/fifo"
# there is somebody who could write, and does not
exec 9<>"$dir/fifo"

# NAME ARGUMENT...: it reads the FIFO, and SIGTERM ends it
ends() {
	local name=$1 pid rc reads=1

	shift
	"$cvmctl" skr "$@" 9>&- >"$dir/stdout" 2>"$dir/stderr" &
	pid=$!
	for ((i = 0; i < 400 && reads; i++)); do
		kill -0 $pid 2>/dev/null || break
		readlink "/proc/$pid/fd/"* 2>/dev/null | grep -qxF "$dir/fifo" && reads=
		sleep 0.05
	done
	result "$([[ -z $reads ]]; echo $?)" "$name: it waits" "$(cat "$dir/stderr")"
	kill -TERM $pid
	for ((i = 0; i < 100; i++)); do
		kill -0 $pid 2>/dev/null || break
		sleep 0.05
	done
	kill -KILL $pid 2>/dev/null
	wait $pid
	rc=$?
	result "$([[ $rc == 143 ]]; echo $?)" "$name: and SIGTERM ends it" "exit status $rc"
}

new=(prepare --backend "$backend" --state "$dir/state" --kid "$kid" --out "$dir/attest.json")
ends 'prepare, for certificates' "${new[@]}" --certs "$dir/fifo" --event-log /dev/null
[[ -s $dir/state && ! -e $dir/attest.json ]]
result $? 'its state is there by then, and no request'
try 1 'state: is there already' 'a state that is there is not replaced' \
	skr "${new[@]}" --certs "$dir/root.pem" --event-log /dev/null
rm -f "$dir/state"
ends 'prepare, for what was measured' "${new[@]}" --certs "$dir/root.pem" --event-log "$dir/fifo"
rm -f "$dir/state"
try 1 'nonexistent: cannot be read' 'prepare without a log' \
	skr "${new[@]}" --certs "$dir/root.pem" --event-log /nonexistent
[[ ! -e $dir/state ]]
result $? 'leaves no state'
try 0 '' 'prepare' skr "${new[@]}" --certs "$dir/root.pem" --event-log /dev/null
: >"$dir/empty"
chmod 600 "$dir/empty"
echo '{}' >"$dir/answer"
try 1 'begin again' 'an empty state is not taken' \
	skr request --backend "$backend" --state "$dir/empty" --in "$dir/answer"
exec 8<>"$dir/state"
flock 8
try 1 'another cvmctl skr is at it' 'a state that another has is not taken' \
	skr request --backend "$backend" --state "$dir/state" --in "$dir/answer"
exec 8>&-
try 1 'request is next' 'open before request' skr open --backend "$backend" \
	--state "$dir/state" --in "$dir/answer" --trust-root "$dir/root.pem" --name k --keyring user
ends 'request' request --backend "$backend" --state "$dir/state" --in "$dir/fifo"
ends 'open' open --backend "$backend" --state "$dir/state" --in "$dir/fifo" \
	--trust-root "$dir/root.pem" --name k --keyring user
finish
