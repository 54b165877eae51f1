#!/usr/bin/python3
"""Twenty years of real behaviour through a real broker: segmentd and `segmentctl
replay` must say the same of every person, change by change: segment, member,
instants, seq, cause, evidence, and the message that decided.

replay is one log and one clock, segmentd has a clock per partition: so each
partition ends with a message of somebody outside the comparison, dated as replay's
--until, by which all timers fire.  tests/process/git_history_sql.py compares replay
with a computation that shares nothing with either."""

import collections
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import git_history
import judge
import records
import suite
from cluster import Cluster

TOPIC, PARTITIONS = "git-history", 6
Change = collections.namedtuple("Change", "segment member at entered_at seq cause evidence triggers message")


def change_of(value):
    """(user, Change) of one JSON change."""
    body = json.loads(value)
    p = body["properties"]
    return body["userId"], Change(
        p["segment"], p["member"], body["timestamp"], p["entered_at"], p["seq"], p["cause"],
        json.dumps(p["evidence"], sort_keys=True), p["triggers"], body["context"].get("source", {}).get("messageId"))


def by_user(values):
    """{user: [Change]} of JSON changes."""
    found = collections.defaultdict(list)
    for value in values:
        user, change = change_of(value)
        found[user].append(change)
    return found


def closing(partition):
    """The row that ends PARTITION."""
    user = next(u for u in ("closing-%d" % i for i in range(10000))
                if records.partition_of(u, PARTITIONS) == partition)
    message = {"type": "identify", "userId": user, "timestamp": git_history.UNTIL, "traits": {"plan": "none"}}
    return partition, user, json.dumps(message), records.parse_ms(git_history.UNTIL)


def rows():
    for user, ms, line in records.events(git_history.EVENTS):
        yield records.partition_of(user, PARTITIONS), user, line, ms
    for partition in range(PARTITIONS):
        yield closing(partition)


class Both:
    def __init__(self, servers):
        self.servers, self.kafka = servers, servers.kafka()
        self.topics = self.kafka.topics
        self.topics.create_history(TOPIC, PARTITIONS)
        self.messages = self.topics.produce(TOPIC, rows()) - PARTITIONS
        print("         %d messages in %d partitions" % (self.messages, PARTITIONS))


def segmentd_works_it_off(both):
    text = conf.text([git_history.SEGMENTS], [TOPIC], both.kafka.address, clock="records", workers=2)
    both.servers.ctl("topics", "create", "--conf", both.servers.path("topics.conf", text))
    daemon = both.servers.segmentd(text)
    judge.wait_committed(daemon, both.topics, [TOPIC])
    daemon.wait_metric("segmentd_events_total", lambda n: n == both.messages + PARTITIONS, 5)
    both.coarse = daemon.metric("segmentd_coarse_features_total")
    suite.equal(daemon.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(daemon.terminate(), 0)
    written = both.topics.read("segmentd.changes")
    suite.equal({record.partition for record in written}, set(range(PARTITIONS)))
    for record in written:
        judge.check_record("segmentd", "change", record, json.loads(record.value), PARTITIONS)
    both.got = by_user(record.value for record in written)
    suite.equal(both.topics.read("segmentd.dead-letters"), [])


def replay_says_the_same_of_everybody(both):
    both.want = by_user(git_history.replay(both.servers.folder))
    judge.same(both.got, both.want, "changes")


def that_was_much(both):
    changes = [change for mine in both.got.values() for change in mine]
    causes = collections.Counter(change.cause for change in changes)
    sizes = collections.Counter((change.segment, change.member) for change in changes)
    print("         %d changes of %d people: %s" % (
        len(changes), len(both.got), ", ".join("%d by %s" % (n, cause) for cause, n in causes.most_common())))
    print("         %d features went beyond the exact limit, in both alike" % both.coarse)
    suite.equal(len({segment for segment, _ in sizes}), 12)
    assert min(sizes.values()) >= 40, sizes
    assert len(both.got) > 2000 and causes["timer"] > 1000 and causes["event"] > 1000, causes
    assert sum(change.evidence != "[]" for change in changes) > 1000


def a_difference_of_any_kind_would_be_seen(both):
    user, mine = max(both.want.items(), key=lambda item: (len(item[1]), item[0]))
    for field in Change._fields:
        for bad in mine[:-1], mine + mine[-1:], [mine[0]._replace(**{field: "another"})] + mine[1:]:
            suite.raises(AssertionError, lambda: judge.same({user: bad}, {user: mine}, "changes"))
    judge.same({user: mine}, {user: list(mine)}, "changes")


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(Both(here), [
            segmentd_works_it_off, replay_says_the_same_of_everybody, that_was_much,
            a_difference_of_any_kind_would_be_seen]))
