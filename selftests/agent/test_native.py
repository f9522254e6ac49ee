#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""cvm-agent beside a simulated platform, and clients of all kinds. Prints TAP.

test_native.py snp|tdx [--san]: with --san the build with ASan and UBSan, whose reports
fail the test, and which the filter of system calls would keep from looking for leaks.
"""
import base64
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PLATFORM = sys.argv[1]
SAN = "--san" in sys.argv
BUILD = "build/san" if SAN else "build"
DATA = os.urandom(64).hex()
STATE = "build/cache/fw-state"
# limits.h
MAX_PEER_CONNECTIONS, MAX_BODY = 256, 8192

count = 0
failed = 0


def result(good, name, why=""):
    global count, failed
    count += 1
    if not good:
        failed += 1
        print("".join(f"# {line}\n" for line in str(why).splitlines()), end="")
    print(f"{'ok' if good else 'not ok'} {count} {name}", flush=True)
    return good


class Agent:
    """An agent whose sockets are ours, as they are systemd's."""

    def __init__(self, directory, name, *options, source=None, sockets=None):
        self.path = f"{directory}/{name}.sock"
        self.sockets = sockets or [self.listen()]
        self.log = open(f"{directory}/{name}.log", "ab")
        self.options = options
        self.source = source or f"sim:{directory}/fw"
        self.start()

    def listen(self):
        one = socket.socket(socket.AF_UNIX)
        one.bind(self.path)
        os.chmod(self.path, 0o777)
        one.listen(4096)
        return one

    def start(self):
        kept = [os.dup(one.fileno()) for one in self.sockets]
        for i, fd in enumerate(kept):
            os.dup2(fd, 100 + i)
            os.close(fd)
        # descriptors from 3 on, and whom they are for, as systemd does it
        moves = "".join(f"exec {3 + i}<&{100 + i} {100 + i}<&-; " for i in range(len(kept)))
        command = [f"{BUILD}/bin/cvm-agent", "--backend", self.source, "--user", "nobody",
                   *(["--no-seccomp"] if SAN else []), *self.options]
        script = moves + f"LISTEN_FDS={len(kept)} LISTEN_PID=$$ exec \"$@\""
        fds = [100 + i for i in range(len(kept))]
        self.process = subprocess.Popen(["bash", "-c", script, "-", *command], pass_fds=fds,
                                        stderr=self.log, stdin=subprocess.DEVNULL)
        for fd in fds:
            os.close(fd)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def rss(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def said(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            return log.read()


def connect(path, timeout=20.0, uid=None):
    """A connection, made by another user where one is named."""
    one = socket.socket(socket.AF_UNIX)
    one.settimeout(timeout)
    if uid is not None:
        os.setresuid(uid, uid, 0)
    try:
        one.connect(path)
    finally:
        if uid is not None:
            os.setresuid(0, 0, 0)
    return one


def answer(one):
    """Status, headers and body; None: the connection ended without."""
    got = b""
    try:
        while b"\r\n\r\n" not in got:
            more = one.recv(65536)
            if not more:
                return None
            got += more
        head, body = got.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = dict((k.lower(), v.strip()) for k, v in (x.split(":", 1) for x in lines[1:]))
        while len(body) < int(headers.get("content-length", 0)):
            more = one.recv(65536)
            if not more:
                return None
            body += more
    except (ConnectionError, socket.timeout):
        return None
    return int(lines[0].split()[1]), headers, body


def send(one, data):
    try:
        one.sendall(data)
    except OSError:
        pass


def ask(path, target, body=None, headers=(), uid=None, one=None, host="a"):
    own = one or connect(path, uid=uid)
    method = "GET" if body is None else "POST"
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    send(own, "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
    got = answer(own)
    if not one:
        own.close()
    return got


def is_error(got, status, code):
    """The answer is that error, and a retry says when."""
    if not got or got[0] != status or got[1].get("content-type") != "application/json":
        return False
    error = json.loads(got[2])["error"]
    retry = error["retry"] == ("retry-after" in got[1])
    return error["code"] == code and error["message"] and retry


def verify(directory, evidence, *options):
    """cvmctl's exit status"""
    path = f"{directory}/evidence"
    with open(path, "wb") as file:
        file.write(evidence)
    root = f"{STATE}/{'trust-root' if PLATFORM == 'snp' else 'tdx-root'}.pem"
    return subprocess.run(["build/bin/cvmctl", "verify", path, "--trust-root", root,
                           "--authenticity-only", *options], capture_output=True).returncode


# ---- what is asked for, and what is not

def evidence(directory, agent):
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}&certs=true")
    result(got and got[0] == 200, "evidence", got)
    result(verify(directory, got[2], "--user-data", DATA, "--scope", "unprivileged") == 0,
           "it verifies, and speaks for nobody in particular")
    result(verify(directory, got[2], "--user-data", DATA) == 3, "not for the VM")
    result(got[1]["content-type"] == "application/json" and got[1]["cache-control"] == "no-store",
           "of a type that it says", got[1])
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}&mode=direct")
    result(verify(directory, got[2], "--report-data", DATA) == 0, "direct evidence verifies")
    for name, kind in (("cmw", "application/cmw+json"), ("cmw-cbor", "application/cmw+cbor")):
        by_name = ask(agent.path, f"/v1/evidence?user_data={DATA}&certs=true&format={name}")
        accepted = ask(agent.path, f"/v1/evidence?user_data={DATA}&certs=true",
                       headers=[f"Accept: {kind}"])
        for got in (by_name, accepted):
            result(got and got[1]["content-type"] == kind and
                   verify(directory, got[2], "--user-data", DATA, "--scope", "unprivileged") == 0,
                   f"{name} verifies", got)
            result(got and verify(directory, got[2], "--user-data", DATA) == 3,
                   f"{name}: not for the VM")
    body = json.dumps({"user_data": DATA, "certs": True, "timeout_ms": 9000}).encode()
    got = ask(agent.path, "/v1/evidence", body)
    result(verify(directory, got[2], "--user-data", DATA, "--scope", "unprivileged") == 0,
           "asked for in JSON")
    one = connect(agent.path)
    good = all(ask(agent.path, f"/v1/evidence?user_data={DATA}", one=one)[0] == 200
               for _ in range(5))
    result(good, "five in one connection")


def recipe(directory, agent):
    parts = {"audience": "kbs.example", "nonce": os.urandom(32).hex(), "channel_key": "3059ab"}
    text = "&".join(f"{k}={v}" for k, v in parts.items())
    got = json.loads(ask(agent.path, f"/v1/recipe?{text}")[2])
    import hashlib
    import struct
    whole = b"CVMGUD1\0"
    for part in (parts["audience"].encode(), bytes.fromhex(parts["nonce"]), b"\x30\x59\xab"):
        whole += struct.pack("<I", len(part)) + part
    wanted = hashlib.sha512(whole).hexdigest()
    result(got["user_data"] == wanted, "the recipe is what the specification says", got)
    got = ask(agent.path, f"/v1/evidence?{text}&certs=true")
    result(verify(directory, got[2], "--user-data", wanted, "--scope", "unprivileged") == 0,
           "and evidence is about that")
    got = ask(agent.path, "/v1/recipe", json.dumps(parts).encode())
    result(json.loads(got[2])["user_data"] == wanted, "the same, posted")
    nonce = parts["nonce"]
    alone = hashlib.sha512(b"CVMGUD1\0" + struct.pack("<II", 0, 32) + bytes.fromhex(nonce) +
                           struct.pack("<I", 0)).hexdigest()
    got = ask(agent.path, f"/v1/recipe?nonce={nonce}")
    result(json.loads(got[2])["user_data"] == alone, "what is left out has no bytes")


def coco(directory, agent):
    data = b"a nonce of theirs"
    padded = data.hex().ljust(128, "0")
    got = ask(agent.path, "/aa/evidence?runtime_data=a%20nonce%20of%20theirs")
    text = base64.b64encode(data).decode().replace("+", "%2B").replace("=", "%3D")
    same = ask(agent.path, f"/aa/evidence?runtime_data={text}&encoding=base64")
    result(got and same and got[0] == same[0] == 200, "/aa/evidence", got)
    coco_evidence(got, padded)
    coco_evidence(same, padded)
    got = ask(agent.path, "/aa/evidence?runtime_data=x&mode=batch")
    proof = json.loads(got[2]).get("batch_proof", "")
    result(len(base64.urlsafe_b64decode(proof + "==")) >= 68, "batch evidence has its proof")
    result(is_error(ask(agent.path, "/aa/evidence?runtime_data=" + "x" * 65), 400, "bad_request"),
           "65 bytes are refused")
    result(is_error(ask(agent.path, "/aa/evidence"), 400, "bad_request"), "none at all, too")


def number(value, size):
    return value.to_bytes(size, "little")


def tcb(value):
    """As of Milan and Genoa"""
    return bytes([value["bootloader"], value["tee"], 0, 0, 0, 0, value["snp"], value["microcode"]])


def coco_evidence(got, padded):
    """The fields make up the report that was signed: golden by its own bytes."""
    value = json.loads(got[2])
    if PLATFORM == "tdx":
        quote = base64.b64decode(value["quote"], validate=True)
        result(quote[568:632].hex() == padded and "cc_eventlog" in value, "their JSON of a quote")
        return
    report = value["attestation_report"]
    names = ["version", "guest_svn", "policy", "family_id", "image_id", "vmpl", "sig_algo",
             "current_tcb", "plat_info", "key_info", "report_data", "measurement", "host_data",
             "id_key_digest", "author_key_digest", "report_id", "report_id_ma", "reported_tcb",
             "cpuid_fam_id", "cpuid_mod_id", "cpuid_step", "chip_id", "committed_tcb", "current",
             "committed", "launch_tcb", "launch_mit_vector", "current_mit_vector", "signature"]
    result(list(report) == names, "their JSON of a report: its fields", list(report))
    body = number(report["version"], 4) + number(report["guest_svn"], 4)
    body += number(report["policy"], 8) + bytes(report["family_id"]) + bytes(report["image_id"])
    body += number(report["vmpl"], 4) + number(report["sig_algo"], 4) + tcb(report["current_tcb"])
    body += number(report["plat_info"], 8) + number(report["key_info"], 4) + bytes(4)
    for name in ("report_data", "measurement", "host_data", "id_key_digest", "author_key_digest",
                 "report_id", "report_id_ma"):
        body += bytes(report[name])
    body += tcb(report["reported_tcb"])
    body += bytes(report[f"cpuid_{x}"] or 0 for x in ("fam_id", "mod_id", "step")) + bytes(21)
    body += bytes(report["chip_id"]) + tcb(report["committed_tcb"])
    for name in ("current", "committed"):
        body += bytes([report[name]["build"], report[name]["minor"], report[name]["major"], 0])
    body += tcb(report["launch_tcb"])
    for name in ("launch_mit_vector", "current_mit_vector"):
        body += number(report[name] or 0, 8)
    whole = body.ljust(0x2a0, b"\0") + bytes(report["signature"]["r"]) + bytes(report["signature"]["s"])
    whole = whole.ljust(1184, b"\0")
    result(bytes(report["report_data"]).hex() == padded, "it carries the runtime data and zeros")
    chain = value["cert_chain"]
    kinds = [entry["cert_type"] for entry in chain]
    result({"VCEK", "ASK", "ARK"} <= set(kinds), "with the host's certificates", kinds)
    certs = b"".join(ssl_pem(entry["data"]) for entry in chain if entry["cert_type"] != "CRL")
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/certs", "wb") as file:
            file.write(certs)
        good = verify(directory, whole, "--report-data", padded, "--certs", f"{directory}/certs")
    result(good == 0, "and the fields are those that were signed")


def ssl_pem(der):
    import ssl
    return ssl.DER_cert_to_PEM_cert(bytes(der)).encode()


def refusals(agent):
    cases = [
        ("GET", "/", 404, "not_found", "what is not there"),
        ("GET", "/v1/evidence", 400, "bad_request", "nothing to be about"),
        ("GET", f"/v1/evidence?user_data={DATA}&nonce={'00' * 16}", 400, "bad_request", "both"),
        ("GET", "/v1/evidence?nonce=" + "00" * 15, 400, "bad_request", "a short nonce"),
        ("GET", "/v1/evidence?nonce=" + "zz" * 16, 400, "bad_request", "no hexadecimal"),
        ("GET", "/v1/evidence?user_data=" + b"CVMGBAT".hex().ljust(128, "0"), 400, "bad_request",
         "the reserved tag"),
        ("GET", f"/v1/evidence?user_data={DATA}&user_data={DATA}", 400, "bad_request", "twice"),
        ("GET", f"/v1/evidence?user_data={DATA}&label=a", 400, "bad_request", "an unknown word"),
        ("GET", f"/v1/evidence?user_data={DATA}&mode=any", 400, "bad_request", "no mode"),
        ("GET", f"/v1/evidence?user_data={DATA}&format=x", 400, "bad_request", "no format"),
        ("GET", f"/v1/evidence?user_data={DATA}&timeout_ms=-1", 400, "bad_request", "no time"),
        ("GET", f"/v1/evidence?user_data%00x={DATA}", 400, "bad_request", "one in a name"),
        ("GET", f"/v1/evidence?user_data={DATA}%00", 400, "bad_request", "a zero byte"),
        ("GET", "/v1/evidence?%ff%00%1b=1", 400, "bad_request", "no text"),
        ("GET", "/%ff%1b", 404, "not_found", "no text for a name"),
        ("DELETE", "/v1/evidence", 405, "method_not_allowed", "another method"),
        ("POST", "/v1/status", 405, "method_not_allowed", "a POST where there is none"),
    ]
    for method, target, status, code, name in cases:
        one = connect(agent.path)
        send(one, f"{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
        got = answer(one)
        result(is_error(got, status, code), f"{name}: {status}", got)
        if status == 405:
            allow = "GET" if target == "/v1/status" else "GET, POST"
            result(got and got[1].get("allow") == allow, f"and what is allowed: {allow}", got)
    for body, name in ((b"{", "half an object"), (b"[]", "an array"), (b"\xff\xfe", "no text"),
                       (b'{"nonce": null}', "a null"), (b'{"nonce": "00", "nonce": "00"}', "twice"),
                       (b'{"certs": [1]}', "a list"), (b"{" * 4000, "4,000 levels")):
        got = ask(agent.path, "/v1/evidence", body)
        result(is_error(got, 400, "bad_request"), f"JSON, {name}: 400", got)
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}", headers=["Accept: text/html"])
    result(is_error(got, 406, "not_acceptable"), "Accept of what is not given: 406", got)
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}",
              headers=["Accept: text/html, application/*;q=0.5"])
    result(got and got[0] == 200, "Accept of that, or of anything like it")


