"""killer.py: kill -9 a segmentd again and again, at instants that matter.

A life starts the daemon, which works on, and ends when it dies: at a failpoint of
its own, the n-th time it comes by, or by us after a random time.  What the life
did is asked of Kafka, not of the daemon: whether the change topic has grown (so
records were worked off), whether a transaction was open (records beyond the last
stable offset)."""

import collections
import random
import time

import cluster
import judge

Life = collections.namedtuple("Life", "point nth worked open in_restore")

# In a transaction; the rest of the points stands between or before two.
OPEN = ["emit"] * 6 + ["flush"] * 2 + ["before_send_offsets"] * 2 + ["after_send_offsets"] * 4 + ["before_commit"] * 4
RUNNING = ["advance"] * 2 + ["begin", "after_ack"] + ["after_commit"] * 3 + ["ours"] * 4
RESTORE = ["restore_committed", "restore_state_half", "restore_state_end", "restore_changes", "restore_redo_half",
           "restore_redo_end", "seek", "restore_redo_half"]


class Killer:
    """DAEMON is made (cluster.segmentd, FAILPOINTS=1) and is not running; EVENTS
    is what there is to work off, about as many outputs are written.  KILLED
    counts lives that worked."""

    def __init__(self, daemon, topics, app, seed, outputs):
        self.daemon, self.topics, self.app = daemon, topics, app
        self.random = random.Random(seed)
        self.plan = OPEN + RUNNING + RESTORE
        self.random.shuffle(self.plan)
        self.outputs_each = outputs // len(self.plan)
        self.lives = []

    def run(self, between):
        """All lives; BETWEEN(i) is called before the i-th."""
        for i, point in enumerate(self.plan):
            between(i)
            self.lives.append(self._live(point))

    def worked(self):
        return [life for life in self.lives if life.worked]

    def describe(self):
        worked = self.worked()
        return "%d lives, %d of them worked, %d of these with a transaction open; %d were ended in a restore" % (
            len(self.lives), len(worked), sum(life.open for life in worked), sum(life.in_restore for life in self.lives))

    def _live(self, point):
        nth, before = self._nth(point), self._ends("changes")
        # A pause in each transaction, for us to come in between.
        action = "begin=sleep 40" if point == "ours" else "%s=kill@%d" % (point, nth)
        self.daemon.env["SEGMENTD_FAILPOINTS"] = action
        self.daemon.start()
        by_itself = self._wait(point)
        worked = self._ends("changes") != before
        return Life(point, nth, worked, self._is_open(), by_itself and point in RESTORE)

    def _nth(self, point):
        r = self.random
        if point == "emit":
            return r.randrange(1, 2 * self.outputs_each)
        if point == "advance":
            return r.randrange(1, self.outputs_each)
        if point in ("restore_state_half", "restore_redo_half"):
            return r.randrange(1, 500)
        return r.randrange(1, 9)

    def _wait(self, point):
        """Until it is dead: 1 if by itself."""
        if point == "ours":
            self.daemon.wait_ready()
            # The instant is to be a random one.
            time.sleep(self.random.random())
        else:
            limit = time.monotonic() + 20
            while self.daemon.running() and time.monotonic() < limit and not self._is_idle():
                time.sleep(0.02)
        by_itself = not self.daemon.running()
        status = self.daemon.kill()
        assert status == -9, "it ended with %s, not by a kill" % status
        return by_itself

    def _is_idle(self):
        """Everything is worked off: the point will not be reached any more."""
        try:
            metrics = self.daemon.metrics()
        except OSError:
            return False
        running = metrics.get('segmentd_partitions{state="running"}', 0)
        return running == self.topics.partitions(self.app + ".changes") and not any(
            v for k, v in metrics.items() if k.startswith("segmentd_input_lag_records"))

    def _ends(self, topic, committed=False):
        return self.topics.ends("%s.%s" % (self.app, topic), committed)

    def _is_open(self):
        return any(self._ends(t) != self._ends(t, True) for t in judge.OUTPUTS)
