#!/usr/bin/python3
"""What segmentctl test reports to machines: TAP as TAP::Parser (of `prove`) takes it,
JUnit as those agree who read it; coverage in it, and a failure of every construct
with its tree."""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import junit
import suite
from cluster import binary

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# Names that are hard on both formats.
TEXT = '''segment base {
  when did "Tried" at least 2 times
}

segment both {
  when (in segment base or user.plan = "<pro> & \\"co\\"") and not did "Left" in 1d
  until did "Left" # now
}

test base "twice" {
  at 0d event "Tried"
  at 0d expect out
  at 1d event "Tried"
  at 1d expect enter
}

test base "# SKIP \\\\ not ok 9 - <b> & \\"q\\" \\u0001\\n1..99" {
  at 0d expect %s
}

test both "until he left" {
  set user.plan = "<pro> & \\"co\\""
  at 0d expect in
  at 1d event "Left"
  at 1d expect exit
}
'''


class World:
    def __init__(self, folder):
        self.folder = folder

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path


def run(*arguments):
    done = subprocess.run([binary("segmentctl"), "test", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


# TAP::Parser tells of each test whether it is ok, its number, its name and what it takes for a directive; then what
# it did not understand.
READ_TAP = """
use TAP::Parser;
my $p = TAP::Parser->new({ source => $ARGV[0] });
while (my $r = $p->next) {
    printf "%s %d%s %s\\n", $r->is_ok ? "ok" : "not", $r->number, $r->description, $r->directive if $r->is_test;
    printf "yaml %d\\n", scalar(() = $r->data) if $r->is_yaml;
}
printf "%d planned, %d passed, %d failed, %d errors\\n", $p->tests_planned, scalar $p->passed, scalar $p->failed,
    scalar $p->parse_errors;
"""


def read_tap(world, text):
    path = world.file("results.tap", text)
    done = subprocess.run(["perl", "-e", READ_TAP, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, timeout=60)
    suite.equal(done.stderr, "")
    return done.stdout.splitlines()


def tap_is_read_as_it_is_meant(world):
    for expected, ok, code in ("out", "ok", 0), ("in", "not", 1):
        status, out, err = run("--tap", "--coverage", world.file("a.seg", TEXT % expected))
        suite.equal((status, err), (code, ""))
        lines = read_tap(world, out)
        tests = [line for line in lines if line.startswith(("ok ", "not "))]
        suite.equal([line.split("-")[0] for line in tests], ["ok 1", ok + " 2", "ok 3"])
        suite.equal(tests[1].endswith(' "'), False, tests[1])  # No directive was found in the name.
        suite.equal(len([line for line in lines if line.startswith("yaml")]), code)
        suite.equal(lines[-1], "3 planned, %d passed, %d failed, 0 errors" % (3 - code, code))


def tap_that_breaks_off_is_no_success(world):
    """What reads it must not take half of the results for all."""
    lines = read_tap(world, 'TAP version 13\nok 1 - a "b"\nBail out! Out of memory.\n')
    suite.equal(lines[-1], "0 planned, 1 passed, 0 failed, 1 errors")


def junit_is_read_as_it_is_meant(world):
    report = os.path.join(world.folder, "report.xml")
    status = run("--junit", report, world.file("b.seg", TEXT % "in"))[0]
    root = junit.read(report)
    suite.equal((status, root.get("tests"), root.get("failures"), len(root)), (1, "3", "1", 1))
    cases = root[0].findall("testcase")
    suite.equal(cases[1].get("name"), '# SKIP \\ not ok 9 - <b> & "q" ?\n1..99')
    suite.equal(cases[1].find("failure").get("message"), "expected in at 0d, but the user is out")
    suite.equal(cases[1].find("failure").text.splitlines()[1], 'no  did "Tried" at least 2 times  -- is 0, needs at least 2')
    suite.equal([case.find("failure") is None for case in cases], [True, False, True])


def junit_has_the_coverage(world):
    report, path = os.path.join(world.folder, "coverage.xml"), world.file("c.seg", TEXT % "out")
    for least, status, child in ("60", 0, "skipped"), ("61", 1, "failure"), (None, 0, "skipped"):
        options = ["--coverage-min", least] if least else ["--coverage"]
        suite.equal(run(*options, "--junit", report, path)[0], status, least)
        root = junit.read(report)
        suite.equal([one.get("name") for one in root], ["segmentctl test", "coverage"])
        suite.equal({p.get("name"): p.get("value") for p in root[0].find("properties")},
                    {"coverage.conditions": "5", "coverage.covered": "3", "coverage.percent": "60"})
        missed = root[1].findall("testcase")
        suite.equal([(c.get("classname"), c.get("name"), c.find(child).get("message")) for c in missed], [
            ("both", "in segment base", "never seen true by the tests of its segment"),
            ("both", 'user.plan = "<pro> & \\"co\\""', "never seen false by the tests of its segment"),
        ])
    suite.equal(run("--coverage-min", "100", "--junit", report, world.file("d.seg", "segment a { when everyone }\n"))[0], 0)
    suite.equal(len(junit.read(report)[1]), 0)


def questions():
    """The segments of tests/data/explain.txt with what is said of each at its last line."""
    with open(os.path.join(ROOT, "tests", "data", "explain.txt")) as file:
        for part in file.read().split("====\n")[1:]:
            text, answer = part.split("----\n")
            said = re.split(r"^(?=member since|not a member)", answer.split('{"key"')[0], flags=re.M)
            yield text, said[1:]


def a_failure_of_every_construct_has_its_tree(world):
    """Each line `expect` is turned round, alone: the tree of that instant is printed."""
    found = 0
    for text, said in questions():
        lines = [m for m in re.finditer(r"expect (in|out)\b", text)]
        suite.equal(len(lines), len(said), text)
        for line, tree in zip(lines, said):
            truth = "in" if tree.startswith("member") else "out"
            wrong = "out" if truth == "in" else "in"
            kept = [m for m in lines if m is not line]
            one = text[:line.start()] + "expect " + wrong + text[line.end():]
            for m in kept:  # The others would fail first, or say nothing new.
                one = one.replace(text[text.rindex("\n", 0, m.start()):text.index("\n", m.start())], "", 1)
            status, out, err = run(world.file("e.seg", one))
            suite.equal((status, err), (1, ""), one)
            suite.equal("".join(row[8:] + "\n" for row in out.splitlines()[2:-1]), tree, one)
            found += 1
    suite.equal(found >= 80, True, found)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(suite.run(World(folder), [
            tap_is_read_as_it_is_meant,
            tap_that_breaks_off_is_no_success,
            junit_is_read_as_it_is_meant,
            junit_has_the_coverage,
            a_failure_of_every_construct_has_its_tree,
        ]))
