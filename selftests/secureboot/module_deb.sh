#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make module-deb: what it refuses and how it says so, and the package that it
# makes with a key in a file, in a file with a passphrase, and in a token. Prints
# TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/../cvmctl/lib.sh"
# shellcheck source=userspace/packaging/lib.sh
. userspace/packaging/lib.sh

out=build/module-deb
where=()

# certificate NAME SUBJECT OPTION...: $dir/NAME.key and .pem
certificate()
{
	openssl req -new -x509 -nodes -sha256 -days 30 -subj "/CN=$2" \
		-keyout "$dir/$1.key" -out "$dir/$1.pem" "${@:3}" 2>/dev/null
}

# dated NAME FROM TO: certificate of rsa.key, valid then
dated()
{
	mkdir -p "$dir/ca"
	: >"$dir/ca/index"
	printf '%s\n' '[ca]' 'default_ca = it' '[it]' "database = $dir/ca/index" \
		"new_certs_dir = $dir/ca" 'rand_serial = yes' 'default_md = sha256' \
		'policy = any' '[any]' 'commonName = supplied' >"$dir/ca/conf"
	openssl req -new -key "$dir/rsa.key" -subj "/CN=dated" -out "$dir/ca/request" &&
		openssl ca -batch -config "$dir/ca/conf" -selfsign -keyfile "$dir/rsa.key" \
			-startdate "$2" -enddate "$3" -in "$dir/ca/request" -out "$dir/$1.pem" 2>/dev/null
}

# make_deb NAME=VALUE...: make module-deb's own half, as make calls it
make_deb()
{
	"${where[@]}" env "$@" userspace/packaging/module-deb >"$dir/stdout" 2>"$dir/stderr" </dev/null
}

# refuses PATTERN NAME NAME=VALUE...: one line on stderr that matches, no package
refuses()
{
	rm -rf $out
	make_deb KVER=6.12 SIGN_KEY="$dir/rsa.key" SIGN_CERT="$dir/rsa.pem" "${@:3}"
	[[ $? == 1 && $(wc -l <"$dir/stderr") == 1 && ! -e $out ]] && grep -qE "^module-deb: .*$1" "$dir/stderr"
	result $? "refused: $2" "$(cat "$dir/stderr")"
}

