"""Serves a world's crates as a sparse registry on the loopback interface: cargo-edit reads no local registries."""

import http.server
import json
import threading
import urllib.parse


class Server:
    """A registry that lives as long as its `with` block; cargo's configuration in the world leads to it."""

    def __init__(self, world):
        self.folder = world / "registry"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        (world / "cargo-home" / "config.toml").write_text(
            '[source.crates-io]\nreplace-with = "world"\n\n'
            f'[source.world]\nregistry = "sparse+{self.address}/index/"\n', encoding="utf-8")

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def handler(self):
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = registry.body(urllib.parse.unquote(self.path))
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        return Handler

    def body(self, path):
        """The bytes of a file; none where there is none."""
        if path == "/index/config.json":
            return json.dumps({"dl": f"{self.address}/dl/{{crate}}-{{version}}.crate"}).encode()
        below = path.removeprefix("/dl/") if path.startswith("/dl/") else path.lstrip("/")
        file = self.folder / below
        return file.read_bytes() if ".." not in below.split("/") and file.is_file() else None
