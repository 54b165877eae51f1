#!/usr/bin/python3
"""Where a partition begins that was never read, on a real broker: `start INSTANT`,
`start latest`, and each input with a start of its own.

The topics hold records before the instant, at it, after it, after it but dated
before, and bad ones among them.  A group nobody has heard of begins; it is killed
when it has committed for the first time (with `latest` nothing but where it begins),
more comes while it is dead, and it starts again, told to start earliest: where a
group once began it stays.  Nothing is flushed, so that a restore has to read the
inputs again from that same place.

Judge: who is in which segment by which record, computed from the records from the
first one on that is asked for.  The second of two events is the first if the one
before it is not."""

import collections
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import judge
import records
import suite
from cluster import Cluster

NOON_MS, HOUR_MS = 1735732800000, 3600000
INSTANT = "2025-01-01T12:00:00.000Z"
INPUTS, PARTITIONS = ("web", "app"), 3
SEGMENTS = """
segment once { when did "Used" }
segment twice { when did "Used" at least 2 times }
"""
# Of each partition: (record timestamp after noon, user); nobody is a bad record.
# Nothing of partition 1 is as late as noon, all of partition 2 is.
BEFORE = [(-2 * HOUR_MS, "early"), (-2 * HOUR_MS, None), (-1, "both"), (-1, "last")]
AFTER = [(0, "both"), (-HOUR_MS, "late"), (0, None), (1, "late"), (HOUR_MS, "fresh")]
FIRST = {0: BEFORE + AFTER, 1: BEFORE, 2: AFTER}

Row = collections.namedtuple("Row", "topic partition offset timestamp_ms user")


class World:
    def __init__(self, cluster):
        self.cluster, self.kafka = cluster, cluster.kafka()
        self.topics, self.rows = self.kafka.topics, []
        self.segments = cluster.path("start.seg", SEGMENTS)
        for topic in INPUTS:
            self.topics.create_history(topic, PARTITIONS)
            for partition, rows in FIRST.items():
                self.send(topic, partition, rows)

    def send(self, topic, partition, rows):
        out = []
        for after_ms, kind in rows:
            user = kind and "%s-%s-%d" % (kind, topic, partition)
            value = json.dumps({"type": "track", "event": "Used", "userId": user}) if user else "no json"
            self.rows.append(Row(topic, partition, self.end(topic, partition), NOON_MS + after_ms, user))
            out.append((partition, user or "bad", value, NOON_MS + after_ms))
        self.topics.produce(topic, out)

    def of(self, topic, partition):
        return [row for row in self.rows if (row.topic, row.partition) == (topic, partition)]

    def end(self, topic, partition):
        return len(self.of(topic, partition))

    def more(self, name):
        """Of each partition: somebody new, and again those who came before."""
        for topic in INPUTS:
            for partition in range(PARTITIONS):
                self.send(topic, partition, [(-HOUR_MS, name), (2 * HOUR_MS, "early"), (2 * HOUR_MS, "last"),
                                             (3 * HOUR_MS, None), (3 * HOUR_MS, "fresh")])

    def begins(self, topic, partition, start):
        """The offset at which START means to begin, now."""
        if start == "latest":
            return self.end(topic, partition)
        return next((row.offset for row in self.of(topic, partition) if start == "earliest" or
                     row.timestamp_ms >= records.parse_ms(start)), self.end(topic, partition))

    def expected(self, begins):
        """({user: [(segment, (topic, offset))]}, {(topic, partition, offset)} of
        the dead letters) with the rows from BEGINS on."""
        changes, letters = collections.defaultdict(list), set()
        for row in self.rows:
            if row.offset < begins[row.topic, row.partition]:
                continue
            if not row.user:
                letters.add((row.topic, row.partition, row.offset))
            elif len(changes[row.user]) < 2:
                changes[row.user].append((("once", "twice")[len(changes[row.user])], (row.topic, row.offset)))
        return dict(changes), letters

    def written(self, app):
        changes, letters = collections.defaultdict(list), []
        for record in self.topics.read(app + ".changes"):
            body = json.loads(record.value)
            source, p = body["context"]["source"], body["properties"]
            suite.equal((p["member"], p["seq"]), (True, len(changes[body["userId"]]) + 1), record)
            changes[body["userId"]].append((p["segment"], (source["topic"], source["offset"])))
        for record in self.topics.read(app + ".dead-letters"):
            h = {name: value.decode() for name, value in record.headers.items()}
            letters.append((h["topic"], int(h["partition"]), int(h["offset"])))
        suite.equal(len(letters), len(set(letters)), "dead letters, each once")
        return dict(changes), set(letters)


