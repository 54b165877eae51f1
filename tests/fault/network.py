"""network.py: an application whose processes reach the broker and Redis through proxies
(tests/support/proxy.py), and the verbs that hurt these networks.

Who judges goes around the proxies. Every verb goes on feeding while it lasts; it heals
the network in the end and returns when everything fed is worked off."""

import time

import stand
import suite
from cluster import until
from nemesis import GUEST
from proxy import DOWN, END_TXN, INIT_PRODUCER_ID, TXN_OFFSET_COMMIT, UP, Proxy
from scenario import verb

MBIT_S = 1e6 / 8
# What the broker says to a producer whose epoch is old, the last one while the new one
# has no transaction.
OLD = PRODUCER_FENCED, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE = 90, 47, 48
BOTH = (UP, DOWN)


class Proxied(stand.Stand):
    """Takes one of the broker's proxies for as long as it lives. PROPERTIES are
    librdkafka's."""

    def __init__(self, servers, *arguments, properties=None, **settings):
        super().__init__(servers, *arguments, **settings)
        self.properties.update(properties or {})
        self._doors, self.proxy = servers.doors, servers.doors.get(timeout=600)
        self.redis_proxy = Proxy(self.redis.address).start()
        self.kafka_at, self.redis_at = self.proxy.address, self.redis_proxy.address
        self.proxies = self.proxy, self.redis_proxy

    def heal(self):
        for proxy in self.proxies:
            proxy.heal()

    def release(self):
        self.heal()
        self.redis_proxy.stop()
        self._doors.put(self.proxy)


def total(stand, metric):
    """The sum of METRIC of all processes."""
    return sum(stand.daemons[name].metric("segmentd_%s_total" % metric) for name in stand.names)


def oldest_transaction_s(daemon):
    """The age of that of its workers who has been at his for longest."""
    return max(value for key, value in daemon.metrics().items() if key.startswith("segmentd_transaction_age_seconds{"))


def feed_for(stand, seconds, every=0.1, count=10):
    """Feed for so long, COUNT records at once."""
    until_ = time.monotonic() + seconds
    while time.monotonic() < until_:
        stand.load.feed(count)
        time.sleep(every)


def everybody_works(stand):
    for name in stand.names:
        stand.works(name)


# ---- slow ---------------------------------------------------------------------------

@verb
def slow(stand, seconds, latency_s=0, rate=None):
    """LATENCY_S each way, or RATE bytes a second: slower, nothing else."""
    everybody_works(stand)
    stand.calm()
    before = total(stand, "losses"), total(stand, "revocations")
    began = time.monotonic()
    for proxy in stand.proxies:
        proxy.delay(latency_s)
        proxy.rate(rate)
    feed_for(stand, seconds)
    stand.calm()
    took = time.monotonic() - began
    suite.equal((total(stand, "losses"), total(stand, "revocations")), before, "losses, revocations")
    # A transaction is several requests, one after the other.
    assert not latency_s or took > seconds + 4 * latency_s, "%.1f s: nothing was slow" % took
    stand.heal()


# ---- broken -------------------------------------------------------------------------

@verb
def broken(stand, how, times, pause_s=0.3):
    """All connections are cut, or reset, TIMES times."""
    everybody_works(stand)
    ended = 0
    for _ in range(times):
        feed_for(stand, pause_s)
        ended += sum(getattr(proxy, how)() for proxy in stand.proxies)
    # Consumer, producer and Redis of each process, at least.
    assert ended >= 3 * times * len(stand.names), "%d connections only" % ended
    stand.calm()


@verb
def one_way(stand, way, seconds):
    """Nothing of WAY arrives for SECONDS."""
    everybody_works(stand)
    for proxy in stand.proxies:
        proxy.lose(way)
    feed_for(stand, seconds)
    stand.heal()
    stand.calm()


@verb
def refused(stand, seconds):
    """All connections end and no new one comes about for SECONDS."""
    everybody_works(stand)
    for proxy in stand.proxies:
        proxy.refuse()
        proxy.reset()
    feed_for(stand, seconds)
    stand.heal()
    stand.calm()


# ---- a request that is late ------------------------------------------------------------

# After SOCKET_S a request is given up, with its connection, and sent again through
# another; a commit that took half of it costs the producer its place; after
# TRANSACTION_S its outcome is unknown (daemon/worker/worker.c, make_commit). With one
# worker a new epoch is that of the producer whose request is held.
SOCKET_S, TRANSACTION_S, SESSION_S = 1, 4, 9
LATE = {"workers": 1, "session_ms": 1000 * SESSION_S, "properties": {
    "socket.timeout.ms": 1000 * SOCKET_S, "transaction.timeout.ms": 1000 * TRANSACTION_S}}

