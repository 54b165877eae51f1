"""edits.py: a stand whose segment files are edited again and again while the load
goes on (tests/support/editions.py), and the verbs of that.

core.seg must come out as if nobody had edited anything, change by change; whatever
the edited segments went through, in the end they hold exactly whom the oracle says of
the last edition; Redis, the state topic and the change topic agree."""

import os
import signal
import time

import editions
import judge
import past
import stand
import suite
import verdict
from cluster import until
from fault_points import PHASES
from nemesis import PATIENCE_S, done
from scenario import verb

SWEEPS = ("segmentd_sweeping_partitions", "segmentd_backfill_remaining_records")


class Verdict(verdict.Verdict):
    def __init__(self, facts, load, redis, files):
        super().__init__(facts, load, redis)
        self.files = files

    def compare(self, expected):
        core = {change.segment for mine in self.load.past.expected.changes.values() for change in mine}
        judge.same(without_seq(self.changes, core), without_seq(expected.changes, core), "changes of core.seg")
        judge.same(self.triggers, expected.triggers, "triggers")
        self._last_edition()

    def shown(self, expected):
        return {user: inside for user, mine in self.changes.items() if (inside := past.folded(mine))}

    def _last_edition(self):
        """Its segments hold whom the oracle says."""
        keys = self.files.keys()
        path = self.files.for_the_oracle(os.path.join(os.path.dirname(self.files.folder), "oracle.seg"))
        want = judge.Expected(path, self.load.merged()).memberships
        for user in set(want) | set(self.changes):
            got = set(past.folded(self.changes.get(user, []))) & keys
            suite.equal(sorted(got), sorted(set(want.get(user, ())) & keys), user + " in edited segments")


def without_seq(changes, segments):
    return {user: mine for user, all_of_his in changes.items()
            if (mine := [c._replace(seq=0) for c in all_of_his if c.segment in segments])}


class Stand(stand.Stand):
    """SETTINGS as ever; new segments are filled from the past."""

    def __init__(self, servers, app, *arguments, **settings):
        folder = os.path.join(servers.cluster.folder, "files-" + app)
        os.mkdir(folder)
        self.files = editions.Editions(folder, servers.seed)
        super().__init__(servers, app, *arguments, **{"backfill": "on", **settings})

    def segments_path(self, servers):
        return self.files.folder

    def make_verdict(self):
        return Verdict(self.facts, self.load, self.redis.client(), self.files)

    def reload(self):
        """Another edition is there, and all are told."""
        self.files.next()
        for name in self.names:
            if self.alive(name):
                self.daemons[name].signal(signal.SIGHUP)

    def calm(self, timeout=90):
        """Nobody sweeps or fills any more, as each measured twice while nothing was
        written."""
        daemons, since = super().calm(timeout), {}

        def quiet():
            now = self.facts.change_ends(), [self._busy(daemon) for daemon in daemons]
            if since.get("what") != now[0] or any(busy for busy, _ in now[1]):
                since.update(what=now[0], uptimes=[uptime for _, uptime in now[1]])
            return all(uptime - began > 2.2 for (_, uptime), began in zip(now[1], since["uptimes"]))

        until(quiet, lambda: "nobody sweeps: %s" % since, timeout, 0.2)
        return super().calm(timeout)

    @staticmethod
    def _busy(daemon):
        """(whether it sweeps or fills, when it measured that)"""
        seen = daemon._ask(daemon.metrics)
        return not seen or any(sum(v for k, v in seen.items() if k.partition("{")[0] == name) for name in SWEEPS), \
            seen["segmentd_uptime_seconds"] if seen else 0


@verb
def killed_in_edition(here, point, nth):
    """New files are read while it works, and it dies at POINT of what that sets off."""
    name = here.random.choice(here.names)
    here.works(name)
    here.order(name, point, "kill@%d" % nth)
    began = time.monotonic()
    while not done(here, name):
        assert time.monotonic() - began < PATIENCE_S, "%s never came to %s the %d. time" % (name, point, nth)
        here.reload()
        here.load.feed()
        until_gone(here, name)
    here.died(name, point, nth, PHASES[point])


def until_gone(here, name, seconds=2):
    try:
        until(lambda: done(here, name), "", seconds)
    except TimeoutError:
        pass
