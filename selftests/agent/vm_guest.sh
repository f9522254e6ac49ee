# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: vm_guest.sh PLATFORM DATA REQUESTS T. Prints TAP.
platform=$1 data=$2 requests=$3 t=$4
out=/tmp/out
log=/tmp/log
n=0 failed=0
mkdir -p $out

result() {	# STATUS NAME
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		sed 's/^/# /' $log
		failed=1
	fi
}

# agent NAME OPTION...: at /run/NAME.sock, with its process in /run/NAME.pid
agent() {
	name=$1
	shift
	cvm-agent --user nobody --listen "/run/$name.sock" "$@" 2>"/tmp/$name.log" &
	echo $! >"/run/$name.pid"
	left=200
	until grep -qs '"event":"start"' "/tmp/$name.log" || [ $left = 0 ]; do
		usleep 50000
		left=$((left - 1))
	done
}

stop() {	# NAME...: and their exit status is 0
	good=0
	for name in "$@"; do
		kill "$(cat "/run/$name.pid")"
		wait "$(cat "/run/$name.pid")" || good=1
		cat "/tmp/$name.log" >>$log
	done
	return $good
}

# says STATUS WORDS SOCKET PATH
says() {
	agent_client "$3" get "$4" >/tmp/body 2>$log
	cat /tmp/body >>$log
	grep -q "^status $1\$" $log && grep -q "$2" /tmp/body
}

containers() {
	agent a --label a
	agent b --label b
	# who may speak for a label is for the administrator to say
	chown 1000 /run/a.sock
	chown 1001 /run/b.sock
	agent_container 1000 /run/a.sock agent_client /run/agent.sock get \
		"/v1/evidence?user_data=$data&certs=true" >$out/a.json 2>$log
	result $? 'A asks by its socket'
	agent_container 1001 /run/b.sock agent_client /run/agent.sock get \
		"/v1/evidence?user_data=$data&certs=true" >$out/b.json 2>$log
	result $? 'B asks by its own'
	! agent_container 1001 /run/a.sock agent_client /run/agent.sock get /v1/status \
		>/tmp/body 2>$log && grep -q 'Permission denied' $log
	result $? "B cannot connect to A's"
	# shellcheck disable=SC2016 # for the shell in there
	agent_container 1000 /run/a.sock sh -c '[ -z "$(ls -A /dev)" ] && ! mknod /tmp/node c 10 1 &&
		! mount -t devtmpfs none /dev && ! mount -t configfs none /tmp &&
		! cvmctl report --report-data 00 --pad --out /tmp/r' >$log 2>&1
	result $? 'no container can open a node'
	! setpriv --reuid 1000 --clear-groups cvmctl report --backend cvm --report-data 00 --pad \
		--out /tmp/r 2>$log && grep -q 'ermission denied' $log
	result $? 'nor can its user where there are nodes'
	# shellcheck disable=SC2010 # names are the kernel's
	! ls -l "/proc/$(cat /run/a.pid)/fd" | grep -q 'cvm/report\|cvm_report\|cvm_key' && \
		ls -l "/proc/$(cat /run/a.pid)/fd" | grep -q 'cvm/batch\|cvm_batch'
	result $? 'of the nodes the agent has the one for batches open'
	says 403 direct_not_allowed /run/a.sock "/v1/evidence?user_data=$data&mode=direct"
	result $? "direct evidence is not given by a label's socket"
	stop a b
	result $? 'SIGTERM ends them'
}

# by a unit with User= and AmbientCapabilities=, say: opener and submitter have the capability
as_user() {
	mkdir -m 777 /run/user
	chmod 666 /dev/cvm/batch
	setpriv --reuid 1000 --clear-groups --inh-caps +sys_admin --ambient-caps +sys_admin \
		cvm-agent --listen /run/user/sock 2>/tmp/user.log &
	echo $! >/run/user.pid
	left=200
	until [ -S /run/user/sock ] || [ $left = 0 ]; do
		usleep 50000
		left=$((left - 1))
	done
	agent_client /run/user/sock get "/v1/evidence?user_data=$data&certs=true" >$out/user.json 2>$log
	result $? 'started as a user with CAP_SYS_ADMIN'
	grep Cap "/proc/$(cat /run/user.pid)/status" >$log
	grep -q '^CapPrm:.0000000000000000$' $log && grep -q '^CapAmb:.0000000000000000$' $log
	result $? 'it has none then'
	stop user
	result $? 'and ended'
}

