# SPDX-License-Identifier: GPL-2.0
"""What the tests of cvm-agent beside a simulated platform share."""
import json
import os
import signal
import socket
import subprocess
import sys
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
        self.starts = 0
        self.start()

    def listen(self):
        one = socket.socket(socket.AF_UNIX)
        one.bind(self.path)
        os.chmod(self.path, 0o777)
        one.listen(4096)
        return one

    def start(self):
        self.starts += 1
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

    def ready(self):
        """It serves, and takes signals as it does from there on"""
        return until(lambda: self.said().count('"event":"start"') >= self.starts)

    def stop(self):
        self.ready()
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


def outcome(one, seconds):
    """Status of the answer that begins; 0: it has ended without; None: neither, in that time"""
    one.settimeout(seconds)
    try:
        got = one.recv(65536)
    except (BlockingIOError, socket.timeout):
        return None
    except ConnectionError:
        return 0
    return int(got.split()[1]) if got.startswith(b"HTTP/1.") else 0


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


def serves(agent, uid=None):
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}", uid=uid)
    return got and got[0] == 200


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


def firmware(directory, setting):
    """Tell the simulated platform"""
    subprocess.run(["build/bin/fw_ask", f"{directory}/fw", "set", setting],
                   stdout=subprocess.DEVNULL, check=True)
