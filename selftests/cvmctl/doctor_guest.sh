#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM: doctor_guest.sh DRIVER PLATFORM: doctor and selftest on a machine with device nodes, a TPM and
# other mount namespaces. Prints TAP.
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

silent() {	# PATTERN NAME: the doctor that ran last says no such thing
	n=$((n + 1))
	if grep -q "$1" /tmp/out; then echo "not ok $n $2"; else echo "ok $n $2"; fi
}

# the root of a simulated platform is nobody's, and all else is as on a real one
selftest() {	# PATTERN...: each is said, and verification is all that fails
	cvmctl selftest >/tmp/out 2>/tmp/err
	for pattern in "$@" '^failed *verify *root: ' '^failed *proof *root: '; do
		n=$((n + 1))
		if grep -q "$pattern" /tmp/out; then
			echo "ok $n selftest: $pattern"
		else
			echo "not ok $n selftest: $pattern"
			sed 's/^/# /' /tmp/out /tmp/err
		fi
	done
	n=$((n + 1))
	if grep -q '2 of 12' /tmp/err; then echo "ok $n nothing else"; else echo "not ok $n nothing else"; fi
}

if [ "$1" = intree ]; then
	says 0 "^warning +driver-in-tree .*the kernel's own" "the kernel's own driver"
	if [ -c /dev/tdx_guest ]; then
		node=/dev/tdx_guest vmpl='^skipped *vmpl' # a TD has none
		silent '^[a-z]* *kernel-driver' 'which has the fixes'
	else
		node=/dev/sev-guest vmpl='^passed *vmpl'
		says 0 '^warning +kernel-driver ' 'which lacks a fix'
	fi
	chmod 0666 $node
	says 1 "^unsafe +nodes-open .*$node.*everybody" 'its node open to everybody'
	chmod 0600 $node
	selftest '^passed *evidence' "$vmpl" '^passed *many' '^passed *async' '^skipped *deadline' \
		'^skipped *label' '^passed *sources .*native'
	echo "1..$n"
	exit
fi
tpm2() { command tpm2 "$@" >/tmp/log 2>&1 || sed 's/^/# /' /tmp/log; }
export TPM2TOOLS_TCTI=device:/dev/tpmrm0

case $2 in azure-*)
	says 0 '^fine +platform +a confidential VM of Azure' 'a paravisor'
	says 0 '^note +azure-index-missing ' 'nobody has asked for anything yet'
	says 0 '^warning +azure-imds ' 'a host that is not there'
	silent '^[a-z]* *azure-\(report\|ak\|cert\)' 'report, key and certificate are there'
	cvmctl batch --user-data "$(printf 'c7%.0s' $(seq 64))" --out /tmp/batch >/tmp/log 2>&1
	says 0 '^note +azure-console ' 'what the claims say'
	silent azure-index 'the first request has made the index'
	tpm2 changeauth -c owner secret
	says 1 '^unsafe +azure-owner-password ' 'a password for the owner'
	silent 'tpm-no-password.*owner' 'which is not what doctor asks for'
	tpm2 changeauth -c owner -p secret
	tpm2 nvundefine -C o 0x1400002
	tpm2 nvdefine -C o -s 32 -a 'ownerread|ownerwrite' 0x1400002
	says 1 '^unsafe +azure-index-size .*has 32 bytes' "another tool's index"
	tpm2 nvundefine -C o 0x1400002
	tpm2 evictcontrol -C o -c 0x81000003
	says 1 '^unsafe +azure-ak-missing ' 'no key'
	flock /dev/tpmrm0 sleep 60 &
	until ! flock -n -s /dev/tpmrm0 true; do :; done
	says 1 '^note +azure-contended .*locked' 'somebody who asks'
	kill $!
	echo "1..$n"
	exit
esac
says 0 '^fine +driver' 'our driver'
says 0 '^warning +group-missing .*no group cvm' 'no group'
echo 'cvm:x:990:' >>/etc/group
echo 'others:x:991:' >>/etc/group
says 0 '^warning +group-node ' 'a group, and a node that is not for it'
chgrp 990 /dev/cvm/batch
says 0 '^fine +group' 'a node for the group'
says 0 '^fine +nodes +/dev/cvm/batch: mode 0660' 'whose node it is'
chgrp 991 /dev/cvm/batch
says 1 '^unsafe +nodes-open .*/dev/cvm/batch.*members of group others' 'another group'
chgrp 990 /dev/cvm/batch
chmod 0666 /dev/cvm/report
says 1 '^unsafe +nodes-open .*/dev/cvm/report.*everybody' 'everybody'
chmod 0600 /dev/cvm/report
chgrp 991 /dev/cvm/key
chmod 0660 /dev/cvm/key
says 1 '^unsafe +nodes-open .*/dev/cvm/key gives the keys that seal disks.*members of group others' 'the keys for a group'
chgrp 0 /dev/cvm/key
chmod 0600 /dev/cvm/key

