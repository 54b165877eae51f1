"""clustered.py: an application on three brokers (tests/support/three.py), and the verbs
that hurt one of them: the leader of a partition, a coordinator."""

import threading
import time
import types

import stand
import suite
import three
from brokers import in_transactions
from nemesis import kill_now
from network import SESSION_S, SOCKET_S, TRANSACTION_S, everybody_works
from scenario import verb

LOCK = threading.Lock()


class Clustered(stand.Stand):
    """All of them share the three brokers, which are started for the first. PROPERTIES
    are librdkafka's; with them the processes go through the proxies."""

    def __init__(self, servers, *arguments, properties=None, **settings):
        with LOCK:
            if not hasattr(servers, "three"):
                servers.three = three.Brokers(servers.cluster)
        here = types.SimpleNamespace(**{**vars(servers), "kafka": servers.three})
        super().__init__(here, *arguments, **settings)
        if properties:
            self.properties.update(properties)
            self.kafka_at = self.kafka.behind

    @property
    def proxy(self):
        """In front of the coordinator of the transactions of the first worker."""
        return self.node("transactions").proxies[0]

    def node(self, role):
        """The broker with ROLE for this application."""
        if role == "leader":
            return self.kafka.leader(self.facts.name("changes"), self.random.randrange(self.partitions))
        kind, name = {"group": (three.GROUP, self.app),
                      "transactions": (three.TRANSACTION, "%s-%s-0" % (self.app, self.names[0]))}[role]
        return self.kafka.coordinator(kind, name)

    def heal(self):
        for proxy in self.kafka.proxies:
            proxy.heal()

    def release(self):
        """For the next one all brokers are well."""
        self.heal()
        for node in self.kafka.nodes:
            node.thaw()
            if not node.running():
                node.launch()
        self.kafka.whole()


LATE = {"workers": 1, "session_ms": 1000 * SESSION_S, "properties": {
    "socket.timeout.ms": 1000 * SOCKET_S, "transaction.timeout.ms": 1000 * TRANSACTION_S}}


@verb
def one_killed(stand, role):
    """The broker with ROLE dies when everybody is about to commit; the others take
    over, and it comes back."""
    in_transactions(stand)
    victim = stand.node(role)
    victim.kill()
    for name in stand.names:
        stand.let_go(name, "before_commit")
    stand.kafka.others_take_over(victim)
    stand.calm()
    stand.kafka.comes_back(victim)
    stand.load.feed()
    stand.calm()


@verb
def one_frozen(stand, role, seconds):
    """The same, but it stops, and goes on in the belief that it has that role."""
    in_transactions(stand)
    victim = stand.node(role)
    victim.freeze()
    for name in stand.names:
        stand.let_go(name, "before_commit")
    time.sleep(seconds)
    victim.thaw()
    stand.kafka.whole()
    stand.calm()


@verb
def storm(stand, seconds, every):
    """A process comes, goes or dies every EVERY seconds; now and then a broker dies and
    comes back."""
    everybody_works(stand)
    end, broker = time.monotonic() + seconds, None
    while time.monotonic() < end:
        then, name = time.monotonic() + every, stand.random.choice(stand.names)
        if not stand.alive(name):
            stand.start(name)
        elif stand.random.random() < 0.5:
            kill_now(stand, name)
        else:
            suite.equal(stand.daemons[name].terminate(60), 0, "%s ends well" % name)
        if broker:
            stand.kafka.comes_back(broker)
            broker = None
        elif stand.random.random() < 0.3:
            broker = stand.random.choice(stand.kafka.nodes)
            broker.kill()
            stand.kafka.others_take_over(broker)
        while time.monotonic() < then:
            stand.load.feed(10)
            time.sleep(0.2)
    if broker:
        stand.kafka.comes_back(broker)
    stand.calm()
