"""Commands with their seconds: those of the clock and those of the processors, which a busy machine does not lengthen."""

import os
import re
import subprocess
import time

FAILING = re.compile(r"^test (\S+) .*\.\.\. FAILED$", re.MULTILINE)


class Timed:
    """A command that has ended."""

    def __init__(self, code, text, seconds, cpu):
        self.code, self.text, self.seconds, self.cpu = code, text, seconds, cpu

    @property
    def ok(self):
        return self.code == 0

    def why(self):
        """The tests that failed, else the first line that says error, else the last one."""
        failing = list(dict.fromkeys(FAILING.findall(self.text)))
        if failing:
            return f"{len(failing)} failing: {', '.join(failing[:5])}"
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return next((line for line in lines if line.startswith("error")), (lines or ["no output"])[-1])[:300]


def timed(argv, folder, log, variables=None):
    """Runs a command to its end; both streams go into the file `log`."""
    began = time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen([str(word) for word in argv], cwd=folder, env={**os.environ, **(variables or {})},
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    text = log.read_text(encoding="utf-8", errors="replace")
    return Timed(process.returncode, text, seconds, usage.ru_utime + usage.ru_stime)


def must(argv, folder, log, variables=None):
    """The same for a command that may not fail."""
    ran = timed(argv, folder, log, variables)
    if not ran.ok:
        raise RuntimeError(f"`{' '.join(map(str, argv))}` in {folder}: {ran.why()}")
    return ran
