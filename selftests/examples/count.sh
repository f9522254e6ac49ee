#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Beside a VM: for each line of the guest's, how many reports and quotes the simulated
# firmware has made. Its programs are those of the tree that this file is in.
fw_ask=$(dirname "$(readlink -f "$0")")/../../build/bin/fw_ask
while read -r; do
	"$fw_ask" fw.sock status | sed -n 's/^\(requests\|quotes\)=//p'
done
