#!/usr/bin/python3
"""The main job under kill -9: the history of exact.py comes in slices, segmentd is
killed in each, and what stands in the topics and in Redis in the end is what the
oracle says of an undisturbed run, and word by word what such a run writes.
tests/support/killer.py says when it is killed; SEED gives another history and other
instants."""

import collections
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import history
import judge
import suite
from cluster import Cluster
from job import Job, SEGMENTS
from killer import TIMES, Killer

# Lives that worked off records; ended in a restore.
KILLS, IN_RESTORE = 10 * TIMES, 5


@suite.row(1)
def it_is_killed_at_work_in_transactions_and_in_restores(run):
    run.killer.run()
    worked = run.killer.worked()
    print(run.killer.describe())
    assert len(worked) >= KILLS, "too few kills count"
    assert 2 * sum(life.open for life in worked) >= len(worked), "too few in a transaction"
    assert sum(life.in_restore for life in run.killer.lives) >= IN_RESTORE, "too few in a restore"


def then_it_works_off_the_rest(run):
    run.feed(all_of_it=True)
    run.start()
    run.wait_done()


def nothing_was_bad_nothing_repaired(run):
    run.nothing_was_bad()
    run.daemon.wait_metric("segmentd_restores_total", lambda n: n > 0, 5)
    suite.equal(run.daemon.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(run.expected.causes()["repair"], 0)


def every_word_is_that_of_an_undisturbed_run(run):
    """What the oracle does not say: evidence, properties of triggers, catalogue."""
    text = conf.text([SEGMENTS], history.TOPICS, run.kafka.address, app="calm", clock="records", workers=2)
    run.cluster.ctl("topics", "create", "--conf", run.cluster.path("calm-topics.conf", text))
    calm = run.cluster.segmentd(text, name="calm")
    judge.wait_committed(calm, run.topics, history.TOPICS, app="calm")
    suite.equal(calm.terminate(), 0)
    judge.same(words(run.topics, "segmentd"), words(run.topics, "calm"), "words")


def words(topics, app):
    """{(topic, user): [JSON]}, without the message ids, which depend on APP."""
    found = collections.defaultdict(list)
    for topic in "changes", "triggers":
        for record in topics.read("%s.%s" % (app, topic)):
            found[topic, record.key].append(re.sub(rb'"messageId":"[0-9a-f]{32}",', b"", record.value, count=1))
    return found


def transactions_were_cut_short(run):
    """That there is something to see: readers that do not ask for read_committed
    see what no committed transaction holds."""
    seen = len(run.topics.read("segmentd.triggers", committed=False))
    aborted = seen - len(run.topics.read("segmentd.triggers"))
    print("         %d of %d triggers were written in transactions that nobody committed" % (aborted, seen))
    assert aborted > 100, aborted


if __name__ == "__main__":
    with Cluster() as servers:
        # Small transactions, so that a kill finds some behind and some before it;
        # small slices of users early, so that it finds some written and some not.
        job = Job(servers, slices=Killer.LIVES + 1, failpoints=True, instance_id="one", transaction_events=500,
                  flush_interval="200ms", flush_users=50, properties={"session.timeout.ms": 6000})
        job.killer = Killer(job)
        sys.exit(suite.run(job, [
            it_is_killed_at_work_in_transactions_and_in_restores, then_it_works_off_the_rest,
            Job.changes_and_triggers_equal_the_oracle, nothing_was_bad_nothing_repaired,
            transactions_were_cut_short, Job.redis_equals_the_oracle, every_word_is_that_of_an_undisturbed_run]))
