# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For the tests of the examples: results as TAP, agents, and a relying party's policy. They
# run as run.sh starts them: on this machine, where the firmware's socket is FW, or in a VM.
set -uo pipefail
dir=$(mktemp -d)
chmod 755 "$dir"
pids=()
n=0 failed=0
backend=()
[[ -z ${FW-} ]] || backend=(--backend "sim:$FW")
trust=(--trust-root "$TRUSTED/root.pem")
for list in "$TRUSTED"/*-collateral.json; do trust+=(--collateral "$list"); done

cleanup() {
	local pid
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
	rm -rf "$dir"
}
trap cleanup EXIT

result() {	# STATUS NAME [DIAGNOSIS]
	((n++))
	if [[ $1 == 0 ]]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		[[ -z ${3-} ]] || printf '%s\n' "$3" | sed 's/^/# /'
		failed=1
	fi
}

finish() {
	echo "1..$n"
	exit $failed
}

# until COMMAND... succeeds, for 20 s
await() {
	local left=400
	until "$@" || ((--left == 0)); do sleep 0.05; done
	((left))
}

# ends STATUS PATTERN NAME COMMAND...: COMMAND ends with STATUS, and says what matches
# PATTERN on stderr
ends() {
	local want=$1 pattern=$2 name=$3 rc
	shift 3
	"$@" >"$dir/stdout" 2>"$dir/stderr" </dev/null
	rc=$?
	[[ $rc == "$want" ]] && { [[ -z $pattern ]] || grep -qE -- "$pattern" "$dir/stderr"; }
	result $? "$name" "$*: exit status $rc, $want is expected; $(head -c 600 "$dir/stderr")"
}

# agent NAME OPTION...: at $dir/NAME.sock, for everybody
agent() {
	local name=$1
	shift
	cvm-agent --listen "$dir/$name.sock" --user nobody "$@" 2>"$dir/$name.log" &
	pids+=($!)
	await grep -qs '"event":"start"' "$dir/$name.log" || { cat "$dir/$name.log"; echo "Bail out! no agent $name"; exit 1; }
	chmod 666 "$dir/$name.sock"
}

# firmware count | KEY=VALUE: as fw.sh does it
firmware() {
	local answer
	if [[ -n ${FW-} ]]; then
		"$(dirname "$0")/fw.sh" "$FW" "$1"
	else
		exec 8<>/dev/virtio-ports/cvm.beside
		echo "$1" >&8
		read -r answer <&8
		exec 8>&-
		echo "$answer"
	fi
}

# The recipe of README for a policy, as it is written there; in $dir/recipe
recipe() {
	local text
	text=$(sed -n '/^## The policy$/,/^## /{/^```sh$/,/^```$/{/^```/!p}}' "$README")
	[[ $(wc -l <<<"$text") -ge 3 ]] || return
	mkdir -p "$dir/recipe" && cp "$TRUSTED/root.pem" "$dir/recipe/amd.pem"
	# what is different here: who evidence is from, and whom the relying party trusts
	(
		cd "$dir/recipe" || exit
		cvmctl() {
			case $1 in
			evidence) command cvmctl "$@" "${backend[@]}" ;;
			policy) command cvmctl "$@" "${trust[@]}" ;;
			esac
		}
		set -e
		eval "$text"
	) 2>"$dir/stderr"
}

# policy SCOPE FILE: the strictest that this machine meets, with proofs of SCOPE alone
policy() {
	if [[ ! -e $dir/recipe ]]; then
		recipe && [[ $(jq -c .batch.scopes "$dir/recipe/policy.json") == '["label:web"]' ]]
		result $? "a policy of what this machine is, by README's recipe" "$(cat "$dir/stderr")"
	fi
	jq --arg scope "$1" '.batch.scopes = [$scope]' "$dir/recipe/policy.json" >"$2"
}

# other_machine FROM TO: a policy -> that of some other machine
other_machine() {
	jq '(.. | objects | select(has("measurement")).measurement) |= ["'"$(printf 'ab%.0s' {1..48})"'"] |
		(.. | objects | select(has("mrtd")).mrtd) |= ["'"$(printf 'ab%.0s' {1..48})"'"]' "$1" >"$2"
}
