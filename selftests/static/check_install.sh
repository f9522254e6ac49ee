#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What `make install` puts down is enough to build on: the example of the manual
# is compiled against it, shared and static, by what pkg-config says.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

n=0 failed=0
result() {	# STATUS NAME [DIAGNOSIS]
	((n++))
	[[ $1 == 0 ]] && { echo "ok $n $2"; return; }
	printf 'not ok %d %s\n' "$n" "$2"
	[[ -z ${3-} ]] || while IFS= read -r line; do echo "# $line"; done <<<"$3"
	failed=1
}

usr=$dir/usr/local
why=$(make -s install DESTDIR="$dir" prefix=/usr/local 2>&1)
result $? 'make install' "$why"
for file in bin/cvmctl bin/cvm-agent lib/libcvmguest.so.0 lib/libcvmguest.so lib/libcvmguest.a include/cvmguest.h include/cvmguest/batch.h \
	include/cvmguest/verify.h include/linux/cvm_guest.h include/linux/cvm_guest_key.h \
	lib/pkgconfig/libcvmguest.pc share/man/man1/cvmctl.1 share/man/man1/cvmctl-verify.1 share/man/man3/libcvmguest.3 share/man/man4/cvm_guest.4 share/man/man5/cvm-policy.5 share/man/man5/cvm-collateral.5 \
	lib/modprobe.d/cvm-guest.conf lib/udev/rules.d/60-cvm-guest.rules lib/sysusers.d/cvm-guest.conf \
	lib/systemd/system/cvm-tempdisk@.service lib/systemd/system/cvm-swap@.service lib/systemd/system/cvm-guest-azure.service lib/systemd/system/cvm-credential.service lib/systemd/system/cvm-credential.socket share/man/man8/cvm-credential.service.8 share/man/man8/cvm-credential.socket.8 share/man/man8/cvm-tempdisk@.service.8 share/man/man8/cvm-swap@.service.8 share/man/man8/cvm-root.8 share/man/man8/cvm-agent.8 \
	lib/sysusers.d/cvm-agent.conf lib/systemd/system/cvm-agent.service lib/systemd/system/cvm-agent.socket \
	lib/systemd/system/cvm-agent@.service lib/systemd/system/cvm-agent@.socket share/doc/cvm-agent/openapi.yaml share/doc/libcvmguest-dev/examples/README.md share/doc/libcvmguest-dev/verifiers.rst \
	share/bash-completion/completions/cvmctl; do
	[[ -f $usr/$file ]]
	result $? "$file"
done
for hook in postinst.d header_postinst.d; do
	[[ -x $dir/etc/kernel/$hook/cvm-guest ]]
	result $? "etc/kernel/$hook/cvm-guest"
done
for script in etc/initramfs-tools/hooks/cvm-root etc/initramfs-tools/scripts/{local-top,init-bottom}/cvm-root \
	usr/lib/dracut/modules.d/90cvm-root/{module-setup.sh,cvm-root}; do
	[[ -x $dir/$script ]]
	result $? "$script"
done
src=$(echo "$dir"/usr/src/cvm-guest-*)
why=$(diff -r driver "$src/driver" && diff Kbuild "$src/Kbuild" && diff dkms.conf "$src/dkms.conf")
result $? 'the sources of the module' "$why"
why=$(cd userspace/clients && git ls-files | sort | diff - <(cd "$usr/share/cvm-guest/verifiers" && find . -type f | sed 's|^./||' | sort) &&
	git ls-files | while read -r file; do cmp "$file" "$usr/share/cvm-guest/verifiers/$file" || exit; done)
result $? 'what Go and Rust need to know of proofs, and no more' "$why"
why=$(find "$dir" -type f -perm /022 -o -type f -newermt 2200-01-01 -o -name '*~')
result "$([[ -z $why ]]; echo $?)" 'nobody but root may write to any of it' "$why"

example() { sed -n '/^\.SH EXAMPLE/,/^\.fi/p' "$usr/share/man/man3/libcvmguest.3" | sed -e '/^\./d' -e 's/\\e/\\/g'; }
export PKG_CONFIG_PATH=$usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dir
example >"$dir/example.c"
# shellcheck disable=SC2046
why=$(gcc -Wall -Wextra -Werror -o "$dir/example" "$dir/example.c" \
	$(pkg-config --cflags --libs libcvmguest) 2>&1)
result $? "the manual's example, with the shared library" "$why"
why=$(LD_LIBRARY_PATH=$usr/lib "$dir/example" 2>&1)
# a machine that has evidence prints it, any other says what it lacks
result "$([[ $? == 0 || $why == *'no source of evidence'* ]]; echo $?)" 'it runs' "$why"
why=$(make -s -C "$usr/share/doc/libcvmguest-dev/examples" O="$dir/examples" CFLAGS='-O1 -Werror' 2>&1)
result $? 'the worked examples, with the shared library' "$why"
rm "$usr"/lib/*.so*
# shellcheck disable=SC2046
why=$(gcc -Wall -Wextra -Werror -o "$dir/example" "$dir/example.c" \
	$(pkg-config --cflags --static --libs libcvmguest) 2>&1)
result $? "the manual's example, with the static library" "$why"

echo "1..$n"
exit $failed
