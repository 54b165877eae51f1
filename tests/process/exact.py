#!/usr/bin/python3
"""The main job, undisturbed: 200 000 events in two topics of eight partitions
through a real broker.  Changes, triggers and Redis equal the oracle."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import history
import judge
import suite
from cluster import ROOT, Cluster

SEGMENTS = os.path.join(ROOT, "tests", "data", "core.seg")
EVENTS, PARTITIONS = 200000, 8


class Run:
    """One broker, one redis-server, one history; the oracle works beside."""

    def __init__(self, cluster):
        self.kafka, self.redis = cluster.kafka(), cluster.redis()
        seed = int(os.environ.get("SEED", "20250101"))
        past = history.History(seed, EVENTS, PARTITIONS)
        past.produce(self.kafka.topics)
        self.expected = judge.Expected(cluster.folder, SEGMENTS, past.merged())
        self.cluster, self.daemon = cluster, None
        self.conf = conf.text([SEGMENTS], history.TOPICS, self.kafka.address, redis=self.redis.address,
                              clock="records", workers=2)


def it_works_off_everything(run):
    run.cluster.ctl("topics", "create", "--conf", run.cluster.path("topics.conf", run.conf))
    run.daemon = run.cluster.segmentd(run.conf)
    run.daemon.wait_ready()
    judge.wait_committed(run.daemon, run.kafka.topics, history.TOPICS, timeout=180)


def every_construct_makes_things_happen(run):
    sizes = run.expected.sizes()
    for segment in [line.split()[1] for line in open(SEGMENTS) if line.startswith("segment ")]:
        entered, exited = sizes.get(segment, (0, 0))
        if entered < 100 and segment != "hand_picked" or exited < 50 and segment not in ("hand_picked", "everybody"):
            raise AssertionError("too little happens in %s: %d entered, %d exited" % (segment, entered, exited))
    print("         %d changes, %d triggers" % (sum(map(sum, sizes.values())),
                                               sum(map(len, run.expected.triggers.values()))))


def changes_and_triggers_equal_the_oracle(run):
    judge.compare(run.expected, judge.Written(run.kafka.topics))


def nothing_was_bad_nothing_repaired(run):
    suite.equal(run.expected.dead_letters, {})
    suite.equal(run.kafka.topics.read("segmentd.dead-letters"), [])
    suite.equal(run.daemon.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(run.daemon.metric("segmentd_events_total"), EVENTS)


def redis_equals_the_oracle(run):
    judge.redis_agrees(run.redis.client(), run.expected)


def a_restart_adds_nothing(run):
    before = run.kafka.topics.ends("segmentd.changes", committed=True)
    suite.equal(run.daemon.terminate(), 0)
    run.daemon.start()
    run.daemon.wait_ready()
    suite.equal(run.daemon.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(run.daemon.terminate(), 0)
    after = run.kafka.topics.read("segmentd.changes", start=before)
    suite.equal(after, [])


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(Run(here), [
            it_works_off_everything, every_construct_makes_things_happen, changes_and_triggers_equal_the_oracle,
            nothing_was_bad_nothing_repaired, redis_equals_the_oracle, a_restart_adds_nothing]))
