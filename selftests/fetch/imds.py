#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What an Azure guest finds at 169.254.169.254, of the machine that a cvm-fwd is.
    imds.py SOCKET DIR [PER_SECOND]    prints its port and serves until it is killed
  POST /acc/tdquote                         a quote for a TDREPORT; azure-tdx
  GET  /metadata/THIM/amd/certification     the VCEK and its chain; azure-snp
It is as strict as the real one about headers, and lets PER_SECOND requests through
in a second, 5 if nothing is said, 0: any number; to more it says 429. DIR/requests
gets a line for each request. DIR/wrong has a line WORD PATH for each request to come
that is to go wrong: a status, `html`, `empty`, `stall`, `after-SECONDS` (429), `late-SECONDS`
for a good answer, and `other`: the answer is for another TDREPORT than was given."""

import base64
import http.server
import json
import pathlib
import socket
import struct
import sys
import threading
import time

from amd_table import certificate, pem

SOCKET, DIR = sys.argv[1], pathlib.Path(sys.argv[2])
PER_SECOND = int(sys.argv[3]) if len(sys.argv) > 3 else 5
LOCK = threading.Lock()
FRAME = '<IIQIIQQ'
MAGIC, TDX_QUOTE, SIM_REPORT, SIM_QUOTE = 0x31574643, 4, 9, 10
served = []


def receive(sock, count):
    data = b''
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ConnectionError('cvm-fwd is gone')
        data += more
    return data


def firmware(kind, payload):
    """The answer's status and bytes"""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(SOCKET)
        sock.sendall(struct.pack(FRAME, MAGIC, kind, 1, len(payload), 0, 0, 0) + payload)
        head = struct.unpack(FRAME, receive(sock, struct.calcsize(FRAME)))
        data = receive(sock, head[3])
        time.sleep(head[6] / 1e9 if kind == TDX_QUOTE else 0)
        return head[5], data


def too_many():
    now = time.monotonic()
    served[:] = [at for at in served if now - at < 1]
    if PER_SECOND and len(served) >= PER_SECOND:
        return True
    served.append(now)
    return False


def next_wrong(path):
    plan = DIR / 'wrong'
    lines = plan.read_text().splitlines() if plan.exists() else []
    for i, line in enumerate(lines):
        word, prefix = line.split()
        if path.startswith(prefix):
            plan.write_text('\n'.join(lines[:i] + lines[i + 1:]))
            return word
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, body=b'', headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header('Content-Length', len(body))
        self.end_headers()
        self.wfile.write(body)

    def say(self, **what):
        self.answer(200, json.dumps(what).encode(), {'Content-Type': 'application/json'})

    def goes_wrong(self):
        """True: this request has been answered. Else the word for it, or None"""
        with LOCK:
            with (DIR / 'requests').open('a') as log:
                print(self.command, self.path, file=log)
            word, busy = next_wrong(self.path), too_many()
        if word and word.isdigit():
            self.answer(int(word), b'{"error":"as was asked for"}')
        elif word and word.startswith('after-'):
            self.answer(429, b'', {'Retry-After': word[6:]})
        elif word == 'html':
            self.answer(200, b'<html><body>maintenance</body></html>')
        elif word == 'empty':
            self.answer(200)
        elif word == 'stall':
            threading.Event().wait()
        elif word and word.startswith('late-'):
            time.sleep(int(word[5:]))
            return None
        elif busy:
            self.answer(429, b'{"error":"Too many requests"}')
        else:
            return word
        return True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        word = self.goes_wrong()
        if word is True:
            return
        if self.path != '/acc/tdquote':
            self.answer(404, b'{"error":"no such thing"}')
        elif self.headers.get('Content-Type') != 'application/json':
            self.answer(415, b'{"error":"application/json, and nothing after it"}')
        else:
            self.quote(body, word == 'other')

    def quote(self, body, other):
        try:
            text = json.loads(body)['report']
            tdreport = base64.b64decode(text + '=' * (-len(text) % 4), '-_', validate=True)
        except (ValueError, KeyError, TypeError):
            tdreport = b''
        if len(tdreport) != 1024:
            self.answer(400, b'{"error":"report: 1024 bytes in base64url are expected"}')
            return
        # a well-made quote of this TD, for REPORTDATA that nobody has asked for
        status, quote = firmware(SIM_QUOTE, bytes(64)) if other else firmware(TDX_QUOTE, tdreport)
        if status:
            self.answer(500, b'{"error":"the quoting enclave refuses this report"}')
        else:
            self.say(quote=base64.urlsafe_b64encode(quote).decode().rstrip('='))

    def do_GET(self):
        word = self.goes_wrong()
        if word is True:
            return
        if self.headers.get('Metadata') != 'true':
            self.answer(400, b'{"error":"Metadata: true is missing"}')
        elif self.path.split('?')[0] != '/metadata/THIM/amd/certification':
            self.answer(404, b'{"error":"no such thing"}')
        else:
            self.thim()

    def thim(self):
        status, data = firmware(SIM_REPORT, bytes(72))
        if status:
            self.answer(404, b'{"error":"no AMD processor"}')
            return
        report, table = data[:1184], data[1184:]
        tcb = struct.unpack_from('<Q', report, 0x180)[0]
        self.say(vcekCert=pem(certificate(table, 'vcek')), tcbm=f'{tcb:016X}',
                 certificateChain=pem(certificate(table, 'ask')) + pem(certificate(table, 'ark')),
                 cacheControl='86400')


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
