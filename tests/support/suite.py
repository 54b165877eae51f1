"""suite.py: a list of test functions, run in order, and what they may claim.

A process test ends with one line `NAME: N tests, N failed`, which check.sh
adds up."""

import concurrent.futures
import io
import os
import sys
import threading
import time
import traceback


def run(argument, tests):
    """Call each test with ARGUMENT; the exit status for the program."""
    failed = 0
    for test in tests:
        name, began = test.__name__.replace("_", " "), time.monotonic()
        try:
            test(argument)
            verdict = "ok"
        except Exception:
            failed += 1
            verdict = "FAILED"
            traceback.print_exc()
        sys.stderr.flush()
        print("  %-6s %6.1f s  %s" % (verdict, time.monotonic() - began, name), flush=True)
    return closing(len(tests), failed)


def run_together(argument, tests, at_once):
    """The same of tests that do not meddle with each other, AT_ONCE of them at a
    time. What each prints comes before its line. The threads live on: a child of
    theirs would die with them."""
    sys.stdout = apart = _Apart(sys.stdout)
    pool = concurrent.futures.ThreadPoolExecutor(at_once)
    running = [pool.submit(apart.keep, _run_one, argument, test) for test in tests]
    failed = 0
    for one in running:
        good, text = one.result()
        failed += not good
        print(text, end="", flush=True)
    return closing(len(tests), failed)


def _run_one(argument, test):
    began = time.monotonic()
    try:
        test(argument)
        verdict = "ok"
    except Exception:
        verdict = "FAILED"
        traceback.print_exc(file=sys.stdout)
    print("  %-6s %6.1f s  %s" % (verdict, time.monotonic() - began, test.__name__.replace("_", " ")))
    return verdict == "ok"


class _Apart:
    """Standard output that keeps apart what threads print who want it so."""

    def __init__(self, out):
        self.out, self.kept = out, threading.local()

    def keep(self, call, *arguments):
        """What CALL returns, and what it prints."""
        self.kept.text = io.StringIO()
        return call(*arguments), self.kept.text.getvalue()

    def write(self, text):
        return getattr(self.kept, "text", self.out).write(text)

    def flush(self):
        self.out.flush()


def closing(count, failed):
    """Print the closing line; the exit status for the program."""
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    print("%s: %d tests, %d failed" % (name, count, failed), flush=True)
    return 1 if failed or not count else 0


def equal(got, want, row=""):
    if got != want:
        raise AssertionError("%s\n  got  %s\n  want %s" % (row, _short(got), _short(want)))


def raises(kind, call):
    try:
        got = call()
    except kind:
        return
    raise AssertionError("no %s, but %s" % (kind.__name__, _short(got)))


def _short(value):
    text = repr(value)
    return text if len(text) < 2000 else text[:2000] + "..."
