"""three.py: three brokers, each of which keeps everything (replication 3, of which 2
must have a record before it is acknowledged), so that any one of them may die. Each
is behind a proxy as well (proxy.py).

    kafka = three.Brokers(cluster)        # .topics and .address as of one
    kafka.behind                          # the address through the proxies
    victim = kafka.leader("topic", 0)
    victim = kafka.coordinator(three.TRANSACTION, "segmentd-a-0")
    victim.kill()
    kafka.others_take_over(victim)
    kafka.comes_back(victim)"""

import records
from cluster import until
from proxy import Proxied
from wire import Protocol

GROUP, TRANSACTION = 0, 1  # Whose coordinator.
COUNT = 3
SETTINGS = {
    "default.replication.factor": COUNT,
    "min.insync.replicas": 2,
    "offsets.topic.replication.factor": COUNT,
    "transaction.state.log.replication.factor": COUNT,
    "transaction.state.log.min.isr": 2,
    "replica.lag.time.max.ms": 3000,
    "controller.quorum.election.timeout.ms": 500,
    "controller.quorum.fetch.timeout.ms": 1000,
}


class Brokers:
    """Nodes 1 to 3."""

    def __init__(self, servers):
        self.nodes = [Proxied("kafka-%d" % n, servers.folder, SETTINGS) for n in range(1, COUNT + 1)]
        voters = ",".join("%d@%s" % (n, node.control) for n, node in enumerate(self.nodes, 1))
        for n, node in enumerate(self.nodes, 1):
            node.identity = self.nodes[0].identity
            node.set({"node.id": n, "controller.quorum.voters": voters})
            servers.processes.append(node)
        for node in self.nodes:
            node.launch()
        self.proxies = [proxy for node in self.nodes for proxy in node.proxies]
        self.address = ",".join(node.address for node in self.nodes)
        self.behind = ",".join(proxy.address for proxy in self.proxies)
        self.topics = records.Topics(self.address)
        self.whole()

    def leader(self, topic, partition):
        return self._node(self._seen().topics[topic].partitions[partition].leader)

    def coordinator(self, kind, name):
        """The broker that coordinates the group, or the transactional id, NAME."""
        anybody = next(node for node in self.nodes if node.running())
        return self._node(Protocol(anybody.address).coordinator(kind, name))

    def others_take_over(self, dead, timeout=30):
        """Until no partition is led by DEAD, and all have a leader."""
        number = self.nodes.index(dead) + 1
        until(lambda: self._all(lambda p: p.leader not in (-1, number)), "other leaders than node %d" % number, timeout)

    def comes_back(self, dead):
        dead.launch()
        self.whole()

    def whole(self, timeout=90):
        """Until all of them run, and have everything."""
        for node in self.nodes:
            until(node._answers, node.name + " answers", timeout, 0.1)
        until(lambda: len(self._seen().brokers) == COUNT and self._all(lambda p: len(p.isrs) == len(p.replicas)),
              "all replicas are in sync", timeout, 0.1)

    def _node(self, number):
        return self.nodes[number - 1]

    def _all(self, condition):
        return all(condition(p) for topic in self._seen().topics.values() for p in topic.partitions.values())

    def _seen(self):
        return self.topics.admin.list_topics(timeout=10)
