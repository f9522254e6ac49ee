# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The VM's root: a base for each kernel (busybox, kmod, a shell, libraries, the
# kernel modules that tests use), made once, and what one run adds. Both are
# plain cpio archives: unpacking under TCG costs more than reading. Sourced.

# shellcheck disable=SC2154 # base, kernel_modules, uefi, module: set by run

# kernel modules that are put into the VM, where the kernel has them, with all
# that they depend on
VM_MODULES=(
	virtio_pci virtio_console virtio_rng virtio_net configfs loop efivarfs
	gf128mul ghash-generic cryptd crypto_simd aesni-intel crypto_null gcm ctr
	hmac sha512_generic sha512-ssse3 sha256_generic cbc xts
	tsm tsm_report sev-guest tdx-guest algif_skcipher algif_hash
	dm-mod dm-crypt dm-integrity authenc trusted encrypted-keys tpm_vtpm_proxy
)
VM_PROGRAMS=(/bin/kmod /bin/dash /bin/bash /bin/tar)
# beyond what the programs themselves need: what programs load at run time
VM_LIBRARIES=(libssl.so.3 libcrypto.so.3 libjansson.so.4 libkmod.so.2 libgcc_s.so.1)

# libraries_of FILE...: the shared libraries that these programs load
libraries_of()
{
	ldd "$@" 2>/dev/null | sed -nE 's/^.*=> (\/[^ ]+) .*/\1/p; s/^\t(\/[^ ]+) \(.*/\1/p' |
		sort -u
}

# install_libraries TREE: those on stdin, under the directory where ld.so looks
install_libraries()
{
	local lib dir

	while read -r lib; do
		dir=$1/usr/lib/x86_64-linux-gnu
		[[ $lib != */ld-linux-x86-64.so.2 ]] || dir=$1/usr/lib64
		[ -e "$dir/${lib##*/}" ] || cp -L "$lib" "$dir/" || return 1
	done
}

pack()
{
	(cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet)
}

install_modules()
{
	local tree=$1 file

	mkdir -p "$tree/lib/modules/$KVER"
	cp "$MODULES"/modules.{order,builtin,builtin.modinfo} "$tree/lib/modules/$KVER/"
	# the package's own index, made where it was unpacked
	[ -e "$MODULES/modules.dep" ] || depmod -b "${MODULES%/lib/modules/*}" "$KVER"
	for module in "${VM_MODULES[@]}"; do
		modprobe -q -d "${MODULES%/lib/modules/*}" -S "$KVER" \
			--show-depends "$module" 2>/dev/null
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u |
	while read -r file; do
		install -D -m 644 "$file" "$tree/lib/modules/$KVER/${file#"$MODULES"/}"
	done
	find "$tree/lib/modules" -name '*.ko.xz' -exec xz -d {} +
}

