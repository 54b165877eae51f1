"""pauses.py: the verbs of processes that sleep, and of strangers beside them.

A zombie is stopped with a transaction of its own open, until others have what it had,
and goes on then as if nothing had happened: nothing of what it had open may ever be
seen, and of what it knows it may believe nothing."""

import json
import time

import suite
from cluster import until
from nemesis import PATIENCE_S
from scenario import verb
from stand import MARKERS_S

SECOND = "second"
FED_S = 0.5  # So long is waited before more is fed.
# Where the broker has no transaction of it, or none that says anything.
IN_REDIS = "view_before_apply", "view_after_apply"
OUTSIDE = "advance", *IN_REDIS
WATCHED_S = 0.5  # So long after it woke a zombie is watched.


def total(daemon, name):
    return daemon.metric("segmentd_%s_total" % name)


def in_state(daemon, state):
    """How many of its partitions are."""
    return daemon.metrics()['segmentd_partitions{state="%s"}' % state]


def cold_restores(daemon):
    return total(daemon, "restores") - total(daemon, "warm_hits")


def one_of_them(stand):
    """One that has worked and has its share, as all have: its name, those of the others,
    and itself."""
    name = stand.random.choice(stand.names)
    stand.works(name)
    stand.own_all(*stand.names)
    stand.note_resources()
    return name, [other for other in stand.names if other != name], stand.daemons[name]


def wait_there(stand, name, point, only_timers):
    """Until NAME waits at POINT; or, with ONLY_TIMERS, all of them are due."""
    began = fed = time.monotonic()
    while not stand.waits(name, point) and not (only_timers and stand.load.now() > stand.load.last_due_ms):
        now = time.monotonic()
        assert now < began + PATIENCE_S, "%s never came to %s" % (name, point)
        if not only_timers and now > fed + FED_S:
            stand.feed_on()  # Nothing may have come of what was there.
            fed = now
        time.sleep(0.01)


def freeze_at(stand, name, point, only_timers, undecided):
    """Stop NAME at POINT of a transaction that the broker sees, with UNDECIDED while
    its offsets wait there too.  What is pending, {(topic, partition): offset}, and the
    places of the changes in it."""
    mine = set(stand.share(name))
    for _ in range(40):
        if only_timers:
            stand.load.feed(60)
            until(lambda: stand.facts.committed() == stand.facts.ends(*stand.inputs), "all is committed", 30, 0.01)
            stand.order(name, point, "barrier@1")
        else:
            stand.order(name, point, "barrier@1")
            stand.load.feed(60)
        wait_there(stand, name, point, only_timers)
        deadline = time.monotonic() + 0.6
        while stand.waits(name, point) and time.monotonic() < deadline:
            found = point in OUTSIDE or with_changes(stand, stand.facts.still_open(mine, MARKERS_S))
            if not found:
                time.sleep(0.01)
                continue
            stand.daemons[name].freeze()
            ends = stand.facts.change_ends()
            pending = stand.facts.still_open(mine, MARKERS_S)
            # On a busy machine its offsets may have been refused.
            is_so = not undecided or stand.facts.committed(0.5) is None
            if is_so and (point in OUTSIDE or with_changes(stand, pending)):
                stand.order(name, point, "sleep 0")  # Once it is woken it goes on.
                return pending, pending_changes(stand, pending, ends)
            stand.daemons[name].thaw()
        if stand.waits(name, point):
            stand.let_go(name, point)
    raise AssertionError("%s was never at %s inside a transaction with changes" % (name, point))


def with_changes(stand, pending):
    return any(topic == stand.facts.name("changes") for topic, _ in pending)


def pending_changes(stand, pending, ends):
    """The places of the changes in PENDING, below ENDS."""
    topic = stand.facts.name("changes")
    start = {**ends, **{p: at for (t, p), at in pending.items() if t == topic}}
    found = stand.topics.read(topic, committed=False, start=start)
    return {(r.partition, r.offset) for r in found if r.offset < ends[r.partition]}


@verb
def zombie_at(stand, point, only_timers=False, undecided=False):
    """Stopped at POINT until others have its partitions, and woken then.  UNDECIDED:
    its offsets are in the transaction, and whoever comes next has to wait."""
    name, rest, daemon = one_of_them(stand)
    losses, cold = total(daemon, "losses"), cold_restores(daemon)
    pending, records = freeze_at(stand, name, point, only_timers, undecided)
    began = time.monotonic()
    if only_timers and point not in OUTSIDE:
        suite.equal(stand.facts.causes(pending), {"timer"}, "what is in the transaction")
    stand.own_all(*rest)
    stand.load.feed()
    stand.reached.add(point)
    stand.say("%s slept at %s for %.1f s, with %d changes in its transaction" % (
        name, point, time.monotonic() - began, len(records)))
    shown = redis_goes_on(stand) if point in IN_REDIS else {}
    daemon.thaw()
    redis_never_goes_back(stand, shown)
    daemon.wait_metric("segmentd_losses_total", lambda n: n > losses, 30)
    share = stand.own_all(*stand.names)[name]
    # It dropped all it knew: what it has now it has read.
    until(lambda: cold_restores(daemon) >= cold + len(share), "%s restored all of %s" % (name, share), 10)
    stand.calm()
    seen = {(r.partition, r.offset) for r in stand.topics.read(stand.facts.name("changes"))}
    suite.equal(sorted(seen & records)[:3], [], "what a zombie had in its transaction")


