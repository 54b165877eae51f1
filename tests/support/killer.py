"""killer.py: kill -9 a segmentd again and again, at instants that matter.

A life starts the daemon, which works on, and ends when it dies: at a failpoint of
its own, the n-th time it comes by, or by us after a random time, or by us while it
waits at a failpoint inside a transaction, as soon as the broker has some of that.
The last are as many as all others that may have worked, so that in half of the
lives that worked a transaction was open.  What the life did is asked of Kafka, not
of the daemon: how many changes it wrote (so records were worked off), whether a
transaction was open (the last stable offset of a topic is not its end)."""

import collections
import os
import random
import time

import cluster
import judge
from job import EVENTS

Life = collections.namedtuple("Life", "point nth changes open in_restore seconds")

# The whole matrix has twice as many.
TIMES = 2 if os.environ.get("FAULTS") == "full" else 1
# In a transaction: it is killed when the broker has begun it too.
OPEN = ["emit", "flush", "before_send_offsets", "after_send_offsets"] * 2 * TIMES + ["before_commit"] * 3 * TIMES
# At any state of what was sent, between two transactions, at any instant.
RUNNING = ["emit", "flush", "before_commit", "begin", "after_ack", "advance", "after_commit"] + ["ours"] * 4 * TIMES
RESTORE = ["restore_committed", "restore_state_half", "restore_state_end", "restore_changes", "restore_redo_half",
           "restore_redo_end", "seek"]
OURS = "ours"
IDLE_S = 2


class Killer:
    """JOB gets a slice of its history in each life."""

    LIVES = len(OPEN + RUNNING + RESTORE)

    def __init__(self, job):
        self.job = job
        self.random = random.Random(job.seed)
        self.plan = [(point, True) for point in OPEN] + [(point, False) for point in RUNNING + RESTORE]
        self.random.shuffle(self.plan)
        self.outputs_each = EVENTS // self.LIVES  # About as many as there are events.
        self.lives = []

    def run(self):
        print("         kills: seed %d" % self.job.seed, flush=True)
        for point, inside in self.plan:
            self.job.feed()
            self.lives.append(self._live(point, inside))

    def worked(self):
        return [life for life in self.lives if life.changes]

    def describe(self):
        worked = self.worked()
        lines = ["         %4.1f s  %s@%d: %d changes%s%s" % (
            life.seconds, life.point, life.nth, life.changes, ", transaction open" if life.open else "",
            ", in a restore" if life.in_restore else "") for life in self.lives]
        return "\n".join(lines + [
            "         %d lives, %d of them worked, %d of these with a transaction open; %d were ended in a restore" % (
                len(self.lives), len(worked), sum(life.open for life in worked),
                sum(life.in_restore for life in self.lives))])

    def _live(self, point, inside):
        nth, before, began = self._nth(point), self._ends("changes"), time.monotonic()
        barriers = self.job.cluster.path("barriers-%d" % len(self.lives))
        os.mkdir(barriers)
        # A pause in each transaction, for us to come in between.
        self.job.start("before_commit=sleep 100" if point == OURS else "%s=%s@%d" % (
            point, "barrier" if inside else "kill", nth), barriers)
        if inside:
            self._wait_open(os.path.join(barriers, point + ".reached"))
        by_itself = self._wait(point)
        seconds, is_open = time.monotonic() - began, self._is_open()
        changes = len(self.job.topics.read("segmentd.changes", committed=False, start=before))
        return Life(point, nth, changes, is_open, by_itself and point in RESTORE, seconds)

    def _nth(self, point):
        r = self.random
        if point == "emit":
            return r.randrange(1, self.outputs_each)
        if point == "advance":
            return r.randrange(1, self.outputs_each // 4)
        if point in ("restore_state_half", "restore_redo_half"):
            return r.randrange(1, 500)
        return r.randrange(1, 9) if point in RESTORE else r.randrange(3, 12)

    def _wait_open(self, reached):
        """Until it waits at its barrier and the broker shows the transaction, and
        kill it then; or until nothing comes any more."""
        self._wait_idle(lambda: os.path.exists(reached))
        if os.path.exists(reached):
            cluster.until(self._is_open, "a transaction is open", 20)
        self.job.daemon.kill()

    def _wait(self, point):
        """Until it is dead: 1 if by itself."""
        daemon = self.job.daemon
        if point == OURS:
            daemon.wait_ready()
            # The instant is to be a random one.
            time.sleep(self.random.random())
        else:
            self._wait_idle()
        by_itself = not daemon.running()
        status = daemon.kill()
        assert status == -9, "it ended with %s, not by a kill:\n%s" % (status, daemon.log()[-3000:])
        return by_itself

    def _wait_idle(self, enough=lambda: False):
        """Until it is dead, or ENOUGH, or nothing comes any more: the point will
        not be reached again."""
        last, since = None, time.monotonic()
        while self.job.daemon.running() and not enough() and time.monotonic() - since < IDLE_S:
            time.sleep(0.1)
            ends = self._ends("changes")
            if ends != last:
                last, since = ends, time.monotonic()

    def _ends(self, topic, committed=False):
        return self.job.topics.ends("segmentd." + topic, committed)

    def _is_open(self):
        return any(self._ends(t) != self._ends(t, True) for t in judge.OUTPUTS)
