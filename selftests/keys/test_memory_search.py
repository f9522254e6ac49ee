#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""memory_search on memory that is made up: each form of a secret is found wherever it
lies, in parts too, and nothing else is. Prints TAP."""
import base64
import hashlib
import random
import subprocess
import sys
import tempfile

PAGE = 4096
SIZE = 16 << 20
# FIPS 197, appendix A.3: the key, and words of its schedule
AES_KEY = bytes.fromhex("603deb1015ca71be2b73aef0857d7781"
                        "1f352c073b6108d72d9810a30914dff4")
AES_WORDS = {8: "9ba35411 8e6925af a51a8b5f 2067fcde", 12: "a8b09c1a 93d194cd be49846e b75d5b9a",
             56: "fe4890d1 e6188d0b 046df344 706c631e"}
# appendix C.3: a key, and words of the schedule of the equivalent inverse cipher
INVERSE_KEY = bytes(range(32))
INVERSE_WORDS = {1: "34f1d1ffbfceaa2ffce9e25f2558016e", 2: "5e1648eb384c350a7571b746dc80e684"}
SEARCH = sys.argv[1]


class Tap:
    count = failed = 0

    def check(self, good, name):
        self.count += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.count} - {name}", flush=True)


def search(memory, secrets):
    """What is found: {(name, form): (times, address)}; and the exit status."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(memory)
        file.flush()
        text = "".join(f"{name} {secret.hex()}\n" for name, secret in secrets.items())
        done = subprocess.run([SEARCH, file.name], input=text, capture_output=True, text=True,
                              check=False)
    lines = [line.split() for line in done.stdout.splitlines()]
    return {(n, f): (int(t), int(a, 0)) for n, f, t, a in lines}, done.returncode


def swapped(data, word):
    return b"".join(data[i:i + word][::-1] for i in range(0, len(data), word))


def xored(data, pad):
    return bytes(b ^ pad for b in data)


def forms(secret):
    """Of those that can be made here otherwise than the program makes them."""
    text = base64.b64encode(b"ab" + secret + b"c")
    return {
        "raw": secret, "swapped64": swapped(secret, 8), "swapped32": swapped(secret, 4),
        "hex": secret.hex().encode(), "base64": text[4:-4],
        "hmac-pad": xored(secret, 0x36),
    }


def one_form(tap, noise, secret):
    for form, data in forms(secret).items():
        memory = bytearray(noise)
        at = 5 * PAGE + 123
        memory[at:at + len(data)] = data
        found, status = search(memory, {"it": secret})
        tap.check(status == 1 and set(found) == {("it", form)} and found[("it", form)][1] == at,
                  f"{form}: found where it is, and as nothing else")
    for text in (secret.hex().upper().encode(), base64.urlsafe_b64encode(secret),
                 base64.b64encode(b"a" + secret), xored(secret, 0x5c)):
        memory = bytearray(noise)
        memory[77:77 + len(text)] = text
        tap.check(search(memory, {"it": secret})[1] == 1, "found in another spelling")


def parts(tap, noise, secret):
    """Of what straddles pages that do not lie side by side there is an end and a start."""
    for size in (8, 9, len(secret) - 8, len(secret) - 1):
        memory = bytearray(noise)
        memory[9 * PAGE - size:9 * PAGE] = secret[:size]
        found, status = search(memory, {"it": secret})
        tap.check(status == 1 and found[("it", "raw")][1] == 9 * PAGE - size,
                  f"the first {size} bytes at the end of a page")
        memory = bytearray(noise)
        memory[20 * PAGE:20 * PAGE + size] = secret[-size:]
        tap.check(search(memory, {"it": secret})[1] == 1,
                  f"the last {size} at the beginning of one")
    memory = bytearray(SIZE)
    memory[6 * PAGE - 3:6 * PAGE - 3 + len(secret)] = secret
    tap.check(search(memory, {"it": secret})[0].get(("it", "raw")) ==
              (len(secret) - 7, 6 * PAGE - 3), "across two pages, zeros around it")
    for size, at in ((7, 100), (len(secret), SIZE - 7)):
        memory = bytearray(noise)
        memory[at:at + size] = secret[:size]
        tap.check(search(memory[:SIZE], {"it": secret}) == ({}, 0), "7 bytes are not enough")
    memory[SIZE - 8:] = secret[:8]
    tap.check(search(memory[:SIZE], {"it": secret})[1] == 1, "at the end of memory")


def aes(tap, noise):
    """Of a key inside a longer one, too."""
    key = random.randbytes(32) + AES_KEY
    for at, words in AES_WORDS.items():
        memory = bytearray(noise)
        memory[333:333 + 16] = bytes.fromhex(words)
        found, status = search(memory, {"it": key})
        tap.check(status == 1 and set(found) == {("it", "aes")}, f"AES-256, words {at} and on")


