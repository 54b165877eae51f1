"""clocks.py: the verbs of wrong clocks.  A process follows the clock it was started
with; who is started with a wrong one is wrong by that much and no more."""

import json

import suite
from cluster import until
from scenario import verb

HOUR_MS, DAY_MS, MINUTE_MS = 3600000, 86400000, 60000


@verb
def clock_set(stand, name, by_ms):
    """Somebody sets the clock of the machine while NAME runs: it keeps its own."""
    stand.works(name)
    stand.load.feed(60)
    stand.set_clock(name, by_ms)
    until(lambda: "clock was set" in stand.daemons[name].log().rpartition("segmentd starts")[2], "it says so", 10)
    stand.load.feed(60)
    stand.calm()
    stand.set_clock(name, 0)


@verb
def owner_ahead(stand, by_ms):
    """The next owner's clock is ahead; the one after him waits until time has come
    so far, then goes on."""
    first, second = stand.names
    stand.works(first)
    stand.load.feed(90)
    # Everybody is in, nobody has left.
    stand.end()
    stand.load.lead_ms = by_ms
    stand.set_clock(second, by_ms)
    stand.names = (second,)
    stand.load.feed()
    stand.calm()
    suite.equal(stand.daemons[second].terminate(), 0)
    stand.names = (first,)
    wait_for_the_wall(stand, first, by_ms)
    stand.names = (first, second)


@verb
def owner_behind(stand, by_ms):
    """The next owner's clock is behind: he waits until it has come so far."""
    first, second = stand.names
    stand.works(first)
    stand.load.feed()
    stand.calm()
    stand.end()
    stand.names = (second,)
    stand.set_clock(second, -by_ms)
    wait_for_the_wall(stand, second, by_ms, -by_ms)
    suite.equal(stand.daemons[second].terminate(), 0)
    stand.set_clock(second, 0)
    stand.names = (first, second)


def wait_for_the_wall(stand, name, by_ms, start_ms=0):
    """NAME is not ready while the clocks of its partitions are BY_MS ahead of its
    wall, and goes on when that is over."""
    daemon = stand.start(name)
    until(lambda: "ahead of the wall" in (daemon._ask(lambda: daemon.http("/readyz")) or (0, ""))[1],
          lambda: "it waits: %s" % (daemon._ask(lambda: daemon.http("/readyz")),), 30, 0.1)
    before = sum(stand.facts.change_ends().values())
    stand.load.feed()
    suite.equal(json.loads(daemon.http("/readyz")[1]) is not None and daemon.http("/readyz")[0], 503)
    suite.equal(sum(stand.facts.change_ends().values()), before, "nobody leaves or enters meanwhile")
    stand.set_clock(name, start_ms + by_ms, by_ms)  # So long it has run now.
    stand.own_all(name)
    stand.calm()


@verb
def sleeps_with_timers_due(stand, minutes):
    """All are stopped for long; what came meanwhile keeps some of those whose timers
    are due."""
    stand.works(stand.names[0])
    stand.load.feed(90)
    stand.own_all(*stand.names)
    for name in stand.names:
        stand.daemons[name].freeze()
    stand.load.shift_ms += minutes * MINUTE_MS
    stand.load.again(ago_ms=minutes * MINUTE_MS)
    stand.load.feed()
    for name in stand.names:
        stand.set_clock(name, stand.load.shift_ms, stand.load.shift_ms)
        stand.daemons[name].thaw()
    stand.calm()
