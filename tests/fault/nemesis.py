"""nemesis.py: the verbs: what can be done to a process, its broker or its Redis.

Each is done while the load goes on and returns when it has happened, by the facts;
whatever has died is started again by the next verb that needs it, or by a verdict."""

import contextlib
import time

import suite
from cluster import until
from fault_points import NEEDS, PHASES
from scenario import verb
from stand import OURS, TIMERS

PATIENCE_S = 60
GUEST = "guest"


# ---- what makes a failpoint be reached ----------------------------------------------

def load(stand, name):
    """Records to work off."""
    stand.feed_on()
    time.sleep(0.03)


def an_abort(stand, name):
    """A transaction that cannot be committed, and its outbox is sent again."""
    stand.order(name, "before_commit", "error@1")
    load(stand, name)


def a_lost_answer(stand, name):
    """The outcome of a commit is not known: the producer is replaced."""
    stand.order(name, "after_commit", "error@1")
    load(stand, name)


def a_guest(stand, name):
    """Another process comes, has its share, and goes."""
    stand.load.feed()
    guest = stand.start(GUEST)
    until(lambda: done(stand, name) or stand.share(GUEST), "the guest has a share", 30)
    # It may not even have come to the point where it hears SIGTERM.
    suite.equal(guest.terminate(40) in (0, -15), True, guest.log()[-1000:])


def a_pause(stand, name):
    """It sleeps through its session and finds its partitions lost."""
    load(stand, name)
    with contextlib.suppress(FileNotFoundError):  # It dies just now.
        stand.daemons[name].freeze()
    time.sleep(stand.session_s + 0.5)
    load(stand, name)  # Not written yet when it gets its share again: it has to be read again.
    stand.daemons[name].thaw()
    until(lambda: done(stand, name) or stand.runs(name), name + " works again", 30)


def an_heir(stand, name):
    """All the others die, and what they had comes to it."""
    stand.all_alive()
    stand.own_all_or_dead(name)
    if done(stand, name):
        return
    others = [other for other in stand.names if other != name]
    # Committed, and not in the state topic yet: it has to be read again.
    stand.load.feed(60)
    until(lambda: stand.facts.committed() == stand.facts.ends(*stand.inputs), "all is committed", 30, 0.01)
    for other in others:
        stand.order(other, "before_commit", "barrier@1")
    stand.load.feed(60)
    for other in others:
        with contextlib.suppress(TimeoutError):
            until(lambda: stand.waits(other, "before_commit"), "it is about to commit", 1)
        kill_now(stand, other)
    stand.load.feed()
    until(lambda: done(stand, name) or len(stand.runs(name)) == stand.partitions, name + " has everything", 30)


def done(stand, name):
    """It came to where it was ordered to."""
    return not stand.alive(name) or stand.waiting(name)


def an_empty_redis(stand, name):
    """Of this application Redis has nothing any more."""
    forget_redis(stand)
    load(stand, name)


def its_end(stand, name):
    """One SIGTERM: with the second it would end at once."""
    stand.daemons[name].signal(15)
    until(lambda: done(stand, name), "it ends", stand.stop_s + 5)


PROVOKE = {f.__name__: f for f in (load, an_abort, a_lost_answer, a_guest, a_pause, an_heir, an_empty_redis, its_end)}


def forget_redis(stand):
    client = stand.redis.client()
    keys = list(client.scan_iter(stand.app + ":*", count=1000))
    if keys:
        client.delete(*keys)


# ---- kill -9 ------------------------------------------------------------------------

@verb
def killed_at(stand, point, nth, held=False, by=None, who=None, perhaps=False):
    """A process that has worked dies at POINT, the NTH time it comes by from now on;
    HELD: it waits there until the broker sees its transaction, and is killed then.
    BY: what makes it come by. PERHAPS: it need not come by so often."""
    name = who or stand.random.choice(stand.names)
    stand.works(name)
    stand.order(name, point, "%s@%d" % ("barrier" if held else "kill", nth))
    provoke = PROVOKE[by or NEEDS.get(point, ("load", "load"))[len(stand.names) > 1]]
    began = time.monotonic()
    while not done(stand, name):
        if time.monotonic() - began > PATIENCE_S:
            assert perhaps, "%s never came to %s the %d. time" % (name, point, nth)
            stand.order(name, point, "sleep 0")  # That is no order any more.
            return
        provoke(stand, name)
    if held:
        kill_when_open(stand, name)
    stand.died(name, point, nth, PHASES.get(point, ""))


def kill_when_open(stand, name):
    """NAME waits inside a transaction: kill it once the broker has some of it."""
    mine = set(stand.shares[name])
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and not any(p in mine for _, p in stand.facts.open()):
        time.sleep(0.01)
    stand.daemons[name].kill()


@verb
def killed_in_timers(stand, point, nth, held=False):
    """The same while nothing but timers is to be worked off."""
    name = stand.random.choice(stand.names)
    stand.works(name)
    began = time.monotonic()
    while not done(stand, name):
        assert time.monotonic() - began < PATIENCE_S, "%s never came to %s the %d. time" % (name, point, nth)
        stand.recall(name, point)
        stand.load.feed(60)
        until(lambda: stand.facts.committed() == stand.facts.ends(*stand.inputs), "all events are committed", 30, 0.01)
        stand.order(name, point, "%s@%d" % ("barrier" if held else "kill", nth))
        until(lambda: done(stand, name) or stand.load.now() > stand.load.last_due_ms, "all timers have fired", 30)
    if held:
        kill_when_open(stand, name)
    stand.died(name, point, nth, TIMERS)
    stand.load.again()


@verb
def killed_at_start(stand, point, nth):
    """A process that was just started dies at POINT."""
    name = stand.random.choice(stand.names)
    stand.works(name)
    kill_now(stand, name)
    stand.load.feed()
    stand.start(name, "%s=kill@%d" % (point, nth))
    began = time.monotonic()
    while stand.alive(name):
        assert time.monotonic() - began < PATIENCE_S, "%s never came to %s the %d. time" % (name, point, nth)
        if stand.share(name):
            a_guest(stand, name)
        time.sleep(0.02)
    stand.died(name, point, nth, PHASES.get(point, ""))


@verb
def killed_at_random(stand, who=None):
    """At an instant of no choice, between and inside transactions."""
    name = who or stand.random.choice(stand.names)
    stand.works(name)
    # A pause in each transaction, for us to come in between.
    stand.order(name, "before_commit", "sleep 100")
    stand.load.feed(40 * len(stand.names))
    time.sleep(stand.random.random() * 0.25)
    kill_now(stand, name)


def kill_now(stand, name):
    stand.daemons[name].kill()
    stand.died(name, OURS, 0, by_itself=False)


@verb
def aborted(stand, times):
    """Transactions that cannot be committed, and nobody dies of it."""
    name = stand.names[0]
    stand.works(name)
    for _ in range(times):
        before = stand.daemons[name].metric("segmentd_aborts_total")
        an_abort(stand, name)
        until(lambda: stand.feed_on() or stand.daemons[name].metric("segmentd_aborts_total") > before,
              "one is aborted", 20, 0.1)


# ---- verdicts -----------------------------------------------------------------------

@verb
def judged(stand):
    stand.judge()


def each(act, points, times=range(1, 6), **more):
    """ACT at each of POINTS, each of TIMES, and a verdict after each point."""
    found = []
    for point in points:
        found += [act(point, n, **more) for n in times] + [judged()]
    return found
