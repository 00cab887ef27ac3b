#!/usr/bin/python3
"""The lab's client on loopback: it keeps its schedule whatever the server does, and its log says what happened on the wire."""
import collections
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "client")


class Server:
    """Answers each request with `answer(uri)`: bytes, or None to hang up. Remembers every head it read."""

    def __init__(self, answer):
        self.answer, self.heads = answer, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, address = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection, address), daemon=True).start()

    def serve(self, connection, address):
        with connection, connection.makefile("rb") as lines:
            while first := lines.readline():
                head = first
                while (line := lines.readline()) not in (b"\r\n", b""):
                    head += line
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                if first.startswith(b"POST"):
                    lines.read(length)
                self.heads.append(("%s:%d" % address, head.decode()))
                answer = self.answer(first.split(b" ")[1].decode())
                if answer is None:
                    return
                connection.sendall(answer)


def ok(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class ClientTest(unittest.TestCase):
    def run_client(self, server, mix, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".mix") as file:
            file.write(mix)
            file.flush()
            done = subprocess.run([CLIENT, "--target", server.target, "--mix", file.name, "--sources", "127.0.0.1,127.0.0.2",
                                   *options], capture_output=True, text=True, timeout=60, check=True)
        server.socket.close()
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def test_every_request_is_logged_as_it_was_on_the_wire(self):
        server = Server(lambda uri: ok(b"x" * len(uri)))
        log, _ = self.run_client(server, "GET /a\n# a comment\nPOST /orders {\"a\": 1}\n", "--rate", "200", "--requests", "20")
        self.assertEqual(20, len(log))
        self.assertEqual({200}, {entry["status"] for entry in log})
        self.assertEqual(len(ok(b"xx")), next(entry["bytes"] for entry in log if entry["uri"] == "/a"))
        on_the_wire = {(client, head.split("X-Request-Id: ")[1].split("\r")[0], head.split(" ")[0]) for client, head in server.heads}
        self.assertEqual(on_the_wire, {(entry["client"], entry["id"], entry["method"]) for entry in log})
        for entry in log:
            self.assertLessEqual(entry["intended"], entry["sent"])
            self.assertLessEqual(entry["sent"], entry["first_byte"])
            self.assertLessEqual(entry["first_byte"], entry["done"])

    def test_a_slow_answer_does_not_hold_back_the_schedule(self):
        def answer(uri):
            if uri == "/slow":
                all_others_seen.wait(20)
            elif len(server.heads) >= 100:
                all_others_seen.set()
            return ok(b"")
        all_others_seen = threading.Event()
        server = Server(answer)
        log, _ = self.run_client(server, "GET /slow\n" + 99 * "GET /quick\n", "--rate", "200", "--requests", "100")
        slow = next(entry for entry in log if entry["uri"] == "/slow")
        intended = sorted(entry["intended"] for entry in log)
        self.assertAlmostEqual(99 / 200, intended[-1] - intended[0], places=3)
        self.assertGreater(slow["done"], max(entry["sent"] for entry in log))

    def test_when_all_connections_are_busy_the_wait_counts(self):
        released = threading.Event()

        def answer(uri):
            if len(server.heads) == 1:
                threading.Timer(0.6, released.set).start()
            released.wait(20)
            return ok(b"")
        server = Server(answer)
        log, _ = self.run_client(server, "GET /\n", "--rate", "20", "--requests", "6", "--connections", "2")
        self.assertEqual(6, len(log))
        self.assertGreater(max(entry["sent"] - entry["intended"] for entry in log), 0.2)

    def test_connections_are_replaced_when_worn_out(self):
        server = Server(lambda uri: ok(b""))
        log, _ = self.run_client(server, "GET /\n", "--rate", "200", "--requests", "20", "--connections", "2",
                                 "--requests-per-connection", "5")
        self.assertEqual(5, max(collections.Counter(entry["client"] for entry in log).values()))
        self.assertEqual({"127.0.0.1", "127.0.0.2"}, {entry["client"].split(":")[0] for entry in log})

    def test_a_server_that_hangs_up_is_an_error_with_its_reason(self):
        server = Server(lambda uri: None)
        log, summary = self.run_client(server, "GET /\n", "--rate", "100", "--requests", "3")
        self.assertEqual([None] * 3, [entry["status"] for entry in log])
        self.assertTrue(all(entry["error"] for entry in log))
        self.assertIn("3 sent, 0 answered, 3 failed", summary)

    def test_sigterm_ends_it_with_everything_logged(self):
        server = Server(lambda uri: ok(b""))
        with tempfile.NamedTemporaryFile("r") as log, tempfile.NamedTemporaryFile("w") as mix:
            mix.write("GET /\n")
            mix.flush()
            with subprocess.Popen([CLIENT, "--target", server.target, "--mix", mix.name, "--sources", "127.0.0.1", "--rate", "50",
                                   "--log", log.name], stderr=subprocess.PIPE, text=True) as client:
                deadline = time.monotonic() + 30
                while len(server.heads) < 5 and time.monotonic() < deadline:
                    time.sleep(0.01)
                client.send_signal(signal.SIGTERM)
                _, summary = client.communicate(timeout=30)
            entries = [json.loads(line) for line in log]
        self.assertEqual(0, client.returncode)
        self.assertEqual(len(server.heads), len(entries))
        self.assertIn(f"{len(entries)} sent, {len(entries)} answered, 0 failed", summary)
        server.socket.close()


if __name__ == "__main__":
    sys.exit(unittest.main())
