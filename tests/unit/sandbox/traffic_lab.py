"""Namespaces, servers, clients and the agent's end of the report socket, for traffic_test.py. Nothing here is mocked."""

import collections
import http.client
import http.server
import os
import select
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time

LEDGER = ('captured', 'replayed', 'lost_capture_drop', 'lost_spool_full', 'lost_connect', 'lost_timeout', 'lost_reset',
          'lost_not_sent')


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f'{what} did not come true within {seconds} s')
        select.select([], [], [], 0.02)


class Spaces:
    """Network namespaces of this process, taken away at the end."""

    def __init__(self):
        self.prefix = f'pnb{os.getpid()}'
        self.names = []

    def add(self, name):
        full = f'{self.prefix}{name}'
        run('ip', 'netns', 'add', full)
        self.names.append(full)
        run('ip', '-n', full, 'link', 'set', 'lo', 'up')
        return full

    def join(self, left, left_link, right, right_link):
        run('ip', 'link', 'add', left_link, 'netns', left, 'type', 'veth', 'peer', 'name', right_link, 'netns', right)
        run('ip', '-n', left, 'link', 'set', left_link, 'up')
        run('ip', '-n', right, 'link', 'set', right_link, 'up')

    def remove(self):
        for name in self.names:
            subprocess.run(['ip', 'netns', 'del', name], check=False)


class Service(http.server.BaseHTTPRequestHandler):
    """Answers after the milliseconds that the path names (/ok?ms=20); /drop closes instead; logs whom it answered."""
    protocol_version = 'HTTP/1.1'

    def setup(self):
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self):
        length = int(self.headers.get('Content-Length', 0))
        body = self.rfile.read(length)
        self.server.lines.write(f'{self.client_address[0]}:{self.client_address[1]} {self.command} {self.path} '
                                f'{len(body)}\n')
        self.server.lines.flush()
        if self.path.startswith(self.server.drops):
            self.close_connection = True
            return
        if 'ms=' in self.path:
            threading.Event().wait(int(self.path.split('ms=')[1]) / 1000)
        answer = b'x' * 3000
        self.send_response(503 if self.path.startswith('/down') else 200)
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingTCPServer):
    """http.server's own asks the resolver for its name first, which takes seconds where there is none."""
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def serve(log, drops):
    """The log's appearance says that it listens."""
    server = Server(('10.0.0.5', 80), Service)
    server.lines = open(log, 'a', encoding='ascii')
    server.drops = drops
    server.serve_forever()


def client(log, plan):
    """plan: lines `SOURCE PORT METHOD PATH...` of one connection each; the answers' times are logged."""
    lines = open(log, 'a', encoding='ascii')
    lock = threading.Lock()

    def one(source, port, requests):
        connection = http.client.HTTPConnection('10.0.0.5', 80, source_address=(source, port), timeout=10)
        for method, path in requests:
            begin = time.monotonic()
            connection.request(method, path, body=b'b' * 100 if method == 'POST' else None)
            connection.getresponse().read()
            took = time.monotonic() - begin
            with lock:
                lines.write(f'{source}:{port} {method} {path} {100 if method == "POST" else 0} {took:.6f}\n')
                lines.flush()
            if path == '/pause':  # until told to go on: a byte on standard input
                os.read(0, 1)
        connection.close()

    threads = []
    for line in plan.split(';'):
        words = line.split()
        requests = list(zip(words[2::2], words[3::2]))
        threads.append(threading.Thread(target=one, args=(words[0], int(words[1]), requests)))
        threads[-1].start()
    for thread in threads:
        thread.join()


class Agent:
    """Reads windows from a report socket and acknowledges them."""

    def __init__(self, path):
        wait_for(lambda: os.path.exists(path), f'{path} being there')
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.pending = b''
        self.windows = []

    def read(self):
        while select.select([self.socket], [], [], 0)[0]:
            got = self.socket.recv(65536)
            if not got:
                return
            self.pending += got
        while len(self.pending) >= 4:
            size = struct.unpack('>I', self.pending[:4])[0]
            if len(self.pending) < 4 + size:
                break
            fields, self.pending = self.pending[4:4 + size], self.pending[4 + size:]
            numbers = struct.unpack(f'>{size // 8}Q', fields)
            self.windows.append({
                'sequence': numbers[0], 'requests': numbers[3], 'errors': numbers[4],
                'ledger': dict(zip(LEDGER, numbers[5:13])),
                'times': list(zip(numbers[13::2], numbers[14::2]))})
            self.socket.sendall(struct.pack('>BQ', 1, numbers[0]))

    def ledger(self):
        self.read()
        total = collections.Counter()
        for window in self.windows:
            total.update(window['ledger'])
        return total

    def total(self, what):
        self.read()
        return sum(window[what] for window in self.windows)

    def mean_us(self):
        values = [(value, count) for window in self.windows for value, count in window['times']]
        return sum(value * count for value, count in values) / sum(count for _, count in values)


class Processes:
    def __init__(self):
        self.all = []

    def start(self, space, *words, stdin=subprocess.DEVNULL):
        process = subprocess.Popen(['ip', 'netns', 'exec', space, *words], stdin=stdin)
        self.all.append(process)
        return process

    def script(self, space, role, *words, stdin=subprocess.DEVNULL):
        return self.start(space, '/usr/bin/python3', os.path.abspath(__file__), role, *words, stdin=stdin)

    def stop(self):
        for process in self.all:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


if __name__ == '__main__':
    {'serve': serve, 'client': client}[sys.argv[1]](*sys.argv[2:])
