#!/usr/bin/python3
"""segmentctl plan: what new segment files change, as text and as JSON; who enters
and leaves, beside what two whole replays put out; and how many are in now."""

import collections
import gzip
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import suite
from answers import Server
from cluster import ROOT, Cluster, binary

SEGMENTCTL = binary("segmentctl")
HISTORY = os.path.join(ROOT, "tests", "data", "git-history.ndjson.gz")
LINES = 40000  # Of the history: some years.
AT = ("--at", "2026-01-01T00:00Z")

OLD = """list plans = ["pro", "team"]

segment eager {
  when did "Tried" at least 2 times in 1h
  on enter trigger "hello" { text = "hi" } once
}

segment gone {
  when did "Tried"
}

segment paying {
  when user.plan in @plans
}

segment warm {
  when count("Tried") > 1 and in segment paying
}

segment calm {
  when did not "Tried" in 1d
}
"""
NEW = """list plans = ["pro", "team", "max"]

segment eager {
  title "More than eager"
  when did "Tried" at least 3 times in 1h
  on enter trigger "hello" { text = "hello" } once per 1d
}

segment fresh {
  when did "Left" in 7d or user.city = "Oslo"
  exclude ("x")
}

segment paying {
  when user.plan in @plans
}

# The other way round, and with another word.
segment warm {
  when in segment paying and count("Tried") > 1
}

segment calm {
  when did "Tried" at most 0 times in 24h
}
"""
TEXT = """lists
  ~ plans: values
      - ("pro", "team")
      + ("pro", "team", "max")
segments
  ~ eager: when
      - did "Tried" at least 2 times in 1h
      + did "Tried" at least 3 times in 1h
  + fresh: when
      + did "Left" in 7d or user.city = "Oslo"
  + fresh: exclude
      + ("x")
  ~ paying: through list plans
  ~ warm: through segment paying
  - gone
  1 the same
triggers
  ~ eager on enter "hello": properties
      - text = "hi"
      + text = "hello"
  ~ eager on enter "hello": cooldown
      - once
      + once per 1d
features
  ~ count("Tried") in 1h: for eager; events kept 3, not 2; decided at 2026-01-01T01:00:00.000Z
  + count("Left") in 7d: for fresh; decided at 2026-01-08T00:00:00.000Z
  2 the same
attributes
  + user.city: for fresh; decided where it is kept already, else when it is set again
  1 the same
"""


def message(kind, user, at, **more):
    return json.dumps({"type": kind, "userId": user, "messageId": user + at, "timestamp": "2026-01-01T" + at + "Z", **more})


EVENTS = [
    message("track", "a", "00:00:00", event="Tried"), message("track", "a", "00:10:00", event="Tried"),
    message("identify", "b", "00:11:00", traits={"plan": "max"}),
    message("identify", "c", "00:12:00", traits={"plan": "pro", "city": "Oslo"}),
    message("track", "d", "00:20:00", event="Tried"), message("track", "d", "00:20:10", event="Tried"),
    message("track", "d", "00:20:20", event="Tried"),
    "no json", '{"type":"track"}',
]
# a has two events, of which NEW wants three and OLD kept two: whether there was
# a third is not known at once, an hour later it is.
USERS = """4 users of %s, at 2026-01-01T%s.000Z
  2 of 9 messages are bad
       old       new     enter     leave            at once
         %d         %d         0        %s         0        0  eager
         0         1        +1         0        +1        0  fresh
         1         2        +1         0        +1        0  paying
         0         0         0         0         0        0  warm
         2         0         0        -2         0       -2  gone
  nobody enters or leaves the other 1
"""


