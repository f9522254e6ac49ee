#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The installed header stands alone, in every dialect that callers use, beside
# the driver's own header, and documents all that it declares.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
headers='userspace/include/cvmguest.h userspace/include/cvmguest/*.h'
warn='-Wall -Wextra -Wpedantic -Werror -Wundef'

n=0 failed=0
result() {	# STATUS NAME [DIAGNOSIS]
	((n++))
	[[ $1 == 0 ]] && { echo "ok $n $2"; return; }
	printf 'not ok %d %s\n' "$n" "$2"
	[[ -z ${3-} ]] || while IFS= read -r line; do echo "# $line"; done <<<"$3"
	failed=1
}

for compiler in 'gcc -xc -std=c99' 'gcc -xc -std=gnu17' 'g++ -xc++ -std=c++11' 'g++ -xc++ -std=c++20'; do
	# shellcheck disable=SC2086
	why=$(echo '#include <cvmguest.h>' | $compiler $warn -Iuserspace/include -fsyntax-only - 2>&1)
	result $? "$compiler takes it" "$why"
done
# shellcheck disable=SC2086
why=$(printf '#include <linux/cvm_guest_key.h>\n#include <cvmguest.h>\n' |
	gcc -xc $warn -Idriver/uapi -Iuserspace/include -fsyntax-only - 2>&1)
result $? "it goes together with the driver's header" "$why"

# each CVM_API function has a comment above it that says since when
# shellcheck disable=SC2086
why=$(awk '
	/^\/\*/ { comment = "" }
	{ comment = comment $0 }
	/^CVM_API/ {
		if (comment !~ /Since: [0-9]+\.[0-9]+/) print FILENAME ":" FNR ": " $0
		comment = ""
	}' $headers)
result "$([[ -z $why ]]; echo $?)" 'every function says since when' "$why"

# so has each struct and enum that is defined
# shellcheck disable=SC2086
why=$(awk '
	/^\/\*/ { comment = "" }
	{ comment = comment $0 }
	/^(struct|enum) [a-z_0-9]+( \{|;)/ {
		if (comment !~ /Since: [0-9]+\.[0-9]+/) print FILENAME ":" FNR ": " $0
		comment = ""
	}' $headers)
result "$([[ -z $why ]]; echo $?)" 'every struct and enum says since when' "$why"

echo "1..$n"
exit $failed
