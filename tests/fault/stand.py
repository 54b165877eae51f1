"""stand.py: an application that faults are done to: its topics, a load that goes on,
one or several segmentd.

Each scenario has a stand of its own on a broker that several of them share.  What is
done to it are the verbs of nemesis.py; a process is called by its name, is started
again when a verb needs it alive, and can be given an order for a failpoint while it
runs (daemon/base/fail.h)."""

import collections
import contextlib
import os
import random
import struct
import time

import history
import suite
import verdict
from cluster import until
from facts import OUTPUTS, Facts
from fleet import OWNED, Fleet
from past import SEGMENTS

SESSION_MS = 2000
OURS = "no failpoint"
RESTORE, TIMERS, SWEEP = "restore", "timer-only transaction", "sweep or rebuild"  # Phases.
STOP_S = 10
MARKERS_S = 0.1  # So long it may take until the broker has written them.
BACKLOG = 300  # Records that may wait.
SLICE = 30  # Records that are fed at once.

# A process died of kill -9: where, did it work since it was started, was a
# transaction of it open, and in which phase it was.
Kill = collections.namedtuple("Kill", "point nth process worked open phase")


class Load:
    """The records of PAST in topics of APP, written as the scenario goes on."""

    def __init__(self, topics, app, past):
        self.topics, self.past = topics, past
        self.inputs = ["%s-%s" % (app, name) for name in history.TOPICS]
        self._names = dict(zip(history.TOPICS, self.inputs))
        self._producer = topics.producer()
        for name in self.inputs:
            topics.create_history(name, past.partitions)
        self.fed = 0
        self.feed(past.there)

    def feed(self, count=SLICE):
        rows = self.past.rows[self.fed:self.fed + count]
        suite.equal(len(rows), count, "the history is too short")
        for plain, name in self._names.items():
            self.topics.produce(name, ((r.partition, r.user, r.value, r.timestamp_ms)
                                       for r in rows if r.topic == plain), producer=self._producer)
        self.fed += count

    def left(self):
        return len(self.past.rows) - self.fed

    def expected(self):
        return self.past.after(self.fed)

    def merged(self):
        """What was written, in the order in which it is worked off."""
        return history.merged(self.past.rows[:self.fed], self.past.partitions)

    def counted(self):
        """{user: rows} that an engine folds: neither bad nor seen before."""
        found, seen, bad = collections.defaultdict(list), set(), self.past.expected.dead_letters
        for row in self.past.rows[:self.fed]:
            if (row.topic, row.partition, row.offset) in bad:
                continue
            _, there, rest = row.value.partition('"messageId":"')
            identity = row.topic, row.user, rest.partition('"')[0]
            if not there or identity not in seen:
                found[row.user].append(row)
                seen.add(identity)
        return found