# a container that was given more than it needs, one that was not, and a service
# that has but a /tmp of its own
numbers=$(sed 's/:/ /' /sys/class/misc/cvm_report/dev)
mkfifo /tmp/go
unshare -m sh -c "mount -t tmpfs tmpfs /dev && mkdir /dev/cvm && mknod /dev/cvm/report c $numbers &&
	exec sleep 1000" &
with=$!
unshare -m sh -c 'mount -t tmpfs tmpfs /dev && exec sleep 1000' &
without=$!
unshare -m sh -c 'mount -t tmpfs tmpfs /mnt && exec sleep 1000' &
service=$!
# their namespaces are their own, and as they want them, as soon as they sleep
for pid in $with $without $service; do
	until [ "$(cat "/proc/$pid/comm")" = sleep ]; do :; done
done
says 0 "^warning +containers-node .*process $with \(sleep\).*/dev/cvm/report" 'a container with the node'
n=$((n + 1))
if grep -A 1 "process $with " /tmp/out | grep -q 'run:'; then echo "not ok $n no command"; else echo "ok $n no command that runs the container's programs"; fi
silent "process $without" 'one without'
silent "process $service" 'a service with a mount namespace'
kill $with $without $service
wait
says 0 '^fine +containers' 'no container'

# a TPM as it comes, with passwords, and after wrong ones
says 0 '^note +tpm-no-password .*owner and lockout hierarchies' 'a TPM without passwords'
tpm2 changeauth -c owner secret
says 0 '^note +tpm-no-password .*lockout hierarchy has' 'one with a password for its owner'
tpm2 changeauth -c lockout secret
says 0 '^fine +tpm .*TPM 2\.0 with SHA-256' 'one with passwords'
tpm2 dictionarylockout -s -n 1 -t 1000 -l 1000 -p secret
tpm2 nvdefine -C o -P secret -s 8 -a 'authread|authwrite' -p right 0x1500016
command tpm2 nvread -P wrong 0x1500016 >/tmp/log 2>&1
says 0 '^warning +tpm-lockout ' 'one that is locked'
names() {	# COMMAND NAME: what doctor, which ran last, names for tpm-lockout
	n=$((n + 1))
	if [ "$(grep -A 1 'tpm-lockout ' /tmp/out | sed -n 's/^ *run: //p')" = "$1" ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		sed 's/^/# /' /tmp/out
	fi
}
names '' 'no command, where that takes a password'
tpm2 changeauth -c lockout -p secret
says 0 '^warning +tpm-lockout ' 'one that is locked, and asks for no password'
names 'tpm2_dictionarylockout -c' 'its command'
tpm2 dictionarylockout -c
tpm2 changeauth -c lockout secret
says 0 '^fine +tpm ' 'that command unlocks it'
echo tss:x:112:root,alice >>/etc/group
printf '%s\n' tss:x:111:112::/:/bin/false bob:x:1000:112::/:/bin/sh >>/etc/passwd
chgrp 112 /dev/tpmrm0
chmod 0660 /dev/tpmrm0
says 0 '^note +tpm-group .*group tss .* of alice, bob$' 'one that is a group'"'"'s, who is in that'
sed -i "s/^\\(tss:x:112:\\).*/\\1$(seq -w 1 200 | sed 's/.*/member&,/' | tr -d '\n')last/" /etc/group
says 0 '^note +tpm-group .*group tss .* of member001, .*, \.\.\.$' 'more than there is room for'
sed -i 's/^\(tss:x:112:\).*/\1/' /etc/group
sed -i '/^bob:/d' /etc/passwd
says 0 '^fine +tpm ' 'whose only member is the one it is for'
chgrp 0 /dev/tpmrm0
mv /dev/tpmrm0 /dev/tpm-elsewhere
says 0 '^note +tpm-unseen ' 'one that is not to be opened'
mv /dev/tpm-elsewhere /dev/tpmrm0
chmod 0666 /dev/tpmrm0
says 1 '^unsafe +tpm-open .*/dev/tpmrm0' 'one that everybody may open'
chmod 0660 /dev/tpmrm0

selftest '^passed *evidence' '^passed *vmpl' '^passed *many' '^passed *async' '^passed *deadline' \
	'^passed *batch *8 proofs hold, for scope privileged' '^passed *label' \
	'^passed *sources .*tsm, native'

if [ -c /dev/sev-guest ]; then
	says 0 '^warning +dropin-keys .*/dev/sev-guest' 'reports and keys by one node'
	says 0 '^fine +nodes +/dev/sev-guest: mode 0600' "whose mode is the kernel's own"
else
	says 0 '^fine +dropin .*/dev/tdx_guest' 'the older node'
fi
rmmod cvm_guest && modprobe cvm_guest drop_in=0
says 0 '^fine +dropin +there is no /dev' 'without it'
echo "1..$n"
