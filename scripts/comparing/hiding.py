"""A sparse index on the loopback interface that shows what a project's Rust can use: lines of the real index, minus
those whose `rust_version` is above it, minus those published after an instant. What is locked is always shown."""

import datetime
import http.server
import json
import threading
import urllib.error

from auditing.index import Index, instant

STAND_IN = "compare-peers"


class Hiding:
    """An index that lives as long as its `with` block; one for each workspace."""

    def __init__(self, rust, locked, as_of=None):
        self.rust, self.as_of = numbers(rust), as_of and instant(as_of)
        self.locked = {(name.lower(), version) for name, version in locked}
        self.index, self.pages, self.failed = Index(), {}, {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def cargo_arguments(self):
        """What leads cargo here, whatever its configuration says."""
        address = f"sparse+http://127.0.0.1:{self.server.server_port}/"
        settings = [f"source.crates-io.replace-with='{STAND_IN}'", f"source.{STAND_IN}.registry='{address}'"]
        return [word for setting in settings for word in ("--config", setting)]

    def answer(self, path):
        """Status and body of a request."""
        if path == "/config.json":
            return 200, b'{"dl":"http://127.0.0.1:1/nothing-is-downloaded-from-here"}'
        name = path.rsplit("/", 1)[-1]
        if name not in self.pages:
            try:
                self.pages[name] = 200, self.page(name, self.index.entry(name))
            except urllib.error.HTTPError as error:
                self.pages[name] = (404 if error.code in (404, 410, 451) else 424), str(error).encode()
            except (OSError, ValueError) as error:
                self.pages[name] = 424, str(error).encode()
        return self.pages[name]

    def page(self, name, text):
        lines = [line for line in text.splitlines() if line.strip()]
        return "".join(line + "\n" for line in lines if self.shows(name, json.loads(line))).encode()

    def shows(self, name, line):
        if (name, line["vers"]) in self.locked:
            return True
        if line.get("rust_version") and numbers(line["rust_version"]) > self.rust:
            return False
        return not (self.as_of and line.get("pubtime") and instant(line["pubtime"]) > self.as_of)


def numbers(rust):
    """A Rust version as three numbers."""
    parts = [int(part) for part in rust.split("-")[0].split("+")[0].split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def handler(hiding):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One write for head and body: as two, each page waits 40 ms for a delayed acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self):
            status, body = hiding.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler
