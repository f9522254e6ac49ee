#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM, on a simulated SNP platform without a driver: enrol_guest.sh STEP, the
# three boots of enrol.sh. Leaves the TPM's PCRs and db in /tmp/pcrs, and
# what they are made of in /tmp/event-log. Prints TAP.
step=$1
folder=/lib/modules/$(uname -r)/updates/dkms
vars=/sys/firmware/efi/efivars
shim=605dab50-e046-4300-abb6-3dd810dd8b23
ima=/sys/kernel/security/ima/ascii_runtime_measurements
n=0

result() {	# STATUS NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n $2"; else echo "not ok $n $2"; sed 's/^/# /' /tmp/log; fi
}

pcrs() { for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo $i "$(cat /sys/class/tpm/tpm0/pcr-sha256/$i)"; done; }

install() {	# MODULE: in the place of any other
	rm -f "$folder"/cvm_guest.ko*
	cp "/tmp/modules/$1" "$folder/cvm_guest.ko${1#*.ko}"
	depmod
}

taken() {	# MODULE PATTERN
	install "$1"
	cvmctl module load >/tmp/log 2>&1 &&
		cvmctl report --pad --report-data 00 --out /tmp/report >>/tmp/log 2>&1
	result $? "$1: the kernel takes it, and there is evidence"
	cvmctl doctor >/tmp/log 2>&1
	grep -qE "$2" /tmp/log
	result $? "$1: doctor: $2"
	cvmctl module unload
}

refused() {	# MODULE PATTERN
	install "$1"
	! cvmctl module load >/tmp/log 2>&1
	result $? "$1: the kernel refuses it"
	cvmctl doctor >/tmp/log 2>&1
	grep -qE "$2" /tmp/log
	result $? "$1: doctor: $2"
}

# obey FINDING: runs the command that doctor names for it, but for the reboot
obey() {
	command=$(cvmctl doctor --json 2>/dev/null | tr -d '\n' |
		sed "s/.*\"id\": \"$1\"[^}]*\"command\": \"\([^}]*\)\"[ ]*}.*/\1/; s/\\\\\"/\"/g; s/ && reboot\$//")
	(cd /tmp/keys && sh -c "$command") >/tmp/log 2>&1
	result $? "$1: $command"
}

mount -t securityfs securityfs /sys/kernel/security
modprobe efivarfs
mount -t efivarfs efivarfs $vars
mkdir -p /var/lib/dkms
cp /tmp/keys/mok.pub /var/lib/dkms/
{
	pcrs
	echo db "$(tail -c +5 $vars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f | sha256sum | cut -d' ' -f1)"
} >/tmp/pcrs
cat /sys/kernel/security/tpm0/binary_bios_measurements >/tmp/event-log
case $step in
1)
	refused dkms.ko.xz "^warning +signature-not-enrolled .*'DKMS module signing key'"
	obey signature-not-enrolled
	refused other.ko "^warning +signature-not-enrolled .*'somebody else'"
	# what a root who wants more than root can do where there is no shim
	{ printf '\007\0\0\0'; cat /tmp/keys/other.esl; } >/tmp/value
	dd if=/tmp/value of=$vars/MokListRT-$shim bs=64k 2>/tmp/log
	result $? 'a list of keys that nobody has checked'
	;;
2)
	taken dkms.ko.xz "^fine +signature .*'DKMS module signing key', whose certificate is in UEFI's db"
	# which the kernel believes
	taken other.ko '^unsafe +secureboot-mok '
	obey secureboot-mok
	;;
3)
	taken dkms.ko.xz "^fine +signature .*'DKMS module signing key', whose certificate is in UEFI's db"
	refused other.ko "^warning +signature-not-enrolled .*'somebody else'"
	grep -qw secureboot-mok /tmp/log
	result $((! $?)) 'and there is no list of keys any more'

	# what loading a module changes in what a quote says
	pcrs >/tmp/before
	taken signed.ko "^fine +signature .*'cvm-guest test module'"
	pcrs >/tmp/after
	diff /tmp/before /tmp/after | sed -n 's/^+\([0-9]*\) .*/\1/p' >/tmp/log
	[ "$(cat /tmp/log)" = 10 ]
	result $? 'loading it changes PCR 10, and no other'
	sum=$(sha256sum "$folder/cvm_guest.ko")
	tail -n 5 $ima >/tmp/log
	grep -q "sha256:${sum%% *} .*/cvm_guest.ko *\$" $ima
	result $? "its digest is in the kernel's log"
	;;
esac
echo "1..$n"
