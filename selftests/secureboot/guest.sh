#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM, on a simulated SNP platform without a driver: guest.sh HOW, what the
# kernel and doctor do with modules that are signed or not.
#   secureboot   Secure Boot is on
#   uefi         it is not; the firmware has the key, and module.sig_enforce=1
#   nothing      there is no UEFI either; module.sig_enforce=1
#   lockdown     nor that; the kernel is locked down after it has booted
# Prints TAP.
how=$1
release=$(uname -r)
ko=/lib/modules/$release/updates/dkms/cvm_guest.ko
intree=$(find /lib/modules/ -name 'sev-guest.ko*')
refusal='refuses its signature'
n=0
# Debian's 6.1 never got one of the fixes, so there doctor is never content
content=0
[ "${release#6.1.}" = "$release" ] || content=1

result() {	# STATUS NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n $2"; else echo "not ok $n $2"; sed 's/^/# /' /tmp/log; fi
}

evidence() { cvmctl report --pad --report-data 00 --out /tmp/report >>/tmp/log 2>&1; }

# says STATUS PATTERN: of doctor
says() {
	cvmctl doctor >/tmp/log 2>&1
	[ $? = "$1" ] && grep -qE "$2" /tmp/log
	result $? "doctor: $2"
}

# refused MODULE STATUS FINDING: by the kernel, by name in doctor; evidence all the same
refused() {
	cp "/tmp/modules/$1.ko" "$ko"
	dmesg -c >/dev/null
	cvmctl module load >/tmp/log 2>&1
	[ $? = 1 ] && [ ! -d /sys/module/cvm_guest ] && grep -q "$refusal.*cvmctl doctor" /tmp/log
	result $? "$1: the kernel refuses it, and cvmctl says where to look"
	says 1 '^unsafe +driver-none '
	says 1 "$3"
	[ -n "$intree" ] || return
	modprobe -b platform:sev-guest 2>/dev/null
	[ -d /sys/module/sev_guest ] && [ ! -d /sys/module/cvm_guest ] && evidence
	result $? "$1: evidence by the kernel's own driver"
	says "$2" '^warning +driver-in-tree '
	says "$2" "$3"
	rmmod sev_guest
}

taken() {	# MODULE
	cp "/tmp/modules/$1.ko" "$ko"
	cvmctl module load >/tmp/log 2>&1 && [ -d /sys/module/cvm_guest ]
	result $? "$1: the kernel takes it"
	evidence
	result $? "$1: evidence"
	says $content "^fine +signature +cvm_guest is signed by 'cvm-guest test module', whose certificate is in UEFI's db"
	says $content '^fine +driver '
	cvmctl module unload
}

mount -t securityfs securityfs /sys/kernel/security
# the in-tree driver does not say that it needs these
for module in gf128mul ghash-generic cryptd crypto_simd aesni-intel crypto_null gcm; do
	modprobe -q $module
done
case $how in
secureboot)
	grep -q '\[integrity\]' /sys/kernel/security/lockdown
	result $? 'the kernel is locked down'
	says 1 '^fine +lockdown .*lockdown: integrity'
	says 1 '^note +secureboot-unseen '
	modprobe efivarfs
	mount -t efivarfs efivarfs /sys/firmware/efi/efivars
	says 1 '^fine +secureboot '
	;;
uefi)
	modprobe efivarfs
	mount -t efivarfs efivarfs /sys/firmware/efi/efivars
	says 1 '^fine +lockdown .*lockdown: none'
	says 1 '^note +secureboot-off '
	;;
nothing)
	says 1 '^warning +lockdown-open '
	# the platform's own module, which nobody signs, is loaded by now
	echo 1 >/sys/module/module/parameters/sig_enforce
	says 1 '^fine +lockdown .*lockdown: none'
	says 1 '^note +secureboot-none '
	;;
lockdown)
	echo integrity >/sys/kernel/security/lockdown
	says 1 '^fine +lockdown .*lockdown: integrity'
	refusal='does not permit'
	;;
esac
[ "$how" = lockdown ] || [ "$(cat /sys/module/module/parameters/sig_enforce)" = Y ]
result $? 'signatures are enforced'

refused unsigned 0 '^warning +signature-missing '
if [ "$how" = nothing ] || [ "$how" = lockdown ]; then
	refused signed 0 "^warning +signature-not-enrolled .*'cvm-guest test module'.*booted without UEFI"
else
	refused changed 1 "^unsafe +signature-wrong .*'cvm-guest test module'"
	refused other 0 "^warning +signature-not-enrolled .*'somebody else'"
	taken signed
fi
echo "1..$n"
