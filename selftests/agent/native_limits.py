# SPDX-License-Identifier: GPL-2.0
"""cvm-agent: clients who ask for too much, too slowly, or for nothing."""
import os
import time

from native import (DATA, MAX_PEER_CONNECTIONS, PLATFORM, SAN, Agent, answer, ask, connect,
                    firmware, is_error, now, outcome, result, send, serves, until)


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
    for one in idle[900:]:
        send(one, b"GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n")
    got = [outcome(one, 10) for one in idle[900:]]
    # those of the limit are told so when they ask, or have been ended; all others at once
    result(set(got) <= {0, 429, 503} and 503 in got, "the last are refused", got)
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


def fair(directory):
    """One user asks for as much as he can; another asks once."""
    agent = Agent(directory, "fair", "--direct")
    serves(agent)
    kind = "report_ms" if PLATFORM == "snp" else "quote_ms"
    firmware(directory, f"{kind}=200")
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
    firmware(directory, f"{kind}=1")
    result(serves(agent), "and the next one is served")
    agent.stop()


def unread(directory):
    """Large answers, and nobody who reads them"""
    big = f"{directory}/certs"
    with open(big, "wb") as file:
        file.write(b"c" * (256 << 10))
    agent = Agent(directory, "unread", "--certs", big)
    result(serves(agent), "an agent whose answers are large")
    before = agent.rss()
    many = [connect(agent.path) for _ in range(240)]
    for one in many:
        send(one, f"GET /v1/evidence?user_data={DATA} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    result(until(lambda: now(agent, "requests") == 0), "240 ask, and do not read")
    # 120 MiB; limits.h: 32
    result(SAN or agent.rss() < before + (48 << 10), "they cost no more than one may leave unread",
           f"{before} {agent.rss()}")
    got = ask(agent.path, f"/v1/evidence?user_data={DATA}")
    result(is_error(got, 429, "too_many_unread"), "he is told to read first", got and got[0])
    if os.geteuid() == 0:
        result(serves(agent, uid=1234), "another user is served")
    got = [answer(one) for one in many[:-1]]
    good = sum(bool(x) and x[0] == 200 for x in got)
    result(40 < good < 80 and all(x and (x[0] == 200 or is_error(x, 429, "too_many_unread"))
                                  for x in got), "of his answers those are there that he may have", good)
    for one in many:
        one.close()
    result(until(lambda: serves(agent)), "when he has read he is served")
    taker = connect(agent.path)
    send(taker, f"GET /v1/evidence?user_data={DATA} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    began = time.monotonic()
    # limits.h: 20 s, in which he has not had much
    until(lambda: not taker.recv(256) or now(agent, "connections") == 1, 40)
    took = time.monotonic() - began
    result(10 < took < 35, "who takes an answer a little at a time is ended", took)
    taker.close()
    agent.stop()