def redis_positions(stand, client):
    """{partition: up to where Redis shows the changes}."""
    keys = ["%s:position:%d" % (stand.app, p) for p in range(stand.partitions)]
    return {p: int(at) for p, at in enumerate(client.mget(keys)) if at and at.isdigit()}


def redis_goes_on(stand):
    """Until all partitions have moved on in Redis; where they are."""
    client = stand.redis.client()
    before = redis_positions(stand, client)

    def moved():
        stand.feed_on()
        now = redis_positions(stand, client)
        return now if all(now.get(p, 0) > at for p, at in before.items()) else None

    return until(moved, "there is more in Redis", 30, 0.1)


def redis_never_goes_back(stand, last):
    """From LAST on, whatever a zombie has in its hands."""
    client, end = stand.redis.client(), time.monotonic() + WATCHED_S
    while last and time.monotonic() < end:
        now = redis_positions(stand, client)
        suite.equal({p: (at, now[p]) for p, at in last.items() if now.get(p, at) < at}, {}, "went back in Redis")
        last = now


@verb
def poll_interval_exceeded(stand):
    """A worker does not come back for longer than it may: it is thrown out of the group
    while it lives."""
    name, _, daemon = one_of_them(stand)
    losses, restores = total(daemon, "losses"), total(daemon, "restores")
    ms = int(stand.properties["max.poll.interval.ms"]) + 1500
    stand.order(name, "before_commit", "sleep %d@1" % ms)
    stand.load.feed(60)
    daemon.wait_metric("segmentd_losses_total", lambda n: n > losses, 30)
    stand.load.feed()
    stand.own_all(*stand.names)
    daemon.wait_metric("segmentd_restores_total", lambda n: n > restores, 10)


# ---- strangers ----------------------------------------------------------------------

@verb
def doubled(stand, process):
    """Another process comes with the same instance id, and the PROCESS name of the
    one that is there, or another: the older one ends."""
    older, = stand.names
    stand.works(older)
    stand.load.feed(60)
    stand.start(SECOND, instance_id=older, process=process or older)
    suite.equal(stand.daemons[older].wait(30), 75, stand.daemons[older].name)
    said = stand.daemons[older].log()
    assert "another process uses this instance id" in said or "another process has our transactional id" in said, said
    stand.names = (SECOND,)
    stand.load.feed(60)
    stand.judge()
    stand.daemons[SECOND].terminate()
    stand.names = (older,)
    stand.daemons.pop(SECOND)


@verb
def foreign_transaction_in(stand, output):
    """Somebody has a transaction open in a topic that a restore reads: it must not
    believe that nothing more comes, and waits."""
    name, topic = stand.names[0], stand.facts.name(output)
    stand.works(name)
    stand.load.feed(60)
    stand.daemons[name].kill()
    stand.died(name, "no failpoint", 0, by_itself=False)
    stranger = stand.topics.producer(transactional_id="stranger-" + topic, **{"transaction.timeout.ms": 60000})
    stranger.init_transactions(30)
    stranger.begin_transaction()
    for partition in range(stand.partitions):
        stranger.produce(topic, value=b"x", key=b"stranger", partition=partition)
    until(lambda: not stranger.flush(1), "the stranger's records are there", 30)
    stand.load.feed()
    began, daemon = time.monotonic(), stand.start(name)
    until(lambda: _waits_for(daemon, topic), lambda: "it waits for the stranger: %s" % (daemon._ask(
        lambda: daemon.http("/readyz")),), 30, 0.1)
    suite.equal(in_state(daemon, "running"), 0, "nothing runs")
    stand.say("it had waited for %s for %.1f s when the stranger gave up" % (topic, time.monotonic() - began))
    stranger.abort_transaction(30)
    stand.own_all(*stand.names)


def _waits_for(daemon, topic):
    """All its partitions, by what /readyz says."""
    status, text = daemon._ask(lambda: daemon.http("/readyz")) or (503, "")
    parts = json.loads(text).get("partitions") if text else None
    return status == 503 and parts and all("topic %s; last answer: again" % topic in p["reason"] for p in parts)
