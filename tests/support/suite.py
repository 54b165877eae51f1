"""suite.py: a list of test functions, run in order, and what they may claim.

A process test ends with one line `NAME: N tests, N failed`, which check.sh
adds up.  A test that proves something of the fault matrix says of which rows:

    @row(9, 10)
    def two_come_and_one_goes(world): ..."""

import concurrent.futures
import io
import os
import sys
import threading
import time
import traceback

import report


def row(*numbers):
    """Marks a test: it proves these rows of the fault matrix (see report.py)."""
    def mark(test):
        test.rows = numbers
        return test
    return mark


def sentence(test):
    """The name of TEST as it is shown."""
    rows = getattr(test, "rows", ())
    return "%s%s" % ("row %s: " % ", ".join(map(str, rows)) if rows else "", test.__name__.replace("_", " "))


def note_rows(test, passed):
    for number in getattr(test, "rows", ()):
        report.add(row=number, by="process/" + program(), scenario=test.__name__.replace("_", " "), passed=passed)


def program():
    return os.path.splitext(os.path.basename(sys.argv[0]))[0]


def run(argument, tests):
    """Call each test with ARGUMENT; the exit status for the program."""
    failed = 0
    for test in tests:
        began = time.monotonic()
        try:
            test(argument)
            verdict = "ok"
        except Exception:
            failed += 1
            verdict = "FAILED"
            traceback.print_exc()
        sys.stderr.flush()
        note_rows(test, verdict == "ok")
        print("  %-6s %6.1f s  %s" % (verdict, time.monotonic() - began, sentence(test)), flush=True)
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
    note_rows(test, verdict == "ok")
    print("  %-6s %6.1f s  %s" % (verdict, time.monotonic() - began, sentence(test)))
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
    print("%s: %d tests, %d failed" % (program(), count, failed), flush=True)
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