class Stand(Fleet):
    """The processes NAMES of APP; with STATIC their membership outlives them."""

    CLOCK = "records"

    def __init__(self, servers, app, past, names, seed, static=False, session_ms=SESSION_MS, properties=None, **settings):
        self.mutation = servers.mutation  # The rule of the protocol that they break.
        self.names, self.static, self.seed, self.session_s = names, static, seed, session_ms / 1000
        self.random = random.Random("%s %s" % (seed, app))
        self.load = self.make_load(servers.kafka.topics, app, past, servers.cluster.folder)
        # Small transactions, early slices of users: a kill finds some behind and
        # some before it. Small batches: many calls, however few the records are.
        super().__init__(servers.cluster, servers.kafka, servers.redis, app, self.segments_path(servers),
                         self.load.inputs, past.partitions, session_ms, **{
                             "workers": 3 - min(len(names), 2), "batch_events": 16, "transaction_events": 60,
                             "flush_interval": "2s", "flush_users": 20, "clock": self.CLOCK, "stop_timeout": "%ds" % STOP_S,
                             **settings})
        self.properties.update(properties or {})
        self.stop_s = STOP_S
        self.facts = Facts(self.topics, app, self.load.inputs, past.partitions)
        self.verdict = self.make_verdict()
        self.kills, self.reached, self.counts, self.shares = [], set(), {}, {}
        self._started, self.judged, self._judged_at = {}, 0, None

    def make_load(self, topics, app, past, folder):
        return Load(topics, app, past)

    def make_verdict(self):
        return verdict.Verdict(self.facts, self.load, self.redis.client())

    def segments_path(self, servers):
        return SEGMENTS

    # ---- processes ------------------------------------------------------------

    def start(self, name, failpoints="", **settings):
        """Start process NAME, again if it ran before."""
        folder = self.orders(name)
        os.makedirs(folder, exist_ok=True)
        for left in os.listdir(folder):
            if left != "clock":
                os.unlink(os.path.join(folder, left))
        env = {"SEGMENTD_FAILPOINTS": failpoints, "SEGMENTD_BARRIERS": folder, "SEGMENTD_CLOCK": self._clock(name),
               "SEGMENTD_MUTATION": self.mutation}
        self._started[name] = self.facts.change_ends()
        daemon = self.daemons.get(name)
        if daemon:
            daemon.env.update(env)
            daemon.start()
            return daemon
        if self.static and name in self.names:
            settings = {"instance_id": name, **settings}
        self.daemons[name] = self.servers.segmentd(
            self.conf(name, **settings), name="%s-%s" % (self.app, name), env=env, failpoints=True)
        return self.daemons[name]

    def say(self, text):
        print("         " + text)

    def alive(self, name):
        return name in self.daemons and self.daemons[name].running()

    def all_alive(self):
        """Start who is dead."""
        for name in self.names:
            if not self.alive(name):
                self.start(name)
        return [self.daemons[name] for name in self.names]

    def works(self, name):
        """Until NAME, and everybody else, has worked off something since it was
        started."""
        self.all_alive()
        began = time.monotonic()
        while not self._worked(name):
            assert time.monotonic() - began < 60, "%s gets nothing to do" % name
            self.feed_on()
            time.sleep(0.1)
        self.shares[name] = self.share(name)

    def feed_on(self):
        """The load goes on, but no faster than it is worked off."""
        done, ends = self.facts.committed(), self.facts.ends(*self.inputs)
        if done and sum(ends.values()) - sum(done.values()) < BACKLOG:
            self.load.feed()

    def _worked(self, name):
        daemon = self.daemons[name]
        return (daemon._ask(lambda: daemon.metric("segmentd_events_total")) or 0) > 0

    def share(self, name):
        """The partitions NAME has, as far as one can ask it."""
        seen = self.daemons[name]._ask(self.daemons[name].metrics) or {}
        return sorted(int(found.group(1)) for found in map(OWNED.match, seen) if found)

    def own_all_or_dead(self, name):
        """Until all processes have a share, or NAME is dead or waits."""
        try:
            self.own_all(*self.names)
        except RuntimeError:
            if self.alive(name):
                raise

    def runs(self, name):
        """Its share, [] while some of it does not work yet."""
        return self._ask(name) or []

    # ---- orders ---------------------------------------------------------------

    def orders(self, name):
        return os.path.join(self.servers.folder, "orders-%s-%s" % (self.app, name))

    def order(self, name, point, action):
        """Process NAME is to do ACTION at POINT, counted from now on; does it wait
        there, it goes on."""
        path = os.path.join(self.orders(name), point)
        with open(path + ".new", "w") as out:
            out.write(action)
        os.rename(path + ".new", path + ".order")

    def let_go(self, name, point):
        """It goes on, and waits there no more."""
        self.order(name, point, "sleep 0")
        until(lambda: not self.waits(name, point), "it goes on")

    def recall(self, name, point):
        """What was ordered and is not obeyed yet is no order any more."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.orders(name), point + ".order"))

    def waits(self, name, point):
        """Whether NAME stands at the barrier POINT."""
        return os.path.exists(os.path.join(self.orders(name), point + ".reached"))

    def waiting(self, name):
        """Whether it stands at any."""
        return any(left.endswith(".reached") for left in os.listdir(self.orders(name)))

    # ---- clocks ---------------------------------------------------------------

    def _clock(self, name):
        path = os.path.join(self.orders(name), "clock")
        if not os.path.exists(path):
            self.set_clock(name, 0, 0)
        return path

    def set_clock(self, name, realtime_ms, boottime_ms=0):
        """The clocks of NAME are so far ahead of the machine's from now on."""
        path = os.path.join(self.orders(name), "clock")
        os.makedirs(self.orders(name), exist_ok=True)
        with open(path, "r+b" if os.path.exists(path) else "wb") as out:
            out.write(struct.pack("=qq", realtime_ms, boottime_ms))

    # ---- kills ----------------------------------------------------------------

    def died(self, name, point, nth, phase="", by_itself=True):
        """NAME is dead, of kill -9: note in what it was, "timers" if nothing but
        timers was to be worked off."""
        daemon = self.daemons[name]
        status = daemon.wait(5)
        suite.equal(status, -9, "%s did not die by a kill at %s:\n%s" % (daemon.name, point, daemon.log()[-2000:]))
        mine = self.shares.get(name) or range(self.partitions)
        pending = self.facts.still_open(mine, MARKERS_S)
        if by_itself:
            self.reached.add(point)
        worked = name in self.shares or self.facts.written_since(self._started[name]) > 0
        if phase == TIMERS and not (pending and self.facts.causes(pending) == {"timer"}):
            phase = ""
        self.kills.append(Kill(point, nth, len(self.names), worked, bool(pending), phase))
        self.shares.pop(name, None)

    # ---- verdicts -------------------------------------------------------------

    def calm(self, timeout=90):
        """Everybody lives, and everything fed is worked off."""
        daemons = self.all_alive()
        verdict.settle(self.facts, daemons, timeout)
        return daemons

    def judge(self):
        """Everything is right so far."""
        if self._judged_at == (self.load.fed, len(self.kills)):
            return
        daemons = self.calm()
        self.own_all(*self.names)
        self.verdict.judge(daemons)
        self.judged += 1
        self._judged_at = self.load.fed, len(self.kills)
        self._nothing_is_left_over()

    def note_resources(self):
        """What the processes hold the first time they are calm is what they may
        hold, whatever is done to them."""
        for daemon in self.calm():
            self.counts.setdefault(daemon.pid, resources(daemon))

    def _nothing_is_left_over(self):
        for name in self.names:
            daemon, last = self.daemons[name], {}
            if daemon.pid not in self.counts:
                continue
            threads, files = self.counts[daemon.pid]

            def as_before():
                last["now"] = resources(daemon)
                return last["now"][0] <= threads and last["now"][1] <= files

            until(as_before, lambda: "%s: (threads, descriptors) %s, they were %s" % (
                daemon.name, last["now"], (threads, files)), 15, 0.2)

    def release(self):
        """Give back what scenarios share, also after a failure."""

    def close(self):
        """The end: no process, no client, no topic is left."""
        self.end()
        self.facts.close()
        for topic in self.load.inputs + [self.facts.name(o) for o in OUTPUTS]:
            self.topics.delete(topic)


def resources(daemon):
    """(threads, descriptors) of a process."""
    return tuple(len(os.listdir("/proc/%d/%s" % (daemon.pid, what))) for what in ("task", "fd"))
