#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The shared library exports what the header declares, under its version, and
# nothing else; what other programs link statically keeps to our prefix.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
so=build/lib/libcvmguest.so.0
declared=$(gcc -E -P -Iuserspace/include userspace/include/cvmguest.h | tr '\n' ' ' | tr ';' '\n' |
	grep 'visibility("default")' | grep -oE '\bcvm_[a-z0-9_]+ ?\(' | tr -d ' (' | sort)

n=0 failed=0
same() {	# NAME WANTED GOT
	((n++))
	if [[ $2 == "$3" ]]; then
		echo "ok $n $1"
	else
		echo "not ok $n $1"
		diff <(echo "$2") <(echo "$3") | sed -n 's/^[<>]/# &/p'
		failed=1
	fi
}

same 'the version script lists what the header declares' "$declared" \
	"$(grep -oE '^[[:space:]]*cvm_[a-z0-9_]+;' userspace/lib/libcvmguest.map | tr -d '\t ;' | sort)"
same 'the library exports it, with a version' "$declared" \
	"$(nm -D --defined-only $so | sed -n 's/.* [TW] \(.*\)@@CVMGUEST_[0-9.]*$/\1/p' | sort)"
same 'and nothing else' '' \
	"$(nm -D --defined-only $so | grep -vE ' T cvm_[a-z0-9_]+@@CVMGUEST_| A CVMGUEST_')"
same 'its name for the loader' 'libcvmguest.so.0' \
	"$(readelf -d $so | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')"
same 'the libraries that it needs' $'libc.so.6\nlibcrypto.so.3\nlibjansson.so.4\nlibtss2-esys.so.0\nlibtss2-mu.so.0\nlibtss2-tcti-device.so.0\nlibtss2-tctildr.so.0' \
	"$(readelf -d $so | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort)"
same 'the static library defines nothing without our prefix' '' \
	"$(nm -g --defined-only build/lib/libcvmguest.a | awk 'NF == 3 && $3 !~ /^cvm_/ { print $3 }')"
# a serial number for names, and libcurl once it is loaded, are all; relocated constants are
# in sections of their own
same 'it has no state that all callers share' $'curl\nloaded\nonce\nserial.0' \
	"$(objdump -t $so | awk '$4 ~ /^\.(data|bss)$/ && NF == 6 { print $6 } $3 ~ /^\.(data|bss)$/ { print $5 }' |
		grep -vE '^(completed\.0|__dso_handle|__TMC_END__|\.data|\.bss)$' | sort)"

echo "1..$n"
exit $failed
