"""brokers.py: verbs that hurt the broker itself, and what it lets be done.

A frozen broker answers nobody and forgets nothing; a killed one comes back with its
data and without whatever was under way. Scenarios with these are alone with it."""

import time

import suite
from cluster import until
from network import everybody_works, hold_one, total
from proxy import DOWN, END_TXN
from scenario import verb
from wire import GROUP, READ, TOPIC, TRANSACTIONAL_ID, WRITE, Protocol

# How soon a process that is told to end has to be gone while no broker answers.
END_S = 10
SMALL = 100  # As max.message.bytes: no batch of records is as small.


# ---- frozen, killed -------------------------------------------------------------------

@verb
def broker_frozen(stand, seconds):
    """Everybody is about to commit when it stops, and asks it to commit then."""
    in_transactions(stand)
    stand.kafka.freeze()
    for name in stand.names:
        stand.let_go(name, "before_commit")
    time.sleep(seconds)
    stand.kafka.thaw()
    stand.calm()


def in_transactions(stand, point="before_commit"):
    """Everybody waits at POINT."""
    everybody_works(stand)
    for name in stand.names:
        stand.order(name, point, "barrier@1")
    until(lambda: stand.load.feed(10) or all(stand.waits(name, point) for name in stand.names),
          "everybody is at " + point, 60, 0.1)


@verb
def broker_killed_at(stand, point):
    """It dies while everybody waits at POINT, and is back a little after they went on."""
    in_transactions(stand, point)
    stand.kafka.kill()
    for name in stand.names:
        stand.let_go(name, point)
    stand.kafka.start()
    stand.calm()


@verb
def broker_killed_before_it_commits(stand):
    """The request has been sent and is not there yet."""
    held, _ = hold_one(stand, END_TXN)
    stand.kafka.kill()
    held.deliver()
    stand.kafka.start()
    stand.calm()


@verb
def broker_killed_after_it_committed(stand):
    """It has decided, and dies before anybody hears of it."""
    held, _ = hold_one(stand, END_TXN)
    stand.proxy.lose(DOWN)
    held.deliver()
    held.wait_answered()
    suite.equal(held.error, 0, "what the broker said")
    stand.kafka.kill()
    stand.heal()
    stand.kafka.start()
    stand.calm()


# ---- away -----------------------------------------------------------------------------

@verb
def started_without_brokers(stand, seconds, how):
    """Connections are refused, or nobody answers: it waits and says so, ends when it
    is told to, and works as soon as there is a broker."""
    name = stand.names[0]
    stand.proxy.refuse() if how == "refused" else stand.proxy.lose(DOWN)
    daemon = stand.start(name)
    waits_for(stand, daemon, seconds)
    began = time.monotonic()
    suite.equal(daemon.terminate(), 0)
    took = time.monotonic() - began
    assert took < END_S, "it took %.1f s to end" % took
    stand.start(name)
    waits_for(stand, daemon, 0.5)
    stand.heal()
    daemon.wait_ready()
    stand.calm()


def waits_for(stand, daemon, seconds):
    """For so long it is not ready, for want of brokers, and well."""
    until(lambda: daemon._ask(lambda: daemon.http("/healthz")), "it answers", 10)
    end = time.monotonic() + seconds
    while True:
        status, reason = daemon.http("/readyz")
        suite.equal((status, daemon.http("/healthz")[0], "brokers" in reason), (503, 200, True), reason)
        suite.equal(daemon.metric("segmentd_ready"), 0)
        if time.monotonic() > end:
            break
        time.sleep(0.2)
    last = [None]

    def told():
        last[0] = daemon.http("/readyz")[1]
        return "do not answer" in last[0]

    until(told, lambda: "that they do not answer is told: " + last[0], 30)
    assert "do not answer" in daemon.log(), daemon.log()[-2000:]


# ---- not allowed, not there, not possible -----------------------------------------------

def is_told(stand, said, forgiven):
    """Transactions fail, the reason names SAID, they are tried again by and by; when
    that is mended by FORGIVEN they go on."""
    name, = stand.names
    daemon, before, last = stand.daemons[name], total(stand, "aborts"), [None]

    def told():
        stand.load.feed(10)
        last[0] = daemon.http("/readyz")
        return last[0][0] == 503 and all(word in last[0][1] for word in said)

    began = time.monotonic()
    until(told, lambda: "%s is told, last %s" % (said, last[0]), 30, 0.5)
    assert all(word in daemon.log() for word in said), daemon.log()[-3000:]
    tries, seconds = total(stand, "aborts") - before, time.monotonic() - began
    assert tries < 4 + seconds, "%d tries in %.1f s: it does not wait" % (tries, seconds)
    forgiven()
    daemon.wait_ready()
    stand.calm()


@verb
def message_too_large(stand, output):
    """What is written to OUTPUT is larger than its topic takes."""
    everybody_works(stand)
    topic = stand.facts.name(output)
    whole = stand.topics._setting(topic, "max.message.bytes")
    stand.topics.configure(topic, max_message_bytes=SMALL)
    is_told(stand, [topic, "too large"], lambda: stand.topics.configure(topic, max_message_bytes=whole))


@verb
def not_allowed(stand, what):
    """What one has to be allowed, OUTPUT or "transactions" or "group", is so no more."""
    everybody_works(stand)
    broker, name = Protocol(stand.kafka.address), "%s-%s-0" % (stand.app, stand.names[0])
    kind, name, operation = {
        "transactions": (TRANSACTIONAL_ID, name, WRITE), "group": (GROUP, stand.app, READ),
    }.get(what, (TOPIC, stand.facts.name(what), WRITE))
    broker.forbid(kind, name, operation)
    is_told(stand, ["uthoriz"], lambda: broker.allow_again(kind, name))


@verb
def no_topic(stand):
    """There is no topic for dead letters, neither at the start nor for the first of
    them."""
    topic, name = stand.facts.name("dead-letters"), stand.names[0]
    stand.topics.delete(topic)
    daemon = stand.start(name)
    until(lambda: daemon._ask(lambda: topic in daemon.http("/readyz")[1]), "the topic that misses is told", 30)
    suite.equal(daemon.http("/readyz")[0], 503)
    create_topics(stand)
    daemon.wait_ready()
    stand.calm()
    stand.topics.delete(topic)
    is_told(stand, [topic], lambda: create_topics(stand))


def create_topics(stand):
    stand.servers.ctl("topics", "create", "--conf", stand.servers.path(stand.app + "-topics.conf"))
