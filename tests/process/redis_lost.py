#!/usr/bin/python3
"""Redis emptied, stopped, restarted empty and frozen while the history of exact.py
is worked off: Kafka does not notice, the metrics do, and the view ends as the oracle
says.  tests/process/view.py has the other half: live traffic, several processes."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import suite
from cluster import Cluster, until
from job import Job, PARTITIONS

# Each transaction waits a little and is small, so that work lasts for long enough
# to do all this to Redis meanwhile.
SLOW = "begin=sleep 80"


def reach(run, share):
    """Until SHARE of the history is applied, however Redis is."""
    until(lambda: run.applied() >= share, "%.0f %% are applied" % (100 * share), 60, 0.1)


def still_at_work(run, what):
    share = run.applied()
    print("         %s after %.0f %% of the events" % (what, 100 * share), flush=True)
    assert share < 0.95, "too late to prove anything"


def is_rebuilt(run, before):
    run.daemon.wait_metric("segmentd_redis_rebuilds_total", lambda n: n >= before + PARTITIONS, 20)


def it_starts(run):
    run.feed(all_of_it=True)
    run.start(SLOW)
    run.daemon.wait_ready()
    reach(run, 0.05)


@suite.row(15)
def emptied_it_is_filled_again(run):
    before, client = run.daemon.metric("segmentd_redis_rebuilds_total"), run.redis.client()
    assert client.dbsize() > 100
    client.flushall()
    client.hset("segmentd:user:ghost", "everybody", 1)
    still_at_work(run, "emptied")
    is_rebuilt(run, before)
    until(lambda: not client.exists("segmentd:user:ghost"), "the ghost is gone", 10)
    still_at_work(run, "rebuilt")


@suite.row(15)
def stopped_it_is_not_waited_for(run):
    begun, changes = run.applied(), sum(run.topics.ends("segmentd.changes", committed=True).values())
    run.redis.kill()
    still_at_work(run, "stopped")
    run.daemon.wait_metric("segmentd_redis_up", lambda up: up == 0, 10)
    reach(run, begun + 0.15)
    run.daemon.wait_metric("segmentd_redis_lag_seconds", lambda s: s > 0, 10)
    suite.equal(run.daemon.http("/readyz")[0], 200, "Redis away is no reason not to be ready")
    more = sum(run.topics.ends("segmentd.changes", committed=True).values()) - changes
    print("         %d changes were committed without Redis" % more)
    assert more > 10000, more


@suite.row(15)
def restarted_empty_it_is_filled_again(run):
    before = run.daemon.metric("segmentd_redis_rebuilds_total")
    run.redis.start()
    suite.equal(run.redis.client().exists("segmentd:position:0"), 0)
    still_at_work(run, "restarted")
    run.daemon.wait_metric("segmentd_redis_up", lambda up: up == 1, 20)
    is_rebuilt(run, before)
    still_at_work(run, "rebuilt")


@suite.row(15)
def frozen_it_is_not_waited_for(run):
    begun = run.applied()
    run.redis.freeze()
    still_at_work(run, "frozen")
    reach(run, begun + 0.1)
    run.redis.thaw()


def everything_is_worked_off(run):
    run.wait_done()
    run.nothing_was_bad()
    suite.equal(run.daemon.metric("segmentd_restore_repairs_total"), 0)


@suite.row(15)
def redis_is_current_again(run):
    run.daemon.wait_metric("segmentd_redis_lag_seconds", lambda s: s == 0, 10)
    suite.equal(run.daemon.metric("segmentd_redis_up"), 1)
    until(lambda: run.redis.client().exists("segmentd:heartbeat"), "the heartbeat", 5)


if __name__ == "__main__":
    with Cluster() as servers:
        sys.exit(suite.run(Job(servers, failpoints=True, transaction_events=500, batch_events=512), [
            it_starts, emptied_it_is_filled_again, stopped_it_is_not_waited_for, restarted_empty_it_is_filled_again,
            frozen_it_is_not_waited_for, everything_is_worked_off, Job.changes_and_triggers_equal_the_oracle,
            Job.redis_equals_the_oracle, redis_is_current_again]))