# holds NAME SIGNER: a package has been made whose module is signed
holds()
{
	local deb ko
	deb=$(ls $out/*.deb)
	rm -rf "$dir/tree"
	dpkg-deb -x "$deb" "$dir/tree"
	ko=$(find "$dir/tree/usr/lib/modules/$KVER/updates" -name cvm_guest.ko)
	[[ -n $ko && $(modinfo -F signer "$ko") == "$2" && $(modinfo -F vermagic "$ko") == "$KVER "* ]]
	result $? "$1: the module is one for $KVER and signed by '$2'" "$(find "$dir/tree")"
}

# install_headers COMMAND...: with the headers of $KVER installed, as on a machine of its own
install_headers()
{
	local how='unshare -m'

	[ "$(id -u)" = 0 ] || how='unshare -rm'
	# shellcheck disable=SC2016,SC2086 # expanded inside; a list of words
	$how sh -ec '
		dir=$1 headers=$2 kver=$3
		shift 3
		mount -t tmpfs tmpfs "$dir"
		mkdir "$dir/upper" "$dir/work"
		mount -t overlay -o "lowerdir=/usr/lib,upperdir=$dir/upper,workdir=$dir/work" overlay /usr/lib
		mkdir -p "/lib/modules/$kver"
		ln -s "$headers" "/lib/modules/$kver/build"
		exec "$@"' - "$dir/usr" "$(realpath "$HEADERS")" "$KVER" "$@"
}

# makes NAME SIGNER NAME=VALUE...
makes()
{
	make_deb "${@:3}"
	result $? "$1: a package, and lintian has nothing to say" "$(cat "$dir/stderr")"
	holds "$1" "$2"
}

eval "$(selftests/vm/kernel 6.12)"
certificate rsa 'a test key' -newkey rsa:2048
certificate other 'another key' -newkey rsa:2048
certificate ec 'a curve' -newkey ec -pkeyopt ec_paramgen_curve:secp384r1
certificate edwards 'another curve' -newkey ed25519
dated expired 20200101000000Z 20210101000000Z
dated future 20990101000000Z 21000101000000Z
openssl pkey -in "$dir/rsa.key" -aes256 -passout pass:secret -out "$dir/locked.key"
openssl x509 -in "$dir/rsa.pem" -outform DER -out "$dir/rsa.der"

refuses 'SIGN_KEY= is missing' 'no key' SIGN_KEY=
refuses 'SIGN_CERT= is missing' 'no certificate' SIGN_CERT=
refuses 'no file /nonexistent' 'a key that is not there' SIGN_KEY=/nonexistent
refuses 'no file /nonexistent' 'a certificate that is not there' SIGN_CERT=/nonexistent
refuses 'is no X.509 certificate' 'a key as certificate' SIGN_CERT="$dir/rsa.key"
refuses 'no private key can be read' 'a certificate as key' SIGN_KEY="$dir/rsa.pem"
refuses 'no private key can be read.*KBUILD_SIGN_PIN' 'a passphrase that is not given' SIGN_KEY="$dir/locked.key"
refuses 'no private key can be read' 'a wrong passphrase' SIGN_KEY="$dir/locked.key" KBUILD_SIGN_PIN=wrong
refuses 'does not belong to the certificate' "another key's certificate" SIGN_CERT="$dir/other.pem"
refuses 'has expired .*2021' 'an expired certificate' SIGN_CERT="$dir/expired.pem"
refuses 'is not valid yet .*2099' 'a certificate of the future' SIGN_CERT="$dir/future.pem"
refuses 'takes keys for RSA, or ECDSA' 'Ed25519' SIGN_KEY="$dir/edwards.key" SIGN_CERT="$dir/edwards.pem"
refuses 'checks no ECDSA' 'ECDSA on 6.1' KVER=6.1 SIGN_KEY="$dir/ec.key" SIGN_CERT="$dir/ec.pem"
refuses 'no headers of a kernel 5.10.0-1-amd64.*apt-get install linux-headers-5.10.0-1-amd64' 'a kernel that is not there' KVER=5.10.0-1-amd64

# a token, with the key of rsa.pem, whose PIN is 1234
export SOFTHSM2_CONF=$dir/softhsm2.conf
mkdir "$dir/tokens"
echo "directories.tokendir = $dir/tokens" >"$SOFTHSM2_CONF"
export PKCS11_MODULE_PATH=/usr/lib/softhsm/libsofthsm2.so
softhsm2-util --init-token --free --label cvm --so-pin 0000 --pin 1234 >/dev/null &&
	openssl pkcs8 -topk8 -nocrypt -in "$dir/rsa.key" -out "$dir/rsa.p8" &&
	softhsm2-util --import "$dir/rsa.p8" --token cvm --label signer --id 01 --pin 1234 >/dev/null
result $? 'a token'
token='pkcs11:token=cvm;object=signer;type=private'
refuses 'no private key can be read from pkcs11' 'a wrong PIN' SIGN_KEY="$token" KBUILD_SIGN_PIN=9999
refuses 'no private key can be read from pkcs11' 'an object that is not there' SIGN_KEY="${token/signer/nobody}" KBUILD_SIGN_PIN=1234
makes 'a token' 'a test key' KVER=6.12 SIGN_KEY="$token" SIGN_CERT="$dir/rsa.der" KBUILD_SIGN_PIN=1234
cp "$(ls -d "$dir"/tree/usr/lib/modules/*/updates/cvm_guest.ko)" "$dir/token.ko"
mkdir "$dir/usr" "$dir/source"
cp -r Kbuild driver "$dir/source/"
install_headers selftests/vm/kbuild "$KVER" "$dir/source" >"$dir/log" 2>&1 && [[ -s $dir/source/cvm_guest.ko ]]
result $? 'the module builds for a kernel whose headers are installed' "$(cat "$dir/log")"
where=(install_headers)
makes 'a passphrase, headers that are installed' 'a test key' \
	KVER="$KVER" SIGN_KEY="$dir/locked.key" SIGN_CERT="$dir/rsa.pem" KBUILD_SIGN_PIN=secret
where=()
# RSA signatures as modules have them are the same each time
cmp "$dir/token.ko" "$dir"/tree/usr/lib/modules/*/updates/cvm_guest.ko
result $? 'the same bytes, wherever the key is'
cmp "$dir/rsa.der" "$dir/tree/usr/share/cvm-guest/$KVER.der"
result $? 'the certificate comes along, to be enrolled'
makes 'ECDSA' 'a curve' KVER=6.12 SIGN_KEY="$dir/ec.key" SIGN_CERT="$dir/ec.pem"

deb=$(ls $out/*.deb)
field() { dpkg-deb -f "$deb" "$1"; }
[[ $(field Package) == "cvm-guest-module-$KVER" && $(field Provides) == cvm-guest-module* &&
	$(field Depends) == *"linux-image-$KVER"* && $(field Conflicts) == cvm-guest-dkms ]]
result $? 'what it is, provides, needs and takes the place of' "$(dpkg-deb -I "$deb")"

# a Debian 12 without a compiler, and without the kernel's own package
cached_root bookworm kmod openssl 2>>"$dir/log"
cp -a "$root" "$dir/machine"
machine() { in_root "$dir/machine" "$PWD/$out" "$@" >"$dir/log" 2>&1; }
files() { (cd "$dir/machine" && find usr/lib/modules usr/share/cvm-guest 2>/dev/null); }
mkdir -p "$dir/machine/usr/lib/modules/$KVER"
cp "$MODULES"/modules.{order,builtin,builtin.modinfo} "$dir/machine/usr/lib/modules/$KVER/"
machine sh -c 'dpkg -i --force-depends /build/*.deb'
result $? 'dpkg -i' "$(cat "$dir/log")"
machine sh -c "modprobe -n -v -S $KVER cvm_guest | grep updates/cvm_guest.ko && modprobe -n -v -S $KVER platform:sev-guest"
result $? 'modprobe finds it' "$(cat "$dir/log")"
machine dpkg -P "cvm-guest-module-$KVER" &&
	! files | grep -qE 'cvm|\.der' && machine sh -c "! modprobe -n -S $KVER cvm_guest"
result $? 'dpkg -P leaves nothing' "$(cat "$dir/log"; files)"
finish