def run(*arguments, stdin=""):
    done = subprocess.run([SEGMENTCTL, "plan", *arguments], input=stdin.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def both(cluster):
    return cluster.path("old.seg", OLD), cluster.path("new.seg", NEW)


# ---- what differs -----------------------------------------------------------

def what_differs_is_listed_part_by_part(cluster):
    suite.equal(run(*AT, *both(cluster)), (0, TEXT, ""))


def the_same_differs_in_nothing(cluster):
    old, _ = both(cluster)
    folder = cluster.path("folder")
    os.makedirs(folder)
    cluster.path("folder/all.seg", "# In a folder.\n" + OLD)
    suite.equal(run(old, folder), (0, "%s and %s mean the same\n" % (old, folder), ""))


def files_that_do_not_check_are_a_failure(cluster):
    old, _ = both(cluster)
    bad = cluster.path("bad.seg", "segment s { when did }\n")
    for pair in (old, bad), (bad, old):
        code, out, err = run(*pair)
        suite.equal((code, out, "bad.seg:1:" in err), (1, "", True), err)
    code, out, err = run(old, cluster.path("nowhere"))
    suite.equal((code, out, "nowhere" in err), (1, "", True), err)
    code, out, err = run("--events", cluster.path("nothing"), old, old)
    suite.equal((code, out, "nothing: cannot be read" in err), (1, "", True), err)


def json_has_all_of_it(cluster):
    code, out, err = run(*AT, "--json", *both(cluster))
    suite.equal((code, err), (0, ""))
    found = json.loads(out)
    suite.equal((found["at"], found["users"], found["now"]), ("2026-01-01T00:00:00.000Z", None, None))
    suite.equal(len({found["before"], found["after"]}), 2)
    one = {(d["part"], d["name"]): d for d in found["differences"]}
    suite.equal(len(one), len(found["differences"]))
    kinds = collections.Counter((d["part"], d["kind"]) for d in found["differences"])
    suite.equal(kinds, {("list", "changed"): 1, ("segment", "changed"): 1, ("segment", "added"): 1,
                        ("segment", "through"): 2, ("segment", "removed"): 1, ("segment", "same"): 1,
                        ("trigger", "changed"): 1, ("feature", "changed"): 1, ("feature", "added"): 1,
                        ("feature", "same"): 2, ("attribute", "added"): 1, ("attribute", "same"): 1})
    suite.equal(one["segment", "eager"]["fields"], [{
        "name": "when", "before": 'did "Tried" at least 2 times in 1h', "after": 'did "Tried" at least 3 times in 1h'}])
    suite.equal(one["segment", "warm"]["through"], ["segment paying"])
    feature = one["feature", 'count("Left") in 7d']
    suite.equal((feature["segments"], feature["decides_at"]), (["fresh"], "2026-01-08T00:00:00.000Z"))
    suite.equal(one["attribute", "user.city"]["decides_at"], None)


# ---- who enters and leaves --------------------------------------------------

def users_of_events_enter_and_leave(cluster):
    events = cluster.path("events.ndjson", "\n".join(EVENTS) + "\n")
    code, out, err = run(*AT, "--events", events, *both(cluster))
    suite.equal((code, err), (0, ""))
    suite.equal(out, TEXT + USERS % (events, "00:20:20", 2, 1, "-1"))
    suite.equal(run(*AT, "--events", "-", *both(cluster), stdin="\n".join(EVENTS))[1],
                TEXT + USERS % ("-", "00:20:20", 2, 1, "-1"))
    # At 01:20:20 all have left eager, by timer.
    out = run(*AT, "--events", events, "--until", "2026-01-01T01:30Z", *both(cluster))[1]
    suite.equal(out, TEXT + USERS % (events, "01:30:00", 0, 0, " 0"))


def shadows_are_told_from_what_is_published(cluster):
    text = """segment s {
  %swhen did "Tried"
}

segment t {
  %swhen did "Tried" at least %d times
}
"""
    events = cluster.path("shadow.ndjson", "\n".join(EVENTS[:7]) + "\n")
    published, shadow = "", "shadow\n  "
    for was, is_in, numbers, word in (
            (shadow, published, ("+2", " 0", "+2", " 0"), "no shadow any more"),
            (published, shadow, (" 0", "-2", " 0", "-2"), "a shadow from now on")):
        old = cluster.path("shadow_old.seg", text % (was, shadow, 2))
        new = cluster.path("shadow_new.seg", text % (is_in, shadow, 3))
        code, out, err = run(*AT, "--events", events, old, new)
        suite.equal((code, err), (0, ""))
        lines = [line.split(None, 6) for line in out.splitlines() if line.endswith(("shadow", word))]
        suite.equal(lines[-2:], [["2", "2", *(n.strip() for n in numbers), "s, " + word],
                                 ["2", "1", "0", "-1", "0", "-1", "t, a shadow"]], out)


def members_after_replay(segments, events):
    """{segment: users in it}, by the changes that a replay puts out."""
    done = subprocess.run([SEGMENTCTL, "replay", "--segments", segments, events], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=120, check=True)
    members = collections.defaultdict(set)
    for line in done.stdout.splitlines():
        record = json.loads(line)
        key = record["properties"].get("segment")
        if record["event"] == "Segment Entered":
            members[key].add(record["userId"])
        elif record["event"] == "Segment Exited":
            members[key].remove(record["userId"])
    return members


def planned(*arguments):
    code, out, err = run("--json", *arguments)
    suite.equal((code, err), (0, ""))
    return {s["segment"]: s for s in json.loads(out)["users"]["segments"]}


def who_enters_and_leaves_is_what_two_replays_say(cluster):
    with gzip.open(HISTORY, "rt") as history:
        lines = [next(history) for _ in range(LINES)]
    events = cluster.path("history.ndjson", "".join(lines))
    with open(os.path.join(ROOT, "tests", "data", "git-history.seg")) as text:
        old_text = text.read()
    new_text = old_text
    for was, becomes in [("at least 10 times in 90d", "at least 6 times in 90d"),
                         ("segment newcomers ", "segment arrivals "),
                         ("at least 5 times in 180d", "at least 3 times in 200d"),
                         ('in ("reported", "tested")', 'in ("tested", "reported", "acked")')]:
        suite.equal(was in new_text, True, was)
        new_text = new_text.replace(was, becomes)
    old, new = cluster.path("history.seg", old_text), cluster.path("history_new.seg", new_text)
    before, after = members_after_replay(old, events), members_after_replay(new, events)
    found = planned("--events", events, old, new)
    suite.equal(set(before) | set(after) <= set(found), True)
    for key, row in found.items():
        was, is_in = before.get(key, set()), after.get(key, set())
        suite.equal([row[n] for n in ("before", "after", "enter", "leave")],
                    [len(was), len(is_in), len(is_in - was), len(was - is_in)], key)
    suite.equal(sum(row["enter"] + row["leave"] > 0 for row in found.values()) >= 4, True, found)
    # What keeps no more than before knows all of it at once.
    suite.equal(found["regulars"]["enter"] > 0, True)
    suite.equal(found["regulars"]["at_once"], {n: found["regulars"][n] for n in ("enter", "leave")})
    suite.equal(found["newcomers"]["at_once"]["leave"], len(before["newcomers"]))
    # A wider window is not known at once, though someone enters in the long run.
    suite.equal((found["documenters"]["enter"] > 0, found["documenters"]["at_once"]["enter"]), (True, 0))


# ---- who is in now ----------------------------------------------------------

def segments(members, here, others=None, catalogue="00000000", total=3):
    return 200, json.dumps({"catalogue": catalogue, "partitions": {"here": here, "total": total},
                            "complete": here == total, "others": others,
                            "segments": [{"key": key, "members": n} for key, n in members.items()]})


def a_running_segmentd_says_how_many_are_in_now(cluster):
    old, new = both(cluster)
    with Server() as one, Server() as two:
        one.answer = segments({"eager": 10, "paying": 5, "calm": 7, "else": 1}, 1, [two.url])
        two.answer = segments({"eager": 1, "paying": 0, "calm": 2, "else": 1}, 2, [one.url])
        code, out, err = run(*AT, "--url", one.url, old, new)
        suite.equal((code, err), (0, ""))
        suite.equal(out, TEXT + "members now, by catalogue 00000000, which is not %s\n"
                                "        11  eager\n         5  paying\n" % old)
        suite.equal([a[0] for a in one.asked + two.asked], ["/v1/segments"] * 2)
        found = json.loads(run("--json", "--url", one.url, old, new)[1])
        suite.equal(found["now"], {"catalogue": "00000000", "complete": True, "segments": [
            {"segment": "calm", "members": 9}, {"segment": "eager", "members": 11}, {"segment": "paying", "members": 5}]})
        # Its own catalogue, and a part of the partitions.
        one.answer = segments({"eager": 10}, 1, catalogue=found["before"])
        out = run(*AT, "--url", one.url, old, new)[1]
        suite.equal(out, TEXT + "members now, by catalogue %s, of 1 of 3 partitions\n        10  eager\n" % found["before"])
        for answer, said in ((401, '{"error":"No token."}'), "No token."), ((200, "<html>"), "not segmentd's"):
            one.answer = answer
            code, out, err = run("--url", one.url, old, new)
            suite.equal((code, out, said in err), (1, "", True), err)
        gone = one.url
    code, out, err = run("--url", gone, old, new)
    suite.equal((code, out, "no answer" in err), (1, "", True), err)


with Cluster() as one:
    code = suite.run(one, [
        what_differs_is_listed_part_by_part,
        the_same_differs_in_nothing,
        files_that_do_not_check_are_a_failure,
        json_has_all_of_it,
        users_of_events_enter_and_leave,
        shadows_are_told_from_what_is_published,
        who_enters_and_leaves_is_what_two_replays_say,
        a_running_segmentd_says_how_many_are_in_now,
    ])
sys.exit(code)
