# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# switch.sh: the kernel's own driver and ours in every order of loading, and from
# each to the other by the commands of README. That no IV carried two plaintexts on
# the way is the simulated firmware's to say, which fails the run.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh
if is_snp; then
	own=sev_guest name=sev-guest node=/dev/sev-guest
else
	own=tdx_guest name=tdx-guest node=/dev/tdx_guest
fi

# readme TO: the command that README has for it, on this platform
readme()
{
	case $1 in
	ours) grep -x "modprobe -r $name && modprobe $name" /run/vm/README.md ;;
	own) grep -x "modprobe -r cvm_guest && modprobe -i $name" /run/vm/README.md ;;
	esac
}

# switch TO NAME: by README's command
switch()
{
	command=$(readme "$1")
	sh -c "${command:-false}" >$log 2>&1
	result $? "$2: ${command:-no command in README}"
}

# which modprobe.d has, and each program of a user's, too: all doors of it
ours()
{
	driver cvm_guest "$1"
	nodes
	evidence cvm "$1"
	! [ -d /sys/kernel/config/tsm/report ] || evidence tsm "$1, by configfs-tsm"
	[ -c $node ]
	result $? "$1: $node is ours"
}

kernels_own()
{
	driver $own "$1"
	evidence tsm "$1"
	[ -c $node ] && [ ! -e /dev/cvm ]
	result $? "$1: $node is the kernel's own, and nothing of ours is left"
}

# both ways, more than once: an IV that either forgot would come again
there_and_back()
{
	for round in 1 2 3; do
		switch own "round $round"
		kernels_own "round $round"
		switch ours "round $round"
		ours "round $round"
	done
}

# the kernel's own has the platform when ours is loaded
own_first()
{
	switch own 'its own first'
	cvmctl module load >$log 2>&1
	status=$?
	[ $status = 1 ] && grep -q 'another driver has the platform: .modprobe -r ' $log
	result $? 'ours second: refused, with the command'
	kernels_own 'ours second'
	command=$(cvmctl doctor 2>&1 | sed -n "s/^ *run: \(modprobe -r .*$name && modprobe $name\)$/\1/p" | head -n 1)
	sh -c "${command:-false}" >$log 2>&1
	result $? "doctor: ${command:-no command}"
	ours 'after that'
}

# ours has it when the kernel's own is loaded, against modprobe.d
ours_first()
{
	if is_snp; then
		modprobe -i $name >$log 2>&1 || grep -q 'No such device' $log
		result $? 'its own second: it finds no device'
		evidence cvm 'its own second: ours serves on'
		modprobe -rq $own
	else
		# with the node it would be a call trace of the kernel's, drop-in.rst
		modprobe -r cvm_guest && modprobe cvm_guest drop_in=0 tsm=0 && modprobe -i $name >$log 2>&1
		result $? 'its own second, where ours leaves it its names'
		evidence cvm 'its own second: ours serves on'
		evidence tsm 'its own second: and it serves, too'
		modprobe -r cvm_guest $own && modprobe $name
	fi
	ours 'without it'
}

# what the rule of modprobe.d does: who asks for the kernel's own gets ours
by_name()
{
	modprobe -r cvm_guest && modprobe $name >$log 2>&1
	result $? "modprobe $name"
	ours "modprobe $name"
	modprobe $name >$log 2>&1
	result $? 'and once more'
	driver cvm_guest 'once more'
}

# one that is asked while it goes: held by an open file, it stays; then it goes
in_use()
{
	exec 8<"$node"
	! sh -c "$(readme own)" >$log 2>&1
	result $? 'with an open file: it does not switch'
	driver cvm_guest 'with an open file'
	evidence cvm 'with an open file'
	exec 8<&-
}

# for good: what comes of itself, and who asks by name
blacklisted()
{
	echo blacklist cvm_guest >/etc/modprobe.d/local.conf
	modprobe -r cvm_guest && modprobe $name >$log 2>&1
	result $? 'ours blacklisted'
	kernels_own 'ours blacklisted'
	modprobe -r $own
	udevadm trigger --action=add --subsystem-match=platform --subsystem-match=cpu --settle
	kernels_own 'ours blacklisted, by the modalias'
	rm /etc/modprobe.d/local.conf
	switch ours 'and not any more'
	ours 'not any more'
}

ours 'at boot'
by_name
in_use
there_and_back
own_first
ours_first
blacklisted
end
