#!/usr/bin/python3
"""New segments are filled from the past: history of many users, a catalogue that asks
for little of it, then one that asks for windows, sums, funnels and attributes nobody
counted.  Another app has that one from the start: both must end alike, exactly once,
though the first is killed again and again on the way and events keep coming."""

import collections
import json
import os
import random
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import judge
import suite
from cluster import Cluster, until
from wire import Protocol

PARTITIONS, USERS, EVENTS = 4, 400, 12000
INPUTS = ["app", "web"]
DAY = 86400000
BEFORE = 'segment busy { when did "Used" at least 3 times in 7d }\n'
AFTER = BEFORE + """
segment lapsed { when did not "Left" in 30d }
segment heavy { when did "Used" at least 5 times in 30d on enter trigger "hello" }
segment rich { when sum("Bought", total) >= 200 }
segment back { when did "Left" in 35d then "Used" within 2d }
segment roman { when user.address.city = "Rome" }
segment both { when in segment heavy and not in segment lapsed }
"""
KEYS = {line.split()[1] for line in AFTER.splitlines() if line.startswith("segment ")} - {"busy"}


def message(r, user, number):
    what = r.random()
    body = {"userId": user, "messageId": "m%d" % number}
    if what < 0.05:
        return {**body, "type": "identify", "traits": {"address": {"city": r.choice(("Rome", "Oslo", "Bonn"))}}}
    name = "Used" if what < 0.6 else "Bought" if what < 0.8 else "Left" if what < 0.84 else "Seen"
    return {**body, "type": "track", "event": name, "properties": {"total": r.randrange(200) / 4}}