def hold_one(stand, kind):
    """A request of KIND is under way, and does not arrive. Also how often somebody has
    got a new epoch by then."""
    everybody_works(stand)
    held = stand.proxy.hold(kind)
    until(lambda: stand.load.feed(10) or held.connection, "a request of kind %d" % kind, 30, 0.1)
    return held, stand.proxy.answers[INIT_PRODUCER_ID]


def producer_is_replaced(stand, asked):
    """Until somebody has got a new epoch of his transactional id more often."""
    until(lambda: stand.proxy.answers[INIT_PRODUCER_ID] > asked, "the producer is replaced", 60)


@verb
def commit_held(stand):
    """An EndTxn is longer on its way than anybody waits for it. It is sent again, which
    decides the transaction, and the first one arrives when its sender has been replaced
    and another transaction is open: that one it must not decide."""
    held, asked = hold_one(stand, END_TXN)
    held.wait_abandoned()
    producer_is_replaced(stand, asked)
    stand.load.feed(10)
    pending = open_again(stand)
    held.deliver()
    held.wait_answered()
    suite.equal(held.error in OLD, True, held.error)
    suite.equal(set(pending) <= set(stand.facts.open()), True, "the other transaction is open as before")
    for name in stand.names:
        stand.let_go(name, "before_commit")
    stand.calm()


def open_again(stand):
    """Everybody waits before the commit, with transactions that the broker sees."""
    for name in stand.names:
        stand.order(name, "before_commit", "barrier@1")
    until(lambda: stand.load.feed(10) or all(stand.waits(name, "before_commit") for name in stand.names),
          "everybody is in a transaction", 60, 0.1)
    return until(stand.facts.open, "the transactions are seen", 10)


@verb
def commit_late(stand):
    """An EndTxn arrives later than a commit may take, and is good: the transaction is
    committed, and its producer is replaced all the same."""
    held, asked = hold_one(stand, END_TXN)
    time.sleep(0.7 * SOCKET_S)
    suite.equal((held.connection.client_left, stand.proxy.answers[INIT_PRODUCER_ID]), (False, asked), "it is waited for")
    held.deliver()
    held.wait_answered()
    suite.equal(held.error, 0, "what the broker said to it")
    producer_is_replaced(stand, asked)
    stand.calm()


@verb
def commit_answer_lost(stand):
    """The broker commits, and nobody hears of it until the producer is given up: the
    committed offsets tell."""
    everybody_works(stand)
    before = total(stand, "resolved_commits")
    held, _ = hold_one(stand, END_TXN)
    stand.proxy.lose(DOWN)
    held.deliver()
    held.wait_answered()
    suite.equal(held.error, 0, "what the broker said to it")
    name, = stand.names
    until(lambda: oldest_transaction_s(stand.daemons[name]) > TRANSACTION_S + 1, "its outcome is unknown", 20)
    stand.heal()
    stand.calm()
    until(lambda: total(stand, "resolved_commits") > before, "an outcome was looked up", 5)


@verb
def commit_lost(stand):
    """The broker never hears that it is to commit: in the end it aborts, and all that was
    in the transaction is said again."""
    everybody_works(stand)
    hold_one(stand, END_TXN)
    stand.proxy.lose(UP)
    name, = stand.names
    until(lambda: oldest_transaction_s(stand.daemons[name]) > TRANSACTION_S + 1, "its outcome is unknown", 20)
    stand.heal()
    stand.calm()


@verb
def revoked_undecided(stand):
    """A guest comes while the outcome of a commit is not known. What its owner has goes
    with what was sent, under its name, and it is aborted; the guest does that part anew,
    with more, and dies; then all of it comes back."""
    everybody_works(stand)
    stand.calm()
    name, = stand.names
    hold_one(stand, END_TXN)
    stand.load.feed()
    guest = stand.start(GUEST)
    stand.own_all(name, GUEST)
    until(lambda: stand.facts.committed() == stand.facts.ends(*stand.inputs), "all is committed", 60, 0.1)
    guest.kill()
    stand.heal()
    stand.own_all(name)
    stand.calm()


@verb
def offsets_held(stand):
    """The same with the offsets of a transaction: they arrive when their sender has
    been replaced."""
    held, asked = hold_one(stand, TXN_OFFSET_COMMIT)
    held.wait_abandoned()
    producer_is_replaced(stand, asked)
    stand.load.feed(10)
    held.deliver()
    held.wait_answered()
    suite.equal(held.error in OLD, True, held.error)
    stand.calm()
