# SPDX-License-Identifier: GPL-2.0
"""The GHCB certificate table, as a host of an SNP guest has it."""

import base64
import struct
import sys
import uuid

# of the GHCB specification; where there is a VLEK, the ASK is the ASVK
GUIDS = {name: uuid.UUID(guid).bytes for name, guid in {
    'vcek': '63da758d-e664-4564-adc5-f4b93be8accd', 'vlek': 'a8074bc2-a25a-483e-aae6-39c045a0b8a1',
    'ask': '4ab7b379-bbac-4fe4-a02f-05aef327c782', 'ark': 'c0b406a4-a803-4952-9743-3fb6014cd0ae',
}.items()}


def pem(data):
    text = base64.encodebytes(data).decode()
    return f'-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n'


def certificate(table, name):
    """DER"""
    for at in range(0, len(table), 24):
        guid, offset, length = struct.unpack_from('<16sII', table, at)
        if guid == GUIDS[name]:
            return table[offset:offset + length]
        if guid == bytes(16):
            break
    sys.exit(f'no {name} in the table')
