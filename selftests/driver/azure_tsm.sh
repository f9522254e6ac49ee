#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: HCL reports by configfs-tsm, as a program without our library gets
# them: azure_tsm.sh NAME-OF-THE-PROVIDER
echo 1..4
n=0
result()	# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n $2"; else echo "not ok $n $2"; fi
}
entry=/sys/kernel/config/tsm/report/azure
mkdir "$entry"
[ "$(cat $entry/provider)" = "$1" ]
result $? "the provider is $1"

asked()	# -> whether the report says what was asked for
{
	head -c 64 /dev/urandom >/tmp/inblob
	cat /tmp/inblob >$entry/inblob && cat $entry/outblob >/tmp/outblob || return
	[ "$(head -c 4 /tmp/outblob)" = HCLA ] && tr -d '\0' </tmp/outblob |
		grep -qF "\"user-data\":\"$(od -An -v -tx1 /tmp/inblob | tr -d ' \n')\""
}
asked
result $? 'a report for 64 bytes'
asked
result $? 'and for others'
{ printf CVMGBAT; head -c 57 /dev/zero; } >/tmp/inblob
! { cat /tmp/inblob >$entry/inblob && cat $entry/outblob >/tmp/outblob; } 2>/dev/null
result $? "the tag of batches is refused"
rmdir $entry
