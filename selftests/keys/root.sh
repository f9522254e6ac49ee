#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A Debian machine whose root is an encrypted disk that the initial RAM disk opens, by
# keys that only this VM derives. It is set up in the first boot, from an image; then it
# opens, and for nobody else; see root_guest.sh.
#   selftests/keys/root.sh 6.1|6.12|7.3 initramfs-tools|dracut [integrity]
# With integrity the disk is authenticated, and what has nothing to do with that is not
# tried again. The disk with the kernel, /dev/vda, stands for a boot partition: the record
# is there.
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/dkms/lib.sh
. selftests/dkms/lib.sh
series=$1 tool=$2 integrity=${3-}
MACHINE_PACKAGES=("${MACHINE_PACKAGES[@]/initramfs-tools/$tool}")
old=d218000000000004 new=db18000000000004
# as long as a measurement is
other=$(printf '5e%.0s' {1..48})
guest=../root_guest.sh
meant='the root that was meant'
# of an image of 350 MiB, with tags and a journal
size=$((350 << 20))
[[ -z $integrity ]] || size=$((400 << 20))

configuration()
{
	local etc=$dir/machine/etc

	mkdir -p "$etc/cvm-guest"
	printf '%s\n' DEVICE=/dev/vdb RECORD_DEVICE=/dev/vda RECORD_FSTYPE=ext4 \
		"FORMAT=--system measured${integrity:+ --integrity}" \
		"OPTIONS=--min-tcb $old" >"$etc/cvm-guest/rootdisk"
	# klibc's dd, and sync comes after it
	# shellcheck disable=SC2016 # for that script
	printf '%s\n' '#!/bin/sh' 'exec dd if=/dev/vdc of="$1" bs=1048576' >"$etc/cvm-guest/rootdisk.setup"
	chmod +x "$etc/cvm-guest/rootdisk.setup"
	[[ $tool != dracut ]] || echo 'install_items+=" dd "' >"$etc/dracut.conf.d/setup.conf"
}

# the machine without what only builds things, as an image of 350 MiB
image()
{
	local as_root='' root=$dir/root

	cp -al "$dir/machine" "$root" && rm -rf "${root:?}"/{boot,build,usr/src,usr/include,usr/lib/gcc,usr/lib/modules} \
		"$root"/usr/share/{doc,man,locale,info,perl,i18n} "$root"/var/{cache,lib/apt,lib/dkms} || return
	mkdir -p "$root/usr/lib/modules"
	echo "$meant" >"$root/etc/cvm-root"
	[ "$(id -u)" = 0 ] || as_root='unshare -r'
	$as_root mke2fs -q -t ext4 -b 4096 -d "$root" "$dir/root.img" 350M >"$log" 2>&1 &&
		rm -rf "$root" && truncate -s $size "$dir/data.img"
}

# initramfs-tools' RAM disk says itself what the root is
line='systemd.import_credentials=no nohibernate'
[[ $tool != dracut ]] || line+=' root=/dev/mapper/root'
root=(--data "$dir/data.img" --append "$line" --put selftests/keys/root_guest.sh:/run/vm/root_guest.sh)

# refused NAME WORDS RUN-OPTION...: it does not get to its root, and nobody gets a shell
refused()
{
	selftests/vm/run -v --disk "$dir/disk" --kernel "$series" --memory 1024 --timeout 400 --platform snp \
		"${root[@]}" "${@:3}" -- echo 'it has booted' >"$log" 2>&1
	[[ $? == 125 ]] && grep -aq "$2" "$log"
	result $? "$1: says $2"
	! grep -aqE '\(initramfs\)|emergency mode|login:|it has booted$' "$log"
	result $? "$1: no root, and no shell"
}

# the host does, near the end of the disk, where no file is
change_byte()
{
	local at=$((size - (4 << 20))) byte

	byte=$(od -An -tu1 -j $at -N 1 "$dir/data.img")
	# shellcheck disable=SC2059 # an escape
	printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$dir/data.img" bs=1 seek=$at conv=notrunc 2>"$log"
}

make_packages
fresh_machine "$series"
configuration
install_packages
has_module "$KVER"
image
result $? 'an image of the root'
machine_disk "$dir/machine" "$dir/disk" 2>"$log"
result $? 'a disk'
boot 'first boot' --platform snp "${root[@]}" --data "$dir/root.img" --fw committed_tcb=$old -- $guest first "$integrity"
grep -aq "$meant" "$dir/root.img" && ! grep -aq "$meant" "$dir/data.img"
result $? 'what is on the disk is not what is in it'
refused 'another measurement' 'derives another key' --fw committed_tcb=$old --fw measurement="$other"
if [[ -z $integrity ]]; then
	refused 'another policy' 'derives another key' --fw committed_tcb=$old --fw policy=20000
	refused "a root of the host's" 'root= on the command line' --fw committed_tcb=$old --append "$line root=/dev/vda"
	refused 'credentials of the host' 'systemd.import_credentials=no is not' --fw committed_tcb=$old --append "${line#* }"
fi
boot 'second boot' --platform snp "${root[@]}" --fw committed_tcb=$new -- $guest second "$integrity"
if [[ -n $integrity ]]; then
	change_byte
	result $? 'the host changes a byte'
fi
boot 'third boot' --platform snp "${root[@]}" --fw committed_tcb=$new -- $guest third "$integrity"
finish
