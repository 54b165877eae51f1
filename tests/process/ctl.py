#!/usr/bin/python3
"""segmentctl, verb by verb, as people and CI call it: what it prints, where, and
how it ends."""

import json
import os
import pty
import re
import stat
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import schema
import suite
from answers import Server
from cluster import ROOT, Cluster, binary, free_port, until

SEGMENTCTL = binary("segmentctl")
VERBS = ["check", "convert", "dead-letters", "explain", "fmt", "inspect", "members", "plan", "replay", "reset", "tap", "test",
         "top", "topics", "user"]

GOOD = """segment eager {
  title "Tried it twice"
  when did "Tried" at least 2 times in 1h
  on enter trigger "hello" { text = "hi", goal.id = "g1" } once per 1d
}

test eager "twice within the hour" {
  at 0d event "Tried"
  at 1m event "Tried"
  at 1m expect enter
  at 1h expect exit
}
"""
FAILING = GOOD + """
test eager "once is not enough" {
  at 0d event "Tried"
  at 1m expect in
}
"""
BAD = """segment busy {
  when did "Goal Used" at leest 3 times in 7d
}
"""
LOOSE = 'segment   loose {when everyone}  # a remark\ntest loose "all" { at 0d expect in }\n'
NEAT = 'segment loose {\n  when everyone\n}  # a remark\n\ntest loose "all" {\n  at 0d expect in\n}\n'
COVERED = """segment asked {
  when everyone and user in 5% by "salt" and did "Tried"
}

segment base {
  when did "Tried" at least 2 times
}

segment both {
  when (in segment base or user.plan = "pro") and not (did "Left")
  until did "Left"
}

test base "twice" {
  at 0d expect out
  at 0d event "Tried"
  at 1d event "Tried"
  at 1d expect enter
}

test both "until he left" {
  set user.plan = "pro"
  at 0d expect in
  at 1d event "Left"
  # What no line expects was not tested.
  at 2d identify { plan = "free" }
  at 3d identify { plan = "pro" }
  at 3d expect out
}
"""
UNTESTED = 'segment untested {\n  when everyone\n}\n'


