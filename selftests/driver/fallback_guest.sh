#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM: fallback_guest.sh ALIAS INTREE QUOTE|REPORT, with kmod's own
# modprobe and our modprobe.d. Prints TAP.
alias=$1 intree=$2 ask=$3
dir=/lib/modules/$(uname -r)
n=0

for tool in modprobe rmmod depmod lsmod; do
	ln -sf /usr/bin/kmod /sbin/$tool
done
hash -r

result() {	# STATUS NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n $2"; else echo "not ok $n $2"; sed 's/^/# /' /tmp/log; fi
}

# what the kernel does when it finds the device; then who has it
comes() {	# WHO NAME
	/sbin/modprobe -b "$alias" >/tmp/log 2>&1
	lsmod >>/tmp/log
	who=
	[ ! -d /sys/module/cvm_guest ] || who=cvm_guest
	[ ! -d "/sys/module/$intree" ] || who="$who$intree"
	[ "$who" = "$1" ]
	result $? "$2: $1"
	cvmctl "$ask" --report-data "$(od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n')" \
		--out /tmp/e 2>>/tmp/log
	result $? "$2: evidence"
}

leave() {
	[ ! -d /sys/module/cvm_guest ] || rmmod cvm_guest
	[ ! -d "/sys/module/$intree" ] || rmmod "$intree"
}

# the in-tree driver of SNP does not say that it needs these
for module in gf128mul ghash-generic cryptd crypto_simd aesni-intel crypto_null gcm; do
	/sbin/modprobe -q $module
done
depmod
comes cvm_guest 'both are there'
leave

echo 'blacklist cvm_guest' >/etc/modprobe.d/local.conf
comes "$intree" 'ours is blacklisted'
leave
rm /etc/modprobe.d/local.conf

ours=$(modprobe -R cvm_guest >/dev/null && find "$dir" -name 'cvm_guest.ko*')
cp "$ours" /tmp/whole.ko
head -c 20000 /tmp/whole.ko >"$ours"
comes "$intree" 'the kernel refuses ours'
leave
rm "$ours"
depmod
comes "$intree" 'ours is not built for this kernel'
cvmctl doctor >/tmp/log 2>&1
grep -q "^warning *driver-in-tree .*the kernel's own" /tmp/log && grep -q '^warning *module-not-added ' /tmp/log
result $? 'doctor says so'
cp /tmp/whole.ko "$ours"
depmod
comes "$intree" 'the other one has it'
leave
/sbin/modprobe -i "$intree"
[ -d "/sys/module/$intree" ] && [ ! -d /sys/module/cvm_guest ]
result $? 'asked for by name'
leave
echo "1..$n"
