# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# An Azure guest whose paravisor and host are simulated, for lib.sh's tests: azure_guest snp|tdx
# sets what to ask (here, backend), and what to verify by (state, roots, with). Sourced.

azure_guest() {
	tee=$1 state=$dir/state
	mkdir "$state" "$dir/imds"
	export XDG_RUNTIME_DIR=$dir XDG_CACHE_HOME=$dir/cache
	# never asked: link-local addresses are of this machine alone
	export http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1
	CVM_FW_STATE=$state simulate "$dir/fw" --tpm "$dir/tpm" platform="azure-$tee" window_ms=300
	selftests/fetch/imds.py "$dir/fw" "$dir/imds" 0 >"$dir/port" &
	fwds+=($!)
	until [[ -s $dir/port ]]; do
		kill -0 $! || { echo 'Bail out! the host does not start'; exit 1; }
		sleep 0.05
	done
	backend=vtpm:swtpm:path=$dir/tpm
	# shellcheck disable=SC2034 # for who sources this
	here=(--backend "$backend" --imds-url "http://127.0.0.1:$(<"$dir/port")")
	roots=(--trust-root "$state/trust-root.pem")
	with=("${roots[@]}" --binding azure)
	if [[ $tee == snp ]]; then
		with+=(--certs "$state/milan-ask.pem")
	else
		with+=(--collateral "$state/tdx-collateral.json")
	fi
}
