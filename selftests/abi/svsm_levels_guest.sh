#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# svsm_levels_guest.sh VMPL CALLS: in the VM, at that VMPL under an SVSM. Which VMPCK our
# driver takes, and reports, keys and services of which VMPLs it gives; and then the same
# of the kernel's own. What both answer to CALLS calls of /dev/sev-guest, and to those of a
# client of configfs-tsm, is compared outside. Prints TAP.
# shellcheck source=selftests/abi/svsm_lib.sh
. /t/svsm_lib.sh
vmpl=$1 calls=$2

refused()	# WORDS COMMAND...
{
	local words=$1

	shift
	! "$@" && grep -q "$words" /tmp/err
}

report()	# BACKEND [OPTION...]
{
	local backend=$1

	shift
	fresh
	cvmctl report --backend "$backend" "$@" --report-data @/tmp/data --out /tmp/own 2>/tmp/err
}

key()	# [OPTION...]
{
	rm -f /tmp/key
	cvmctl key derive --mix policy,measurement "$@" --out /tmp/key 2>/tmp/err
}

# BACKEND WORDS: of the kernel's own VMPL, and those below; for the others WORDS are the reason
reports()
{
	local level=0

	ok "$who, $1: a report" report "$1"
	ok "$who, $1: of VMPL $vmpl" vmpl_is "$vmpl" /tmp/own
	while [ $level -lt 4 ]; do
		if [ $level -lt "$vmpl" ]; then
			ok "$who, $1: none of VMPL $level" refused "$2" report "$1" --vmpl $level
		else
			ok "$who, $1: one for VMPL $level" report "$1" --vmpl $level
			ok "$who, $1: which says so" vmpl_is $level /tmp/own
		fi
		level=$((level + 1))
	done
}

# they are in /tmp/WHO.VMPL
keys()
{
	local level=0

	ok "$who: a key" key
	mv /tmp/key "/tmp/$who.default"
	while [ $level -lt 4 ]; do
		if [ $level -lt "$vmpl" ]; then
			ok "$who: none of VMPL $level" refused 'may not ask for it' key --vmpl $level
		else
			ok "$who: one of VMPL $level" key --vmpl $level
			mv /tmp/key "/tmp/$who.$level"
		fi
		level=$((level + 1))
	done
	ok "$who: of VMPL $vmpl where none is named" cmp "/tmp/$who.default" "/tmp/$who.$vmpl"
	ok "$who: each VMPL has another" [ "$(sha256sum "/tmp/$who".? | cut -d' ' -f1 | sort -u | wc -l)" = $((4 - vmpl)) ]
}

# by ioctl, without what cvmctl knows before it asks
driver_itself()
{
	local level=0

	/t/key_client of >/tmp/of
	while [ $level -lt 4 ]; do
		/t/snp_client report -v $level >/tmp/result
		/t/key_client of $level >"/tmp/of.$level"
		if [ $level -lt "$vmpl" ]; then
			ok "ioctl: EINVAL for a report of VMPL $level" grep -q '^result=-22 ' /tmp/result
			ok "ioctl: EINVAL for a key of VMPL $level" grep -qx 'result=-22 key=0*' "/tmp/of.$level"
		else
			ok "ioctl: a report of VMPL $level" grep -q '^result=0 .* own=1 ' /tmp/result
			ok "ioctl: a key of VMPL $level" grep -q '^result=0 ' "/tmp/of.$level"
		fi
		level=$((level + 1))
	done
	ok "ioctl: a key of VMPL $vmpl where none is named" cmp /tmp/of "/tmp/of.$vmpl"
}

vmpcks()
{
	ok 'a VMPCK that is not ours is refused' fails modprobe cvm_guest vmpck=$((vmpl - 1))
	ok 'and it says so' said "vmpck=$((vmpl - 1)): the kernel is at VMPL $vmpl"
	if [ "$vmpl" = 3 ]; then
		ok 'there is none above' fails modprobe cvm_guest vmpck=4
		ok 'it says that too' said 'vmpck=4: there are VMPCKs 0 to 3'
		return
	fi
	modprobe cvm_guest vmpck=$((vmpl + 1))
	ok 'another VMPCK' file_is $((vmpl + 1)) $CHANNEL/vmpck
	entry a
	ok 'the floor is its' file_is $((vmpl + 1)) $REPORTS/a/privlevel_floor
	ok 'nothing below that' refused 'cannot ask for that VMPL' report cvm --vmpl "$vmpl"
	ok 'the SVSM does not care' good
	rmdir $REPORTS/a
	rmmod cvm_guest
}

services()
{
	entry a
	ok 'the floor is that of the VMPL' file_is "$vmpl" $REPORTS/a/privlevel_floor
	ok 'evidence of the SVSM' good
	fw svsm_own_level_n=1
	ok 'not by a report that we could have had ourselves' bad
	rmdir $REPORTS/a
}

# for a relying party
evidence()
{
	ok 'of the SVSM, to be verified' /t/svsm_client save /t/nonce /tmp/service /tmp/manifest /tmp/certs
	ok 'of this VMPL' cvmctl report --backend cvm --report-data @/t/nonce --out /tmp/direct --certs /tmp/certs
	ok 'and a batch' cvmctl batch --user-data @/t/nonce --out /tmp/batch --certs
	ok 'which is of this VMPL' vmpl_is "$vmpl" /tmp/batch/report-0.bin
}

clients()	# NAME
{
	/t/svsm_client 4 >"/tmp/$1.tsm" && /t/calls_snp 1 "$calls" >"/tmp/$1.calls"
}

who=ours
modprobe cvm_guest
ok "the VMPCK is that of VMPL $vmpl" file_is "$vmpl" $CHANNEL/vmpck
ok 'configfs-tsm is ours' file_is registered $CHANNEL/tsm
cvmctl status --json >/tmp/status
ok "status: VMPL $vmpl" grep -q "\"vmpl\": *$vmpl" /tmp/status
reports cvm 'cannot ask for that VMPL'
cvmctl show /tmp/own --json >/tmp/show
ok 'show: VMPL 3' grep -q '"vmpl": *3' /tmp/show
reports tsm 'cannot ask for that VMPL'
reports native 'status 0x16'
driver_itself
keys
services
evidence
ok 'all that clients ask' clients ours
rmmod cvm_guest
vmpcks
ok 'no page is left shared' file_is 0 $SIM/shared_pages
ok 'no rule was broken' file_is 0 $SIM/violations

who=in-tree
# it does not keep to all of them
fw strict=0
ok "the kernel's own driver" modprobe sev-guest
reports tsm 'cannot ask for that VMPL'
reports native 'status 0x16'
keys
for level in 1 2 3; do
	[ $level -lt "$vmpl" ] || ok "the same key of VMPL $level" cmp /tmp/ours.$level /tmp/in-tree.$level
done
ok 'all that clients ask, again' clients theirs
rmmod sev_guest
echo "1..$n"
