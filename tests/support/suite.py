"""suite.py: a list of test functions, run in order, and what they may claim.

A process test ends with one line `NAME: N tests, N failed`, which check.sh
adds up."""

import os
import sys
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
