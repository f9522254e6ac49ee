# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What the scripts share whose VM's memory is searched: results, questions to the watcher,
# which is asked through file descriptor 8, and controls. Sourced, in /t.
# shellcheck disable=SC2034 # all is used by who sources it
SIM=/sys/kernel/cvm_platform_sim
n=0 failed=0 all=''
exec 8<>/dev/virtio-ports/cvm.beside

result()	# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		echo "# the watcher said: $answer"
		sed 's/^/# /' /tmp/err
		failed=1
	fi
}

fw()
{
	local line

	for line; do
		echo "$line" >$SIM/control || echo "# cvm-fwd refused $line"
	done
}

ask()
{
	echo "$*" >&8
	read -r answer <&8
}

# know KIND NAME WORD...: from now on it is one of all
know()
{
	ask "$@"
	[ "$answer" = known ] || result 1 "the watcher knows $2"
	all="$all $2"
}

# found NAME WHAT TEXT: of NAME exactly WHAT is there
found()
{
	ask look "$1"
	[ "$answer" = "found $2" ]
	result $? "$3"
}

# how many keys root has, in whosever keyrings
keys()
{
	sed -n 's|^ *0: *[0-9]* \([0-9]*\)/.*|\1|p' /proc/key-users
}

# the number when nobody has any, and how many of the test's there are
at_rest()
{
	local serial

	# with root's own keyrings, which stay once they are there
	serial=$(key_use plant keyring keyring 2>/tmp/err)
	rest=$(($(keys) - 1)) live=0
	key_use invalidate "$serial"
}

# Keys that are gone for who had them the kernel wipes a moment later, and then counts
# them no more. That is waited for, and nothing else: what is there then is left.
collected()
{
	local left=100

	while [ "$(keys)" != $((rest + live)) ] && [ $left -gt 0 ]; do
		left=$((left - 1))
		sleep 0.1
	done
	echo "$(keys) keys, of which $((rest + live)) stay" >/tmp/err
	[ $left -gt 0 ]
}

nothing()	# TEXT NAME...
{
	local text=$1

	shift
	answer='not asked'
	collected && ask look "$@"
	[ "$answer" = nothing ]
	result $? "$text: nothing is left"
}

# ---- what is there is found

controls()
{
	local serial pid

	know planted anonymous
	know planted text
	know planted keyring
	nothing 'before anything is planted' anonymous text keyring
	mkfifo /tmp/planted
	for where in anonymous text; do
		key_use plant $where $where >/tmp/planted 2>/tmp/err &
		pid=$!
		read -r _ </tmp/planted
		case $where in
		anonymous) found anonymous anonymous:raw 'control: a key across pages of a process is found' ;;
		text) found text text:hex 'control: the digits of a key are found' ;;
		esac
		kill $pid
		wait $pid 2>/dev/null
	done
	serial=$(key_use plant keyring keyring 2>/tmp/err)
	found keyring keyring:raw 'control: a key in a keyring is found'
	key_use invalidate "$serial"
	nothing 'control: a key that was in a keyring' keyring
	all=''
}
