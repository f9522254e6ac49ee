# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What the scripts share that are in a VM under an SVSM. Sourced.
SIM=/sys/kernel/cvm_platform_sim
REPORTS=/sys/kernel/config/tsm/report
# shellcheck disable=SC2034 # for who sources this
CHANNEL=/sys/class/misc/cvm_report/channel
n=0

ok()	# NAME CONDITION...
{
	local name=$1

	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		dmesg | tail -n 5 | sed 's/^/# /'
		sed 's/^/# /' /tmp/err 2>/dev/null
	fi
}

fw()
{
	local line

	for line; do
		echo "$line" >$SIM/control || echo "# cvm-fwd refused $line"
	done
}

status() { sed -n "s/^$1=//p" $SIM/status; }
said() { dmesg | grep -q "$1"; }
empty() { [ -z "$(cat "$1")" ]; }
file_is() { [ "$(cat "$2")" = "$1" ]; }
fails() { ! "$@" >/dev/null 2>/tmp/err; }

entry() { mkdir "$REPORTS/$1" && echo svsm >"$REPORTS/$1/service_provider"; }

# ENTRY FILE: the SVSM's evidence for what is in FILE is in /tmp/out
ask() { cat "$2" >"$REPORTS/$1/inblob" && cat "$REPORTS/$1/outblob" >/tmp/out 2>/tmp/err; }
refused_with() { ! ask "$1" "$2" && grep -q "$3" /tmp/err; }
length_is() { [ "$(stat -c %s /tmp/out)" = "$1" ]; }
vmpl_is() { [ "$(dd if="$2" bs=1 skip=48 count=1 2>/dev/null | od -An -tu1 | tr -d ' ')" = "$1" ]; }
# each with another nonce: a report in hand is not asked for anew
fresh() { head -c 64 /dev/urandom >/tmp/data; }
good() { fresh; ask a /tmp/data && length_is 1184 && vmpl_is 0 /tmp/out; }
bad() { fresh; refused_with a /tmp/data 'Bad message'; }
invalid() { fresh; refused_with a /tmp/data 'Invalid argument'; }
