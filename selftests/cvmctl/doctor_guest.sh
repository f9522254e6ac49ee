#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM: doctor_guest.sh DRIVER: doctor and selftest on a machine with device nodes and other
# mount namespaces. Prints TAP.
n=0
says() {	# STATUS PATTERN NAME
	cvmctl doctor >/tmp/out 2>/tmp/err
	rc=$?
	n=$((n + 1))
	if [ $rc = "$1" ] && grep -qE "$2" /tmp/out; then
		echo "ok $n $3"
	else
		echo "not ok $n $3: exit status $rc"
		sed 's/^/# /' /tmp/out /tmp/err
	fi
}

if [ "$1" = intree ]; then
	says 0 "^warning +driver .*the kernel's own" "the kernel's own driver"
	chmod 0666 /dev/tdx_guest
	says 1 '^unsafe +nodes .*/dev/tdx_guest.*everybody' 'its node open to everybody'
	echo "1..$n"
	exit
fi
says 0 '^fine +driver' 'our driver'
says 0 '^warning +group .*no group cvm' 'no group'
echo 'cvm:x:990:' >>/etc/group
echo 'others:x:991:' >>/etc/group
says 0 '^fine +group' 'a group'
chgrp 990 /dev/cvm/batch
says 0 '^fine +nodes +/dev/cvm/batch: mode 0660' 'whose node it is'
chgrp 991 /dev/cvm/batch
says 1 '^unsafe +nodes .*/dev/cvm/batch.*members of group others' 'another group'
chgrp 990 /dev/cvm/batch
chmod 0666 /dev/cvm/report
says 1 '^unsafe +nodes .*/dev/cvm/report.*everybody' 'everybody'
chmod 0600 /dev/cvm/report
says 0 '^fine +containers' 'no container'

# a container that was given more than it needs, and one that was not
mkfifo /tmp/go
unshare -m sleep 1000 &
with=$!
unshare -m sh -c 'mount -t tmpfs none /dev && echo >/tmp/go && exec sleep 1000' &
without=$!
read -r _ </tmp/go
# the first one's namespace is its own as soon as it sleeps
until [ "$(cat /proc/$with/comm)" = sleep ]; do :; done
says 0 "^warning +containers .*process $with \(sleep\).*/dev/cvm/report" 'a container with the node'
n=$((n + 1))
if grep -q "process $without" /tmp/out; then echo "not ok $n the other"; else echo "ok $n the other"; fi
kill $with $without

# the root of a simulated platform is nobody's, and all else is as on a real one
cvmctl selftest >/tmp/out 2>/tmp/err
n=$((n + 1))
if grep -q '^passed *evidence' /tmp/out && grep -q '^passed *many' /tmp/out &&
	grep -q '^passed *batch' /tmp/out && grep -q '^failed *verify *root: ' /tmp/out &&
	grep -q '1 of 6' /tmp/err; then
	echo "ok $n selftest"
else
	echo "not ok $n selftest"
	sed 's/^/# /' /tmp/out /tmp/err
fi
echo "1..$n"
