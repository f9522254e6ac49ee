#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: prepare, attest, request, release, open, and what must not go through.
#   skr_guest.sh snp|tdx
# Prints TAP.
KID=https://vault.simulated.example/keys/disk/0123456789abcdef
cd /t || exit
n=0 failed=0
# TDX: the host's service quotes the TDREPORT, and there are no certificates to be named
case $1 in
snp) certs='--certs pki/root.pem' form=sev-snp-vm other=tdx-vm ;;
tdx) certs='' form=tdx-vm other=sev-snp-vm ;;
esac

result()	# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' err
		failed=1
	fi
}

try()	# STATUS WORDS NAME ARGUMENT...: one line on stderr, or none
{
	local want=$1 words=$2 name=$3 rc

	shift 3
	cvmctl skr "$@" >out 2>err
	rc=$?
	[ $rc = "$want" ] && if [ -z "$words" ]; then [ ! -s err ]; else
		[ "$(wc -l <err)" = 1 ] && grep -q "$words" err; fi
	result $? "$name"
}

prepare()
{
	# shellcheck disable=SC2086
	try 0 '' "$1" prepare --state state --kid $KID $certs --event-log /dev/null --out attest.json
}

attest()
{
	./skr_service pki attest <attest.json >token.json 2>err
	result $? 'the service is content'
	try 0 '' 'request' request --state state --in token.json --out release.json
}

open_key()	# STATUS WORDS NAME OPTION...
{
	local want=$1 words=$2 name=$3

	shift 3
	try "$want" "$words" "$name" open --state state --in released.json --trust-root pki/root.pem \
		--keyring user --name released "$@"
}

no_key()
{
	! grep -q 'cvm:released' /proc/keys && [ -e state ]
	result $? "$1: no key, and the state is kept"
}

# makes its keys
echo | ./skr_service pki attest >/dev/null 2>&1
prepare 'prepare'
[ "$(stat -c %a state)" = 600 ]
result $? 'the state is for its owner alone'
echo '{}' >released.json
open_key 1 'request is next' 'open before request: refused'
attest
try 1 'opens no other' 'a second request: refused' request --state state --in token.json

# what is refused; each of those that cannot be decrypted says the same
for wrong in rsa-flip key-flip-last key-cut other-hash; do
	SKR_WRONG=$wrong ./skr_service pki release <release.json >released.json 2>err
	open_key 1 'cannot be decrypted' "$wrong: refused"
	[ -e same ] || cp err same
	cmp -s err same
	result $? "$wrong: in the same words"
done
no_key 'what cannot be decrypted'
SKR_WRONG=other-root ./skr_service pki release <release.json >released.json 2>err
open_key 3 'do not hold' 'another root: refused'
SKR_WRONG=none ./skr_service pki release <release.json >released.json 2>err
open_key 3 'header.alg' 'no signature: refused'
SKR_WRONG=version ./skr_service pki release <release.json >released.json 2>err
open_key 3 'request.kid' 'another version: refused'
./skr_service pki release <release.json >released.json 2>err
open_key 3 'do not hold' 'another host: refused' --host other.simulated.example
open_key 3 'expired' 'another time: refused' --at 2039-01-01T00:00:00Z
chmod 644 state
open_key 1 'only its owner' 'a state that others may read: refused'
chmod 600 state
no_key 'those'

# the key
cp state kept
open_key 0 '' 'open'
serial=$(cat out)
grep -q "user *cvm:released" /proc/keys
result $? 'it is in the keyring'
./skr_service read "$serial" >key 2>err && cmp -s key pki/released.der
result $? 'and is the one that was released'
[ ! -e state ]
result $? 'an answer is taken once'
mv kept state
open_key 1 'of that name\|exists' 'a name that is taken: refused'
./key_use invalidate "$serial"
open_key 0 '' 'logon' --type logon --timeout 60
grep -q "logon *cvm:released" /proc/keys
result $? 'a logon key is there'
! ./skr_service read "$(cat out)" >key 2>err
result $? 'and cannot be read'
./key_use invalidate "$(cat out)"

# an earlier answer
prepare 'prepare again'
try 1 'cannot be decrypted' 'an earlier token: refused' request --state state --in token.json
./skr_service pki attest <attest.json >token.json 2>err
try 1 'is tried once' 'and then the right one, too' request --state state --in token.json
rm state
prepare 'and once more'
attest
open_key 3 'request.nonce' 'an earlier answer: refused'
./skr_service pki release <release.json >released.json 2>err
open_key 0 '' 'a new one: taken'
./key_use invalidate "$(cat out)"

# the platform alone, for a vault of one's own
# shellcheck disable=SC2086
try 0 '' "$form" prepare --state state --kid $KID $certs --form "$form" --public key.pem \
	--out attest.json
attest
./skr_service pki release key.pem <release.json >released.json 2>err
open_key 0 '' 'and its key'
# shellcheck disable=SC2086
try 1 'another' 'the platform is another one' prepare --state state --kid $KID $certs \
	--form "$other" --out attest.json
# shellcheck disable=SC2086
try 1 'event-log' 'no log of what was measured' prepare --state state --kid $KID $certs \
	--event-log /nonexistent
echo "1..$n"
exit $failed
