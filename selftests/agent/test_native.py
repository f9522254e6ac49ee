#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""cvm-agent beside a simulated platform, and clients of all kinds. Prints TAP.

test_native.py snp|tdx [--san]: with --san the build with ASan and UBSan, whose reports
fail the test, and which the filter of system calls would keep from looking for leaks.
"""
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

import native
from native import (BUILD, DATA, PLATFORM, SAN, STATE, Agent, answer, ask, connect, firmware,
                    is_error, now, post_half, result, send, serves, until, verify)
from native_asked import arguments, bodies, coco, evidence, malformed, recipe, refusals
from native_limits import crowded, fair, killed, slow, unread


def idle_ends(directory):
    agent = Agent(directory, "idle", "--idle", "1")
    result(serves(agent), "an agent that ends when nobody is there")
    result(agent.process.wait(20) == 0, "ends")
    agent.start()
    result(serves(agent), "and is started by the next one")
    agent.stop()


def stopped(directory):
    """SIGTERM: who has asked gets his answer; who has not, is told to come again."""
    agent = Agent(directory, "stop", "--direct")
    serves(agent)
    firmware(directory, "report_ms=2500" if PLATFORM == "snp" else "quote_ms=2500")
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
    firmware(directory, "report_ms=1" if PLATFORM == "snp" else "quote_ms=1")
    half = post_half(agent, body)
    serves(agent)
    began = time.monotonic()
    status = agent.stop()
    took = time.monotonic() - began
    result(status == 0 and took < 6, "a body that never comes holds up no end", f"{status} {took}")
    half.close()


def restarted(directory):
    """Under load, again and again"""
    agent = Agent(directory, "again", "--direct")
    client = subprocess.Popen([f"{BUILD}/tests/agent_client", agent.path, "load", "100",
                               "3000" if SAN else "20000", "unprivileged"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    ends = []
    for _ in range(5):
        time.sleep(0.3)
        ends.append(agent.stop())
        agent.start()
    out, err = client.communicate(timeout=120)
    print(f"# {out.decode().strip()}")
    result(not any(ends) and client.returncode == 0,
           "restarted five times under load: all are answered", f"{ends} {err}")
    result(json.loads(out)["broken"] == 0, "and no connection ends without the answer", out)
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


def source_errors(directory):
    agent = Agent(directory, "errors", "--direct", "--label", "web")
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}")
    result(is_error(got, 501, "not_supported"), "a label that the source cannot have: 501", got)
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}&mode=direct")
    result(got and got[0] == 200, "and direct evidence all the same")
    name, value = ("report_status", "22") if PLATFORM == "snp" else ("quote_ms", "3000")
    firmware(directory, f"{name}={value}")
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}&mode=direct&timeout_ms=300")
    if PLATFORM == "snp":
        result(is_error(got, 502, "platform_refused"), "the firmware refuses: 502", got)
    else:
        result(is_error(got, 504, "timeout"), "no answer in time: 504", got)
    firmware(directory, f"{name}={'0' if PLATFORM == 'snp' else '1'}")
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
                          (["--label"], "no name"), (["--label", ""], "an empty one"),
                          (["--label", b"\xff\xfe"], "one that is no text"), (["--idle", "x"], "no number")):
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
        arguments(agent)
        malformed(agent)
        bodies(agent)
        slow(agent)
        killed(agent)
        if os.geteuid() == 0:
            crowded(agent)
        result(agent.stop() == 0, "SIGTERM ends it", agent.said()[-2000:])
        idle_ends(directory)
        stopped(directory)
        if os.geteuid() == 0:
            fair(directory)
        unread(directory)
        restarted(directory)
        source_errors(directory)
        tcp(directory)
        if os.geteuid() == 0:
            started_as_user(directory)
    finally:
        daemon.kill()
        shutil.rmtree(directory)
    print(f"1..{native.count}")
    return 1 if native.failed else 0


sys.exit(main())