def aes_inverse(tap, noise):
    for number, words in INVERSE_WORDS.items():
        memory = bytearray(noise)
        memory[333:333 + 16] = bytes.fromhex(words)
        found, status = search(memory, {"it": INVERSE_KEY})
        tap.check(status == 1 and set(found) == {("it", "aes-inverse")},
                  f"AES-256, round {number} of the inverse cipher")


def hashed_behind(tap, noise, secret):
    """As words of a hash's block, when something lies before it there."""
    for word, form in ((4, "swapped32"), (8, "swapped64")):
        for shift in range(word):
            block = (b"AUTH_KEY"[:shift] + secret)
            memory = bytearray(noise)
            data = swapped(block[:len(block) - len(block) % word], word)[word:]
            memory[500:500 + len(data)] = data
            found, status = search(memory, {"it": secret})
            tap.check(status == 1 and set(found) == {("it", form)},
                      f"{form}, behind {shift} bytes of something else")


def hmac_states(tap, noise, secret):
    """hashlib hands no state out: it is computed here."""
    for name in ("sha256", "sha512"):
        size = hashlib.new(name).block_size
        block = xored(secret.ljust(size, b"\0"), 0x5c)
        state = compress(name, block)
        memory = bytearray(noise)
        memory[1000:1000 + len(state)] = state
        found, status = search(memory, {"it": secret})
        tap.check(status == 1 and set(found) == {("it", "hmac-state")}, f"HMAC's state, {name}")


def root_fractions(primes, power, bits):
    """FIPS 180-4: the first bits of the fractional parts of roots of primes."""
    found = []
    for prime in primes:
        low, high = 0, prime << (2 * bits)
        target = prime << (power * bits)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle ** power <= target else (low, middle)
        found.append(low & ((1 << bits) - 1))
    return found


def primes(count):
    found = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def compress(name, block):
    """FIPS 180-4, section 6: one block from the beginning; words as a CPU of ours has them."""
    bits, rounds = (32, 64) if name == "sha256" else (64, 80)
    big0, big1, small0, small1 = {
        32: ((2, 13, 22), (6, 11, 25), (7, 18, 3), (17, 19, 10)),
        64: ((28, 34, 39), (14, 18, 41), (1, 8, 7), (19, 61, 6))}[bits]
    mask = (1 << bits) - 1
    start = root_fractions(primes(8), 2, bits)
    constants = root_fractions(primes(rounds), 3, bits)

    def rotate(x, n):
        return (x >> n | x << (bits - n)) & mask

    def big(x, by):
        return rotate(x, by[0]) ^ rotate(x, by[1]) ^ rotate(x, by[2])

    def small(x, by):
        return rotate(x, by[0]) ^ rotate(x, by[1]) ^ x >> by[2]

    w = [int.from_bytes(block[i:i + bits // 8], "big") for i in range(0, len(block), bits // 8)]
    for t in range(16, rounds):
        w.append((small(w[t - 2], small1) + w[t - 7] + small(w[t - 15], small0) + w[t - 16]) & mask)
    a, b, c, d, e, f, g, h = start
    for t in range(rounds):
        one = h + big(e, big1) + (e & f ^ ~e & g) + constants[t] + w[t]
        two = big(a, big0) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (one + two) & mask, a, b, c, (d + one) & mask, e, f, g
    return b"".join(((x + y) & mask).to_bytes(bits // 8, "little")
                    for x, y in zip(start, (a, b, c, d, e, f, g, h)))


def main():
    tap = Tap()
    # the same each time: noise before a secret may happen to be what it would begin with
    random.seed(1)
    secret = random.randbytes(32)
    noise = random.randbytes(SIZE)
    tap.check(search(noise, {"it": secret, "other": AES_KEY}) == ({}, 0), "nothing in noise")
    one_form(tap, noise, secret)
    one_form(tap, noise, random.randbytes(96))
    parts(tap, noise, secret)
    aes(tap, noise)
    aes_inverse(tap, noise)
    hashed_behind(tap, noise, secret)
    hmac_states(tap, noise, secret)
    memory = bytearray(noise)
    memory[0:32] = secret
    tap.check(set(search(memory, {"it": AES_KEY, "other": secret})[0]) == {("other", "raw")},
              "of two secrets the one that is there")
    for text in ("", "it\n", "it 00\n", "it 0g11223344556677\n", "it 001122334455667\n"):
        done = subprocess.run([SEARCH, "/dev/null"], input=text, capture_output=True, text=True,
                              check=False)
        tap.check(done.returncode == 2, f"not secrets: {text!r}")
    print(f"1..{tap.count}")
    return bool(tap.failed)


sys.exit(main())
