#!/usr/bin/python3
"""Every construct of the language on real behaviour: two hundred people of the git
history (tests/support/git_sample.py) under tests/data/git-catalogue.seg.  Each entry,
exit and trigger that `segmentctl replay` tells must be what the oracle of tests/model
finds, in order and to the millisecond.  (That the catalogue uses every construct,
tests/model/check_constructs.c sees.)

The oracle judges everything at every edge of anything: so it is asked for a few
segments at a time, with what they refer to and without the events that none of them
names, and its answers are put together.  Of one instant, what time does comes first,
then messages as they came, and segments after those they refer to.

MOST messages of a person are looked at, see git_sample.py."""

import collections
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cluster
import git_history
import git_sample
import records
import suite

SEGMENTS = os.path.join(git_history.DATA, "git-catalogue.seg")
MOST = int(os.environ.get("MOST", 100))
AT_A_TIME, AT_ONCE = 6, 2
SEGMENTCTL = cluster.binary("segmentctl")
REFERENCES = {"in_segment": "segment", "entered_segment": "segment", "left_segment": "segment",
              "trait": "trait", "score": "score", "list": "list"}

Change = collections.namedtuple("Change", "at segment member entered_at cause offset triggers")
Trigger = collections.namedtuple("Trigger", "at segment on trigger offset")


def convert(to, path, text=""):
    return subprocess.run([SEGMENTCTL, "convert", "--to", to, path], input=text.encode(), stdout=subprocess.PIPE,
                          check=True).stdout.decode()


class Catalogue:
    """Its definitions, and what refers to what."""

    def __init__(self, path):
        definitions = json.loads(convert("json", path))["definitions"]
        self.all = {(kind, one[kind]): one for one in definitions for kind in ("segment", "trait", "score", "list")
                    if kind in one and "test" not in one}
        self.segments = sorted(key for kind, key in self.all if kind == "segment")
        self.shadows = {key for key in self.segments if self.all["segment", key].get("shadow")}

    def parts(self, thing):
        """(name, value) of all members in the definition of THING."""
        left = [part for name, part in self.all[thing].items() if name != thing[0]]
        while left:
            part = left.pop()
            if isinstance(part, dict):
                yield from part.items()
            if isinstance(part, (dict, list)):
                left += part.values() if isinstance(part, dict) else part

    def references(self, thing):
        """{(kind, key)} that the definition of THING names."""
        return {(REFERENCES[name], key) for name, key in self.parts(thing)
                if name in REFERENCES and isinstance(key, str)} & set(self.all)

    def events(self, segment):
        """The names of the events that matter to SEGMENT; None: all do."""
        parts = [part for thing in self.needed([("segment", segment)]) for part in self.parts(thing)]
        if any(name in ("any", "directly") and value is True for name, value in parts):
            return None
        return tuple(sorted({event for name, value in parts if name == "names" for event in value}))

    def groups(self):
        """[(events, segments)]: at most AT_A_TIME that go by the same events."""
        by_events = collections.defaultdict(list)
        for segment in self.segments:
            by_events[self.events(segment)].append(segment)
        return [(events, segments[i:i + AT_A_TIME]) for events, segments in by_events.items()
                for i in range(0, len(segments), AT_A_TIME)]

    def needed(self, things):
        """THINGS and all they refer to, in a fixed order."""
        found = set(things)
        for thing in things:
            found |= set(self.needed(self.references(thing)))
        return sorted(found)

    def rank(self, segment):
        """How many segments stand one upon the other below SEGMENT."""
        below = [key for kind, key in self.references(("segment", segment)) if kind == "segment"]
        return max((1 + self.rank(key) for key in below), default=0)

    def text(self, segments):
        """SEGMENTS and all they refer to as a file; nothing is a shadow there."""
        things = self.needed([("segment", key) for key in segments])
        return convert("seg", "-", json.dumps({"definitions": [
            {name: part for name, part in self.all[thing].items() if name != "shadow"} for thing in things]}))


class Oracle:
    """What must come of LINES: changes and triggers, {user: [...]} in order."""

    def __init__(self, catalogue, lines, folder):
        self.catalogue, self.program = catalogue, cluster.test_program("tests/model/expect")
        self.folder, self.asked = folder, [(message.get("event"), json.dumps({
            "topic": "git", "partition": 0, "offset": offset, "value": line,
            "timestamp": records.parse_ms(message["timestamp"])}))
            for offset, (message, line) in enumerate((json.loads(line), line) for line in lines)]
        self.changes, self.triggers = collections.defaultdict(list), collections.defaultdict(list)
        running = []
        for events, group in catalogue.groups():
            running.append((group, self._ask(events, group)))
            if len(running) == AT_ONCE:
                self._add(*running.pop(0))
        for group, child in running:
            self._add(group, child)
        ranks = {key: (catalogue.rank(key), key) for key in catalogue.segments}
        for told in self.changes, self.triggers:
            for mine in told.values():
                mine.sort(key=lambda one: (one.at, -1 if one.offset is None else one.offset, ranks[one.segment]))

    def _ask(self, events, group):
        path = os.path.join(self.folder, group[0])
        with open(path + ".seg", "w") as segments:
            segments.write(self.catalogue.text(group))
        with open(path + ".in", "w") as asked:
            asked.write("\n".join(record for event, record in self.asked
                                  if events is None or event is None or event in events))
        answers = open(path + ".out", "w+")
        with open(asked.name) as asked:
            return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", self.program, segments.name, "--until",
                                     git_history.UNTIL, "--triggers"], stdin=asked, stdout=answers), answers

    def _add(self, group, asked):
        child, answers = asked
        suite.equal(child.wait(3000), 0)
        answers.seek(0)
        for line in answers:
            one = json.loads(line)
            offset = one["source"] and one["source"]["offset"]
            if one["segment"] not in group:
                continue
            if "trigger" in one:  # It follows its change.
                self.changes[one["user"]][-1].triggers.append(one["trigger"])
                self.triggers[one["user"]].append(Trigger(one["at"], one["segment"], one["on"], one["trigger"], offset))
            else:
                self.changes[one["user"]].append(Change(
                    one["at"], one["segment"], one["member"], one["entered_at"], one["cause"], offset, []))
        answers.close()