class App:
    """One application, and where its group begins with START {input: start}."""

    def __init__(self, world, name, start):
        self.world, self.name = world, name
        self.begins = {(topic, p): world.begins(topic, p, start[topic]) for topic in INPUTS for p in range(PARTITIONS)}
        text = conf.text([world.segments], INPUTS, world.kafka.address, app=name, instance_id=name, start=start,
                         partitioner="trust", clock="records", workers=1, flush_interval="1h")
        world.cluster.ctl("topics", "create", "--conf", world.cluster.path(name + "-topics.conf", text))
        self.daemon = world.cluster.segmentd(text, name=name)

    def is_right(self):
        """Who entered by now, and what is a dead letter; how many of both."""
        judge.wait_committed(self.daemon, self.world.topics, INPUTS, app=self.name, timeout=30)
        want, got = self.world.expected(self.begins), self.world.written(self.name)
        judge.same(got[0], want[0], "changes")
        suite.equal(got[1], want[1], "dead letters")
        return sum(map(len, got[0].values())), len(got[1])

    def goes_on_from_there(self):
        """Killed and told another start; what came meanwhile is there, no more."""
        world, daemon = self.world, self.daemon
        suite.equal(daemon.kill(), -9)
        world.more("meanwhile-" + self.name)
        with open(daemon.conf_path) as source:
            text = source.read()
        for start in INSTANT, "latest":
            text = text.replace("start " + start, "start earliest")
        with open(daemon.conf_path, "w") as out:
            out.write(text)
        daemon.start()
        meanwhile = self.is_right()
        world.more("then-" + self.name)
        then = self.is_right()
        daemon.wait_metric("segmentd_restores_total", lambda n: n == PARTITIONS, 10)
        suite.equal(daemon.metric("segmentd_restore_repairs_total"), 0)
        suite.equal(daemon.terminate(), 0)
        return meanwhile, then


def works(world, name, start):
    """What App NAME has written at first, after it was killed, in the end."""
    app = App(world, name, start)
    counts = (app.is_right(), *app.goes_on_from_there())
    print("         begins at %s" % ", ".join("%s[%d]@%d" % (*place, at) for place, at in app.begins.items()))
    print("         changes and dead letters: %d and %d, then %d and %d, then %d and %d" % sum(counts, ()))
    suite.equal(counts[0] < counts[1] < counts[2], True, counts)
    return app, counts


def from_an_instant_on(world):
    """In a partition without a record as late: with what comes."""
    app, counts = works(world, "instant", dict.fromkeys(INPUTS, INSTANT))
    suite.equal(app.begins, {(topic, p): at for topic in INPUTS for p, at in ((0, 4), (1, 4), (2, 0))})
    # Once both, fresh and late, and late again; of two partitions and inputs.
    suite.equal(counts[0], (4 * 4, 4))


def from_what_comes_next(world):
    app, counts = works(world, "latest", dict.fromkeys(INPUTS, "latest"))
    suite.equal((min(app.begins.values()) > 0, counts[0]), (True, (0, 0)))


def each_input_from_where_it_says(world):
    app, counts = works(world, "each", {"web": "earliest", "app": "latest"})
    suite.equal((app.begins["web", 0], app.begins["app", 0] > 0, counts[0] > (0, 0)), (0, True, True))


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(World(here), [from_an_instant_on, from_what_comes_next, each_input_from_where_it_says]))
