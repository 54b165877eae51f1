#!/usr/bin/python3
"""`clock wall` on a real broker: people leave by timer, at the exact instant,
once, and never because somebody was slow.

Each story gives users of four kinds their events and lets something come in
between just when their timers are due: a pause after which one input is much
longer than the other, a SIGSTOP, a SIGSTOP after which somebody else has the
partitions, a transaction of a producer that stays open.  Whoever was kept in a
segment by an event that is there, but not read yet, must not leave.

    kind         events at      in the window of 4 s
    leaves       0              0 .. 4
    kept         0, 2.4         0 .. 6.4
    late         0, 1.6         0 .. 5.6, the second one arrives at 2.4
    back         0, 5.2         0 .. 4 and 5.2 .. 9.2

Judge: every change of every user, computed from his events alone."""

import collections
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import judge
import records
import suite
from cluster import Cluster, until

PARTITIONS, USERS = 4, 60  # Of each kind in each story.
WINDOW_MS, KEPT_MS, BACK_MS = 4000, 2400, 5200
SHORT, LONG = "short", "long"
YEAR_2099_MS = 4070908800000
FILLER = 150000  # Records of nobody that make the one input longer.
SEGMENTS = """
segment recent { when did "Used" in 4s }
segment quiet { when did "Used" and did not "Used" in 4s }
"""
# When the second event is dated, and when it arrives.
KINDS = {"leaves": None, "kept": (KEPT_MS, KEPT_MS), "late": (KEPT_MS - 800, KEPT_MS), "back": (BACK_MS, BACK_MS)}

Event = collections.namedtuple("Event", "ms arrival_ms source")


def now_ms():
    return int(time.time() * 1000)


def wait_for(ms):
    """Until the wall says MS."""
    while now_ms() < ms:
        time.sleep(0.005)


