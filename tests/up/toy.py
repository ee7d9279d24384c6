"""Stands in for a process of the product: says that it runs, and notes the moment it was asked to end."""

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

name, notes = sys.argv[1], Path(sys.argv[2])
traits = set(sys.argv[3:])


def note(word: str) -> None:
    with notes.open("a") as file:
        file.write(f"{time.monotonic()} {word}\n")


def end(number: int, frame: object) -> None:
    note(f"{name} asked")
    if "stubborn" not in traits:
        time.sleep(0.1)
        note(f"{name} ended")
        os._exit(0)


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


signal.signal(signal.SIGTERM, end)
print(f"{name} runs as {os.getpid()}", flush=True)
if "with-child" in traits:
    subprocess.Popen([sys.executable, __file__, f"{name}-child", notes])
if "web" in traits:
    server = http.server.ThreadingHTTPServer((os.environ["LISTEN"], int(os.environ["PORT"])), Healthy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
while True:
    time.sleep(60)
