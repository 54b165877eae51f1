#!/usr/bin/python3
"""Instructions that an event takes, construct by construct, as callgrind counts
them: the same on a machine at rest and on a busy one.

    counts.py          compare with counts.txt: part of `make check`
    counts.py renew    write counts.txt anew

Two things fail. More instructions than counts.txt has, by more than TOLERANCE:
either what was done is dearer than it was meant to be, or it is meant so, and
`renew` says so in the commit. Compilers differ: one that is not named in
counts.txt is held to OTHER_TOLERANCE only. And a construct whose cost grows with
what it keeps (from FEW to MANY events) by more than a search does: O(log n)
doubles at most. GROWS names the exceptions and why they are bounded. Both count
memory that is moved, by 16 bytes an instruction.

Environment: B, the build folder."""

import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
FILE = os.path.join(ROOT, "tests/bench/counts.txt")
FEW, MANY = 16, 256
TOLERANCE, OTHER_TOLERANCE = 1.08, 1.4
SLACK = 60      # Instructions: what alignment does to the smallest ones.
GROWTH = 2.0
# Memory is moved 16 bytes at a time whatever the processor could do: else the
# counts would be those of a processor.
TUNABLES = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX2_Usable,-AVX,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM"

# More than that, and yet bounded:
GROWS = {
    # the events of the last 24 h are read, 64 at most
    "sequence, many a day": 2.5,
    # beyond 64 values a sketch is made anew 64 times in a window
    "distinct": 6, "distinct, near": 6,
    # 256 pairs at most are passed over once, some instructions each
    "distinct, two ends": 3.2,
    # the whole row is written anew each time its sums need one byte more
    "sum": 2.5, "sum, near": 2.5, "sum, two ends": 2.5, "avg": 2.5, "avg, two ends": 2.5, "compare sums": 3,
}


def binary():
    return os.path.join(ROOT, os.environ.get("B", "build"), "tests/bench/bench_construct")


def measure(kept, users=1, name=None):
    """{construct: {kept: instructions per event}}, in the order of the table."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, "--dump-line=no",
                   "--toggle-collect=construct_apply*", "--zero-before=construct_begin*",
                   "--dump-after=construct_end*", binary(), str(users), ",".join(map(str, kept))]
        done = subprocess.run(command + ([name] if name else []), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env={**os.environ, "GLIBC_TUNABLES": TUNABLES})
        if done.returncode:
            raise SystemExit("counts: valgrind failed:\n" + done.stderr[-2000:])
        for part, line in enumerate(done.stdout.splitlines(), 1):
            run = json.loads(line)
            with open("%s.%d" % (out, part)) as counted:
                total = int(re.search(r"^summary: (\d+)", counted.read(), re.M).group(1))
            found.setdefault(run["construct"], {})[run["kept"]] = round(total / run["events"])
    return found


def compiler():
    line = subprocess.run([os.environ.get("CC", "cc"), "--version"], stdout=subprocess.PIPE, text=True).stdout
    return line.partition("\n")[0].strip()


def read():
    """The compiler that counts.txt was made with, and what it has."""
    with open(FILE) as lines:
        text = lines.read()
    rows = [row.split("|") for row in text.splitlines() if row and not row.startswith("#")]
    made = re.search(r"^# Compiler: (.*)$", text, re.M).group(1)
    return made, {row[0].strip(): {FEW: int(row[1]), MANY: int(row[2])} for row in rows}


def write(found):
    with open(FILE, "w") as out:
        out.write("# counts.txt: instructions per event that touches a construct which keeps\n"
                  "# %d events, and %d (counts.py). Renewed by: tests/bench/counts.py renew\n"
                  "# Compiler: %s\n" % (FEW, MANY, compiler()))
        for name, counts in found.items():
            out.write("%-26s | %6d | %6d\n" % (name, counts[FEW], counts[MANY]))


def problems(found):
    made, before = read()
    tolerance = TOLERANCE if made == compiler() else OTHER_TOLERANCE
    for name, counts in found.items():
        for kept, count in counts.items():
            old = before.get(name, {}).get(kept)
            if old is None:
                yield "%s is not in counts.txt" % name
            elif count > old * tolerance + SLACK:
                yield "%s with %d kept: %d instructions per event, %d before" % (name, kept, count, old)
        growth, bound = counts[MANY] / counts[FEW], GROWS.get(name, GROWTH)
        if growth > bound:
            yield "%s: %.1f times as many instructions with %d kept as with %d, at most %.1f" % (
                name, growth, MANY, FEW, bound)
    for name in before:
        if name not in found:
            yield "%s is in counts.txt, but no construct" % name


def main():
    found = measure([FEW, MANY])
    if sys.argv[1:] == ["renew"]:
        write(found)
        return 0
    wrong = list(problems(found))
    for line in wrong:
        print("  FAILED " + line)
    if wrong:
        print("If it is meant so: tests/bench/counts.py renew (and say why in the commit).")
    print("counts: %d tests, %d failed" % (max(2 * len(found), len(wrong)), len(wrong)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
