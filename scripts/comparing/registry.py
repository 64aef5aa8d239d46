"""Serves a world's crates as a sparse registry on the loopback interface: cargo-edit reads no local registries."""

import json
import urllib.parse

import serving


class Server(serving.Server):
    """A registry that lives as long as its `with` block; cargo's configuration in the world leads to it."""

    def __init__(self, world):
        super().__init__()
        self.folder = world / "registry"
        (world / "cargo-home" / "config.toml").write_text(
            '[source.crates-io]\nreplace-with = "world"\n\n'
            f'[source.world]\nregistry = "sparse+{self.address}/index/"\n', encoding="utf-8")

    def answer(self, path):
        body = self.body(urllib.parse.unquote(path))
        return (404, b"") if body is None else (200, body)

    def body(self, path):
        """The bytes of a file; none where there is none."""
        if path == "/index/config.json":
            return json.dumps({"dl": f"{self.address}/dl/{{crate}}-{{version}}.crate"}).encode()
        below = path.removeprefix("/dl/") if path.startswith("/dl/") else path.lstrip("/")
        file = self.folder / below
        return file.read_bytes() if ".." not in below.split("/") and file.is_file() else None
