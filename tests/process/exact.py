#!/usr/bin/python3
"""The main job, undisturbed: more than a hundred thousand events in two topics of
eight partitions through a real broker.  Changes, triggers and Redis equal the oracle."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import job
import suite
from cluster import Cluster


def it_works_off_everything(run):
    run.feed(all_of_it=True)
    run.start()
    run.daemon.wait_ready()
    run.wait_done()


def every_construct_makes_things_happen(run):
    sizes = run.expected.sizes()
    for segment in [line.split()[1] for line in open(job.SEGMENTS) if line.startswith("segment ")]:
        entered, exited = sizes.get(segment, (0, 0))
        if entered < 100 and segment != "hand_picked" or exited < 50 and segment not in ("hand_picked", "everybody"):
            raise AssertionError("too little happens in %s: %d entered, %d exited" % (segment, entered, exited))
    causes = run.expected.causes()
    assert min(causes["event"], causes["timer"], causes["attribute"]) > 5000, causes
    print("         %d users, %d changes (%d by event, %d by timer, %d by attribute), %d triggers" % (
        len(run.expected.changes), sum(causes.values()), causes["event"], causes["timer"], causes["attribute"],
        sum(map(len, run.expected.triggers.values()))))


def nothing_was_bad_nothing_repaired(run):
    run.nothing_was_bad()
    suite.equal(run.daemon.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(run.daemon.metric("segmentd_losses_total"), 0)
    # Metrics are written once a second.
    run.daemon.wait_metric("segmentd_events_total", lambda n: n == len(run.past.rows), 5)


def a_restart_adds_nothing(run):
    before = run.topics.ends("segmentd.changes", committed=True)
    suite.equal(run.daemon.terminate(), 0)
    run.start()
    run.daemon.wait_ready()
    # More, when the workers join one after the other.
    run.daemon.wait_metric("segmentd_restores_total", lambda n: n >= job.PARTITIONS, 5)
    suite.equal(run.daemon.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(run.daemon.terminate(), 0)
    suite.equal(run.topics.read("segmentd.changes", start=before), [])


if __name__ == "__main__":
    with Cluster() as servers:
        sys.exit(suite.run(job.Job(servers), [
            it_works_off_everything, every_construct_makes_things_happen,
            job.Job.changes_and_triggers_equal_the_oracle, nothing_was_bad_nothing_repaired,
            job.Job.redis_equals_the_oracle, a_restart_adds_nothing]))