make_base()
{
	local final=$CACHE/vm/$KVER new=$CACHE/vm/$KVER.new key applet
	local inputs=(/bin/busybox "${VM_PROGRAMS[@]}" "$TOP"/selftests/vm/{initrd.sh,init,guest.sh,lib.sh})

	# contents by size and time: all are replaced as whole files
	key=$(stat -L -c '%n %s %Y' "${inputs[@]}" "$TOP"/build/vm/{exec,kexec} "$MODULES"
		ldconfig -p | grep -F -f <(printf '%s\n' "${VM_LIBRARIES[@]}")
		stat -L -c '%n %s %Y' /lib/x86_64-linux-gnu/lib{c.so.6,crypto.so.3})
	[ "$(cat "$final/key" 2>/dev/null)" != "$key" ] || return 0
	rm -rf "$new"
	mkdir -p "$new"/tree/usr/{bin,sbin,lib/x86_64-linux-gnu,lib64} \
		"$new"/tree/{dev,proc,sys,tmp,run,root,vm,etc,var,mnt}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$new/tree/"
	cp /bin/busybox "${VM_PROGRAMS[@]}" "$new/tree/usr/bin/"
	# no applet may stand before the real kmod
	for applet in $(/bin/busybox --list); do
		[ -e "$new/tree/usr/bin/$applet" ] ||
			ln -s busybox "$new/tree/usr/bin/$applet"
	done
	for applet in modprobe insmod rmmod lsmod modinfo depmod; do
		rm -f "$new/tree/usr/bin/$applet"
		ln -s ../bin/kmod "$new/tree/usr/sbin/$applet"
	done
	ln -sf dash "$new/tree/usr/bin/sh"
	echo root:x:0:0:root:/root:/bin/sh >"$new/tree/etc/passwd"
	echo nobody:x:65534:65534:nobody:/:/bin/false >>"$new/tree/etc/passwd"
	printf '%s\n' root:x:0: nogroup:x:65534: >"$new/tree/etc/group"
	{
		libraries_of "${VM_PROGRAMS[@]}"
		ldconfig -p | awk '/x86-64/ { print $1, $NF }' |
			grep -F -f <(printf '%s \n' "${VM_LIBRARIES[@]}") | cut -d' ' -f2
	} | sort -u | install_libraries "$new/tree" || return 1
	install_modules "$new/tree" || return 1
	install -m 755 "$TOP/selftests/vm/init" "$new/tree/init"
	install -m 644 "$TOP/selftests/vm/guest.sh" "$new/tree/vm/"
	install -m 755 "$TOP"/build/vm/{exec,kexec} "$new/tree/vm/"
	pack "$new/tree" >"$new/base.cpio" || return 1
	printf '%s\n' "$key" >"$new/key"
	publish "$new" "$final"
}

# put HOST GUEST TREE: a file or directory, and the libraries that it loads
put()
{
	local to=$3/${2#/}

	[ -e "$1" ] || die "--put: no file $1"
	[[ $2 != */ ]] || to=$to${1##*/}
	mkdir -p "$(dirname "$to")"
	cp -rL --preserve=mode "$1" "$to"
	[ -d "$1" ] || libraries_of "$1" | needed_libraries | install_libraries "$3"
}

# without those that the base has, and ours, which build/lib provides
needed_libraries()
{
	local lib

	while read -r lib; do
		[ -e "$base/tree/usr/lib/x86_64-linux-gnu/${lib##*/}" ] ||
			[[ $lib == */ld-linux-x86-64.so.2 || $lib == "$TOP"/* ]] ||
			echo "$lib"
	done
}

# sign_module KO: with the key that the firmware of --uefi vouches for
sign_module()
{
	local program

	program=$(sign_file) || die 'no sign-file runs here: selftests/vm/kernel 6.12 fetches one'
	"$program" sha256 "$uefi/module.key" "$uefi/module.pem" "$1"
}

# add_build TREE: programs, libraries, modules
add_build()
{
	local tree=$1 f updates=$1/lib/modules/$KVER/updates/dkms

	mkdir -p "$tree"/usr/{bin,lib64,lib/x86_64-linux-gnu} "$tree/vm"
	ln -s usr/lib "$tree/lib"
	cp -al "$base/tree/usr/lib/modules" "$tree/usr/lib/"
	mkdir -p "$updates"
	# the agent's libraries are as large as all others: its own tests put it in
	for f in "$TOP"/build/bin/*; do
		[ ! -f "$f" ] || [ "${f##*/}" = cvm-agent ] || cp "$f" "$tree/usr/bin/"
	done
	for f in "$TOP"/build/lib/*.so*; do
		[ ! -e "$f" ] || cp -P "$f" "$tree/usr/lib/"
	done
	for f in "$tree"/usr/bin/* "$tree"/usr/lib/*.so*; do
		[ ! -f "$f" ] || libraries_of "$f"
	done | sort -u | needed_libraries | install_libraries "$tree" || return 1
	for f in "${kernel_modules[@]}"; do
		cp "$f" "$updates/" || return 1
		# what --module names is what is tested, signed or not
		[ -z "$uefi" ] || [ "$f" = "$module" ] || sign_module "$updates/${f##*/}" || return 1
	done
	# unlinked first: hard links to the base's
	rm -f "$tree/lib/modules/$KVER"/modules.{dep,alias,softdep,symbols}*
	depmod -b "$tree" "$KVER" || return 1
	rm -rf "$tree/usr/lib/modules/$KVER/kernel"
}
