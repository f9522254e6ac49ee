#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is written for people says what the programs do: manual pages, completion,
# and README's list of what can go wrong. Prints TAP.
#   check_docs.sh --readme    puts doctor's table as it is now into README.md
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# README.md with @TABLE@ in the place of doctor's
readme() {
	awk '/^<!-- cvmctl doctor --list: begin -->$/ { print; print "@TABLE@"; skip = 1 }
		/^<!-- cvmctl doctor --list: end -->$/ { skip = 0 }
		!skip' README.md | sed -e "/^@TABLE@\$/{r $dir/table" -e 'd}'
}

build/gen/generate findings >"$dir/table" || exit
readme >"$dir/README.md"
if [[ ${1-} == --readme ]]; then
	cp "$dir/README.md" README.md
	exit
fi

n=0 failed=0
result() {	# STATUS NAME [DIAGNOSIS]
	((n++))
	[[ $1 == 0 ]] && { echo "ok $n $2"; return; }
	printf 'not ok %d %s\n' "$n" "$2"
	[[ -z ${3-} ]] || while IFS= read -r line; do echo "# $line"; done <<<"$3"
	failed=1
}

mapfile -t commands < <(build/bin/cvmctl --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
[[ ${#commands[@]} -ge 11 ]]
result $? "there are commands: ${commands[*]}"

# every page is well formed, for both programs that show pages
for page in build/man/*.[1-9]; do
	why=$(mandoc -Tlint -W warning "$page" 2>&1
		LC_ALL=C.UTF-8 MAN_KEEP_FORMATTING=1 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
	result "$([[ -z $why ]]; echo $?)" "$page is well formed" "$why"
done

# shellcheck source=/dev/null
. build/completion/cvmctl
complete_words() {	# WORD...: what is offered in the place of the last one
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_cvmctl
	printf '%s\n' "${COMPREPLY[@]}"
}
offers() {	# WANTED WORD...
	local got
	got=$(complete_words "${@:2}" | paste -sd' ')
	result "$([[ $got == "$1" ]]; echo $?)" "after '${*:2}': $1" "$got"
}

for command in "${commands[@]}"; do
	page=build/man/cvmctl-$command.1
	[[ -s userspace/man/cvmctl-$command.man && -s $page ]]
	result $? "$command has a page"
	grep -q "^.BR cvmctl.-$command (1)" build/man/cvmctl.1
	result $? "$command is in cvmctl(1)"
	build/bin/cvmctl "$command" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort >"$dir/help"
	awk '/^\.SH/ { on = /OPTIONS/ } on && /^\.B .-.-/ { gsub(/[^a-z-]/, "", $2); print $2 }' "$page" |
		sort >"$dir/page"
	complete_words cvmctl "$command" -- | sort >"$dir/completed"
	result "$(cmp -s "$dir/help" "$dir/page"; echo $?)" "$command: its page has the options of --help" \
		"$(diff "$dir/help" "$dir/page")"
	result "$(cmp -s "$dir/help" "$dir/completed"; echo $?)" "$command: so has completion" \
		"$(diff "$dir/help" "$dir/completed")"
done
[[ $(find build/man/ -name 'cvmctl-*.1' | wc -l) == "${#commands[@]}" ]]
result $? 'there is no page of what is no command'

# shellcheck disable=SC1003 # backslashes
diff <(build/bin/cvm-agent --help | grep -oE '^  --[a-z-]+|, --[a-z]+' | tr -d ' ,' | sort) \
	<(awk '/^\.SH/ { on = /OPTIONS/ } on && /^\.B[IR]? \\-\\-/' build/man/cvm-agent.8 |
		grep -oE '\\-\\-[a-z\\-]+' | tr -d '\\' | sort -u) >"$dir/why"
result $? 'cvm-agent(8) has the options of --help' "$(<"$dir/why")"
diff <(sed -n 's/^\t{ "\(\/[a-z0-9\/]*\)".*/\1/p' userspace/agent/routes.c | sort) \
	<(sed -n 's/^  \(\/[a-z0-9\/]*\):$/\1/p' userspace/agent/openapi.yaml | sort) >"$dir/why"
result $? 'openapi.yaml has every endpoint' "$(<"$dir/why")"
diff <(grep -hoE '"([a-z]+_[a-z_]+|busy|cancelled|failed|incomplete|stopping|timeout)",' userspace/agent/{reply,request,routes,source}.c |
	tr -d '",' | sort -u) <(sed -n '/enum: \[bad_request/,/\]/p' userspace/agent/openapi.yaml |
	grep -oE '[a-z_]+' | grep -v enum | sort -u) >"$dir/why"
result $? 'and every error' "$(<"$dir/why")"

steps=$(sed -n '/^} steps\[\]/,/^};/s/^\t{ "\([a-z]*\)".*/\1/p' userspace/cvmctl/cmd_selftest.c)
described=$(awk '/^\.TP$/ { getline; sub(/^\.B /, ""); gsub(/\\f[RB]/, ""); gsub(/, /, "\n"); print }' userspace/man/cvmctl-selftest.man)
[[ $(wc -l <<<"$steps") -ge 12 && $(sort <<<"$steps") == $(sort <<<"$described") ]]
result $? 'cvmctl-selftest(1) has every step' "$(diff <(sort <<<"$steps") <(sort <<<"$described"))"

why=$(shellcheck -f gcc build/completion/cvmctl)
result $? 'the completion is good shell' "$why"
mkdir "$dir/files"
touch "$dir/files/nonce.bin"
offers 'status doctor report quote evidence batch expect show verify policy certs key skr disk rtmr bench module selftest --help --version' cvmctl ''
offers 'status show skr selftest' cvmctl s
offers 'raw json cmw' cvmctl report --format ''
offers 'cvm' cvmctl report --backend c
offers 'privileged unprivileged label: any' cvmctl verify --scope ''
offers 'load unload status' cvmctl module ''
offers '--help' cvmctl module load ''
offers 'read extend' cvmctl rtmr ''
offers 'prepare request open' cvmctl skr ''
offers 'init check explain' cvmctl policy ''
offers "$dir/files/nonce.bin" cvmctl policy check "$dir/files/"
offers "$dir/files/nonce.bin" cvmctl policy init --from "$dir/files/"
offers 'kds thim' cvmctl certs fetch --from ''
offers 'azure azure-tpm' cvmctl verify --binding a
offers "@$dir/files/nonce.bin" cvmctl report --report-data "@$dir/files/"
offers '' cvmctl report --report-data ab
offers '' cvmctl report --timeout ''
offers "$dir/files" cvmctl doctor --root "$dir/f"
offers "$dir/files/nonce.bin" cvmctl verify --at 2025-06-30T12:00:00Z "$dir/files/"
offers '--json --backend --watch --interval --count --root --help' cvmctl status ''
offers 'json coco-v1 coco-v2 cmw cmw-cbor' cvmctl evidence --format ''
offers '' cvmctl nonsense --x

why=$(diff README.md "$dir/README.md")
result $? "README.md's list of what can go wrong is doctor's" \
	"$why"$'\nmend it with: selftests/static/check_docs.sh --readme'
[[ $(grep -c '^| `' "$dir/table") == $(build/bin/cvmctl doctor --list | grep -c '^[a-z]') ]] &&
	grep -q '^<!-- cvmctl doctor --list: begin' README.md
result $? 'which has it'

missing=
mapfile -t functions < <(sed -n 's/^CVM_API.*\(cvm_[a-z_0-9]*\)(.*/\1/p' userspace/include/cvmguest.h userspace/include/cvmguest/*.h)
((${#functions[@]} > 30)) || missing=' nearly all'
for function in "${functions[@]}"; do
	grep -q "^.BR $function ()" build/man/libcvmguest.3 || missing+=" $function"
done
result "$([[ -z $missing ]]; echo $?)" 'libcvmguest(3) names every function' "$missing"
missing=
mapfile -t names < <(sed -n 's/^#define \(CVM_[A-Z_]*\)[[:space:]]*_IO(.*/\1/p' driver/uapi/linux/*.h
	git grep -hoE 'module_param(_cb|_named)?\([a-z_]+' -- 'driver/*.c' | sed 's/.*(//')
((${#names[@]} > 8)) || missing=' nearly all'
for name in "${names[@]}" /dev/cvm/batch /dev/cvm/report /dev/cvm/key; do
	grep -q "$name" build/man/cvm_guest.4 || missing+=" $name"
done
result "$([[ -z $missing ]]; echo $?)" 'cvm_guest(4) names every node, ioctl and parameter' "$missing"

echo "1..$n"
exit $failed
