"""Keeps count of the checks and prints each as it is made."""

import contextlib
import subprocess
import traceback


class Ledger:
    def __init__(self):
        self.counts = {"passed": 0, "FAILED": 0, "skipped": 0}
        self.failures = []

    def title(self, text):
        print(f"== {text}", flush=True)

    def note(self, text):
        print(f"note     {text}", flush=True)

    def passed(self, what, how=""):
        self._line("passed", what, how)

    def failed(self, what, why):
        self.failures.append(f"{what}: {why}")
        self._line("FAILED", what, why)

    def skipped(self, what, why, count=1):
        self._line("skipped", what, why, count)

    def judge(self, what, troubles, how=""):
        """Passed when there are no troubles; each trouble is named otherwise."""
        troubles = list(troubles)
        if troubles:
            more = f" (and {len(troubles) - 8} more)" if len(troubles) > 8 else ""
            self.failed(what, "; ".join(troubles[:8]) + more)
        else:
            self.passed(what, how)
        return not troubles

    @contextlib.contextmanager
    def guarded(self, what):
        """A step that breaks off has not shown what it should show: that is a failure, never a pass."""
        try:
            yield
        except (OSError, ValueError, KeyError, TypeError, LookupError, AttributeError, RuntimeError,
                subprocess.SubprocessError) as error:
            traceback.print_exc()
            self.failed(what, f"the audit could not find out: {error!r}")

    def summary(self):
        for failure in self.failures:
            print(f"  failed: {failure}")
        counts = self.counts
        if not counts["passed"]:
            print("  failed: nothing was checked")
        print(f"{counts['passed']} passed, {counts['FAILED']} failed, {counts['skipped']} skipped", flush=True)
        return 1 if counts["FAILED"] or not counts["passed"] else 0

    def _line(self, kind, what, more, count=1):
        self.counts[kind] += count
        print(f"{kind:8} {what}" + (f": {more}" if more else ""), flush=True)
