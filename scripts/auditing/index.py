"""When crates were published: read off the registry that cargo is configured for (sparse, local or the default one)."""

import datetime
import json
import os
import tomllib
import urllib.request
from pathlib import Path

DEFAULT = "sparse+https://index.crates.io/"


class Index:
    def __init__(self):
        home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
        files = [home / "config.toml", home / "config"]
        text = next((file.read_text(encoding="utf-8") for file in files if file.exists()), "")
        self.source = source(tomllib.loads(text).get("source", {}))
        self.known = {}

    def published(self, name):
        """Version to time of publication; what is yanked or has no time is left out."""
        if name not in self.known:
            try:
                lines = [json.loads(line) for line in self.entry(name).splitlines() if line.strip()]
            except (OSError, ValueError):
                lines = []
            self.known[name] = {line["vers"]: instant(line["pubtime"]) for line in lines
                                if line.get("pubtime") and not line.get("yanked")}
        return self.known[name]

    def entry(self, name):
        path = index_path(name)
        if "local-registry" in self.source:
            return (Path(self.source["local-registry"]) / "index" / path).read_text(encoding="utf-8")
        url = self.source.get("registry", "")
        if not url.startswith("sparse+"):
            return ""
        request = urllib.request.Request(url.removeprefix("sparse+").rstrip("/") + "/" + path,
                                         headers={"User-Agent": "xupgrade-audit"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode("utf-8")


class Kept(Index):
    """An index that asks for each crate once."""

    def __init__(self):
        super().__init__()
        self.texts = {}

    def entry(self, name):
        if name not in self.texts:
            self.texts[name] = super().entry(name)
        return self.texts[name]


def source(sources):
    """Follows `replace-with`."""
    at, seen = sources.get("crates-io", {}), set()
    while at.get("replace-with") in sources and at["replace-with"] not in seen:
        seen.add(at["replace-with"])
        at = sources[at["replace-with"]]
    return at if "registry" in at or "local-registry" in at else {"registry": DEFAULT}


def index_path(name):
    name = name.lower()
    if len(name) < 4:
        return f"{len(name)}/{name}" if len(name) < 3 else f"3/{name[0]}/{name}"
    return f"{name[:2]}/{name[2:4]}/{name}"


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