def run(*arguments, stdin=""):
    """(exit status, standard output, standard error)."""
    done = subprocess.run([SEGMENTCTL, *arguments], input=stdin.encode() if isinstance(stdin, str) else stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def content(path):
    with open(path) as text:
        return text.read()


# ---- help and usage ---------------------------------------------------------

def help_knows_every_verb(cluster):
    code, out, err = run("help")
    suite.equal((code, err), (0, ""))
    suite.equal(re.findall(r"^  ([\w-]+)  ", out, re.M), VERBS + ["help"])
    for verb in VERBS:
        code, out, err = run("help", verb)
        suite.equal((code, err), (0, ""), verb)
        suite.equal(out.startswith("usage: segmentctl %s " % verb), True, out)
        suite.equal(out.rstrip().endswith("."), True, out)
        suite.equal(run(verb, "--help"), (code, out, err), verb)


def what_it_is_and_how_it_goes_is_told_when_asked(cluster):
    code, out, err = run("--version")
    suite.equal((code, err, bool(re.fullmatch(r"segmentctl \d+\.\d+\.\d+\n", out))), (0, "", True), out)
    for word in "-h", "--help":
        suite.equal(run(word), run("help"))
        suite.equal(run("check", word), run("help", "check"))


def a_wrong_command_line_is_exit_2_and_says_how_it_goes(cluster):
    for words, said in [
            ([], "usage: segmentctl VERB"),
            (["nonsense"], "no verb nonsense"),
            (["help", "nonsense"], "no verb nonsense"),
            (["check"], "which files?"),
            (["check", "--nonsense", "."], "--nonsense: no such option"),
            (["test", "--junit"], "--junit: needs a value"),
            (["test", "--coverage-min", "101", "."], "--coverage-min: from 0 to 100, not 101"),
            (["test", "--coverage-min", "most", "."], "--coverage-min: from 0 to 100, not most"),
            (["test", "--coverage"], "which files?"),
            (["fmt"], "which files?"),
            (["plan", "old"], "two files or folders"),
            (["plan", "old", "new", "newer"], "two files or folders"),
            (["plan", "--at", "soon", "old", "new"], "--at: soon is no instant"),
            (["plan", "--events", "x", "--until", "soon", "old", "new"], "--until: soon is no instant"),
            (["plan", "--until", "2026-01-01", "old", "new"], "--until is for --events"),
            (["replay", "x"], "which --segments?"),
            (["replay", "--segments", "."], "one file of events"),
            (["replay", "--segments", ".", "--until", "soon", "x"], "--until: soon is no instant"),
            (["topics"], "create"),
            (["topics", "destroy"], "create"),
            (["topics", "create", "--partitions", "0"], "--partitions"),
            (["topics", "create", "--replication", "three"], "--replication"),
            (["topics", "verify", "--samples", "0"], "--samples"),
            (["members"], "one segment"),
            (["members", "a", "b"], "one segment"),
            (["dead-letters"], "list, show or replay"),
            (["dead-letters", "burn"], "list, show or replay"),
            (["dead-letters", "list", "--yes"], "for replay"),
            (["dead-letters", "show", "--limit", "none"], "--limit"),
            (["inspect"], "state, changes, triggers, traits or offsets"),
            (["inspect", "everything"], "state, changes, triggers, traits or offsets"),
            (["inspect", "state", "--partition", "-1"], "--partition"),
            (["inspect", "offsets", "--user", "u1"], "--user is not for offsets"),
            (["tap", "--from", "soon"], "--from"),
            (["tap", "--count", "0"], "--count"),
            (["tap", "--from", "latest", "--positions", "x"], "--from or --positions"),
            (["tap", "all"], "what is all?"),
            (["top", "--interval", "0"], "--interval"),
            (["top", "it"], "what is it?"),
            (["user"], "one user id"),
            (["user", "--url", "https://x", "u1"], "--url: https://x"),
            (["explain"], "a user id"),
            (["explain", "a", "b", "c"], "a user id"),
    ]:
        code, out, err = run(*words)
        suite.equal((code, out), (2, ""), words)
        suite.equal(said in err, True, "%s: %s" % (words, err))
        if words and words[0] in VERBS:
            suite.equal("\nusage: segmentctl %s " % words[0] in err, True, err)


# ---- check, test, fmt -------------------------------------------------------

def check_points_at_what_is_wrong(cluster):
    path = cluster.path("bad.seg", BAD)
    code, out, err = run("check", path)
    suite.equal((code, err), (1, ""))
    suite.equal(out.startswith(path + ":2:27: error: "), True, out)
    lines = out.splitlines()
    caret = [line for line in lines if set(line.strip()) <= set("^~") and line.strip()][0]
    quoted = [line for line in lines if "at leest" in line and "error" not in line][0]
    suite.equal(quoted[caret.index("^"):].startswith("leest"), True, out)
    suite.equal("did you mean `least`?" in out, True, out)
    suite.equal(lines[-1], "1 file: 1 error")


def check_takes_folders_and_sees_all_files_as_one(cluster):
    folder = cluster.path("tree")
    os.makedirs(os.path.join(folder, "deep", ".hidden"))
    cluster.path("tree/a.seg", GOOD)
    cluster.path("tree/deep/b.seg", 'segment late {\n  when in segment eager\n}\n'
                                    'test late "no" {\n  at 0d expect out\n}\n')
    cluster.path("tree/deep/.hidden/c.seg", BAD)
    cluster.path("tree/deep/d.txt", BAD)
    suite.equal(run("check", "--quiet", folder), (0, "2 files: no errors\n", ""))
    suite.equal(run("check", os.path.join(folder, "deep"))[0], 1)  # eager is elsewhere


COSTLY = """score intent half-life 7d {
  "Pricing Viewed" 10,
  "Demo Requested" 40
}

segment hot {
  when score(intent) >= 50 and user.plan = "free"
}

test hot "no" {
  at 0d expect out
}

segment cooling {
  when count(any) in 14d < 70% of count(any) from 28d to 14d ago
}

test cooling "no" {
  at 0d expect out
}

segment warm {
  when did "Pricing Viewed" at least 3 times in 7d
}

test warm "no" {
  at 0d expect out
}

trait pages = distinct("Page Viewed", path) in 7d
"""
NOTES = """note: A score is rounded to a billionth, from 8192 on to 44 binary digits; an event adds nothing once another is 64 half-lives newer.
  PATH:1:7
note: This window is exact while a user has at most 256 such events in it; beyond that it may be off by a 64th of the window.
  PATH:15:19
note: A window with two ends is exact while a user has at most 256 such events in it; beyond that it may be off by a 64th of the window.
  PATH:15:46
note: `distinct` is exact up to 64 values of a user; beyond that it is an estimate with a standard error of 3.3%, and values may leave late by a 64th of the window.
  PATH:30:15
"""
COST = """a segment, and a trait, keeps of a user at most:
  cooling  2 features, 2334 bytes, 1 timer: every event
  hot      1 feature, 122 bytes, 1 attribute, 1 timer: "Pricing Viewed", "Demo Requested"
  warm     1 feature, 23 bytes, 1 timer: "Pricing Viewed"
  pages    1 feature, 81 KiB: "Page Viewed"
an event touches at most:
  "Demo Requested"  3 features, 2 conditions of 2 segments
  "Page Viewed"     3 features, 1 condition of 1 segment
  "Pricing Viewed"  4 features, 3 conditions of 3 segments
  any other event   2 features, 1 condition of 1 segment
in all: 5 features, 84 KiB of a user at most, 1 attribute
"""


def limits_and_costs_are_told_and_are_no_warnings(cluster):
    path = cluster.path("costly.seg", COSTLY)
    last = "1 file: no errors\n"
    code, out, err = run("check", "--strict", path)
    suite.equal((code, err), (0, ""))
    suite.equal(out.splitlines(), (NOTES.replace("PATH", path) + COST + last).splitlines())
    suite.equal(run("check", "--strict", "--quiet", path), (0, last, ""))
    # What asks for more than the limit is warned of.
    path = cluster.path("beyond.seg", COSTLY.replace("at least 3 times", "at least 300 times"))
    code, out, err = run("check", "--strict", "--quiet", path)
    suite.equal((code, err, out.splitlines()[-1]), (1, "", "1 file: no errors, 1 warning"))
    suite.equal(out.startswith(path + ":23:48: warning: This window is exact while"), True, out)


def a_warning_counts_with_strict_only(cluster):
    path = cluster.path("untested.seg", UNTESTED)
    code, out, err = run("check", path)
    suite.equal((code, err), (0, ""))
    suite.equal("warning: " in out and out.endswith("1 file: no errors, 1 warning\n"), True, out)
    suite.equal(run("check", "--strict", path), (1, out, ""))


def warnings_do_not_hide_errors(cluster):
    """Errors come first, and beside them only some warnings."""
    text = "".join('segment s%d {\n  when everyone\n}\n' % i for i in range(6))
    code, out, err = run("check", cluster.path("hidden.seg", text + "segment z {\n  when in segment nobody\n}\n"))
    kinds = re.findall(r"^\S+:\d+:\d+: (\w+): ", out, re.M)
    suite.equal((code, kinds, err), (1, ["error"] + ["warning"] * 3, ""), out)
    suite.equal(out.splitlines()[-2:], ["(4 more warnings when the errors are mended)",
                                        "1 file: 1 error, 7 warnings"])


def what_cannot_be_read_is_an_error(cluster):
    empty = cluster.path("empty")
    os.makedirs(empty)
    for verb in "check", "test", "fmt":
        for path, said in (cluster.path("missing.seg"), "missing.seg"), (empty, "no segment files"):
            code, out, err = run(verb, path)
            suite.equal((code, out), (1, ""), verb)
            suite.equal(said in err, True, err)


def test_tells_what_passed(cluster):
    path = cluster.path("good.seg", GOOD)
    suite.equal(run("test", path), (0, 'ok    eager "twice within the hour"\n1 test, 0 failed\n', ""))


def test_explains_what_failed(cluster):
    path, report = cluster.path("failing.seg", FAILING), cluster.path("report.xml")
    code, out, err = run("test", "--junit", report, path)
    suite.equal((code, err), (1, ""))
    lines = out.splitlines()
    suite.equal(lines[0], 'ok    eager "twice within the hour"')
    suite.equal(lines[1], 'FAIL  eager "once is not enough"')
    suite.equal(lines[2].startswith("      %s:16:" % path), True, out)
    suite.equal('did "Tried" at least 2 times in 1h' in "\n".join(lines[3:-1]), True, out)
    suite.equal(lines[-1], "2 tests, 1 failed")
    root = xml.etree.ElementTree.parse(report).getroot()
    suite.equal((root.get("tests"), root.get("failures")), ("2", "1"))
    cases = root.findall("testsuite/testcase")
    suite.equal([(c.get("classname"), c.get("name")) for c in cases],
                [("eager", "twice within the hour"), ("eager", "once is not enough")])
    suite.equal([len(c.findall("failure")) for c in cases], [0, 1])
    suite.equal("Tried" in cases[1].find("failure").text, True)


def what_tests_saw_both_ways_is_covered(cluster):
    path = cluster.path("covered.seg", COVERED)
    passed = ['ok    base "twice"', 'ok    both "until he left"', "2 tests, 0 failed"]
    table = ["coverage of asked:",
             "  -     -      PATH:2:46: did \"Tried\"",
             "coverage of base:",
             "  true  false  PATH:6:8: did \"Tried\" at least 2 times",
             "coverage of both:",
             "  -     false  PATH:10:9: in segment base",
             "  true  -      PATH:10:28: user.plan = \"pro\"",
             "  true  false  PATH:10:56: did \"Left\"",
             "  true  false  PATH:11:9: did \"Left\"",
             "coverage: 3 of 6 conditions seen true and false, 50 %"]
    table = [line.replace("PATH", path) for line in table]
    for options, code, said in [
            (["--coverage"], 0, ""),
            (["--coverage-min", "50"], 0, ""),
            (["--coverage-min", "51"], 1, "segmentctl: less than 51 % of the conditions are covered\n")]:
        suite.equal(run("test", *options, path), (code, "\n".join(passed + table) + "\n", said))
    tap = ["TAP version 13", 'ok 1 - base "twice"', 'ok 2 - both "until he left"', "1..2"]
    suite.equal(run("test", "--tap", "--coverage", path),
                (0, "\n".join(tap + ["# " + line for line in table]) + "\n", ""))
    # Of nothing all is covered.
    out = run("test", "--coverage-min", "100", cluster.path("nothing.seg", UNTESTED))
    suite.equal(out, (0, "0 tests, 0 failed\ncoverage: 0 of 0 conditions seen true and false, 100 %\n", ""))


def tap_has_all_that_the_text_has(cluster):
    path = cluster.path("tap.seg", FAILING.replace('"once is not enough"', '"once # \\"\\n is not enough"'))
    report = cluster.path("tap.xml")
    code, out, err = run("test", "--tap", "--junit", report, path)
    suite.equal((code, err), (1, ""))
    suite.equal(out, """TAP version 13
ok 1 - eager "twice within the hour"
not ok 2 - eager "once \\# "? is not enough"
  ---
  message: "expected in at 1m, but the user is out"
  at: "%s:16:3"
  explain: |
    not a member, at 2024-01-01T00:01:00.000Z
    no  did "Tried" at least 2 times in 1h  -- is 1, needs at least 2, by 2024-01-01T00:00:00.000Z
  ...
1..2
""" % path)
    suite.equal(xml.etree.ElementTree.parse(report).getroot().get("failures"), "1")


def events_of_a_test_that_nobody_asks_for_are_named(cluster):
    """The test passes, for the wrong reason."""
    text = GOOD + '''
segment idle {
  when did not any in 1d
}

test eager "once is not enough" {
  at 0d event "Tryed"
  at 1m event "Tryed"
  at 1m event "Something Else"
  at 1m expect out
}

test idle "whatever he does" {
  at 0d event "Something Else"
  at 0d expect out
}
'''
    path, report = cluster.path("misspelt.seg", text), cluster.path("misspelt.xml")
    suite.equal(run("check", path)[0], 0)
    code, out, err = run("test", "--junit", report, path)
    warnings = ['%s:19:3: warning: No segment asks for the event "Tryed"; did you mean "Tried"?' % path,
                '%s:21:3: warning: No segment asks for the event "Something Else".' % path]
    suite.equal((code, err), (0, ""))
    suite.equal(out.splitlines(), ['ok    eager "twice within the hour"', 'ok    eager "once is not enough"'] +
                ["      " + line for line in warnings] + ['ok    idle "whatever he does"', "3 tests, 0 failed"])
    suite.equal([line[2:] for line in run("test", "--tap", path)[1].splitlines() if line[0] == "#"], warnings)
    cases = xml.etree.ElementTree.parse(report).getroot().findall("testsuite/testcase")
    suite.equal([c.findtext("system-out", "") for c in cases], ["", "\n".join(warnings) + "\n", ""])


def a_report_is_xml_whatever_stands_in_a_name(cluster):
    report = cluster.path("names.xml")
    path = cluster.path("names.seg", 'segment s {\n  when everyone\n}\n'
                                     'test s "<&\\"\\n\\u0001ü>" {\n  at 0d expect out\n}\n')
    suite.equal(run("test", "--junit", report, path)[0], 1)
    case = xml.etree.ElementTree.parse(report).getroot().find("testsuite/testcase")
    suite.equal(case.get("name"), '<&"\n?ü>')


def test_of_files_that_do_not_check_says_why(cluster):
    code, out, err = run("test", cluster.path("bad.seg", BAD))
    suite.equal((code, out), (1, ""))
    suite.equal(":2:27: error: " in err, True, err)


def fmt_rewrites_in_place_once(cluster):
    path = cluster.path("loose.seg", LOOSE)
    os.chmod(path, 0o640)
    link = cluster.path("link.seg")
    os.symlink("loose.seg", link)
    suite.equal(run("fmt", "--check", link), (1, link + "\n", ""))
    suite.equal(content(path), LOOSE)
    suite.equal(run("fmt", link), (0, link + "\n", ""))
    suite.equal(content(path), NEAT)
    suite.equal((os.path.islink(link), stat.S_IMODE(os.stat(path).st_mode)), (True, 0o640))
    suite.equal(run("fmt", path), (0, "", ""))
    suite.equal(run("fmt", "--check", path), (0, "", ""))
    suite.equal([n for n in os.listdir(cluster.folder) if n.startswith("loose.seg.")], [])


def fmt_is_a_filter(cluster):
    suite.equal(run("fmt", "-", stdin=LOOSE), (0, NEAT, ""))
    suite.equal(run("fmt", "--check", "-", stdin=LOOSE), (1, "", ""))
    suite.equal(run("fmt", "--check", "-", stdin=NEAT), (0, "", ""))
    code, out, err = run("fmt", "-", stdin=BAD)
    suite.equal((code, out, "-:2:27: error: " in err), (1, "", True), err)


def fmt_leaves_a_file_with_errors_alone_and_does_the_rest(cluster):
    folder = cluster.path("mixed")
    os.makedirs(folder)
    bad, loose = cluster.path("mixed/a.seg", BAD), cluster.path("mixed/b.seg", LOOSE)
    code, out, err = run("fmt", folder)
    suite.equal((code, out, "error: " in err), (1, loose + "\n", True), err)
    suite.equal((content(bad), content(loose)), (BAD, NEAT))


def what_we_ship_is_spelled_as_fmt_does_it(cluster):
    suite.equal(run("fmt", "--check", os.path.join(ROOT, "config", "segments")), (0, "", ""))
    blocks = [b for b in re.findall(r"^```\n(.*?)^```", content(os.path.join(ROOT, "README.md")), re.M | re.S)
              if re.search(r"^(segment|list|test) .*\{$", b, re.M)]
    suite.equal(len(blocks) > 0, True, "README.md shows a segment")
    for block in blocks:
        suite.equal(run("fmt", "-", stdin=block), (0, block, ""))
        suite.equal(run("test", cluster.path("readme.seg", block))[0], 0, block)


# ---- replay -----------------------------------------------------------------

def tried(message, at, received=None, **more):
    event = {"type": "track", "event": "Tried", "userId": "u1", "messageId": message, "timestamp": at, **more}
    return json.dumps(dict(event, receivedAt=received) if received else event)


INPUT = [
    tried("m1", "2026-01-01T00:00:00Z"),
    # Its text holds the word, its arrival is the outer one.
    tried("m2", "2026-01-01T00:10:00Z", "2026-01-01T00:20:00Z", properties={
        "note": 'say "receivedAt":"2030-01-01"', "deep": {"receivedAt": "2031-01-01T00:00:00Z"}}),
    "no json",
    json.dumps({"type": "track", "event": "Tried", "timestamp": "2026-01-01T00:21:00Z"}),
    "",
    # A duplicate, then one that came late: it does not move the clock back.
    tried("m2", "2026-01-01T00:22:00Z"),
    tried("m3", "2026-01-01T00:05:00Z"),
]


def replay(cluster, lines, *options):
    segments = cluster.path("replay.seg", GOOD)
    path = cluster.path("in.ndjson", "\n".join(lines) + "\n")
    code, out, err = run("replay", "--segments", segments, *options, path)
    suite.equal(code, 0, err)
    return [schema.value(line) for line in out.splitlines()], err


def brief(record):
    p = record["properties"]
    source = record["context"].get("source")
    return (record["event"], record["timestamp"], p.get("trigger") or p["segment"], p["seq"], p.get("cause"),
            source and (source["topic"], source["partition"], source["offset"]))


def replay_writes_what_would_stand_in_the_topics(cluster):
    records, err = replay(cluster, INPUT, "--until", "2026-01-02")
    suite.equal([brief(r) for r in records], [
        ("Segment Entered", "2026-01-01T00:20:00.000Z", "eager", 1, "event", ("in.ndjson", 0, 1)),
        ("Message Triggered", "2026-01-01T00:20:00.000Z", "hello", 1, None, ("in.ndjson", 0, 1)),
        # m2 leaves the window at 01:10; then one is left.
        ("Segment Exited", "2026-01-01T01:05:00.000Z", "eager", 2, "timer", None),
    ])
    suite.equal(records[0]["properties"]["triggers"], ["hello"])
    suite.equal(records[1]["properties"]["goal"], {"id": "g1"})
    for said in ("in.ndjson:3: ", "in.ndjson:4: no_user_id: ", "in.ndjson:5: empty_value: ",
                 "7 messages", "users: 1", "1 entered, 1 exited", "duplicates: 1", "bad messages: 3",
                 "         1  no_user_id\n", "         0  eager\n", "clock: 2026-01-02T00:00:00.000Z"):
        suite.equal(said in err, True, "%s\n%s" % (said, err))


def without_until_the_clock_ends_with_the_last_arrival(cluster):
    records, err = replay(cluster, INPUT)
    suite.equal([r["event"] for r in records], ["Segment Entered", "Message Triggered"])
    suite.equal("clock: 2026-01-01T00:22:00.000Z" in err, True, err)
    suite.equal("         1  eager\n" in err, True, err)


def an_until_before_the_end_changes_nothing(cluster):
    suite.equal(replay(cluster, INPUT, "--until", "2020-01-01")[0], replay(cluster, INPUT)[0])


def replay_reads_standard_input_and_names_the_application(cluster):
    segments = cluster.path("replay.seg", GOOD)
    text = "\n".join(INPUT)  # The last line needs no newline.
    code, out, err = run("replay", "--segments", segments, "--app", "acme", "-", stdin=text)
    suite.equal(code, 0, err)
    records = [schema.value(line) for line in out.splitlines()]
    suite.equal(records[0]["context"]["source"], {"topic": "stdin", "partition": 0, "offset": 1, "messageId": "m2"})
    other = [schema.value(line) for line in run("replay", "--segments", segments, "-", stdin=text)[1].splitlines()]
    suite.equal(records[0]["messageId"] == other[0]["messageId"], False, "message ids of two applications")


def arrival_of_every_kind(cluster):
    """receivedAt as text, as seconds and milliseconds; unreadable or null ones do not count."""
    for received, clock in [
            ('"2026-01-01T01:00:00.5Z"', "2026-01-01T01:00:00.500Z"), ('1767229200', "2026-01-01T01:00:00.000Z"),
            ('1767229200500', "2026-01-01T01:00:00.500Z"), ('1767229200.5', "2026-01-01T01:00:00.500Z"),
            ('"soon"', "2026-01-01T00:00:00.000Z"), ("null", "2026-01-01T00:00:00.000Z"),
            ("{}", "2026-01-01T00:00:00.000Z"), ('"2026-01-01T02:00:00Z", "receivedAt": "2026-01-01T01:00:00.5Z"',
                                                 "2026-01-01T01:00:00.500Z")]:
        line = '{"receivedAt" : %s, "type":"track","event":"Tried","userId":"u1","timestamp":"2026-01-01T00:00:00Z"}'
        _, err = replay(cluster, [line % received])
        suite.equal(re.search("clock: (.*)", err).group(1), clock, received)


def replay_needs_segments_that_check_and_a_file(cluster):
    events = cluster.path("in.ndjson", "\n".join(INPUT))
    code, out, err = run("replay", "--segments", cluster.path("bad.seg", BAD), events)
    suite.equal((code, out, "error: " in err), (1, "", True), err)
    code, out, err = run("replay", "--segments", cluster.path("good.seg", GOOD), cluster.path("nothing"))
    suite.equal((code, out, "cannot be read" in err), (1, "", True), err)


def a_terminal_shows_how_far_it_is(cluster):
    """A bar, and nothing is left of it in the end; elsewhere there is none."""
    lines = "\n".join(tried("m%d" % i, "2026-01-01T00:00:00Z") for i in range(4000))
    events, segments = cluster.path("long.ndjson", lines + "\n"), cluster.path("good.seg", GOOD)
    master, slave = pty.openpty()
    with subprocess.Popen([SEGMENTCTL, "replay", "--segments", segments, events], stdout=subprocess.DEVNULL,
                          stderr=slave) as child:
        os.close(slave)
        said = b""
        while True:
            try:
                got = os.read(master, 65536)
            except OSError:  # So a terminal ends.
                break
            if not got:
                break
            said += got
        os.close(master)
    suite.equal(child.returncode, 0, said)
    bars = re.findall("\r\x1b\\[K(█*░*) +(\\d+) %  (\\d+) messages, \\d+/s", said.decode())
    suite.equal(len(bars) > 0, True, said)
    for bar, percent, count in bars:
        suite.equal((len(bar), bar.count("█")), (30, int(count) * 30 // 4000), said)
        suite.equal(abs(int(percent) - int(count) / 40) <= 1, True, said)
    left = said.decode().replace("\r\n", "\n").rpartition("\r\x1b[K")[2]
    suite.equal(left.startswith("long.ndjson: 4000 messages in "), True, said)
    suite.equal("\r" in run("replay", "--segments", segments, events)[2], False, "a bar outside a terminal")


def output_that_cannot_be_written_is_a_failure(cluster):
    events, segments = cluster.path("in.ndjson", "\n".join(INPUT)), cluster.path("good.seg", GOOD)
    with open("/dev/full", "w") as full:
        suite.equal(subprocess.call([SEGMENTCTL, "replay", "--segments", segments, events], stdout=full,
                                    stderr=subprocess.DEVNULL), 1)


# ---- user, explain ----------------------------------------------------------

def user_prints_the_answer(cluster):
    with Server() as server:
        server.answer = 200, '{"user":"u/1","memberships":[{"segment":"eager"}]}'
        code, out, err = run("user", "--url", server.url, "u/1 ü?")
        suite.equal((code, err), (0, ""))
        suite.equal(json.loads(out), json.loads(server.answer[1]))
        suite.equal(server.asked, [("/v1/users/u%2F1%20%C3%BC%3F", None, "application/json")])


def explain_prints_the_tree(cluster):
    with Server() as server:
        server.answer = 200, "eager: not a member, at …\nno  did …\n"
        suite.equal(run("explain", "--url", server.url, "u1"), (0, server.answer[1], ""))
        suite.equal(run("explain", "--url", server.url, "u1", "a&b")[0], 0)
        suite.equal([a[0] for a in server.asked], ["/v1/users/u1/explain", "/v1/users/u1/explain?segment=a%26b"])
        server.answer = 200, '{"segments": []}\n'
        suite.equal(run("explain", "--json", "--url", server.url, "u1"), (0, server.answer[1], ""))


def page(users, next=None, offset=7, partitions=2):
    """A page of members of partition 0, the last one unless there is a NEXT."""
    members = [{"user": u, "partition": 0, "entered_at": "2026-01-01T00:00:00.000Z", "seq": 1} for u in users]
    follow = {"topic": "app.changes", "complete": False, "partitions": partitions,
              "positions": [{"partition": 0, "offset": offset}]}
    return 200, json.dumps({"members": members, "next": next, "follow": None if next else follow})


def members_are_read_anew_when_a_partition_moved(cluster):
    with Server() as server:
        moved, busy = (410, '{"error":"It moved."}'), (503, '{"error":"Try again."}')
        server.answers = [page(["a", "b"], "N1"), moved, page(["b"], "N2"), busy, page(["c"])]
        code, out, err = run("members", "--url", server.url, "--part", "e&f")
        suite.equal((code, err), (0, ""))
        lines = [json.loads(line) for line in out.splitlines()]
        suite.equal([line.get("user") for line in lines], ["b", "c", None])
        first = "/v1/segments/e%26f/members?limit=10000"
        suite.equal([a[0] for a in server.asked],
                    [first, first + "&after=N1", first, first + "&after=N2", first + "&after=N2"])
        # Not for ever.
        server.answer = moved
        code, out, err = run("members", "--url", server.url, "e")
        suite.equal((code, out, "It moved." in err), (1, "", True), err)


def members_of_a_part_are_no_success(cluster):
    with Server() as server:
        server.answer = page(["a"])
        code, out, err = run("members", "--url", server.url, "e")
        suite.equal((code, len(out.splitlines()), "1 of 2 partitions" in err), (1, 2, True), err)
        # In the list of another process it counts once: the partition moved.
        server.answers = [page(["a"]), page(["a", "b"], offset=9)]
        code, out, err = run("members", "--part", "--csv", "--url", server.url, "--url", server.url, "e")
        suite.equal((code, out), (0, "user,entered_at,seq\r\na,2026-01-01T00:00:00.000Z,1\r\n"))
        suite.equal(json.loads(err)["follow"]["positions"], [{"partition": 0, "offset": 7}])
        server.answer = 200, "<html>"
        suite.equal(run("members", "--url", server.url, "e")[0], 1)


def refusals_are_told(cluster):
    with Server() as server:
        for answer, said in [((404, '{"error":"No such user here."}'), "No such user here."),
                             ((500, "oh"), "answers 500"), ((200, "<html>"), "not segmentd's")]:
            server.answer = answer
            code, out, err = run("user", "--url", server.url, "u1")
            suite.equal((code, out, said in err), (1, "", True), err)
        gone = server.url
    code, out, err = run("user", "--url", gone, "u1")
    suite.equal((code, out, "no answer" in err), (1, "", True), err)


def the_configuration_says_where_and_how(cluster):
    with Server() as server:
        segments = cluster.path("good.seg", GOOD)
        token = cluster.path("token", "s3cret-of-sixteen\n")
        other = cluster.path("other", "0ther")
        text = conf.text([segments], ["events"], "127.0.0.1:1", http=server.address)
        path = cluster.path("segmentd.conf", text.replace(
            "http { address", 'http { token = file "%s"  address' % token))
        suite.equal(run("user", "--conf", path, "u1")[0], 0)
        suite.equal(run("user", "--conf", path, "--token-file", other, "u1")[0], 0)
        suite.equal([a[1] for a in server.asked], ["Bearer s3cret-of-sixteen", "Bearer 0ther"])
    code, out, err = run("user", "--conf", cluster.path("none.conf"), "u1")
    suite.equal((code, out, "--url" in err), (1, "", True), err)


# ---- topics -----------------------------------------------------------------

def topics_are_created_as_the_inputs_are(cluster):
    kafka = cluster.kafka()
    kafka.topics.create("events", 5)
    path = cluster.path("topics.conf", conf.text([cluster.path("good.seg", GOOD)], ["events"], kafka.address,
                                                 app="acme"))
    names = ["acme." + n for n in ("changes", "triggers", "traits", "state", "dead-letters")]
    code, out, err = run("topics", "create", "--conf", path)
    suite.equal((code, err), (0, ""), out)
    suite.equal(sorted(out.splitlines()), sorted(n + ": created, 5 partitions" for n in names))
    until(lambda: set(names) <= set(kafka.topics.admin.list_topics(timeout=10).topics), "the topics are known")
    suite.equal([kafka.topics.partitions(n) for n in names], [5] * 5)
    # Again: they are there, which is what was asked for.
    code, out, err = run("topics", "create", "--conf", path)
    suite.equal((code, err, len(out.splitlines())), (0, "", 5), out)
    suite.equal("exists" in out, True, out)


def topics_that_cannot_be_created_are_a_failure(cluster):
    kafka = cluster.processes[0]
    path = cluster.path("many.conf", conf.text([cluster.path("good.seg", GOOD)], ["events"], kafka.address, app="b"))
    code, out, err = run("topics", "create", "--conf", path, "--replication", "7", "--partitions", "2")
    suite.equal((code, "5 topics could not be created" in err), (1, True), out + err)
    path = cluster.path("absent.conf", conf.text([cluster.path("good.seg", GOOD)], ["none"], kafka.address, app="c"))
    code, out, err = run("topics", "create", "--conf", path)
    suite.equal((code, out, "none" in err, "create it first" in err), (1, "", True, True), err)


def without_a_broker_topics_say_where_none_is(cluster):
    nobody = "127.0.0.1:%d" % free_port()
    path = cluster.path("nobody.conf", conf.text([cluster.path("good.seg", GOOD)], ["events"], nobody, app="d"))
    code, out, err = run("topics", "create", "--conf", path)
    suite.equal((code, out), (1, ""))
    suite.equal(bool(re.fullmatch("segmentctl: No broker answers at %s: .*\n" % nobody, err)), True, err)


with Cluster() as one:
    code = suite.run(one, [
        help_knows_every_verb,
        what_it_is_and_how_it_goes_is_told_when_asked,
        a_wrong_command_line_is_exit_2_and_says_how_it_goes,
        check_points_at_what_is_wrong,
        check_takes_folders_and_sees_all_files_as_one,
        limits_and_costs_are_told_and_are_no_warnings,
        a_warning_counts_with_strict_only,
        warnings_do_not_hide_errors,
        what_cannot_be_read_is_an_error,
        test_tells_what_passed,
        test_explains_what_failed,
        what_tests_saw_both_ways_is_covered,
        tap_has_all_that_the_text_has,
        events_of_a_test_that_nobody_asks_for_are_named,
        a_report_is_xml_whatever_stands_in_a_name,
        test_of_files_that_do_not_check_says_why,
        fmt_rewrites_in_place_once,
        fmt_is_a_filter,
        fmt_leaves_a_file_with_errors_alone_and_does_the_rest,
        what_we_ship_is_spelled_as_fmt_does_it,
        replay_writes_what_would_stand_in_the_topics,
        without_until_the_clock_ends_with_the_last_arrival,
        an_until_before_the_end_changes_nothing,
        replay_reads_standard_input_and_names_the_application,
        arrival_of_every_kind,
        replay_needs_segments_that_check_and_a_file,
        a_terminal_shows_how_far_it_is,
        output_that_cannot_be_written_is_a_failure,
        user_prints_the_answer,
        explain_prints_the_tree,
        members_are_read_anew_when_a_partition_moved,
        members_of_a_part_are_no_success,
        refusals_are_told,
        the_configuration_says_where_and_how,
        topics_are_created_as_the_inputs_are,
        topics_that_cannot_be_created_are_a_failure,
        without_a_broker_topics_say_where_none_is,
    ])
sys.exit(code)
