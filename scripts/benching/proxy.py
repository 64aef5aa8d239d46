"""Builds and runs the loopback proxy (proxy-server/main.go), and asks it what it counted."""

import json
import shutil
import ssl
import subprocess
import urllib.request
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "proxy-server" / "main.go"


class Proxy:
    """A running proxy; it ends with the `with` block, or with this process."""

    def __init__(self, work, latency, index="", modules=""):
        work.mkdir(parents=True, exist_ok=True)
        self.certificate = work / "proxy.pem"
        self.bundle = work / "certificates.pem"
        (work / "answers").mkdir(exist_ok=True)
        program = work / "proxy"
        subprocess.run(["go", "build", "-o", program, SOURCE], check=True)
        line = [program, "-certificate", self.certificate, "-cache", work / "answers"]
        line += ["-latency", f"{latency}ms", "-index", index, "-modules", modules]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        self.trust()

    def trust(self):
        """A bundle of the system's certificates and the proxy's: reading many certificates is a cost of real life."""
        shutil.copyfile(self.certificate, self.bundle)
        usual = ssl.get_default_verify_paths()
        for file in [usual.cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"]:
            if file and Path(file).is_file():
                self.bundle.write_bytes(Path(file).read_bytes() + b"\n" + self.certificate.read_bytes())
                break
        self.context = ssl.create_default_context(cafile=str(self.certificate))

    def reset(self):
        self.get("/reset")

    def stats(self):
        return json.loads(self.get("/stats"))

    def get(self, path):
        with urllib.request.urlopen(self.address + path, context=self.context, timeout=120) as answer:
            return answer.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
