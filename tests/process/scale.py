#!/usr/bin/python3
"""Several processes of one application on a real broker: more of them and fewer
under load, one after the other restarted, killed, stopped and woken.

Each story is an application of its own that lives through the same history, part
of which is there before and the rest of which comes while processes come and go.
With `clock records` the changes are a function of the input, so however often the
partitions moved meanwhile, the oracle of one undisturbed run judges them all, and
Redis.

The last stories need quiet partitions and have an input of their own."""

import collections
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import history
import judge
import records
import suite
from cluster import Cluster, until
from fleet import Fleet
from past import SEGMENTS, Past, plain_source

EVENTS, RATE = 30000, 1000
# Leaves time to find a transaction open.
SLOW = "before_commit=sleep 30"
# As slow, and before a commit it waits for a file before_commit.go.
HELD = "begin=sleep 30,before_commit=barrier"
# Far more than anything may take that does not wait for it.
SESSION_MS, SHORT_MS, STORM_MS = 30000, 3000, 1500
REBALANCE = ["assign=kill", "restore_committed=kill", "restore_state_half=kill@20", "restore_redo_half=kill@5",
             "restore_redo_end=kill", "seek=kill@2"]
QUIET_SEGMENT = 'segment eager { when did "Used" at least 3 times }\n'


class Feeder(threading.Thread):
    """Writes the rest of PAST, RATE records a second until it is told to hurry."""

    def __init__(self, topics, past, topic, rate):
        super().__init__(daemon=True)
        self.topics, self.topic, self.rows, self.rate = topics, topic, past.rows[past.there:], rate
        self.hurry, self.error = threading.Event(), None

    def run(self):
        try:
            self.topics.produce(self.topic, self._paced())
        except Exception as error:
            self.error = error

    def _paced(self):
        began = time.monotonic()
        for i, row in enumerate(self.rows):
            late = began + i / self.rate - time.monotonic()
            if late > 0.02:
                self.hurry.wait(late)
            yield row.partition, row.user, row.value, row.timestamp_ms

    def end(self):
        """All is written."""
        self.hurry.set()
        self.join()
        if self.error:
            raise self.error