class World:
    def __init__(self, cluster):
        self.cluster = cluster
        self.kafka = cluster.kafka()
        self.topics = self.kafka.topics
        for name in (SHORT, LONG):
            self.topics.create(name, PARTITIONS, message_timestamp_after_max_ms=2 ** 63 - 1)
        self.segments = cluster.path("wall.seg", SEGMENTS)
        self.cluster.ctl("topics", "create", "--conf", cluster.path("topics.conf", self.conf("any")))
        self.events, self.ends = collections.defaultdict(list), collections.Counter()
        # Somebody's clock is wrong: the whole time this is no reason to leave.
        self.send(LONG, [(user, YEAR_2099_MS, YEAR_2099_MS) for user in AHEAD])
        self.one = self.segmentd("one")
        self.one.wait_ready()

    def conf(self, name, session_ms=45000):
        # Few records per turn: more is fetched than applied, and the wall is looked
        # at again and again meanwhile.
        return conf.text([self.segments], [SHORT, LONG], self.kafka.address, workers=2, process=name, batch_events=16,
                         flush_interval="1s", properties={"session.timeout.ms": session_ms})

    def segmentd(self, name, session_ms=45000):
        return self.cluster.segmentd(self.conf(name, session_ms), name=name)

    def send(self, topic, rows, producer=None):
        """ROWS of (user, date, arrival); all of them are events of their users."""
        out = []
        for user, ms, arrival_ms in rows:
            partition = records.partition_of(user, PARTITIONS)
            self.events[user].append(Event(ms, arrival_ms, (topic, self.ends[topic, partition])))
            self.ends[topic, partition] += 1
            out.append((partition, user, json.dumps({
                "type": "track", "event": "Used", "userId": user, "timestamp": records.text_ms(ms)}), arrival_ms))
        self.topics.produce(topic, out, producer=producer)

    def fill(self, topic, count, from_ms, to_ms):
        """COUNT records of nobody, evenly from FROM_MS to TO_MS."""
        rows = []
        for i in range(count):
            self.ends[topic, i % PARTITIONS] += 1
            rows.append((i % PARTITIONS, NOBODY[i % PARTITIONS], NOISE[i % PARTITIONS],
                         from_ms + (to_ms - from_ms) * i // count))
        self.topics.produce(topic, rows)

    def marker(self, topic, partition):
        """The broker put a marker of a transaction into the log."""
        self.ends[topic, partition] += 1

    def first(self, story):
        """The first event of everybody; when the first of them was."""
        start_ms = now_ms()
        wait_for(start_ms + USERS)
        self.send(SHORT, [("%s-%s-%d" % (story, kind, i), start_ms + i, start_ms + i)
                          for kind in KINDS for i in range(USERS)])
        return start_ms

    def second(self, story, start_ms, kind, topic=LONG, producer=None):
        dated, arrives = KINDS[kind]
        wait_for(start_ms + arrives + USERS)
        self.send(topic, [("%s-%s-%d" % (story, kind, i), start_ms + dated + i, start_ms + arrives + i)
                          for i in range(USERS)], producer)

    def until_over(self, start_ms):
        """Until the last timer of a story has fired and is written."""
        wait_for(start_ms + BACK_MS + WINDOW_MS + USERS)
        until(lambda: not self.inside(), lambda: "all have left, but not %s" % self.inside()[:5], 30, 0.1)

    def inside(self):
        """Who is in the segment `recent`, by the topic."""
        last = {}
        for record in self.topics.read("segmentd.changes"):
            p = json.loads(record.value)
            if p["properties"]["segment"] == "recent":
                last[p["userId"]] = p["properties"]["member"]
        return sorted(user for user, member in last.items() if member)


def of_each_partition(name):
    return [next(u for u in ("%s-%d" % (name, i) for i in range(1000)) if records.partition_of(u, PARTITIONS) == p)
            for p in range(PARTITIONS)]


NOBODY, AHEAD = of_each_partition("nobody"), of_each_partition("ahead")
NOISE = [json.dumps({"type": "track", "event": "Noise", "userId": user}) for user in NOBODY]


# ---- the judge ----------------------------------------------------------------

def expected(events):
    """[(segment, member, exact instant or None, source or None)] of one user
    whose EVENTS are in order of arrival; without an exact instant it is when the
    source was read."""
    found, due_ms = [], None
    for event in events:
        if due_ms is None or event.arrival_ms >= due_ms:
            if due_ms is not None:
                found += [("recent", False, due_ms, None), ("quiet", True, due_ms, None),
                          ("quiet", False, None, event.source)]
            found.append(("recent", True, None, event.source))
            due_ms = 0
        due_ms = max(due_ms, event.ms + WINDOW_MS)
    return found + [("recent", False, due_ms, None), ("quiet", True, due_ms, None)]


def judge_story(world, story):
    """All changes of the users of STORY are right; how late they were written."""
    found = collections.defaultdict(list)
    for record in world.topics.read("segmentd.changes"):
        body = json.loads(record.value)
        if body["userId"].startswith(story + "-"):
            found[body["userId"]].append((record, body))
    users = {user: events for user, events in world.events.items() if user.startswith(story + "-")}
    suite.equal(sorted(found), sorted(users))
    late = [lateness for user, events in users.items() for lateness in judge_user(user, found[user], events)]
    judge.check_sequences({user: [judge._change(body) for _, body in changes] for user, changes in found.items()})
    timers = sum(1 for changes in found.values() for _, body in changes if body["properties"]["cause"] == "timer")
    late.sort()
    print("         %d users, %d changes, %d of them by timer, written %d ms (median) to %d ms after they were due" % (
        len(users), sum(map(len, found.values())), timers, late[len(late) // 2], late[-1]))
    suite.equal(timers >= 2 * len(users), True)
    return late


def judge_user(user, changes, events):
    """His changes are those EVENTS make; how late the exits were written."""
    want, got, late = expected(events), [], []
    for record, body in changes:
        p, at_ms = body["properties"], records.parse_ms(body["timestamp"])
        source = body["context"].get("source")
        source = source and (source["topic"], source["offset"])
        exact = at_ms if p["cause"] == "timer" else None
        got.append((p["segment"], p["member"], exact, source if exact is None else None))
        where = "%s: %s" % (user, record.value.decode())
        # Written after it was true, and true by an event that had arrived.
        suite.equal(record.timestamp_ms >= at_ms, True, where)
        if exact is None:
            arrival_ms = next(e.arrival_ms for e in events if e.source == source)
            suite.equal(at_ms >= arrival_ms, True, where)
        elif not p["member"]:
            late.append(record.timestamp_ms - at_ms)
        if p["member"]:
            suite.equal(records.parse_ms(p["entered_at"]), at_ms, where)
    suite.equal(sorted(got, key=str), sorted(want, key=str), user)
    return late


def in_time(deadline_ms):
    """What the story needs done by DEADLINE_MS is done."""
    if now_ms() >= deadline_ms:
        raise AssertionError("the machine is too slow for this story: %d ms" % (now_ms() - deadline_ms))


# ---- stories --------------------------------------------------------------------

@suite.row(16)
def after_a_pause_one_input_is_much_longer(world):
    start_ms = world.first("pause")
    until(lambda: len(world.inside()) == USERS * len(KINDS), "all have entered", 4)
    suite.equal(world.one.terminate(), 0)
    # Much to read before the first record that matters.
    world.fill(LONG, FILLER, start_ms + 500, start_ms + KEPT_MS)
    for kind in ("late", "kept"):
        world.second("pause", start_ms, kind)
    wait_for(start_ms + BACK_MS)
    world.fill(LONG, FILLER // 3, start_ms + KEPT_MS + USERS, start_ms + BACK_MS)
    world.second("pause", start_ms, "back")
    began = time.monotonic()
    world.one.start()
    world.until_over(start_ms)
    print("         %d records in the one, %d in the other; ready again in %.1f s" % (
        FILLER * 4 // 3 + 3 * USERS, len(KINDS) * USERS, time.monotonic() - began))
    judge_story(world, "pause")


@suite.row(16)
def a_stopped_process_finds_timers_due(world):
    start_ms = world.first("stop")
    until(lambda: len(world.inside()) == USERS * len(KINDS), "all have entered", 4)
    world.one.freeze()
    frozen_ms = now_ms()
    in_time(start_ms + WINDOW_MS)
    wait_for(start_ms + KEPT_MS)
    world.fill(LONG, FILLER // 3, frozen_ms, start_ms + KEPT_MS)
    for kind in ("late", "kept"):
        world.second("stop", start_ms, kind)
    world.second("stop", start_ms, "back", topic=SHORT)
    suite.equal(len(world.inside()), USERS * len(KINDS), "nobody does anything meanwhile")
    world.one.thaw()
    world.until_over(start_ms)
    judge_story(world, "stop")
    suite.equal(world.one.metric("segmentd_losses_total"), 0)


@suite.row(3, 16)
def a_zombie_finds_timers_due_that_another_has_fired(world):
    """Two have the partitions; one is stopped for longer than the session."""
    suite.equal(world.one.terminate(), 0)
    daemons = [world.segmentd(name, session_ms=2000) for name in ("zombie", "heir")]
    for daemon in daemons:
        daemon.wait_ready()
        daemon.wait_metric("segmentd_partitions", lambda n: n == PARTITIONS / 2, 30)
    zombie, heir = daemons
    start_ms = world.first("zombie")
    until(lambda: len(world.inside()) == USERS * len(KINDS), "all have entered", 4)
    zombie.freeze()
    for kind in ("late", "kept"):
        world.second("zombie", start_ms, kind)
    in_time(start_ms + WINDOW_MS)
    heir.wait_metric("segmentd_partitions", lambda n: n == PARTITIONS, 30)
    world.second("zombie", start_ms, "back")
    zombie.thaw()
    zombie.wait_metric("segmentd_losses_total", lambda n: n > 0, 30)
    world.until_over(start_ms)
    late = judge_story(world, "zombie")
    # Those of the heir were not disturbed, and those of the zombie only for a while.
    suite.equal(late[len(late) // 2] < 1000, True, "median of the delays")
    for daemon in daemons:
        suite.equal(daemon.metric("segmentd_restore_repairs_total"), 0)
        suite.equal(daemon.terminate(), 0)
    world.one.start()
    world.one.wait_ready()


def an_open_transaction_holds_everybody(world):
    """What is in it may keep somebody: nobody leaves before it is decided."""
    producer = world.topics.producer(transactional_id="slow", transaction_timeout_ms=30000)
    producer.init_transactions(30)
    start_ms = world.first("open")
    producer.begin_transaction()
    for kind in ("late", "kept"):
        world.second("open", start_ms, kind, producer=producer)
    in_time(start_ms + WINDOW_MS)
    world.second("open", start_ms, "back", topic=SHORT)
    wait_for(start_ms + BACK_MS + 1000)
    suite.equal(len(world.inside()), USERS * len(KINDS), "nobody leaves")
    world.one.wait_metric("segmentd_merge_stalled_seconds", lambda s: s > 0, 10)
    producer.commit_transaction(30)
    for partition in range(PARTITIONS):
        world.marker(LONG, partition)
    world.until_over(start_ms)
    judge_story(world, "open")


@suite.row(16)
def what_is_dated_2099_counts_from_then_on(world):
    for user in AHEAD:
        status, text = world.one.http("/v1/users/" + user)
        suite.equal((status, json.loads(text)["memberships"]), (200, []), text)
    keys = {r.key.decode() for r in world.topics.read("segmentd.changes")}
    suite.equal(keys & set(AHEAD), set())


def nothing_was_repaired(world):
    suite.equal(world.one.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(world.topics.read("segmentd.dead-letters"), [])
    suite.equal(world.one.terminate(), 0)


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(World(here), [
            after_a_pause_one_input_is_much_longer, a_stopped_process_finds_timers_due,
            a_zombie_finds_timers_due_that_another_has_fired, an_open_transaction_holds_everybody,
            what_is_dated_2099_counts_from_then_on, nothing_was_repaired]))
