#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Answers as AMD's, Intel's and Azure's services do, or wrongly.
    server.py DIR      prints its port and serves until it is killed
DIR/routes.json: by the path with its query, an object with `body`, a file in DIR;
`headers`; `needs`, a header of the request, as NAME: VALUE. It is read for each
request, which DIR/requests has a line of. DIR/wrong has a word for each request to
come that is to go wrong, a line each, and a path prefix: see Handler.wrong()."""

import http.server
import json
import pathlib
import sys
import threading
import time

DIR = pathlib.Path(sys.argv[1])
LOCK = threading.Lock()


def next_wrong(path):
    """The first word for this path, which is then gone unless it ends in a +"""
    plan = DIR / 'wrong'
    lines = plan.read_text().splitlines() if plan.exists() else []
    for i, line in enumerate(lines):
        word, prefix = line.split()
        if path.startswith(prefix):
            if not word.endswith('+'):
                plan.write_text('\n'.join(lines[:i] + lines[i + 1:]))
            return word.rstrip('+')
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, status, body=b'', headers=None, length=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header('Content-Length', len(body) if length is None else length)
        self.end_headers()
        self.wfile.write(body)

    def wrong(self, word, route):
        body = (DIR / route['body']).read_bytes()
        if word.isdigit():
            self.answer(int(word), b'busy', {'Location': '/elsewhere'})
        elif word.startswith('after-'):
            self.answer(429, b'busy', {'Retry-After': word[6:]})
        elif word == 'html':
            self.answer(200, b'<html><body>maintenance</body></html>')
        elif word == 'empty':
            self.answer(200)
        elif word == 'short':
            self.answer(200, body[:-9], route.get('headers'))
        elif word == 'cut':
            self.answer(200, body[:-9], route.get('headers'), len(body))
        elif word == 'huge':
            self.answer(200, bytes(2 << 20))
        elif word == 'chain':
            self.answer(200, body, dict.fromkeys(route['headers'], 'x'))
        elif word == 'late':
            while not (DIR / 'go').exists():
                time.sleep(0.02)
            self.answer(404, b'no such thing')
        elif word == 'bare':
            self.answer(200, body)
        elif word == 'stall':
            threading.Event().wait()

    def do_GET(self):
        with LOCK:
            with (DIR / 'requests').open('a') as log:
                print(self.path, file=log)
            route = json.loads((DIR / 'routes.json').read_text()).get(self.path)
            word = next_wrong(self.path)
        if not route:
            self.answer(404, b'no such thing')
            return
        name, _, value = route.get('needs', '').partition(': ')
        if name and self.headers.get(name) != value:
            self.answer(400, b'a header is missing')
        elif word:
            self.wrong(word, route)
        else:
            self.answer(200, (DIR / route['body']).read_bytes(), route.get('headers'))


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
