"""fleet.py: several segmentd of one application on a real broker, what each of them
owns, and what the broker knows of their group."""

import re
import signal
import struct

import conf
import judge
import suite
from cluster import until
from wire import Protocol

# Members hear of a rebalance by the answer to a heartbeat.
HEARTBEAT_MS = 300
OWNED = re.compile(r'^segmentd_partition_txn\{partition="(\d+)"\}$')


class Fleet:
    """The processes of APP, which read INPUTS of PARTITIONS partitions; SETTINGS
    are those of conf.text."""

    def __init__(self, servers, kafka, redis, app, segments, inputs, partitions, session_ms, **settings):
        self.servers, self.kafka, self.topics, self.app = servers, kafka, kafka.topics, app
        self.redis, self.segments, self.inputs, self.partitions = redis, segments, inputs, partitions
        # Where the processes find them.
        self.kafka_at, self.redis_at = kafka.address, redis and redis.address
        self.properties = {"session.timeout.ms": session_ms, "heartbeat.interval.ms": HEARTBEAT_MS}
        self.settings = {"workers": 1, "clock": "records", **settings}
        self.daemons = {}
        servers.ctl("topics", "create", "--conf", servers.path(app + "-topics.conf", self.conf("any")))

    def conf(self, name, **settings):
        return conf.text([self.segments], self.inputs, self.kafka_at, redis=self.redis_at, app=self.app,
                         properties=self.properties, **{"process": name, **self.settings, **settings})

    def start(self, name, failpoints="", **settings):
        """Start process NAME, again if it ran before; it need not be ready yet."""
        daemon = self.daemons.get(name)
        if daemon:
            daemon.env["SEGMENTD_FAILPOINTS"] = failpoints
            daemon.start()
        else:
            daemon = self.daemons[name] = self.servers.segmentd(
                self.conf(name, **settings), name="%s-%s" % (self.app, name),
                env={"SEGMENTD_FAILPOINTS": failpoints}, failpoints=True)
        return daemon

    def end(self):
        """All of them, in good order."""
        running = [daemon for daemon in self.daemons.values() if daemon.running()]
        for daemon in running:
            daemon.signal(signal.SIGTERM)
        for daemon in running:
            suite.equal(daemon.wait(), 0, daemon.name)

    def own_all(self, *names, timeout=60):
        """Until each of NAMES has a share of the partitions and together they run
        them all; {name: [partition]}."""
        last = {}

        def settled():
            for name in names:
                owned = self._ask(name)
                if owned is None:
                    last[name] = "no answer"
                    return False
                last[name] = owned
            return all(last.values()) and sorted(sum(last.values(), [])) == list(range(self.partitions))

        until(settled, lambda: "%s own all partitions: %s" % (", ".join(names), last), timeout)
        return last

    def _ask(self, name):
        """The partitions of NAME, if all it has are running."""
        daemon = self.daemons[name]
        seen = daemon._ask(daemon.metrics)
        if seen is None:
            return None
        owned = sorted(int(found.group(1)) for found in map(OWNED.match, seen) if found)
        running = seen.get('segmentd_partitions{state="running"}', 0)
        return owned if len(owned) == running else None

    def metadata(self):
        """{partition: what stands beside its committed offset}."""
        protocol = Protocol(self.kafka.address)
        return {p: protocol.metadata(self.app, self.inputs[0], p) for p in range(self.partitions)}

    def wait_done(self, timeout=120):
        """Until everything is worked off and committed."""
        judge.wait_committed(next(d for d in self.daemons.values() if d.running()), self.topics, self.inputs, self.app,
                             timeout)

    def generation(self):
        """That of the group, as the coordinator wrote it down last."""
        found = [record.value for record in self.topics.read("__consumer_offsets", committed=False)
                 if record.key and _group_of(record.key) == self.app and record.value]
        size, = struct.unpack_from(">h", found[-1], 2)
        return struct.unpack_from(">i", found[-1], 4 + size)[0]


def _group_of(key):
    """The group whose members a record of __consumer_offsets with KEY tells; None:
    it tells something else."""
    version, size = struct.unpack_from(">hh", key)
    return key[4:4 + size].decode() if version == 2 else None
