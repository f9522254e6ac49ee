# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Credentials of units, by cvm-credential.socket, in a machine that has booted. Sourced by
# units_guest.sh.
# shellcheck disable=SC2154 # of who sources this
CREDENTIAL_SOCKET=/run/cvm-guest/credential.sock

# got UNIT ID: what that unit was given
got()
{
	cat "/run/units-credential-$1/$2"
}

is_key()	# TEXT
{
	case $1 in *[!0-9a-f]*) return 1 ;; esac
	[ ${#1} = 64 ]
}

credential_log()
{
	systemctl status cvm-credential.service cvm-credential.socket 'units-credential@*' >$log 2>&1
	journalctl -b -u 'cvm-credential*' -u 'units-credential@*' --no-pager -n 30 >>$log 2>&1
}

# of a boot: units have started that have them
credentials()
{
	local all one

	credential_log
	[ "$(stat -c '%a %U %G' $CREDENTIAL_SOCKET)" = '600 root root' ]
	result $? "credentials: the socket is root's alone"
	all="$(got a db) $(got a other) $(got b db) $(got b other) $(got confined db)"
	for one in $all; do
		is_key "$one" || all=
	done
	[ -n "$all" ] && [ "$(printf '%s\n' $all | sort -u | wc -l)" = 5 ]
	result $? 'credentials: a key of 32 bytes for each of three units, and of two credentials'
	[ -e $state/credentials ] || echo "$all" >$state/credentials
	[ "$(cat $state/credentials)" = "$all" ]
	result $? 'credentials: the same at each boot'
	systemctl restart units-credential@a.service && [ "$(got a db)" = "${all%% *}" ]
	result $? 'credentials: the same at each start'
	# before it has nothing to do and ends
	sandboxed
	not_in_journal "$all"
	systemctl show -p ExecStartPre --value cvm-credential.service >$log
	grep -q 'udevadm settle.*code=exited ; status=0' $log
	result $? 'credentials: udev can be asked from where they are given'
	setpriv --reuid 65534 --clear-groups /run/vm/credential ask $CREDENTIAL_SOCKET \
		1f/unit/units-credential@a.service/db >$log 2>&1
	grep -qx 'error: Permission denied' $log
	result $? 'credentials: nobody but root can connect'
	/run/vm/credential ask $CREDENTIAL_SOCKET 1f/unit/units-credential@a.service >$log 2>&1
	grep -qx 'too much' $log
	result $? 'credentials: an address without one: more than systemd takes'
	/run/vm/credential ask $CREDENTIAL_SOCKET 1f/unit/units-credential@a.service/db >$log 2>&1
	grep -qx 'too much' $log && journalctl -b -u cvm-credential.service --no-pager |
		grep -q 'has connected for units-credential@a.service, and is not in its cgroup'
	result $? "credentials: root has none by another unit's address"
}

# what unit got which is there, of the keys no part
not_in_journal()
{
	local one leaks=

	journalctl -b -a -o export --no-pager >/run/vm/journal 2>$log
	for one in $1; do
		! grep -qi "$(printf %.16s "$one")" /run/vm/journal || leaks="$leaks hex"
		# whole groups of three bytes, from the first
		! grep -qF "$(printf %.36s "$one" | sed 's/../\\x&/g' | xargs -0 printf %b | base64)" /run/vm/journal ||
			leaks="$leaks base64"
	done
	echo "found:$leaks" >$log
	[ -z "$leaks" ] && grep -q 'units-credential@a.service has its credential db' /run/vm/journal
	result $? 'credentials: the journal says who got one, and no key'
}

sandboxed()
{
	pid=$(systemctl show -p MainPID --value cvm-credential.service)
	grep -E '^(Cap|NoNew|Seccomp)' "/proc/$pid/status" >$log 2>&1
	grep -q '^NoNewPrivs:.1$' $log && grep -q '^Seccomp:.2$' $log &&
		grep -q '^CapBnd:.0000000000284002$' $log
	result $? 'credentials: who gives them is confined'
	grep -q '^CapPrm:.0000000000284002$' $log && grep -q '^CapEff:.0000000000204002$' $log
	result $? "credentials: and cannot look into other processes, but for whose they are"
}

# the configuration says what they are made of
another_mix()
{
	local key

	key=$(got a db)
	echo 'OPTIONS=--mix measurement,tcb' >/etc/cvm-guest/credential.conf
	systemctl stop cvm-credential.service
	systemctl restart units-credential@a.service
	credential_log
	is_key "$(got a db)" && [ "$(got a db)" != "$key" ]
	result $? 'credentials: another mix in the configuration: another key'
	echo 'OPTIONS=--mix nonsense' >/etc/cvm-guest/credential.conf
	systemctl stop cvm-credential.service
	rm /run/units-credential-a/db
	! systemctl restart units-credential@a.service 2>>$log && [ ! -e /run/units-credential-a/db ]
	result $? 'credentials: with nonsense in it the unit does not start'
	rm /etc/cvm-guest/credential.conf
	systemctl reset-failed
	systemctl start cvm-credential.socket && systemctl restart units-credential@a.service &&
		[ "$(got a db)" = "$key" ]
	result $? 'credentials: and without it has its own again'
}

no_credentials()
{
	local begin end

	systemctl stop cvm-credential.service
	systemctl reset-failed
	read -r begin _ </proc/uptime
	systemctl start units-credential@a.service >$log 2>&1
	read -r end _ </proc/uptime
	echo "from $begin to $end" >>$log
	# a device's unit is waited for 90 s
	[ $((${end%.*} - ${begin%.*})) -lt 60 ]
	result $? 'credentials: nobody waits for a driver where there is none'
	credential_log
	[ "$(systemctl show -p ExecMainStatus --value units-credential@a.service)" = 243 ] &&
		[ ! -e /run/units-credential-a/db ]
	result $? 'credentials: where there is no key the unit does not start'
	grep -q 'no firmware here that derives keys' $log
	result $? 'credentials: it is said why'
}
