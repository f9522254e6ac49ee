# SPDX-License-Identifier: GPL-2.0
"""cvm-agent: what is asked for, and what is not."""
import base64
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import tempfile
import time

from native import (DATA, MAX_BODY, PLATFORM, answer, ask, connect, is_error, outcome, result, send,
                    serves, verify)


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


GARBAGE = [b"\r\n\r\n", b"GET\r\n\r\n", b"\0" * 100, os.urandom(3000), b"GET / HTTP/9.9\r\n\r\n",
           b"GET /v1/status HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
           b"GET /v1/status HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
           b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
           b"POST /v1/evidence HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
           b"POST /v1/evidence HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
           b"GET /v1/status HTTP/1.1\r\nHost: a\r\nCookie: " + b"a=b; " * 1000 + b"\r\n\r\n",
           b"GET /v1/evidence?" + b"&" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"]


def arguments(agent):
    for count in (33, 200, 300, 5000):
        got = ask(agent.path, "/v1/evidence?" + "&" * count)
        result(is_error(got, 414, "too_many_arguments"), f"{count} arguments: 414, at once", got)
    metrics = ask(agent.path, "/metrics")[2].decode()
    result(re.search(r'refused_total\{limit="arguments"\} 4$', metrics, re.M), "each is counted once",
           metrics)
    result(is_error(ask(agent.path, "/v1/evidence?" + "&" * 31), 400, "bad_request"), "31: 400")


def malformed(agent):
    """
    What is no HTTP, and requests that do not come to their end, with bytes that come all the
    time, or none, or that cannot come any more: not all are seen at once by libmicrohttpd
    """
    post = b"POST /v1/evidence HTTP/1.1\r\nHost: a\r\n"
    cases = [(b"", b""), (b"G", b""), (b"GET /v1/status?", b"a"), (b"GET / HTTP/1.1\r\nA: ", b"b"),
             (post + b"Content-Length: 8000\r\n\r\n{", b" "), (post + b"Content-Length: 9\r\n\r\n", b""),
             (post + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")]
    slow = list(cases)
    cases += [(text, more) for text in GARBAGE for more in (b"", None)]
    left = {connect(agent.path): case for case in cases}
    statuses, began, good = {}, time.monotonic(), True
    for one, (start, more) in left.items():
        send(one, start)
        if more is None:
            one.shutdown(socket.SHUT_WR)
    # limits.h: 12 s
    while left and time.monotonic() - began < 15:
        time.sleep(0.2)
        for one, (start, more) in list(left.items()):
            got = outcome(one, 0)
            if got is None:
                send(one, more or b"")
                continue
            statuses[(start, more)] = got
            # what is in headers of status is no evidence
            good = good and (got != 200 or start.startswith(b"GET /v1/status"))
            del left[one]
            one.close()
    result(not left, "what is no request: answered or ended within 15 s", list(left.values()))
    result(good, "and never by evidence", statuses)
    result(time.monotonic() - began > 8, "not before their time", statuses)
    for case in slow:
        result(statuses.get(case) == 408, f"with 408: {case[0]!r}, then {case[1]!r}", statuses.get(case))
    metrics = ask(agent.path, "/metrics")[2].decode()
    result(re.search(r'refused_total\{limit="slow"\} [1-9]', metrics), "which is counted", metrics)
    result(serves(agent), "and the next one is served")


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
