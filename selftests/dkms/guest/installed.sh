# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# installed.sh VERSION NEXT: our packages have been installed and nothing else was
# done, and nothing here loads a driver. Then they are upgraded while programs
# have the module in use: those notice nothing, and the new one comes when it can.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh
version=$1 next=$2

# asks again and again, until it is told to stop
agent()
{
	count=0 bad=0
	while [ ! -e /run/vm/stop ]; do
		data=$(od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n')
		# dpkg shall have a turn too: there is no KVM
		sleep 1
		if cvmctl report --report-data "$data" --out /run/vm/agent.evidence 2>>/run/vm/agent.log; then
			count=$((count + 1))
		else
			bad=$((bad + 1))
		fi
	done
	echo "$count $bad" >/run/vm/agent.count
}

installed "$version"

# whoever is in the group has proofs, and nothing else
od -An -v -tx1 -w64 -N192 /dev/urandom | tr -d ' ' >/run/vm/in
useradd --system --groups cvm agent 2>$log
setpriv --reuid agent --regid agent --init-groups cvmctl batch --input /run/vm/in --jsonl >$log 2>&1
[ "$(grep -c user_data $log)" = 3 ]
result $? 'a member of the group has proofs'
setpriv --reuid agent --regid agent --init-groups \
	cvmctl report --report-data "$(head -n 1 /run/vm/in)" --out /run/vm/none >$log 2>&1
[ $? = 1 ] && [ ! -e /run/vm/none ]
result $? 'and no report of its own'
setpriv --reuid nobody --regid nogroup --clear-groups \
	cvmctl batch --input /run/vm/in --jsonl >$log 2>&1
[ $? = 1 ]
result $? 'who is not in it has none'

cvmctl doctor >/run/vm/doctor 2>&1
for check in 'driver.*cvm_guest has the platform' 'module.*updates/dkms/cvm_guest.ko' \
	'nodes.*/dev/cvm/batch' 'group' 'channel'; do
	cp /run/vm/doctor $log
	grep -qE "^fine +$check" $log
	result $? "doctor: fine: $check"
done

agent &
agent=$!
exec 8</dev/cvm/report
dpkg -i /run/vm/debs/cvm-guest-dkms_"$next"_all.deb >$log 2>&1
result $? 'dpkg -i of the next version'
touch /run/vm/stop
wait $agent
cp /run/vm/agent.log $log
read -r count bad </run/vm/agent.count
[ "$count" -gt 0 ] && [ "$bad" = 0 ]
result $? 'who asks meanwhile is answered, each time'
[ "$(cat /sys/module/cvm_guest/version)" = "$version" ]
result $? 'the old module serves on'
[ "$(modinfo -F version cvm_guest)" = "$next" ]
result $? 'the new one is installed'
dkms status -m cvm-guest >$log && ! grep -qv "/$next, .*installed" $log && grep -q ", $kernel, " $log
result $? 'and no other version'
! modprobe -r cvm_guest >$log 2>&1 && [ -d /sys/module/cvm_guest ]
result $? 'in use, it does not go'
exec 8<&-
cvmctl doctor >$log 2>&1
command=$(grep -A 1 '^warning *module-old ' $log | sed -n 's/^ *run: //p')
[ "$command" = 'modprobe -r cvm_guest && modprobe sev-guest' ]
result $? "doctor: module-old: ${command:-no command}"
sh -c "$command" >$log 2>&1
[ "$(cat /sys/module/cvm_guest/version)" = "$next" ]
result $? 'nobody has it any more, and the new one comes'
udevadm settle
nodes
evidence cvm 'the new one'
end
