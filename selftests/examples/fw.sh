#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fw.sh SOCKET count: how many reports or quotes the simulated firmware there has made
# fw.sh SOCKET KEY=VALUE: sets it
# Beside a VM, without arguments: the same for each line of the guest's, which is answered.
fw_ask=$(dirname "$(readlink -f "$0")")/../../build/bin/fw_ask

count() {	# what the host had to refuse was no request to the firmware
	"$fw_ask" "$1" status | awk -F= '{ n[$1] = $2 }
		END { print "quotes" in n ? n["quotes"] : n["requests"] - n["busy_answers"] }'
}

run() {
	if [[ $2 == count ]]; then
		count "$1"
	else
		"$fw_ask" "$1" set "$2" >/dev/null && echo "$2"
	fi
}

(($# == 0)) || { run "$@"; exit; }
while read -r word; do run fw.sock "$word"; done