class World:
    def __init__(self, cluster):
        self.cluster, self.kafka = cluster, cluster.kafka()
        self.topics = self.kafka.topics
        self.protocol = Protocol(self.kafka.address)
        self.random = random.Random(int(os.environ.get("SEED", "1")))
        self.sent = 0

    def history(self, inputs):
        """Some forty days of it; one message in twenty comes twice."""
        now, r = int(time.time() * 1000), self.random
        for name in inputs:
            self.topics.create_history(name, PARTITIONS)
            times = sorted(now - 600000 - int(r.random() * 40 * DAY) for _ in range(EVENTS // len(inputs)))
            rows = []
            for at in times:
                self.sent += 1
                user = "u%d" % r.randrange(USERS)
                rows += [(user, at, json.dumps(message(r, user, self.sent)).encode())] * (1 + (r.random() < 0.05))
            self.topics.produce_events(name, rows)

    def live(self, count, inputs):
        now, r = int(time.time() * 1000), self.random
        for name in inputs:
            rows = []
            for _ in range(count):
                self.sent += 1
                user = "u%d" % r.randrange(USERS + 50)
                rows.append((user, now, json.dumps(message(r, user, self.sent)).encode()))
            self.topics.produce_events(name, rows)

    def app(self, name, segments, inputs, **settings):
        """A daemon of the app NAME, not started before."""
        path = self.cluster.path(name + ".seg", segments)
        text = conf.text([path], inputs, self.kafka.address, app=name, workers=2, flush_interval="500ms",
                         flush_users=100, batch_events=200, instance_id=name,
                         properties={"session.timeout.ms": 6000}, **{"backfill": "on", **settings})
        self.cluster.ctl("topics", "create", "--conf", self.cluster.path(name + ".topics", text))
        daemon = self.cluster.segmentd(text, name=name, failpoints=True)
        daemon.wait_ready()
        return daemon, path

    def changes(self, app):
        """Those of APP, in order; none is missing, doubled or out of turn."""
        records = self.topics.read(app + ".changes")
        found = [{**json.loads(record.value), "partition": record.partition} for record in records]
        seqs, members, ids = collections.Counter(), set(), set()
        for body in found:
            p, user = body["properties"], body["userId"]
            seqs[user] += 1
            suite.equal(p["seq"], seqs[user], user)
            suite.equal(((user, p["segment"]) in members), not p["member"], user)
            members ^= {(user, p["segment"])}
            ids.add(body["messageId"])
        suite.equal(len(ids), len(found))
        return found, members

    def members(self, app):
        return self.changes(app)[1]


def reload_with(daemon, path, text):
    with open(path, "w") as out:
        out.write(text)
    request = urllib.request.Request(daemon.url + "/-/reload", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def restart(daemon, failpoints=""):
    daemon.kill()
    daemon.env["SEGMENTD_FAILPOINTS"] = failpoints
    daemon.start()


def filled(daemon):
    """All of it is published, and everybody judged."""
    last = [None]

    def done():
        last[0] = json.loads(daemon.http("/v1/segments")[1])
        return last[0]["complete"] and not last[0]["backfills"]

    daemon.wait_ready()
    until(done, lambda: "it is filled: %s" % last[0]["backfills"], 60, 0.1)
    daemon.wait_metric("segmentd_sweeping_partitions", lambda n: n == 0, 30)


def equal_in_the_end(world, one, other):
    """A window may be left between two looks."""
    last = [None]

    def alike():
        last[0] = world.members(one) ^ world.members(other)
        return not last[0]

    until(alike, lambda: "both know the same, but for %s" % sorted(last[0])[:10], 30, 0.5)


# What dies where, one after the other; each must be reached.
DEATHS = ("backfill_fold=kill@1500", "backfill_swap=kill@1", "backfill_swap=kill@2", "backfill_publish=kill@1",
          "backfill_publish=kill@3", "sweep_half=kill@1")


def what_nobody_counted_is_there_as_if_from_the_start(world):
    world.history(INPUTS)
    daemon, path = world.app("late", BEFORE, INPUTS)
    judge.wait_committed(daemon, world.topics, INPUTS, app="late", timeout=60)
    before = world.changes("late")[0]
    suite.equal({b["properties"]["segment"] for b in before}, {"busy"})
    world.before = collections.Counter(r.partition for r in world.topics.read("late.changes"))
    restart(daemon, DEATHS[0])
    daemon.wait_ready()
    reload_with(daemon, path, AFTER)
    more = threading.Event()
    feeding = threading.Thread(target=feed, args=(world, more))
    feeding.start()
    try:
        for death in DEATHS[1:] + ("",):
            until(lambda: not daemon.running(), "it dies", 60, 0.02)
            restart(daemon, death)
        filled(daemon)
    finally:
        more.set()
        feeding.join()
    judge.wait_committed(daemon, world.topics, INPUTS, app="late", timeout=60)
    world.late = daemon


def feed(world, enough):
    while not enough.wait(0.1):
        world.live(5, INPUTS)


def it_equals_one_that_had_them_from_the_start(world):
    world.fresh, _ = world.app("early", AFTER, INPUTS)
    judge.wait_committed(world.fresh, world.topics, INPUTS, app="early", timeout=60)
    equal_in_the_end(world, "late", "early")
    sizes = collections.Counter(key for _, key in world.members("late"))
    print("         %s" % dict(sizes))
    suite.equal(set(sizes), KEYS | {"busy"})


def its_changes_say_that_it_was_a_backfill(world):
    found, _ = world.changes("late")
    causes = collections.Counter((b["properties"]["cause"], b["properties"]["segment"]) for b in found)
    for key in KEYS:
        assert causes["backfill", key] > 0, (key, causes)
    assert not any(cause == "repair" for cause, _ in causes), causes
    assert not any(b["properties"]["triggers"] for b in found if b["properties"]["cause"] in ("backfill", "catalogue"))
    # Events went on, and were judged, between the reload and the last of the backfill.
    live = 0
    for p in range(PARTITIONS):
        mine = [b["properties"]["cause"] for b in found if b["partition"] == p][world.before[p]:]
        live += sum(cause in ("event", "attribute") for cause in mine[:-1 - mine[::-1].index("backfill")])
    assert live > 0
    print("         %d changes by live events before its end; %s" % (live, dict(collections.Counter(
        b["properties"]["cause"] for b in found))))
    suite.equal(world.late.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(world.late.metric("segmentd_backfill_remaining_records"), 0)


def both_go_on_alike(world):
    world.live(300, INPUTS)
    for app, daemon in (("late", world.late), ("early", world.fresh)):
        judge.wait_committed(daemon, world.topics, INPUTS, app=app, timeout=60)
    equal_in_the_end(world, "late", "early")
    restart(world.late)
    world.late.wait_ready()
    suite.equal(world.late.metric("segmentd_restore_repairs_total"), 0)
    time_of_rest(world.late)
    equal_in_the_end(world, "late", "early")
    suite.equal(world.late.metric("segmentd_backfills_total"), 0)  # There is nothing left to do.
    for daemon in (world.late, world.fresh):
        daemon.terminate()


def time_of_rest(daemon):
    daemon.wait_metric("segmentd_sweeping_partitions", lambda n: n == 0, 30)


def what_was_deleted_is_still_unknown(world):
    """Half of the past is gone: a window of 7 d is known, one of 60 d is warming, since then."""
    inputs = ["cut"]
    world.history(inputs)
    ends = world.topics.ends("cut")
    daemon, path = world.app("cutter", BEFORE, inputs)
    judge.wait_committed(daemon, world.topics, inputs, app="cutter", timeout=60)
    for p in range(PARTITIONS):
        world.protocol.delete_records("cut", p, ends[p] // 2)
    reload_with(daemon, path, BEFORE + 'segment week { when did not "Left" in 7d }\n'
                                       'segment long { when did not "Left" in 60d }\n')
    daemon.wait_metric("segmentd_backfills_total", lambda n: n == PARTITIONS, 30)
    filled(daemon)
    judge.wait_committed(daemon, world.topics, inputs, app="cutter", timeout=60)
    members = lambda: collections.Counter(key for _, key in world.members("cutter"))
    until(lambda: members()["week"] > USERS / 2, lambda: "they are in `week`: %s" % members(), 20, 0.5)
    suite.equal(members()["long"], 0)
    status, text = daemon.http("/v1/users/u1/explain?segment=long")
    suite.equal(status, 200)
    assert "null" in text, text
    daemon.terminate()


def what_is_compacted_or_not_wanted_is_not_read(world):
    world.topics.create("packed", PARTITIONS, cleanup_policy="compact")
    for name, inputs, settings in (("packer", ["packed"], {}), ("unwilling", ["app"], {"backfill": "off"})):
        daemon, path = world.app(name, BEFORE, inputs, **settings)
        if name == "packer":
            world.live(50, inputs)
        judge.wait_committed(daemon, world.topics, inputs, app=name, timeout=60)
        reload_with(daemon, path, AFTER)
        daemon.wait_metric("segmentd_sweeping_partitions", lambda n: n == 0, 30)
        if name == "packer":
            until(lambda: 'reason="an input is compacted"' in daemon.log(), "it says why", 10)
        judge.wait_committed(daemon, world.topics, inputs, app=name, timeout=60)
        time_of_rest(daemon)
        suite.equal(daemon.metric("segmentd_backfill_records_total"), 0)
        assert not any(b["properties"]["cause"] == "backfill" for b in world.changes(name)[0])
        daemon.terminate()


if __name__ == "__main__":
    with Cluster() as servers:
        sys.exit(suite.run(World(servers), [
            what_nobody_counted_is_there_as_if_from_the_start,
            it_equals_one_that_had_them_from_the_start,
            its_changes_say_that_it_was_a_backfill,
            both_go_on_alike,
            what_was_deleted_is_still_unknown,
            what_is_compacted_or_not_wanted_is_not_read,
        ]))
