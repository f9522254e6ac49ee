#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What AMD, Intel and Azure would publish of the simulated machines, as server.py
serves it.
    routes.py DIR snp PRODUCT REPORT.json TABLE COLLATERAL.json
    routes.py DIR tdx FMSPC COLLATERAL.json"""

import base64
import json
import pathlib
import sys
import urllib.parse

from amd_table import certificate, pem

DIR = pathlib.Path(sys.argv[1])
ROUTES = DIR / 'routes.json'


def der(text):
    return base64.b64decode(''.join(text.strip().splitlines()[1:-1]))


def add(path, name, body, **more):
    routes = json.loads(ROUTES.read_text()) if ROUTES.exists() else {}
    (DIR / name).write_bytes(body if isinstance(body, bytes) else body.encode())
    routes[path] = {'body': name, **more}
    ROUTES.write_text(json.dumps(routes))


def components(tcb):
    """Version 2 does not say which layout its number has; it is that until Genoa."""
    raw = bytes.fromhex(tcb['raw'][2:])[::-1]
    return {'boot_loader': raw[0], 'tee': raw[1], 'snp': raw[6], 'microcode': raw[7], **tcb}


def snp(product, report, table, collateral):
    report = json.loads(pathlib.Path(report).read_text())
    table = pathlib.Path(table).read_bytes()
    tcb, key = components(report['reported_tcb']), report['signing_key']
    chain = pem(certificate(table, 'ask')) + pem(certificate(table, 'ark'))
    fmc = f'fmcSPL={tcb["fmc"]:02}&' if product == 'Turin' else ''
    chip = report['chip_id'][:16] if product == 'Turin' else report['chip_id']
    crl = json.loads(pathlib.Path(collateral).read_text())['amd_crls'][0]
    if key == 'vcek':
        add(f'/vcek/v1/{product}/{chip}?{fmc}blSPL={tcb["boot_loader"]:02}&teeSPL={tcb["tee"]:02}'
            f'&snpSPL={tcb["snp"]:02}&ucodeSPL={tcb["microcode"]:02}', f'{product}-vcek',
            certificate(table, 'vcek'))
        add('/metadata/THIM/amd/certification', 'thim', json.dumps(
            {'vcekCert': pem(certificate(table, 'vcek')), 'tcbm': tcb['raw'][2:].upper(),
             'certificateChain': chain, 'cacheControl': '86400'}), needs='Metadata: true')
    add(f'/{key}/v1/{product}/cert_chain', f'{product}-{key}-chain', chain)
    add(f'/{key}/v1/{product}/crl', f'{product}-{key}-crl', der(crl) if crl.startswith('-') else
        bytes.fromhex(crl))


def tdx(fmspc, collateral):
    have = json.loads(pathlib.Path(collateral).read_text())

    def chain(name):
        return urllib.parse.quote(have[name])

    def crl(name):
        return der(have[name]) if have[name].startswith('-') else bytes.fromhex(have[name])

    for key, path, name, header in (
            ('tcbInfo', f'/tdx/certification/v4/tcb?fmspc={fmspc}', 'tcb_info',
             'TCB-Info-Issuer-Chain'),
            ('enclaveIdentity', '/tdx/certification/v4/qe/identity', 'qe_identity',
             'SGX-Enclave-Identity-Issuer-Chain')):
        add(path, name, f'{{"{key}":{have[name]},"signature":"{have[f"{name}_signature"]}"}}',
            headers={header: chain(f'{name}_issuer_chain')})
    add('/sgx/certification/v4/pckcrl?ca=platform&encoding=der', 'pck-crl', crl('pck_crl'),
        headers={'SGX-PCK-CRL-Issuer-Chain': chain('pck_crl_issuer_chain')})
    # as a PCCS does: in hexadecimal digits
    add('/sgx/certification/v4/rootcacrl', 'root-crl', crl('root_ca_crl').hex())


{'snp': snp, 'tdx': tdx}[sys.argv[2]](*sys.argv[3:])
