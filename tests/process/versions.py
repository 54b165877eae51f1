#!/usr/bin/python3
"""A version of the state records to come, on a real broker: a build that knows one
more (every record of it has four bytes at its end) beside the one of today.

Two processes share an application whose segments are of all kinds.  They are
replaced one by one by the new build, and back by the old one, while events come; then
state_version is raised, and the old build refuses.  Whatever was killed or replaced:
all changes equal the oracle's, and nothing is repaired.

Another application begins with what builds of version 1 can say and write, asks for
more, and goes back."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import history
import judge
import suite
from broken import BASE_MS, user
from cluster import Cluster, binary, until

SEGMENTS = """
segment eager { when did "Used" at least 2 times on enter trigger "hello" { offer = "tea" } once per 1d }
segment keen { when did "Used" at least 9 times }
segment recent { when did "Used" at least 2 times in 10s }
"""
KINDS = """
score heat half-life 20s { "Used" where n > 1 10 }
trait total = sum("Used", n) in 25s
segment much { when trait.total >= 9 }
segment mean { when avg("Used", n) in 40s > 2 }
segment highest { when max("Used", n) in 20s >= 4 and min("Used", n) in 20s < 2 }
segment many { when distinct("Used", n) in 30s >= 3 }
segment dated { when days("Used") >= 1 and count("Used") since 2020-01-01 >= 4 }
segment hot { when score(heat) >= 12 }
segment slower { when count("Used") in 20s < 50% of count("Used") from 50s to 20s ago }
segment daily { when did "Used" at least 2 times per day for 1 days }
segment again { when did "Used" where n = 0 in 60s then "Used" where n > 2 after 1ms within 30s for the same kind }
segment left_alone { when did "Used" in 60s without "Used" within 9s }
segment until_then { when did "Used" where n >= 3 in 5s until did not "Used" in 12s }
segment fresh { when entered segment until_then in 6s or left segment until_then in 6s }
"""
TAIL = b"tail"  # SEG_STATE_TAIL, little-endian.
NEWER = binary("state3/segmentd")


class Run:
    """An application, one input of two partitions, up to two processes a and b."""

    def __init__(self, cluster, kafka, app, segments):
        self.cluster, self.kafka, self.app, self.input = cluster, kafka, app, app + "-events"
        self.topics, self.sent, self.live = self.kafka.topics, 0, {}
        self.topics.create_history(self.input, 2)
        self.ask(segments)
        cluster.ctl("topics", "create", "--conf", cluster.path("topics.conf", self.conf("any")))

    def ask(self, segments):
        """From the next start on."""
        self.segments = self.cluster.path(self.app + ".seg", segments)

    def conf(self, process, **settings):
        return conf.text([self.segments], [self.input], self.kafka.address, app=self.app, process=process, workers=1,
                         clock="records", partitioner="murmur2", properties={"session.timeout.ms": 2000},
                         **{"flush_interval": "1h", **settings})

    def start(self, process, newer, **settings):
        """PROCESS takes part, of the newer build or of ours."""
        os.environ["SEGMENTD"] = NEWER if newer else ""
        self.live[process] = self.cluster.segmentd(self.conf(process, **settings), name="%s-%s-%d" % (self.app, process, self.sent))
        return self.live[process]

    def replace(self, process, newer, kill=False, **settings):
        """Stop PROCESS, in good order or not, and start it again while events come."""
        self.end(process, kill)
        self.feed(6)
        self.start(process, newer, **settings)
        self.work(6)

    def end(self, process, kill=False):
        daemon = self.live.pop(process)
        suite.equal(daemon.metric("segmentd_restore_repairs_total"), 0)
        suite.equal(daemon.kill() if kill else daemon.terminate(), -9 if kill else 0)

    def feed(self, count, after_s=15, users=(0, 1, 2)):
        """COUNT events of USERS of each partition, in turn."""
        self.sent += after_s
        self.topics.produce(self.input, [
            (p, user(p, users[i % len(users)]), json.dumps({
                "type": "track", "event": "Used", "userId": user(p, users[i % len(users)]),
                "messageId": "%d-%d-%d" % (self.sent, p, i),
                "properties": {"n": (self.sent // 15 + i) % 6, "kind": i % 3}}), BASE_MS + 1000 * self.sent + i)
            for p in (0, 1) for i in range(count)])

    def work(self, count, after_s=15):
        self.feed(count, after_s)
        judge.wait_committed(next(iter(self.live.values())), self.topics, [self.input], app=self.app, timeout=60)
        for daemon in self.live.values():
            suite.equal(daemon.metric("segmentd_refusals_total"), 0)

    def versions(self, keys=b"\0\1\2"):
        """{version} of the last records of all KEYS, of partitions, users, catalogues;
        each ends as it must."""
        last = {(r.partition, r.key): r.value for r in self.topics.read(self.app + ".state")}
        suite.equal({key[:1] for _, key in last}, {b"\0", b"\1", b"\2"})
        for (_, key), value in last.items():
            end = value if key[:1] == b"\1" else value[:-8]  # Before a checksum.
            suite.equal(end.endswith(TAIL), value[0] == 3, key)
        return {value[0] for (_, key), value in last.items() if key[0] in keys}

    def expected(self):
        rows = sorted((history.Row(r.topic, r.partition, r.offset, r.timestamp_ms, r.key, r.value.decode())
                       for r in self.topics.read(self.input)), key=lambda r: (r.timestamp_ms, r.offset))
        return judge.Expected(self.segments, rows, jobs=1)

    def equals_the_oracle(self):
        expected = self.expected()
        judge.compare(expected, judge.Written(self.topics, app=self.app))
        causes = expected.causes()
        assert causes["event"] > 10 and causes["timer"] > 10, causes
        return expected


def rolled_out_process_by_process(run):
    for process in "ab":
        run.start(process, newer=False)
    run.feed(3, users=[9])  # Nobody hears of them again.
    run.work(12)
    run.replace("a", newer=True)
    run.replace("b", newer=True, kill=True)
    suite.equal(run.versions(), {2}, "the newer build writes what it found")
    run.equals_the_oracle()


def rolled_back_before_it_is_raised(run):
    run.replace("b", newer=False, kill=True)
    run.replace("a", newer=False)
    suite.equal(run.versions(), {2})
    run.equals_the_oracle()


def raised_everything_is_written_anew(run):
    """Also of users whom no event touches any more."""
    run.replace("a", newer=True)
    run.replace("b", newer=True)
    for process in "ab":
        run.replace(process, newer=True, state_version=3, flush_interval="100ms")
    until(lambda: run.versions() == {3}, lambda: "all is of version 3: %s" % run.versions(), 30, 0.2)
    run.replace("a", newer=True, kill=True)  # The setting is not needed any more.
    run.end("b")
    run.work(6)
    run.end("a")
    suite.equal(run.versions(), {3})
    assert any(r.key == b"\1" + user(0, 9).encode() for r in run.topics.read(run.app + ".state"))
    sizes = run.equals_the_oracle().sizes()
    print("         entered and left: %s" % ", ".join("%s %d %d" % (s, *n) for s, n in sorted(sizes.items())))
    suite.equal(set(sizes), {line.split()[1] for line in (SEGMENTS + KINDS).splitlines() if line[:8] == "segment "})


def then_the_older_build_refuses(run):
    before = {t: run.topics.ends(run.app + "." + t) for t in ("changes", "triggers", "state")}
    run.feed(6)
    daemon = run.start("a", newer=False)
    daemon.wait_metric("segmentd_refusals_total", lambda n: n == 2, 30)
    reasons = [p["reason"] for p in json.loads(daemon.http("/readyz")[1])["partitions"]]
    print("         " + reasons[0])
    for p in (0, 1):
        assert any(re.search("topic kinds.state partition %d.*offset [0-9]+.* of version 3.* up to 2.*newer segmentd"
                             % p, reason) for reason in reasons), reasons
    suite.equal(daemon.terminate(), 0)
    suite.equal({t: run.topics.ends(run.app + "." + t) for t in before}, before, "nothing is written")
    daemon = run.start("a", newer=False, state_version=3)
    suite.equal(daemon.wait(30), 78)
    said = [line for line in daemon.log().splitlines() if "state_version" in line]
    print("         " + said[0])
    assert "goes from 0 to 2" in said[0], said


def the_first_version_is_written_as_long_as_it_will_do(run):
    """And again when what it cannot say is not asked for any more."""
    first = Run(run.cluster, run.kafka, "first", SEGMENTS)
    first.start("a", newer=False, state_version=1)
    first.work(12)
    first.replace("a", newer=False, kill=True)  # It goes by what it finds.
    suite.equal(first.versions(), {1})
    first.ask(SEGMENTS + KINDS)
    first.replace("a", newer=False, flush_interval="100ms")
    until(lambda: first.versions(b"\1\2") == {2}, lambda: "users are of version 2: %s" % first.versions(), 30, 0.2)
    suite.equal(first.versions(b"\0"), {1}, "that of the application is not raised")
    first.replace("a", newer=False, kill=True)
    assert any(c.segment == "much" for mine in judge.Written(run.topics, app="first").changes.values() for c in mine)
    first.ask(SEGMENTS)
    first.replace("a", newer=False, flush_interval="100ms")
    until(lambda: first.versions() == {1}, lambda: "all is of version 1: %s" % first.versions(), 30, 0.2)
    first.replace("a", newer=False, kill=True)
    first.end("a")
    expected, written = first.expected(), judge.Written(run.topics, app="first")
    judge.same(apart(written.changes, expected), apart(expected.changes, expected), "changes")
    judge.same(written.triggers, expected.triggers, "triggers")


def apart(changes, expected):
    """CHANGES without those of segments that were there for a while only."""
    mine = set(expected.sizes())
    return {user: [c._replace(seq=0) for c in all_of_his if c.segment in mine] for user, all_of_his in changes.items()}


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(Run(here, here.kafka(), "kinds", SEGMENTS + KINDS), [
            rolled_out_process_by_process, rolled_back_before_it_is_raised, raised_everything_is_written_anew,
            then_the_older_build_refuses, the_first_version_is_written_as_long_as_it_will_do]))
