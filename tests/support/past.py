"""past.py: a history for processes that come and go while it is written, and what
must come of any beginning of it.

Of what is not there from the beginning all is in the first topic, and what is there
of the second ends long before: whoever reads the rest as it comes merges it as if
all had been there.  So with `clock records` the outputs are a function of how far
the inputs have been written, and one run of the oracle judges every moment of it."""

import collections
import itertools
import json
import os
import random
import threading

import cluster
import history
import judge
import records

SEGMENTS = os.path.join(cluster.ROOT, "tests", "data", "core.seg")
BAD = ('{"type":"track"', "[1, 2]", '{"type":"track","event":"Goal Used"}', "\x00", "nonsense")


class Past:
    """EVENTS records in PARTITIONS partitions, THERE of them from the beginning; of
    the others every POISON-th is none that anybody could use (0: all are good)."""

    def __init__(self, seed, events, partitions, there, poison=0):
        past = history.History(seed, events, partitions)
        self.partitions, self.there = partitions, there
        ends, ids, r = collections.Counter(), {}, random.Random(seed)
        for i, row in enumerate(past.rows):
            topic = row.topic if i < there // 2 else history.TOPICS[0]
            value = row.value if i >= there // 2 else with_id(row, ids)
            if poison and i > there and i % poison == 0:
                value = r.choice(BAD)
            past.rows[i] = row._replace(topic=topic, offset=ends[topic, row.partition], value=value)
            ends[topic, row.partition] += 1
        self.rows, self.expected = past.rows, judge.Expected(SEGMENTS, past.merged())
        self._lock = threading.Lock()

    def after(self, count):
        """What must stand there when the first COUNT rows have been worked off."""
        with self._lock:
            expected = self.expected, self.expected.changes  # One computes, others wait.
        return Beginning(expected[0], self.rows[:count], self.partitions)


def with_id(row, ids):
    """The message of ROW; in the second topic with the id of the last one of its user in
    the first, IDS: that says nothing, ids are those of a topic."""
    message = json.loads(row.value)
    if row.topic == history.TOPICS[0]:
        ids[row.user] = message.get("messageId")
    elif ids.get(row.user):
        message["messageId"] = ids.pop(row.user)
        return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    return row.value


class Beginning:
    """What EXPECTED says of the first ROWS alone; the attributes of judge.Expected."""

    def __init__(self, expected, rows, partitions):
        self._ends, self._clocks = collections.Counter(), {}
        self._partitions = partitions
        for row in rows:
            self._ends[row.topic, row.partition] += 1
            self._clocks[row.partition] = max(row.timestamp_ms, self._clocks.get(row.partition, row.timestamp_ms))
        self.changes, self.triggers, self.memberships = {}, {}, {}
        for user, changes in expected.changes.items():
            self._add(user, changes, expected.triggers.get(user, []))
        self.dead_letters = {place: reason for place, reason in expected.dead_letters.items()
                             if place[2] < self._ends[place[:2]]}

    def _add(self, user, changes, triggers):
        partition = records.partition_of(user, self._partitions)
        mine = list(itertools.takewhile(lambda change: self._has(partition, change), changes))
        if not mine:
            return
        self.changes[user] = mine
        fired = triggers[:sum(len(change.triggers) for change in mine)]
        if fired:
            self.triggers[user] = fired
        inside = folded(mine)
        if inside:
            self.memberships[user] = inside

    def _has(self, partition, change):
        """A record was read, or the clock went past an instant."""
        if change.source:
            return change.source[1] < self._ends[change.source[0], partition]
        return records.parse_ms(change.at) <= self._clocks.get(partition, -1)


def folded(changes):
    """{segment: entered_at in ms} after CHANGES of one user."""
    inside = {}
    for change in changes:
        if change.member:
            inside[change.segment] = records.parse_ms(change.entered_at)
        else:
            inside.pop(change.segment, None)
    return inside


def plain_source(app, what):
    """WHAT, with the name that its topic, prefixed with APP, has in the history."""
    if not what.source:
        return what
    return what._replace(source=(what.source[0].removeprefix(app + "-"), *what.source[1:]))
