# SPDX-License-Identifier: GPL-2.0
"""What a LUKS2 header gives to who has a passphrase of it, by the LUKS2 On-Disk Format
Specification; nothing of libcryptsetup's."""
import base64
import hashlib
import hmac
import json
import subprocess

JSON_AT = 4096
SECTOR, BLOCK = 512, 16
# of the split key, which takes all of it: enough to know it by
SHOWN = 64


def aes(key, data, *options):
    return subprocess.run(["openssl", "enc", "-aes-256-ecb", "-nopad", "-K", key.hex(), *options],
                          input=data, capture_output=True, check=True).stdout


def xored(one, other):
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(
        len(one), "little")


def tweaks_of(first):
    """IEEE 1619: of the blocks of a sector, each twice the one before."""
    tweak, tweaks = int.from_bytes(first, "little"), []
    for _ in range(SECTOR // BLOCK):
        tweaks.append(tweak.to_bytes(BLOCK, "little"))
        tweak = tweak << 1 & (1 << 128) - 1 ^ (0x87 if tweak >> 127 else 0)
    return b"".join(tweaks)


def decrypt(key, data):
    """aes-xts-plain64, whole sectors, from sector 0 on."""
    data_key, tweak_key = key[:32], key[32:]
    sectors = (i.to_bytes(BLOCK, "little") for i in range(len(data) // SECTOR))
    firsts = aes(tweak_key, b"".join(sectors))
    tweaks = b"".join(tweaks_of(firsts[i:i + BLOCK]) for i in range(0, len(firsts), BLOCK))
    return xored(aes(data_key, xored(data, tweaks), "-d"), tweaks)


def diffuse(stripe):
    """A hash of each part, as long as that is."""
    size = hashlib.sha256().digest_size
    return b"".join(hashlib.sha256((i // size).to_bytes(4, "big") + stripe[i:i + size]).digest()
                    [:len(stripe[i:i + size])] for i in range(0, len(stripe), size))


def merge(split, size):
    key = bytes(size)
    for i in range(0, len(split) - size, size):
        key = diffuse(xored(key, split[i:i + size]))
    return xored(key, split[-size:])


def pbkdf2(what, secret, size):
    if what["type"] != "pbkdf2":
        raise ValueError(f"a key derivation of type {what['type']}")
    return hashlib.pbkdf2_hmac(what["hash"], secret, base64.b64decode(what["salt"]),
                               what["iterations"], size)


def is_volume_key(says, slot, key):
    digest = next(d for d in says["digests"].values() if str(slot) in d["keyslots"])
    want = base64.b64decode(digest["digest"])
    return hmac.compare_digest(pbkdf2(digest, key, len(want)), want)


def open_slot(header, slot, passphrase):
    """Secrets by their names: what decrypts the slot, both ends of what is in it, and the
    key of the volume."""
    says = json.loads(header[JSON_AT:].split(b"\0", 1)[0])
    keyslot = says["keyslots"][str(slot)]
    at, size = int(keyslot["area"]["offset"]), keyslot["key_size"]
    length = size * keyslot["af"]["stripes"]
    slot_key = pbkdf2(keyslot["kdf"], passphrase, keyslot["area"]["key_size"])
    split = decrypt(slot_key, header[at:at + length])
    key = merge(split, size)
    if keyslot["area"]["encryption"] != "aes-xts-plain64" or not is_volume_key(says, slot, key):
        raise ValueError("the passphrase does not open the slot")
    return {f"slot{slot}": slot_key, f"first{slot}": split[:SHOWN],
            f"last{slot}": split[-SHOWN:], "data": key}