rss() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(cat "/run/$1.pid")/status"; }
# user and system time, in hundredths of a second
cpu() { cut -d' ' -f14,15 "/proc/$(cat "/run/$1.pid")/stat" | tr ' ' '+'; }
figure() { sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" /tmp/load; }

crowd() {
	agent none --direct
	grep -q '^Uid:.65534.65534.65534.65534$' "/proc/$(cat /run/none.pid)/status" &&
		grep -q '^CapPrm:.0000000000000000$' "/proc/$(cat /run/none.pid)/status" &&
		grep -q '^Seccomp:.2$' "/proc/$(cat /run/none.pid)/status"
	result $? 'the agent is nobody, without capabilities, behind a filter'
	agent_client /run/none.sock get "/v1/evidence?user_data=$data&certs=true" >$out/none.json 2>$log
	result $? 'a socket without a label'
	agent_client /run/none.sock get "/v1/evidence?user_data=$data&mode=direct" >$out/direct.json 2>$log
	result $? 'direct evidence'
	# all that it ever has, once; what the allocator keeps varies
	agent_client /run/none.sock load 200 800 unprivileged >/tmp/load 2>$log
	before=$(rss none)
	agent_client /run/none.sock load 200 "$requests" unprivileged >/tmp/load 2>$log
	result $? "$requests requests from 200 connections: no error, each proof right"
	after=$(rss none)
	echo "# $(cat /tmp/load)"
	echo "# p99 $(figure p99_ms) ms, T = $t ms: $(awk "BEGIN { print $(figure p99_ms) / $t }") T"
	echo "# memory $before KiB before, $after KiB after; CPU of all requests $(($(cpu none)))0 ms"
	[ "$after" -le $((before + 2048)) ]
	result $? 'its memory is flat'
	[ "$(figure again)" = 0 ]
	result $? 'nobody had to ask again'
}

restarted() {
	agent_client /run/none.sock load 100 $((requests / 2)) unprivileged >/tmp/load 2>$log &
	client=$!
	for _ in 1 2 3; do
		sleep 1
		stop none || echo 'no clean end' >>$log
		agent none --direct
	done
	wait $client
	result $? 'restarted three times under load: every request is answered'
	echo "# $(cat /tmp/load)"
	[ "$(figure broken)" = 0 ]
	result $? 'and no connection ends without the answer'
	stop none
	result $? 'and ended'
}

# the same program, by another driver, or by none
unloaded() {
	rmmod cvm_guest 2>$log
	result $? 'the module is unloaded'
	agent a --label a --direct
	says 503 no_source /run/a.sock "/v1/evidence?user_data=$data"
	result $? 'without a driver: a clear error'
	wait "$(cat /run/a.pid)"
	result $? 'and it ends by itself, so that the next start looks again'
	if [ "$platform" = snp ]; then
		modprobe -i sev-guest 2>$log
	else
		modprobe -i tdx-guest 2>$log
	fi || { result 1 "the kernel's own driver"; return; }
	agent a --label a --direct
	agent_client /run/a.sock get "/v1/evidence?user_data=$data&mode=direct&timeout_ms=50000" >$out/fallback.json 2>$log
	result $? "direct evidence by the kernel's own driver"
	says 501 'no batch evidence' /run/a.sock "/v1/evidence?user_data=$data"
	result $? 'no proofs without labels: a clear error'
	stop a
	result $? 'and ended'
}

containers
as_user
crowd
restarted
unloaded
echo "1..$n"
exit $failed
