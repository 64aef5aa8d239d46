"""A sparse index on the loopback interface: the lines of the real one that a rule shows. Nothing is downloaded from it."""

import json
import urllib.error

import serving

from .index import Index

STAND_IN = "loopback-index"


class Loopback(serving.Server):
    """An index that lives as long as its `with` block. `shows` is asked with a crate's lower-case name and a line; the lines
    are those of `index`, or of the configured one."""

    def __init__(self, shows, index=None):
        super().__init__()
        self.shows, self.index, self.pages = shows, index or Index(), {}

    def arguments(self):
        """What leads cargo here, whatever its configuration says."""
        settings = [f"source.crates-io.replace-with='{STAND_IN}'", f"source.{STAND_IN}.registry='sparse+{self.address}/'"]
        return [word for setting in settings for word in ("--config", setting)]

    def variables(self, home):
        """A home of its own, as cargo keeps a cache folder for each address of an index; no proxy in between."""
        return {"CARGO_HOME": str(home), "CARGO_NET_OFFLINE": "false", "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}

    def answer(self, path):
        """Status and body of a request."""
        if path == "/config.json":
            return 200, b'{"dl":"http://127.0.0.1:1/nothing-is-downloaded-from-here"}'
        name = path.rsplit("/", 1)[-1]
        if name not in self.pages:
            self.pages[name] = self.asked(name)
        return self.pages[name]

    def asked(self, name):
        try:
            return 200, self.page(name, self.index.entry(name))
        except FileNotFoundError as error:
            return 404, str(error).encode()
        except urllib.error.HTTPError as error:
            return (404 if error.code in (404, 410, 451) else 424), str(error).encode()
        except (OSError, ValueError) as error:
            return 424, str(error).encode()

    def page(self, name, text):
        lines = [line for line in text.splitlines() if line.strip()]
        return "".join(line + "\n" for line in lines if self.shows(name, json.loads(line))).encode()