class Replay:
    """What segmentctl replay tells: the same, and the numbers of each user's."""

    def __init__(self, segments, history):
        told = subprocess.run([SEGMENTCTL, "replay", "--segments", segments, "--until", git_history.UNTIL, history],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        self.changes, self.triggers = collections.defaultdict(list), collections.defaultdict(list)
        for line in told.splitlines():
            one = json.loads(line)
            p, offset = one["properties"], one["context"].get("source", {}).get("offset")
            if one["event"] == "Message Triggered":
                mine = self.triggers[one["userId"]]
                mine.append(Trigger(one["timestamp"], p["segment"], p["on"], p["trigger"], offset))
            else:
                mine = self.changes[one["userId"]]
                mine.append(Change(one["timestamp"], p["segment"], p["member"], p["entered_at"], p["cause"], offset,
                                   p.get("triggers", [])))
            suite.equal(p["seq"], len(mine), one["userId"])


class Run:
    def __init__(self, folder):
        self.people, lines = git_sample.sample(MOST)
        self.catalogue, history = Catalogue(SEGMENTS), os.path.join(folder, "sample.ndjson")
        with open(history, "w") as sample:
            sample.write("\n".join(lines) + "\n")
        twin = os.path.join(folder, "all.seg")
        with open(twin, "w") as segments:
            segments.write(self.catalogue.text(self.catalogue.segments))
        self.published, self.all = Replay(SEGMENTS, history), Replay(twin, history)
        self.want = Oracle(self.catalogue, lines, folder)
        print("         %d messages of %d people" % (len(lines), len(self.people)))


def differences(got, want):
    """What is wrong in GOT, {user: [...]}, as text."""
    return ["%s\n  got  %s\n  want %s" % (user, *next(
        (g, w) for g, w in zip(got[user] + [None], want[user] + [None]) if g != w))
        for user in sorted(set(got) | set(want)) if got[user] != want[user]]


def replay_and_the_oracle_tell_the_same(run):
    for told in "changes", "triggers":
        wrong = differences(getattr(run.all, told), getattr(run.want, told))
        assert not wrong, "%s of %d people differ, the first:\n%s" % (told, len(wrong), "\n".join(wrong[:3]))
    print("         %d changes, %d triggers" % tuple(
        sum(map(len, told.values())) for told in (run.all.changes, run.all.triggers)))


def shadows_are_not_told_and_nothing_else_changes(run):
    suite.equal(len(run.catalogue.shadows), 1)
    for user, mine in run.all.changes.items():
        suite.equal(run.published.changes[user],
                    [c for c in mine if c.segment not in run.catalogue.shadows], user)


def everybody_and_every_segment_take_part(run):
    counts = collections.Counter((c.segment, c.member) for mine in run.all.changes.values() for c in mine)
    suite.equal(len(run.people), 200)
    suite.equal({user for user in run.people if not run.all.changes[user]}, set())
    assert len(run.catalogue.segments) >= 40
    for segment in run.catalogue.segments:
        assert counts[segment, True] >= 2, "nobody enters " + segment
    leavers = [segment for segment in run.catalogue.segments if counts[segment, False] >= 2]
    # Who is once in everybody, handpicked or at_a_firm stays.
    print("         %d segments, %d of them left again" % (len(run.catalogue.segments), len(leavers)))
    assert len(leavers) >= 60, set(run.catalogue.segments) - set(leavers)
    causes = collections.Counter(c.cause for mine in run.all.changes.values() for c in mine)
    assert min(causes[cause] for cause in ("event", "timer", "attribute")) > 500, causes


def a_wrong_list_would_be_seen(run):
    user, mine = max(run.want.changes.items(), key=lambda item: (len(item[1]), item[0]))
    later = mine[0]._replace(at=records.text_ms(records.parse_ms(mine[0].at) + 1))
    for bad in mine[1:], mine + mine[-1:], [later] + mine[1:], [mine[0]._replace(offset=-1)] + mine[1:]:
        assert differences({user: bad}, {user: mine})
    assert not differences({user: list(mine)}, {user: mine})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="segmentd-test-") as place:
        code = suite.run(Run(place), [
            replay_and_the_oracle_tell_the_same, shadows_are_not_told_and_nothing_else_changes,
            everybody_and_every_segment_take_part, a_wrong_list_would_be_seen])
    sys.exit(code)
