# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# The units of cvm-agent in a machine that has booted as an SNP guest.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh
socket=/run/cvm-agent/agent.sock
web=/run/cvm-agent/label/web.sock
client=/run/vm/agent_client
wants=/etc/systemd/system/sockets.target.wants
data=$(od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n')

# ask SOCKET ARGUMENTS: to /run/vm/evidence
ask()
{
	$client "$1" get "/v1/evidence?user_data=$data&$2" >/run/vm/evidence 2>$log ||
		{ cat /run/vm/evidence; journalctl -b -u 'cvm-agent*' --no-pager -n 20; } >>$log
	! grep -q '^status\|:' $log
}

# state UNIT STATE: within 20 s
state()
{
	left=100
	until [ "$(systemctl is-active "$1")" = "$2" ] || [ $left = 0 ]; do
		sleep 0.2
		left=$((left - 1))
	done
	[ $left -gt 0 ]
}

speaks()	# OPTION...
{
	cvmctl verify /run/vm/evidence --trust-root /run/vm/trust-root.pem --authenticity-only "$@" >$log 2>&1
}

sockets()
{
	[ "$(stat -c '%a %U %G' $socket)" = '660 root cvm' ] && [ "$(stat -c '%a %U %G' $web)" = '660 root root' ]
	result $? 'sockets: one for the group cvm, one for root alone'
	[ "$(systemctl is-active cvm-agent.service)" = inactive ]
	result $? 'nothing runs before somebody connects'
	ask $socket certs=true && speaks --user-data "$data" --scope unprivileged
	result $? 'evidence, verified, for nobody in particular'
	ask $web certs=true && speaks --user-data "$data" --scope label:web
	result $? 'evidence, verified, for the label'
	! ask $socket mode=direct && grep -q direct_not_allowed /run/vm/evidence
	result $? 'no direct evidence'
}

process()
{
	pid=$(systemctl show -p MainPID --value cvm-agent@web.service)
	grep -E '^(Uid|Gid|Groups|Cap|NoNew|Seccomp)' "/proc/$pid/status" >$log
	grep -q "^Uid:.$(id -u cvm-agent).$(id -u cvm-agent)" $log && grep -q '^CapEff:.0*$' $log &&
		grep -q '^CapPrm:.0*$' $log && grep -q '^NoNewPrivs:.1$' $log && grep -q '^Seccomp:.2$' $log
	result $? 'it is cvm-agent, with no capability, behind a filter'
}

restart()
{
	$client $socket load 50 10000 unprivileged >/run/vm/load 2>$log &
	for _ in 1 2 3; do
		sleep 1
		systemctl restart cvm-agent.service
	done
	wait $!
	result $? 'restarted under load: every request is answered'
	journalctl -b -u cvm-agent.service --no-pager -o cat >$log
	[ "$(grep -c '"why":"signal","under_way":[1-9]' $log)" = 3 ]
	result $? 'and each time some were under way'
	echo "# $(cat /run/vm/load)"
}

# options of the administrator, and nobody there for a while
options()
{
	for name in agent agent-web; do
		echo 'OPTIONS=--direct --idle 2' >/etc/cvm-guest/$name.conf
	done
	systemctl stop cvm-agent.service cvm-agent@web.service
	ask $socket mode=direct && speaks --report-data "$data"
	result $? 'direct evidence, where it is allowed'
	state cvm-agent.service inactive && state cvm-agent@web.service inactive
	result $? 'it ends when nobody is there'
	modprobe -r cvm_guest 2>$log
	result $? 'and the module can be unloaded'
}

fallback()
{
	! ask $web mode=direct && grep -q no_source /run/vm/evidence
	result $? 'without a driver: a clear error'
	state cvm-agent@web.service inactive
	result $? 'and it ends'
	modprobe -i sev-guest 2>$log
	ask $web mode=direct && speaks --report-data "$data"
	result $? "direct evidence by the kernel's own driver"
	! ask $web mode=batch && grep -q 'no batch evidence' /run/vm/evidence
	result $? 'no proof for a label: a clear error'
	systemctl --failed --no-legend >$log
	[ ! -s $log ]
	result $? 'no unit has failed'
}

# the scripts of the package, with sockets that listen and agents that run
removed()
{
	ask $web mode=direct
	pid=$(systemctl show -p MainPID --value cvm-agent@web.service)
	/var/lib/dpkg/info/cvm-agent.postinst configure 0 >$log 2>&1 && [ "$pid" != 0 ] && [ ! -e "/proc/$pid" ] &&
		state cvm-agent@web.socket active && ask $web mode=direct
	result $? 'upgraded: who ran has ended, and the next one is served'
	dpkg -r cvm-agent >$log 2>&1 && ! pgrep -x cvm-agent >>$log && ! systemctl is-active cvm-agent.socket \
		cvm-agent@web.socket cvm-agent.service cvm-agent@web.service >>$log
	result $? 'removed: no socket, no agent'
	systemctl --failed --no-legend >$log
	[ ! -s $log ]
	result $? 'and no unit has failed'
	ls -l $wants >$log
	[ -L $wants/cvm-agent.socket ] && [ -L $wants/cvm-agent@web.socket ] && [ -e /etc/cvm-guest/agent.conf ]
	result $? 'what is enabled and configured stays'
}

enabled()
{
	find /etc/systemd/system -name 'cvm-*'
}

# dpkg, without a RAM disk made anew: in a VM without KVM that takes minutes
dpkg_only()
{
	dpkg "$@" >$log 2>&1 && ! grep -q 'triggers for initramfs-tools' $log
}

purged()
{
	dpkg_only -P cvm-agent && [ -z "$(enabled)" ] && [ ! -e /usr/bin/cvm-agent ]
	result $? 'purged: nothing of it is enabled any more'
	getent passwd cvm-agent >$log
	result $? 'its user stays, as owner of what it may have left'
	systemctl enable cvm-tempdisk@scratch.service cvm-swap@swap.service >$log 2>&1 &&
		systemctl enable --now cvm-credential.socket >>$log 2>&1 && [ -S /run/cvm-guest/credential.sock ]
	result $? 'a socket of cvm-guest'
	dpkg_only -r cvm-guest && ! systemctl is-active cvm-credential.socket cvm-credential.service >>$log &&
		[ ! -e /run/cvm-guest/credential.sock ] && [ "$(enabled | wc -l)" = 3 ]
	result $? 'cvm-guest removed: no socket; what is enabled stays'
	dpkg_only -P cvm-guest && [ -z "$(enabled)" ]
	result $? 'purged: nothing of it is enabled any more'
	systemctl --failed --no-legend >$log
	[ ! -s $log ]
	result $? 'and no unit has failed'
}

driver cvm_guest 'at boot'
sockets
process
restart
options
fallback
removed
purged
end
