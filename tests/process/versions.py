#!/usr/bin/python3
"""A version of the state records to come, on a real broker: a build that knows one
more (every record of it has four bytes at its end) beside the one of today.

Two processes share an application.  They are replaced one by one by the new build,
and back by the old one, while events come; then state_version is raised, and the
old build refuses.  Whatever was killed or replaced: all changes equal the oracle's,
and nothing is repaired."""

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
TAIL = b"tail"  # SEG_STATE_TAIL, little-endian.
NEWER = binary("state2/segmentd")


class Run:
    """An application, one input of two partitions, up to two processes a and b."""

    def __init__(self, cluster):
        self.cluster, self.kafka = cluster, cluster.kafka()
        self.topics, self.sent, self.live = self.kafka.topics, 0, {}
        self.topics.create_history("events", 2)
        self.segments = cluster.path("versions.seg", SEGMENTS)
        cluster.ctl("topics", "create", "--conf", cluster.path("topics.conf", self.conf("any")))

    def conf(self, process, **settings):
        return conf.text([self.segments], ["events"], self.kafka.address, process=process, workers=1, clock="records",
                         partitioner="murmur2", properties={"session.timeout.ms": 2000},
                         **{"flush_interval": "1h", **settings})

    def start(self, process, newer, **settings):
        """PROCESS takes part, of the newer build or of ours."""
        os.environ["SEGMENTD"] = NEWER if newer else ""
        self.live[process] = self.cluster.segmentd(self.conf(process, **settings), name="%s-%d" % (process, self.sent))
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
        self.topics.produce("events", [
            (p, user(p, users[i % len(users)]), json.dumps({
                "type": "track", "event": "Used", "userId": user(p, users[i % len(users)]),
                "messageId": "%d-%d-%d" % (self.sent, p, i)}), BASE_MS + 1000 * self.sent + i)
            for p in (0, 1) for i in range(count)])

    def work(self, count, after_s=15):
        self.feed(count, after_s)
        judge.wait_committed(next(iter(self.live.values())), self.topics, ["events"], timeout=60)
        for daemon in self.live.values():
            suite.equal(daemon.metric("segmentd_refusals_total"), 0)

    def versions(self):
        """{version} of the last records of all keys; each ends as it must."""
        last = {(r.partition, r.key): r.value for r in self.topics.read("segmentd.state")}
        suite.equal({key[:1] for _, key in last}, {b"\0", b"\1", b"\2"})
        for (_, key), value in last.items():
            end = value if key[:1] == b"\1" else value[:-8]  # Before a checksum.
            suite.equal(end.endswith(TAIL), value[0] == 2, key)
        return {value[0] for value in last.values()}

    def equals_the_oracle(self):
        rows = sorted((history.Row(r.topic, r.partition, r.offset, r.timestamp_ms, r.key, r.value.decode())
                       for r in self.topics.read("events")), key=lambda r: (r.timestamp_ms, r.offset))
        expected, written = judge.Expected(self.segments, rows, jobs=1), judge.Written(self.topics)
        judge.compare(expected, written)
        causes = expected.causes()
        assert causes["event"] > 10 and causes["timer"] > 10, causes


def rolled_out_process_by_process(run):
    for process in "ab":
        run.start(process, newer=False)
    run.feed(3, users=[9])  # Nobody hears of them again.
    run.work(12)
    run.replace("a", newer=True)
    run.replace("b", newer=True, kill=True)
    suite.equal(run.versions(), {1}, "the newer build writes what it found")
    run.equals_the_oracle()


def rolled_back_before_it_is_raised(run):
    run.replace("b", newer=False, kill=True)
    run.replace("a", newer=False)
    suite.equal(run.versions(), {1})
    run.equals_the_oracle()


def raised_everything_is_written_anew(run):
    """Also of users whom no event touches any more."""
    run.replace("a", newer=True)
    run.replace("b", newer=True)
    for process in "ab":
        run.replace(process, newer=True, state_version=2, flush_interval="100ms")
    until(lambda: run.versions() == {2}, lambda: "all is of version 2: %s" % run.versions(), 30, 0.2)
    run.replace("a", newer=True, kill=True)  # The setting is not needed any more.
    run.end("b")
    run.work(6)
    run.end("a")
    suite.equal(run.versions(), {2})
    assert any(r.key == b"\1" + user(0, 9).encode() for r in run.topics.read("segmentd.state"))
    run.equals_the_oracle()


def then_the_older_build_refuses(run):
    before = {t: run.topics.ends("segmentd." + t) for t in ("changes", "triggers", "state")}
    run.feed(6)
    daemon = run.start("a", newer=False)
    daemon.wait_metric("segmentd_refusals_total", lambda n: n == 2, 30)
    reasons = [p["reason"] for p in json.loads(daemon.http("/readyz")[1])["partitions"]]
    print("         " + reasons[0])
    for p in (0, 1):
        assert any(re.search("topic segmentd.state partition %d.*offset [0-9]+.* of version 2.* up to 1.*newer segmentd"
                             % p, reason) for reason in reasons), reasons
    suite.equal(daemon.terminate(), 0)
    suite.equal({t: run.topics.ends("segmentd." + t) for t in before}, before, "nothing is written")
    daemon = run.start("a", newer=False, state_version=2)
    suite.equal(daemon.wait(30), 78)
    said = [line for line in daemon.log().splitlines() if "state_version" in line]
    print("         " + said[0])
    assert "goes from 0 to 1" in said[0], said


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(Run(here), [
            rolled_out_process_by_process, rolled_back_before_it_is_raised, raised_everything_is_written_anew,
            then_the_older_build_refuses]))