class World:
    def __init__(self, servers):
        self.servers = servers
        self.kafka, self.redis = servers.kafka(), servers.redis()
        self.topics = self.kafka.topics
        seed = int(os.environ.get("SEED", "20250101"))
        self.past, self.wide = (Past(seed, EVENTS, partitions, EVENTS // 5) for partitions in (8, 64))

    def fleet(self, app, past, session_ms=SESSION_MS, rate=RATE):
        """An application, with what is there of PAST; the rest begins to come when
        fleet.feeder is started."""
        inputs = ["%s-%s" % (app, topic) for topic in history.TOPICS]
        for plain, name in zip(history.TOPICS, inputs):
            self.topics.create_history(name, past.partitions)
            self.topics.produce(name, ((r.partition, r.user, r.value, r.timestamp_ms)
                                       for r in past.rows[:past.there] if r.topic == plain))
        fleet = Fleet(self.servers, self.kafka, self.redis, app, SEGMENTS, inputs, past.partitions, session_ms,
                      flush_interval="500ms")
        fleet.feeder = Feeder(self.topics, past, inputs[0], rate)
        return fleet

    def judge(self, fleet, past):
        """Nothing is missing, nothing twice, nothing was repaired, nothing is bad."""
        fleet.feeder.end()
        fleet.wait_done()
        nothing_repaired(fleet)
        written = judge.Written(self.topics, fleet.app)
        for found in written.changes, written.triggers:
            for user, mine in found.items():
                found[user] = [plain_source(fleet.app, what) for what in mine]
        judge.compare(past.expected, written)
        judge.redis_agrees(self.redis.client(), past.expected, fleet.app)
        suite.equal(self.topics.read(fleet.app + ".dead-letters"), [])
        fleet.end()


def nothing_repaired(fleet):
    for daemon in fleet.daemons.values():
        if daemon.running():
            suite.equal(daemon.metric("segmentd_restore_repairs_total"), 0, daemon.name)


def contiguous(shares):
    """Of `range`: each has neighbouring partitions, all of them about as many."""
    sizes = [len(share) for share in shares.values()]
    assert max(sizes) - min(sizes) <= 1, shares
    for share in shares.values():
        suite.equal(share, list(range(share[0], share[0] + len(share))), shares)


def under_load(fleet):
    """What was done until now was done under load, and so is what comes next."""
    assert fleet.feeder.is_alive(), "the load was over too early"


# ---- more and fewer ---------------------------------------------------------------

def grow_and_shrink(world, app, past):
    """1 -> 3 -> 1; seconds from SIGTERM until the others run everything."""
    fleet = world.fleet(app, past)
    one = fleet.start("1")
    fleet.own_all("1")
    fleet.feeder.start()
    began = time.monotonic()
    fleet.start("2")
    fleet.start("3")
    contiguous(fleet.own_all("1", "2", "3"))
    joined, took = time.monotonic() - began, []
    for name in "2", "3":
        fleet.daemons[name].wait_metric("segmentd_events_total", lambda n: n > 500)
    for name, rest in ("2", ["1", "3"]), ("3", ["1"]):
        under_load(fleet)
        began = time.monotonic()
        suite.equal(fleet.daemons[name].terminate(), 0)
        exited = time.monotonic() - began
        contiguous(fleet.own_all(*rest))
        took.append(time.monotonic() - began)
        assert took[-1] < SESSION_MS / 1000 / 3, "it waits for the session timeout: %s" % took
    under_load(fleet)
    one.wait_metric("segmentd_warm_hits_total", lambda n: n > 0, 5)  # What stays is not restored.
    print("         two more processes work after %.1f s; one that ends is replaced after %s, %.1f s of it until it "
          "had ended; %d restores, %d of them warm" % (
              joined, " and ".join("%.1f s" % s for s in took), exited,
              one.metric("segmentd_restores_total"), one.metric("segmentd_warm_hits_total")))
    world.judge(fleet, past)


@suite.row(9)
def one_three_one_on_8_partitions(world):
    grow_and_shrink(world, "grow", world.past)


@suite.row(9)
def one_three_one_on_64_partitions(world):
    grow_and_shrink(world, "wide", world.wide)


# ---- static members -----------------------------------------------------------------

class Witness:
    """That no rebalance came to the daemons of FLEET that live, but WITHOUT."""

    def __init__(self, fleet, without):
        self.fleet = fleet
        self.others = {name: d for name, d in fleet.daemons.items() if d.running() and name not in without}
        self.generation, self.counts = fleet.generation(), self._counts()

    def _counts(self):
        return {name: [daemon.metric("segmentd_%s_total" % what) for what in ("assignments", "revocations", "losses")]
                for name, daemon in self.others.items()}

    def nothing_moved(self):
        suite.equal(self._counts(), self.counts, "assignments, revocations, losses of the others")
        suite.equal(self.fleet.generation(), self.generation, "generation of the group")


@suite.row(9)
def three_are_restarted_without_a_rebalance(world):
    fleet = world.statics = world.fleet("static", world.past, rate=RATE // 2)
    for name in "a", "b", "c":
        fleet.start(name, instance_id=name)
    shares = fleet.own_all("a", "b", "c")
    fleet.feeder.start()
    times = []
    for name in "a", "b", "c":
        under_load(fleet)
        witness, began = Witness(fleet, name), time.monotonic()
        suite.equal(fleet.daemons[name].terminate(), 0)
        fleet.start(name)
        suite.equal(fleet.own_all("a", "b", "c"), shares, "who has what")
        times.append(time.monotonic() - began)
        witness.nothing_moved()
    print("         generation %d all the time; partitions stood still for %s" % (
        witness.generation, ", ".join("%.1f s" % s for s in times)))
    assert max(times) < SESSION_MS / 1000 / 3, times


@suite.row(10)
def the_older_of_two_with_one_instance_id_ends_with_75(world):
    """With one name for transactions too, and with names of their own."""
    fleet = world.statics
    by_name, by_instance = "another process has our transactional id", "another process uses this instance id"
    for name, older, process, said in ("a2", "a", "a", (by_name, by_instance)), ("b2", "b", "other", (by_instance,)):
        under_load(fleet)
        witness = Witness(fleet, older)
        fleet.start(name, process=process, instance_id=older)
        suite.equal(fleet.daemons[older].wait(30), 75)
        log = fleet.daemons[older].log()
        assert any(words in log for words in said), log[-2000:]
        fleet.own_all(name, *witness.others)
        witness.nothing_moved()
    under_load(fleet)
    world.judge(fleet, world.past)


# ---- killed, stopped ----------------------------------------------------------------

def freeze_in_a_transaction(fleet, name):
    """Stop NAME, which is HELD, while it has a transaction open that it has not asked
    to commit; the places of the changes in it."""
    daemon, topic = fleet.daemons[name], fleet.app + ".changes"
    go, reached = (fleet.servers.path("before_commit." + end) for end in ("go", "reached"))
    for _ in range(50):
        daemon.thaw()
        mine = fleet.own_all(name, *(n for n in fleet.daemons if n != name))[name]
        daemon.freeze()
        os.remove(go)
        os.remove(reached)
        daemon.thaw()
        until(lambda: os.path.exists(reached), name + " is about to commit", 10, 0.01)
        daemon.freeze()
        fleet.servers.path("before_commit.go", "")  # Once it goes on.
        stable = fleet.topics.ends(topic, committed=True)
        found = [(r.partition, r.offset) for r in fleet.topics.read(topic, committed=False, start=stable)
                 if r.partition in mine]
        if found:
            return found
    raise AssertionError("never in a transaction")


@suite.row(1, 2)
def one_of_three_is_killed_another_sleeps_through_its_session(world):
    fleet = world.fleet("hurt", world.past, SHORT_MS)
    world.servers.path("before_commit.go", "")
    killed, sleeper, heir = (fleet.start(name, HELD if name == "sleeper" else SLOW)
                             for name in ("killed", "sleeper", "heir"))
    fleet.own_all("killed", "sleeper", "heir")
    fleet.feeder.start()
    for daemon in killed, sleeper, heir:
        daemon.wait_metric("segmentd_events_total", lambda n: n > 500)
    warm, restores = (sleeper.metric("segmentd_%s_total" % what) for what in ("warm_hits", "restores"))
    pending = freeze_in_a_transaction(fleet, "sleeper")
    began = time.monotonic()
    killed.kill()
    fleet.own_all("heir")
    took = time.monotonic() - began
    under_load(fleet)
    sleeper.thaw()
    began = time.monotonic()
    sleeper.wait_metric("segmentd_losses_total", lambda n: n == 1)
    assert "thrown out of the group" in sleeper.log()
    share = fleet.own_all("sleeper", "heir")["sleeper"]
    woken = time.monotonic() - began
    sleeper.wait_metric("segmentd_restores_total", lambda n: n == restores + len(share), 5)
    suite.equal(sleeper.metric("segmentd_warm_hits_total"), warm, "it dropped its state")
    print("         the heir runs everything %.1f s after the kill, with sessions of %.0f s; the sleeper works %.1f s "
          "after it woke" % (took, SHORT_MS / 1000, woken))
    world.judge(fleet, world.past)
    committed = {(r.partition, r.offset) for r in world.topics.read("hurt.changes")}
    assert not committed & set(pending), "what the sleeper had in a transaction was committed after all"


@suite.row(1, 9)
def others_are_killed_in_the_middle_of_a_rebalance(world):
    """Each dies by itself, with partitions that are its own but not running yet, or
    that it is to give back."""
    fleet = world.fleet("storm", world.past, STORM_MS, rate=RATE // 2)
    fleet.start("1")
    fleet.own_all("1")
    fleet.feeder.start()
    for point in REBALANCE:
        suite.equal(fleet.start("2", point).wait(), -9, point)
        fleet.own_all("1")
    victim = fleet.start("2", "revoke=kill")
    fleet.own_all("1", "2")
    fleet.start("3")
    suite.equal(victim.wait(), -9)
    fleet.own_all("1", "3")
    under_load(fleet)
    world.judge(fleet, world.past)


# ---- kept, and dropped -----------------------------------------------------------------

class Quiet:
    """An application where nothing happens but what it is told."""

    def __init__(self, world):
        self.world, self.topics, self.input, self.rows = world, world.topics, "quiet-events", []
        self.topics.create_history(self.input, 8)
        self.segments = world.servers.path("quiet.seg", QUIET_SEGMENT)
        self.fleet = Fleet(world.servers, world.kafka, world.redis, "quiet", self.segments, [self.input], 8, SHORT_MS,
                           flush_interval="100ms")
        self.users = collections.defaultdict(list)
        for name in ("user-%d" % i for i in range(64)):
            self.users[records.partition_of(name, 8)].append(name)

    def feed(self, *partitions):
        """An event of each user of PARTITIONS; all of it is committed, and flushed."""
        for p in partitions:
            for user in self.users[p]:
                self.rows.append(history.Row(
                    self.input, p, sum(r.partition == p for r in self.rows), history.BASE_MS + 1000 * len(self.rows),
                    user, json.dumps({"type": "track", "event": "Used", "userId": user})))
        fresh = [r for r in self.rows if r.partition in partitions][-sum(len(self.users[p]) for p in partitions):]
        self.topics.produce(self.input, ((r.partition, r.user, r.value, r.timestamp_ms) for r in fresh))
        self.fleet.wait_done()
        last = {}
        until(lambda: self.is_flushed(last), lambda: "nobody is dirty after the last transaction: %s" % last)

    def is_flushed(self, last):
        """Whether it was measured after the last transaction of each partition, that
        all is written: what is measured is up to a second old."""
        last.clear()
        for daemon in self.fleet.daemons.values():
            if daemon.running():
                last.update(self.measured(daemon.metrics()))
        want = {p: (int(text.split(":")[1]), 0) for p, text in self.fleet.metadata().items()}
        return last == want

    @staticmethod
    def measured(metrics):
        """{partition: (its last transaction, dirty users)}"""
        txn, dirty = ({int(name.split('"')[1]): int(value) for name, value in metrics.items()
                       if name.startswith("segmentd_%s{" % what)} for what in ("partition_txn", "dirty_users"))
        return {p: (txn[p], dirty[p]) for p in txn}

    def counts(self, name):
        """Restores of process NAME, and how many of them were warm."""
        return [self.fleet.daemons[name].metric("segmentd_%s_total" % what) for what in ("restores", "warm_hits")]

    def counted(self, name, restores, warm):
        """Until NAME has RESTORES; WARM of them were."""
        until(lambda: self.counts(name)[0] >= restores, lambda: "%s, wanted %s" % (self.counts(name), restores), 10)
        suite.equal(self.counts(name), [restores, warm], name + ": restores, warm ones")


def what_comes_back_is_warm_if_nobody_committed(world):
    quiet = world.quiet = Quiet(world)
    fleet = quiet.fleet
    fleet.start("1")
    fleet.own_all("1")
    quiet.feed(*range(8))
    before = fleet.metadata()
    fleet.start("2")
    suite.equal(fleet.own_all("1", "2"), {"1": [0, 1, 2, 3], "2": [4, 5, 6, 7]})
    suite.equal(fleet.daemons["2"].terminate(), 0)
    fleet.own_all("1")
    suite.equal(fleet.metadata(), before, "nobody committed")
    # Eight at first; then the four that stayed; then all.
    quiet.counted("1", 8 + 4 + 8, 4 + 8)


def what_comes_back_is_restored_if_somebody_committed(world):
    quiet, fleet = world.quiet, world.quiet.fleet
    restores, warm = quiet.counts("1")
    fleet.start("2")
    fleet.own_all("1", "2")
    before = fleet.metadata()
    quiet.feed(0, 5, 7)  # One that stays where it is, two of the other.
    suite.equal(fleet.daemons["2"].terminate(), 0)
    fleet.own_all("1")
    after = fleet.metadata()
    suite.equal([p for p in range(8) if before[p] != after[p]], [0, 5, 7])
    quiet.counted("1", restores + 4 + 8, warm + 4 + 6)
    quiet.feed(*range(8))  # Who does not know of the event before comes to another end.


def what_is_lost_is_dropped_though_nobody_committed(world):
    quiet, fleet = world.quiet, world.quiet.fleet
    two = fleet.start("2")
    fleet.own_all("1", "2")
    quiet.counted("2", 4, 0)
    before = fleet.metadata()
    two.freeze()
    fleet.own_all("1")
    two.thaw()
    two.wait_metric("segmentd_losses_total", lambda n: n == 1)
    fleet.own_all("1", "2")
    suite.equal(fleet.metadata(), before, "nobody committed")
    quiet.counted("2", 4 + 4, 0)


def and_nobody_is_wrong_in_the_end(world):
    quiet, fleet = world.quiet, world.quiet.fleet
    quiet.feed(*range(8))
    nothing_repaired(fleet)
    expected = judge.Expected(quiet.segments, quiet.rows)
    suite.equal(len(expected.memberships), 64)
    judge.compare(expected, judge.Written(world.topics, "quiet"))
    judge.redis_agrees(world.redis.client(), expected, "quiet")
    fleet.end()


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(World(here), [
            one_three_one_on_8_partitions, one_three_one_on_64_partitions, three_are_restarted_without_a_rebalance,
            the_older_of_two_with_one_instance_id_ends_with_75,
            one_of_three_is_killed_another_sleeps_through_its_session,
            others_are_killed_in_the_middle_of_a_rebalance, what_comes_back_is_warm_if_nobody_committed,
            what_comes_back_is_restored_if_somebody_committed, what_is_lost_is_dropped_though_nobody_committed,
            and_nobody_is_wrong_in_the_end]))
