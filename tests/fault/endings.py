"""endings.py: the verbs of SIGTERM: whatever a process is in the middle of, it ends
within its stop_timeout, and whoever comes next goes on."""

import signal
import time

import suite
from cluster import until
from fault_points import NEEDS
from nemesis import PATIENCE_S, PROVOKE, done, kill_now
from scenario import verb

MARGIN_S = 3  # For a busy machine.


@verb
def ended_at(stand, point, at_start=False):
    """SIGTERM while it is at POINT; AT_START: the first time it comes there."""
    name = stand.random.choice(stand.names)
    stand.works(name)
    provoke = PROVOKE[NEEDS.get(point, ("load", "load"))[len(stand.names) > 1]]
    if at_start:
        kill_now(stand, name)  # Else nothing would be left to be read again.
        stand.start(name, point + "=barrier@1")
        until(lambda: done(stand, name), "it comes to " + point, 30)
    else:
        stand.order(name, point, "barrier@1")
    began = time.monotonic()
    while not stand.waits(name, point):
        assert time.monotonic() - began < PATIENCE_S, "%s never came to %s" % (name, point)
        provoke(stand, name)
    stand.reached.add(point)
    end(stand, name, lambda: stand.let_go(name, point))


def end(stand, name, then=lambda: None):
    """SIGTERM, THEN, and it ends in time."""
    daemon, began = stand.daemons[name], time.monotonic()
    daemon.signal(signal.SIGTERM)
    then()
    suite.equal(daemon.wait(stand.stop_s + MARGIN_S), 0, daemon.name)
    stand.load.feed()
    return time.monotonic() - began


@verb
def ended_twice(stand):
    """The second SIGTERM ends it at once, whatever it is waiting for."""
    name = stand.names[0]
    stand.works(name)
    stand.order(name, "before_commit", "barrier")
    stand.load.feed(60)
    until(lambda: stand.waits(name, "before_commit"), "it is about to commit")
    daemon = stand.daemons[name]
    daemon.signal(signal.SIGTERM)
    until(lambda: "is stopping" in last_life(daemon), "it says that it is stopping")
    began = time.monotonic()
    suite.equal(daemon.terminate(stand.stop_s), 0)
    suite.equal(time.monotonic() - began < 1, True, "at once")
    assert "ending at once" in last_life(daemon)
    stand.load.feed()


@verb
def ended_without_a_broker(stand):
    """The broker answers nothing any more: it ends all the same."""
    name = stand.names[0]
    stand.works(name)
    stand.load.feed(60)
    stand.kafka.freeze()
    try:
        stand.say("without a broker it ended after %.1f s, of %d" % (took(stand, name), stand.stop_s))
    finally:
        stand.kafka.thaw()
    stand.load.feed()


def took(stand, name):
    daemon, began = stand.daemons[name], time.monotonic()
    suite.equal(daemon.terminate(stand.stop_s + MARGIN_S), 0, daemon.name)
    return time.monotonic() - began


def last_life(daemon):
    return daemon.log().rpartition("segmentd starts")[2]
