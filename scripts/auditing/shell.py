"""Runs commands, each in a session of its own that is killed as a whole when its time is up."""

import json
import os
import signal
import subprocess
import time


class Ended:
    def __init__(self, code, text, seconds, timed_out=False):
        self.code, self.text, self.seconds, self.timed_out = code, text, seconds, timed_out

    @property
    def ok(self):
        return self.code == 0

    def first_words(self):
        """The line that tells most about a failure."""
        lines = [line.strip() for line in map(plain, self.text.splitlines()) if line.strip()]
        telling = [line for line in lines if line.startswith(("error", "--- FAIL", "go:", "vet:", "panic:"))
                   or "panicked at" in line or "test result: FAILED" in line]
        return (telling or lines[-1:] or ["no output"])[0][:200]


def plain(line):
    """A line of output; of an event of `go test -json`, the line that it carries."""
    if line.startswith('{"'):
        try:
            return json.loads(line).get("Output") or ""
        except ValueError:
            return line
    return line


def run(argv, cwd, env=None, limit=None, log=None):
    """Runs a command to its end; its output (both streams) is text, and is written to `log` too."""
    began = time.monotonic()
    try:
        process = subprocess.Popen([str(word) for word in argv], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    except OSError as error:
        return Ended(127, f"error: {argv[0]} did not start: {error}", 0)
    timed_out = False
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        timed_out = True
        end_group(process.pid)
        output, _ = process.communicate()
    end_group(process.pid)
    text = output.decode("utf-8", "replace")
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(map(str, argv))}   (in {cwd})\n{text}\n[exit {process.returncode}]\n")
    return Ended(124 if timed_out else process.returncode, text, time.monotonic() - began, timed_out)


def end_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def output_of(argv, cwd, env=None):
    """What a command that must not fail prints to its standard output."""
    code, text, words = printed_by(argv, cwd, env)
    if code != 0:
        raise RuntimeError(f"`{' '.join(map(str, argv))}` in {cwd} failed: {words.strip()[:600]}")
    return text


def printed_by(argv, cwd, env=None):
    """A command's exit code, standard output and standard error."""
    ran = subprocess.run([str(word) for word in argv], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return ran.returncode, ran.stdout.decode("utf-8", "replace"), ran.stderr.decode("utf-8", "replace")
