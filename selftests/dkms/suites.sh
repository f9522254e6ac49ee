#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests that are for others' machines, on one that has our packages and nothing
# from here: debian/tests by autopkgtest, and the folder that
# `make -C selftests install` makes.
#   selftests/dkms/suites.sh
# 6.1's root, where the headers are those that debian/tests asks for. Prints TAP.
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/dkms/lib.sh
. selftests/dkms/lib.sh
series=6.1

source_tree()
{
	mkdir "$dir/src" &&
		git ls-files -z | xargs -0 cp --parents -t "$dir/src" &&
		mv "$dir/src/userspace/packaging/debian" "$dir/src/"
}

make_packages
fresh_machine "$series" autopkgtest linux-headers-cloud-amd64 gcc libc6-dev pkg-config libssl-dev \
	libjansson-dev libtss2-dev
install_packages
in_machine "$debs" sh -c 'dpkg -i /build/libcvmguest*.deb'
result $? 'dpkg -i of the library'
source_tree && make -s -C selftests install INSTALL_PATH="$dir/kselftest" >"$log" 2>&1
result $? 'make -C selftests install'
machine_disk "$dir/machine" "$dir/disk" 2>"$log"
result $? 'a disk'
boot 'suites' --platform snp --timeout 1500 --put "$dir/src:/run/vm/src" \
	--put "$dir/kselftest:/run/vm/kselftest" -- suites.sh
finish