def malformed(agent):
    """None of it is answered by evidence, and nobody else is harmed."""
    garbage = [b"\r\n\r\n", b"GET\r\n\r\n", b"\0" * 100, os.urandom(3000), b"GET / HTTP/9.9\r\n\r\n",
               b"GET /v1/status HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
               b"GET /v1/status HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
               b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
               b"POST /v1/evidence HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
               b"POST /v1/evidence HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
               b"GET /v1/evidence?" + b"&" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"]
    good = True
    for text in garbage:
        one = connect(agent.path, timeout=3)
        send(one, text)
        one.shutdown(socket.SHUT_WR)
        got = answer(one)
        good = good and (got is None or got[0] != 200 or text.startswith(b"GET /v1/status"))
        one.close()
    result(good, "what is not HTTP is refused")
    result(serves(agent), "and the next one is served")


def serves(agent, uid=None):
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}", uid=uid)
    return got and got[0] == 200


def bodies(agent):
    got = ask(agent.path, "/v1/evidence", b" " * (MAX_BODY + 1))
    result(is_error(got, 413, "body_too_large"), "a body that is too long: 413", got)
    one = connect(agent.path)
    send(one, b"POST /v1/evidence HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n")
    got = answer(one)
    result(is_error(got, 413, "body_too_large"), "one that is announced: before it comes", got)
    one = connect(agent.path)
    send(one, b"POST /v1/evidence HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
         (b"1000\r\n" + b" " * 4096 + b"\r\n") * 3 + b"0\r\n\r\n")
    got = answer(one)
    result(is_error(got, 413, "body_too_large"), "one that is not announced", got)
    one = connect(agent.path)
    send(one, b"POST /v1/evidence HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    before = agent.rss()
    for _ in range(3000):
        send(one, b"1000\r\n" + b" " * 4096 + b"\r\n")
    result(answer(one) is None and agent.rss() < before + 4096, "one without end: cut off")
    result(serves(agent), "and the next one is served")


def slow(agent):
    """One who sends byte by byte and one who does not read."""
    one = connect(agent.path)
    for byte in f"GET /v1/evidence?user_data={DATA} HTTP/1.1\r\nHost: a\r\n\r\n".encode():
        send(one, bytes([byte]))
    got = answer(one)
    result(got and got[0] == 200, "a request in single bytes")
    lazy = connect(agent.path)
    lazy.setblocking(False)
    try:
        for _ in range(100000):
            lazy.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    except BlockingIOError:
        pass
    result(serves(agent) and agent.rss() < 65536, "somebody who never reads harms nobody")
    lazy.close()


def killed(agent):
    """Clients that go while their requests are under way"""
    before = agent.rss()
    for _ in range(20):
        many = [connect(agent.path) for _ in range(100)]
        for one in many:
            send(one, f"GET /v1/evidence?user_data={DATA} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        for one in many:
            one.close()
    result(serves(agent), "2,000 clients are killed: the next one is served")
    result(until(lambda: now(agent, "requests") == 0 and now(agent, "connections") == 1),
           "nothing of them is left")
    result(SAN or agent.rss() < before + 8192, "nor memory", f"{before} {agent.rss()}")


def crowded(agent):
    before = agent.rss()
    idle = [connect(agent.path) for _ in range(1000)]
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}", one=idle[0])
    result(got and got[0] == 200, "1,000 idle connections: the first is served")
    result(serves(agent, uid=1234), "another user is served")
    got = [ask(agent.path, "/v1/status", one=one) for one in idle[990:]]
    result(all(x is None or is_error(x, 429, "too_many_connections") or
               is_error(x, 503, "too_many_connections") for x in got),
           "the last are refused", got[0])
    got = ask(agent.path, "/v1/status")
    result(is_error(got, 429, "too_many_connections") or is_error(got, 503, "too_many_connections"),
           "one more is told so", got)
    result(until(lambda: now(agent, "connections", uid=1234) <= MAX_PEER_CONNECTIONS + 1),
           "no more than one may have")
    result(SAN or agent.rss() < before + 32768, "they cost little", f"{before} {agent.rss()}")
    others = [[connect(agent.path, uid=2000 + u) for _ in range(300)] for u in range(6)]
    result(serves(agent, uid=1235), "six more users: the next user is served all the same")
    for one in idle + sum(others, []):
        one.close()
    result(until(lambda: serves(agent)), "when they have gone, everybody is")


def idle_ends(directory):
    agent = Agent(directory, "idle", "--idle", "1")
    result(serves(agent), "an agent that ends when nobody is there")
    result(agent.process.wait(20) == 0, "ends")
    agent.start()
    result(serves(agent), "and is started by the next one")
    agent.stop()


def stopped(directory, fw):
    """SIGTERM: who has asked gets his answer; who has not, is told to come again."""
    agent = Agent(directory, "stop", "--direct")
    serves(agent)
    subprocess.run(["build/bin/fw_ask", fw, "set",
                    "report_ms=2500" if PLATFORM == "snp" else "quote_ms=2500"],
                   stdout=subprocess.DEVNULL, check=True)
    idle, early = connect(agent.path), [connect(agent.path) for _ in range(20)]
    ask(agent.path, "/v1/status", one=idle)
    for one in early:
        send(one, f"GET /v1/evidence?user_data={DATA} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    body = json.dumps({"user_data": DATA}).encode()
    half = post_half(agent, body)
    until(lambda: now(agent, "requests", one=idle) == len(early))
    agent.process.send_signal(signal.SIGTERM)
    until(lambda: '"event":"stop"' in agent.said().replace(" ", ""))
    send(half, body[-1:])
    got = answer(half)
    result(is_error(got, 503, "stopping"), "a body that ends after SIGTERM: 503", got)
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}", one=idle)
    result(is_error(got, 503, "stopping") and got[1]["connection"] == "close",
           "asked after SIGTERM: 503, and connect again", got)
    got = [answer(one) for one in early]
    result(all(x and x[0] == 200 and x[1].get("connection") == "close" for x in got),
           "asked before it: answered", [x and x[0] for x in got])
    result(agent.process.wait(20) == 0, "and then it ends")
    late = connect(agent.path)
    send(late, b"GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n")
    agent.start()
    got = answer(late)
    result(got and got[0] == 200, "who came in between is served by the next one")
    subprocess.run(["build/bin/fw_ask", fw, "set",
                    "report_ms=1" if PLATFORM == "snp" else "quote_ms=1"],
                   stdout=subprocess.DEVNULL, check=True)
    half = post_half(agent, body)
    serves(agent)
    began = time.monotonic()
    status = agent.stop()
    took = time.monotonic() - began
    result(status == 0 and took < 6, "a body that never comes holds up no end", f"{status} {took}")
    half.close()


def fair(directory, fw):
    """One user asks for as much as he can; another asks once."""
    agent = Agent(directory, "fair", "--direct")
    serves(agent)
    kind = "report_ms" if PLATFORM == "snp" else "quote_ms"
    subprocess.run(["build/bin/fw_ask", fw, "set", f"{kind}=200"], stdout=subprocess.DEVNULL,
                   check=True)
    for target, name in (("&timeout_ms={}", "60 lengths of time"), ("&mode=direct", "direct evidence")):
        many = [connect(agent.path) for _ in range(60)]
        for i, one in enumerate(many):
            path = f"/v1/evidence?user_data={DATA}" + target.format(20001 + i)
            send(one, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        until(lambda: now(agent, "requests") == len(many), 2)
        began = time.monotonic()
        good = serves(agent, uid=1234)
        took = time.monotonic() - began
        # it would take 12 s
        result(good and took < 4, f"one asks 60 times ({name}), another once: not in his line", took)
        if "direct" in target:
            got = ask(agent.path, f"/v1/evidence?user_data={DATA}&mode=direct&timeout_ms=300")
            result(is_error(got, 504, "timeout"), "his 61st, whose time ends before its turn: 504", got)
        result(all(x and x[0] == 200 for x in map(answer, many)), "and he gets his, too")
        for one in many:
            one.close()
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}&timeout_ms=20")
    result(is_error(got, 504, "timeout"), "no evidence within the time: 504", got)
    subprocess.run(["build/bin/fw_ask", fw, "set", f"{kind}=1"], stdout=subprocess.DEVNULL,
                   check=True)
    result(serves(agent), "and the next one is served")
    agent.stop()


def post_half(agent, body):
    """A connection with a request whose last byte is missing"""
    one = connect(agent.path)
    send(one, f"POST /v1/evidence HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode() +
         body[:-1])
    return one


def now(agent, what, **how):
    """How many there are, as its status says"""
    return json.loads(ask(agent.path, "/v1/status", **how)[2])[what]["now"]


def until(what, seconds=20):
    """Whether it has come to be so"""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def restarted(directory):
    """Under load, again and again"""
    agent = Agent(directory, "again", "--direct")
    client = subprocess.Popen([f"{BUILD}/tests/agent_client", agent.path, "load", "100",
                               "3000" if SAN else "20000", "unprivileged"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    good = True
    for _ in range(5):
        time.sleep(0.3)
        good = agent.stop() == 0 and good
        agent.start()
    out, err = client.communicate(timeout=120)
    print(f"# {out.decode().strip()}")
    result(good and client.returncode == 0, "restarted five times under load: all are answered", err)
    # an agent that ends without its answers breaks each of 100 connections each time; who
    # asks late on one that is idle is told by nothing else
    result(json.loads(out)["broken"] <= 5 * 4, "and no connection ends without the answer", out)
    before = agent.rss()
    subprocess.run([f"{BUILD}/tests/agent_client", agent.path, "load", "200", "5000"],
                   stdout=subprocess.DEVNULL, check=False)
    middle = agent.rss()
    subprocess.run([f"{BUILD}/tests/agent_client", agent.path, "load", "200",
                    "2000" if SAN else "20000"], stdout=subprocess.DEVNULL, check=False)
    print(f"# memory {before}, {middle}, {agent.rss()} KiB")
    # what the allocator keeps varies; 200 bytes of each request would be seen
    result(SAN or agent.rss() <= middle + 4096, "its memory is flat")
    agent.stop()


def source_errors(directory, fw):
    agent = Agent(directory, "errors", "--direct", "--label", "web")
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}")
    result(is_error(got, 501, "not_supported"), "a label that the source cannot have: 501", got)
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}&mode=direct")
    result(got and got[0] == 200, "and direct evidence all the same")
    name, value = ("report_status", "22") if PLATFORM == "snp" else ("quote_ms", "3000")
    subprocess.run(["build/bin/fw_ask", fw, "set", f"{name}={value}"],
                   stdout=subprocess.DEVNULL, check=True)
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}&mode=direct&timeout_ms=300")
    if PLATFORM == "snp":
        result(is_error(got, 502, "platform_refused"), "the firmware refuses: 502", got)
    else:
        result(is_error(got, 504, "timeout"), "no answer in time: 504", got)
    subprocess.run(["build/bin/fw_ask", fw, "set", f"{name}={'0' if PLATFORM == 'snp' else '1'}"],
                   stdout=subprocess.DEVNULL, check=True)
    agent.stop()
    plain = Agent(directory, "plain")
    got = ask(plain.path, f"/v1/evidence?user_data={DATA}&mode=direct")
    result(is_error(got, 403, "direct_not_allowed"), "direct evidence is for who allows it: 403", got)
    got = ask(plain.path, "/aa/evidence?runtime_data=x")
    result(is_error(got, 403, "direct_not_allowed"), "nor by another door", got)
    plain.stop()
    none = Agent(directory, "none", source="sim:/nonexistent")
    got = ask(none.path, f"/v1/evidence?user_data={DATA}")
    result(is_error(got, 503, "no_source"), "no source of evidence: 503", got)
    got = json.loads(ask(none.path, "/v1/status")[2])
    result(got["source"] is None and got["trouble"], "and its status says why", got)
    idle, busy = connect(none.path), connect(none.path)
    end = time.monotonic() + 10
    while none.process.poll() is None and time.monotonic() < end:
        send(busy, b"GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
    result(none.process.poll() == 0, "and it ends, whoever is connected: the next start looks again")
    idle.close()
    busy.close()


def by_tcp(listener):
    client = socket.create_connection(listener.getsockname())
    client.settimeout(20)
    return client


def tcp(directory):
    one = socket.create_server(("127.0.0.1", 0))
    agent = Agent(directory, "tcp", sockets=[one])
    for host in ("localhost", "127.0.0.1:8006", "[::1]:1"):
        got = ask(None, f"/v1/evidence?user_data={DATA}", one=by_tcp(one), host=host)
        result(got and got[0] == 200, f"by TCP, where a socket of loopback is handed over: {host}", got)
    for host in ("a", "127.evil.example", "127.0.0.1.evil.example:80", "[::1", "[::1].a", "10.0.0.1", ""):
        got = ask(None, f"/v1/evidence?user_data={DATA}", one=by_tcp(one), host=host)
        result(is_error(got, 421, "host_not_local"), f"not by another name: {host}", got)
    agent.stop()
    agent = Agent(directory, "wide", sockets=[socket.create_server(("0.0.0.0", 0))])
    result(agent.process.wait(20) == 1 and "loopback" in agent.said(), "no other", agent.said())
    agent = Agent(directory, "label", "--label", "web",
                  sockets=[socket.create_server(("127.0.0.1", 0))])
    result(agent.process.wait(20) == 1 and "no label by TCP" in agent.said(), "none with a label",
           agent.said())


def started_as_user(directory):
    """With a capability, as a unit with User= and AmbientCapabilities= gives it"""
    path = f"{directory}/user"
    os.mkdir(path)
    os.chown(path, 65534, 65534)
    agent = subprocess.Popen(["setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps",
                              "+sys_admin", "--ambient-caps", "+sys_admin",
                              os.path.abspath(f"{BUILD}/bin/cvm-agent"), "--listen",
                              f"{path}/sock", "--backend", f"sim:{directory}/fw",
                              *(["--no-seccomp"] if SAN else [])], stderr=subprocess.DEVNULL)
    result(until(lambda: os.path.exists(f"{path}/sock")), "started as a user, with a capability")
    got = ask(f"{path}/sock", f"/v1/evidence?user_data={DATA}&certs=true")
    result(verify(directory, got[2], "--user-data", DATA, "--scope", "unprivileged") == 0,
           "its proofs are nobody's all the same")
    with open(f"/proc/{agent.pid}/status", encoding="ascii") as status:
        sets = dict(line.split() for line in status if line.startswith("Cap"))
    # the bounding set is no capability
    result(not any(int(value, 16) for name, value in sets.items() if name != "CapBnd:"),
           "and it has none", sets)
    agent.terminate()
    agent.wait(20)


def usage():
    for options, name in ((["--nonsense"], "an unknown option"), (["x"], "an operand"),
                          (["--label"], "no name"), (["--idle", "x"], "no number")):
        done = subprocess.run([f"{BUILD}/bin/cvm-agent", *options], capture_output=True)
        result(done.returncode == 2 and done.stderr.count(b"\n") == 1, f"{name}: usage",
               done.stderr)
    done = subprocess.run([f"{BUILD}/bin/cvm-agent", "--user", "nobody"], capture_output=True)
    result(done.returncode == 1 and b"--listen" in done.stderr, "no socket", done.stderr)
    if os.geteuid() == 0:
        done = subprocess.run([f"{BUILD}/bin/cvm-agent", "--user", "root", "--listen",
                               "127.0.0.1:0"], capture_output=True)
        result(done.returncode == 1 and b"not root" in done.stderr, "to stay root", done.stderr)


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    os.environ["ASAN_OPTIONS"] = "detect_leaks=1"
    directory = tempfile.mkdtemp()
    os.chmod(directory, 0o755)
    fw = f"{directory}/fw"
    kind = "report_ms=1" if PLATFORM == "snp" else "quote_ms=1"
    daemon = subprocess.Popen(["build/bin/cvm-fwd", "--listen", fw, "--state", STATE,
                               f"platform={PLATFORM}", kind], stderr=subprocess.DEVNULL)
    if not until(lambda: os.path.exists(fw)):
        sys.exit("Bail out! no platform")
    os.chmod(fw, 0o777)
    try:
        usage()
        agent = Agent(directory, "main", "--direct")
        evidence(directory, agent)
        recipe(directory, agent)
        coco(directory, agent)
        refusals(agent)
        malformed(agent)
        bodies(agent)
        slow(agent)
        killed(agent)
        if os.geteuid() == 0:
            crowded(agent)
        result(agent.stop() == 0, "SIGTERM ends it", agent.said()[-2000:])
        idle_ends(directory)
        stopped(directory, fw)
        if os.geteuid() == 0:
            fair(directory, fw)
        restarted(directory)
        source_errors(directory, fw)
        tcp(directory)
        if os.geteuid() == 0:
            started_as_user(directory)
    finally:
        daemon.kill()
        shutil.rmtree(directory)
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
