#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: credential_guest.sh snp|tdx. Keys by the address that systemd connects from, of
# the firmware or of a TPM's secret. Prints TAP.
cd /t || exit
# shellcheck source=selftests/keys/disk_lib.sh
. ./disk_lib.sh
# shellcheck source=selftests/keys/tpm_lib.sh
. ./tpm_lib.sh
platform=$1
socket=/tmp/credential.sock
mix='--mix policy,image,family,measurement,svn,tcb'

journal=/tmp/log

# serve OPTION...: whoever is served now is so with these
serve()
{
	[ -z "${server:-}" ] || { kill "$server"; wait "$server"; }
	rm -f $socket
	credential serve $socket cvmctl key credential "$@" 2>>$journal &
	server=$!
	until [ -S $socket ]; do usleep 10000; done
}

# in_cgroup PATH COMMAND...
in_cgroup()
{
	mkdir -p "/sys/fs/cgroup/$1"
	# shellcheck disable=SC2016 # of the other shell
	sh -c 'echo 0 >"/sys/fs/cgroup/$1/cgroup.procs" && shift && exec "$@"' - "$@"
}

ask()	# NAME [UID]
{
	local unit=${1#*/unit/}

	in_cgroup "system.slice/${unit%%/*}" credential ask $socket "$@" 2>&1 | tee -a /tmp/answers
}

db()
{
	ask 1f/unit/a.service/db "$@"
}

# is GOT WANTED NAME
is()
{
	echo "got '$1', wanted '$2'" >/tmp/err
	tail -n 5 /tmp/log >>/tmp/err
	[ "$1" = "$2" ]
	result $? "$3"
}

# differs GOT NAME OTHER...: a key, and none of these
differs()
{
	local got=$1 good=1 name=$2

	echo "got '$got'" >/tmp/err
	tail -n 5 /tmp/log >>/tmp/err
	shift 2
	[ ${#got} = 64 ] && case " $* " in *" $got "*) false ;; esac && good=0
	case $got in *[!0-9a-f]*) good=1 ;; esac
	result $good "$name"
}

# who gets which
keys()	# OPTION...
{
	serve "$@"
	key=$(db)
	differs "$key" 'a key of 32 bytes' none
	is "$(db)" "$key" 'the same again'
	is "$(ask adf9d86b6eda275e/unit/a.service/db)" "$key" 'whatever number the address begins with'
	differs "$(ask 1f/unit/b.service/db)" 'another unit: another key' "$key"
	differs "$(ask 1f/unit/a.service/dc)" 'another credential: another key' "$key"
	cvmctl key derive "$@" --label credential/a.service/db --out /tmp/key 2>/tmp/err
	is "$(od -An -v -tx1 /tmp/key | tr -d ' \n')" "$key" 'it is what cvmctl key derive makes for its label'
	serve "$@"
	is "$(db)" "$key" 'the next process gives the same'
	serve "$@" --hex
	is "$(db | tr -d '\n')" "$(printf %s "$key" | od -An -v -tx1 | tr -d ' \n')" 'as digits'
	serve "$@" --length 64
	is "$(db | wc -c)" 129 'of 64 bytes'
	serve "$@" --salt 00ff
	differs "$(db)" 'another salt: another key' "$key"
}

# who gets none: not nothing, which would be a credential without a byte
refused()	# OPTION...
{
	serve "$@"
	is "$(db 1000)" 'error: Permission denied' 'nobody but root can connect'
	chmod 666 $socket
	: >/tmp/log
	is "$(db 1000)" nothing 'and if he can: nothing'
	grep -q 'uid 1000 has connected' /tmp/log
	result $? 'which is said'
	for name in '' x 1f/unit/a.service 1f/user/a.service/db 1f/unit/a.service/db/c 1f/unit/a.device/db; do
		is "$(ask "$name")" 'too much' "address '$name': more than systemd takes"
	done
	[ "$(grep -c 'no address that names a unit' /tmp/log)" = 6 ]
	result $? 'which is said each time'
	# while they do not read, who asks next has his key, and the signal to end waits for them
	credential late $socket x >/tmp/late1 &
	set -- $!
	credential late $socket y >/tmp/late2 &
	set -- "$1" $!
	until [ "$(grep -c 'no address that names a unit' /tmp/log)" = 8 ]; do usleep 10000; done
	is "$(db)" "$key" 'the next one is served'
	wait "$1" "$2"
	is "$(cat /tmp/late1 /tmp/late2)" "too much
too much" 'who reads late: more than systemd takes, too'
	is "$(db & ask 2f/unit/a.service/db)" "$key
$key" 'two at once'
}

# denied WORDS NAME COMMAND...: root, too, who is not as privileged as systemd, or not there
denied()
{
	local words=$1 name=$2

	: >/tmp/log
	shift 2
	is "$("$@" 2>&1)" 'too much' "$name"
	cp /tmp/log /tmp/err
	grep -q "$words" /tmp/log && ! grep -q 'has its credential' /tmp/log
	result $? 'which is said'
}

weaker_root()
{
	set -- credential ask $socket 1f/unit/a.service/db
	is "$(in_cgroup system.slice/a.service "$@")" "$key" 'root in the cgroup of the unit'
	denied 'another user namespace' "root of a user namespace: none" \
		in_cgroup system.slice/a.service unshare -Ur "$@"
	denied 'root without CAP_SYS_ADMIN' 'root without capabilities: none' \
		in_cgroup system.slice/a.service setpriv --bounding-set -all --inh-caps -all "$@"
	denied 'root without CAP_SYS_ADMIN' 'root with all the others: none' \
		in_cgroup system.slice/a.service setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$@"
	denied 'not in its cgroup' 'root in no cgroup: none' "$@"
	denied 'not in its cgroup' "root in another unit's: none" in_cgroup system.slice/b.service "$@"
	denied 'not in its cgroup' "a unit of that name of root's own manager: none" \
		in_cgroup user.slice/user-0.slice/user@0.service/app.slice/a.service "$@"
	denied 'not in its cgroup' 'a container: none' \
		in_cgroup machine.slice/x.scope/system.slice/a.service "$@"
}

# shellcheck disable=SC2317 # by denied
# left COMMAND: who has connected has ended before it is looked who that was; then COMMAND is run
left()
{
	kill -STOP "$server"
	in_cgroup system.slice/b.service sh -c 'echo $$ >/tmp/pid && exec "$@"' - \
		credential leave "$socket" 1f/unit/a.service/db >/tmp/left
	"$@"
	kill -CONT "$server"
	until [ -s /tmp/left ]; do usleep 10000; done
	cat /tmp/left
}

# a process of that unit with the same number
# shellcheck disable=SC2317
reuse()
{
	local wanted next=0 tries=0

	wanted=$(cat /tmp/pid)
	until [ "$next" = "$wanted" ] || [ "$tries" = 50 ]; do
		tries=$((tries + 1))
		echo $((wanted - 1)) >/proc/sys/kernel/ns_last_pid
		sh -c 'echo 0 >/sys/fs/cgroup/system.slice/a.service/cgroup.procs && exec sleep 1000' \
			>/dev/null 2>&1 &
		next=$!
	done
	[ "$next" = "$wanted" ] || echo 'no process of that number' >>/tmp/log
	until grep -q a.service "/proc/$next/cgroup"; do usleep 10000; done
}

no_more()
{
	denied 'is not there any more' 'of a process that has ended: none' left :
	case $(uname -r) in
	6.1.*)	return ;;	# SO_PEERPIDFD is of 6.5
	esac
	denied 'is not there any more' 'nor if another has its number, of that unit' left reuse
	! grep -q 'no process of that number' /tmp/log
	result $? 'as one had'
}

# memory PID: what that process can write to
memory()
{
	: >/tmp/memory
	while read -r range mode _; do
		case $mode in
		rw*)	dd if="/proc/$1/mem" bs=4096 skip=$((0x${range%-*} / 4096)) \
				count=$(((0x${range#*-} - 0x${range%-*}) / 4096)) 2>/dev/null >>/tmp/memory ;;
		esac
	done <"/proc/$1/maps"
}

# a pipe that takes nothing, /tmp/full, until it is emptied
full_pipe()
{
	mkfifo /tmp/full
	exec 9<>/tmp/full
	head -c 65536 /dev/zero >&9
}

# with some of what waited for that
empty_pipe()
{
	head -c 65537 <&9 >/dev/null
	exec 9<&-
	rm /tmp/full
}

# waits PID FD NAME: it writes to that, and has not got the key
waits()
{
	until [ "$(cut -d ' ' -f 1,2 "/proc/$1/syscall")" = "1 0x$2" ]; do usleep 10000; done
	memory "$1"
	echo "key $key" | memory_search /tmp/memory >/tmp/err 2>&1
	result $? "$3"
}

# The journal takes nothing: who waits for it has given the key, and has it no more.
journal_waits()	# OPTION...
{
	full_pipe
	journal=/tmp/full
	serve "$@"
	journal=/tmp/log
	is "$(db)" "$key" 'a key, while the journal waits'
	waits "$server" 2 'which is gone from the memory of who gave it before that is said'
	memory $$
	echo "key $key" | memory_search /tmp/memory >/tmp/err 2>&1
	[ $? = 1 ]
	result $? 'as it is found in that of who has it'
	empty_pipe
}

# the same of who has put it into a keyring
reader_waits()	# OPTION...
{
	full_pipe
	cvmctl key derive "$@" --label credential/a.service/db --name waits --keyring user \
		>/tmp/full 2>/tmp/log &
	waits $! 1 'into a keyring: it is gone before its number is said'
	empty_pipe
	wait $!
	result $? 'as it is then'
}

ends()
{
	wait "$server"
	is $? 0 'it ends when nobody comes'
	server=
}

silent()
{
	cp /tmp/log /tmp/err
	! grep -qi -e "$(printf %.16s "$key")" /tmp/log && grep -q 'a.service has its credential db' /tmp/log
	result $? 'its log says who got one, and no key'
}

usage()
{
	try 2 'cvm-credential.socket' 'usage: without a socket' cvmctl key credential "$@"
	try 2 'takes no --out' 'usage: nobody names a file' cvmctl key credential "$@" --out /tmp/x
	try 2 'takes no --label' 'usage: nor a label' cvmctl key credential "$@" --label x
	try 2 'mix is missing' 'usage: the mix must be said' cvmctl key credential
	try 2 'hex is for credentials' 'usage: --hex' cvmctl key derive --hex --out /tmp/x
	LISTEN_FDS=1 try 2 'cvm-credential.socket' 'usage: a socket of another process' \
		env LISTEN_PID=1 cvmctl key credential "$@"
	# shellcheck disable=SC2016 # of the other shell
	try 2 'no UNIX socket that listens' 'usage: no socket' \
		sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec cvmctl key credential "$@" 3</dev/null' - "$@"
}

by_firmware()
{
	# shellcheck disable=SC2086 # options
	usage $mix
	# shellcheck disable=SC2086
	keys $mix
	# shellcheck disable=SC2086
	refused $mix
	weaker_root
	no_more
	is "$(db)" "$key" 'the next one is served'
	silent
	ends
	# shellcheck disable=SC2086
	journal_waits $mix
	serve --mix measurement,tcb
	differs "$(db)" 'another mix in the configuration: another key' "$key"
	# shellcheck disable=SC2086
	serve $mix --root vmrk
	differs "$(db)" 'another root: another key' "$key"
	# shellcheck disable=SC2086
	serve $mix
	modprobe -r cvm_guest || rmmod cvm_guest
	: >/tmp/log
	is "$(db)" 'too much' 'without a driver: more than systemd takes'
	grep -q 'load' /tmp/log
	result $? 'and it says what to do'
}

by_tpm()
{
	# shellcheck disable=SC2086
	serve $mix
	: >/tmp/log
	is "$(db)" 'too much' 'no derived keys: more than systemd takes'
	grep -q 'a TPM can keep one (--from tpm)' /tmp/log
	result $? 'and it says what there is'
	measure 11 the-system-that-has-sealed-it...
	cvmctl key seal --record key.json --tpm trusted --pcrs 4,7,11 2>/tmp/err
	result $? 'a secret of the TPM'
	set -- --from tpm --record key.json --pcrs 4,7,11
	keys "$@"
	refused "$@"
	silent
	journal_waits "$@"
	reader_waits "$@"
	serve "$@"
	measure 11 what-has-been-measured-after-it.
	is "$(db)" 'too much' 'something else measured: none'
	ends
}

: >/tmp/log
mount -t cgroup2 cgroup2 /sys/fs/cgroup
case $platform in
snp)	by_firmware ;;
*)	by_tpm ;;
esac
[ -z "$server" ] || kill "$server"
echo "1..$n"
exit $failed
