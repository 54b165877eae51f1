"""broken.py: applications that work, are ended and broken, for the tests of what
segmentd refuses and of what segmentctl mends."""

import concurrent.futures
import json
import re

import conf
import judge
import records
import suite
from cluster import until
from wire import Protocol

BASE_MS = 1735689600000  # 2025-01-01
FIRST, SECOND = 10, 6  # Records of each partition of the two inputs, at first.
LATER = 4  # Once more of the first input, in a transaction of their own.
SEGMENT = 'segment eager { when did "Used" at least %d times }\n'


def mend(partition, how="--accept-loss"):
    """The command that a refusal names."""
    return "`segmentctl reset --partition %d %s`" % (partition, how)


def user(partition, number, kind="u"):
    """A user id that Java clients send to PARTITION of two."""
    names = ("%s%d-%d" % (kind, number, i) for i in range(1000))
    return [name for name in names if records.partition_of(name, 2) == partition][0]


class App:
    """One application: two inputs of two partitions, trusted to be right."""

    def __init__(self, world, name, segments=SEGMENT % 2, **settings):
        self.world, self.name, self.topics = world, name, world.topics
        self.inputs = [name + "-a", name + "-b"]
        self.sent = 0
        self.lost = frozenset()  # Whose changes were deleted with their topic.
        for topic in self.inputs:
            self.topics.create_history(topic, 2)
        self.segments = world.cluster.path(name + ".seg", segments)
        self.conf = conf.text([self.segments], self.inputs, world.kafka.address, app=name, partitioner="trust",
                              **{"clock": "records", "workers": 1, "flush_interval": "1h", **settings})
        self.conf_path = world.cluster.path(name + "-topics.conf", self.conf)
        world.cluster.ctl("topics", "create", "--conf", self.conf_path)
        self.daemon = None

    def start(self):
        if self.daemon:
            self.daemon.start()
        else:
            self.daemon = self.world.cluster.segmentd(self.conf, name=self.name)

    def feed(self, topic, count, partitions=(0, 1), after_s=1, ids=True):
        """COUNT records, of two users of a partition, AFTER_S later than the last;
        with message ids or without."""
        self.sent += after_s
        rows = []
        for p in partitions:
            for i in range(count):
                event = {"type": "track", "event": "Used", "userId": user(p, i % 2)}
                if ids:
                    event["messageId"] = "%s-%d-%d" % (topic, self.sent, i)
                rows.append((p, event["userId"], json.dumps(event), BASE_MS + 1000 * self.sent + i))
        self.topics.produce(topic, rows)

    def wait(self):
        """Until all inputs are worked off."""
        judge.wait_committed(self.daemon, self.topics, self.inputs, app=self.name, timeout=60)

    def work(self):
        """Two transactions and more of each partition."""
        for topic, count in zip(self.inputs, (FIRST, SECOND)):
            self.feed(topic, count)
        self.start()
        self.wait()
        self.before, self.metadata_before = self.committed(), self.metadata()
        self.feed(self.inputs[0], LATER)
        self.wait()
        return self

    def end(self):
        """In good order: everything is flushed."""
        suite.equal(self.daemon.terminate(), 0)
        return self

    def kill(self):
        """Nothing is flushed: a restore needs all topics from the beginning."""
        suite.equal(self.daemon.kill(), -9)
        return self

    def committed(self):
        """{(topic, partition): offset}"""
        return {place: offset for place, (offset, _) in self.topics.committed(self.name, self.inputs).items()}

    def metadata(self, partition=0):
        """That of the committed offsets."""
        return self.world.protocol.metadata(self.name, self.inputs[0], partition)

    def outputs(self, partition):
        return {t: self.topics.ends("%s.%s" % (self.name, t))[partition]
                for t in ("changes", "triggers", "state", "dead-letters")}

    def is_refused(self, *parts):
        """Partition 0 is, because of PARTS, in that order; partition 1 works."""
        untouched, reached = self.outputs(0), self.committed()
        self.start()
        self.says({0: parts})
        self.goes_on_in(1)
        suite.equal(self.outputs(0), untouched, "outputs of the refused partition")
        suite.equal({k: v for k, v in self.committed().items() if k[1] == 0},
                    {k: v for k, v in reached.items() if k[1] == 0}, "offsets of the refused partition")
        suite.equal(self.daemon.metric("segmentd_refusals_total"), 1)
        suite.equal(self.daemon.terminate(), 0)

    def both_are_refused(self, parts):
        """When a whole topic is another: because of PARTS(partition)."""
        untouched = [self.outputs(p) for p in (0, 1)]
        self.start()
        self.says({p: parts(p) for p in (0, 1)})
        suite.equal([self.outputs(p) for p in (0, 1)], untouched, "outputs of refused partitions")
        suite.equal(self.daemon.terminate(), 0)

    def says(self, parts):
        """/readyz and the log say of each partition of PARTS why it is refused:
        the texts that stand there, in that order."""
        self.daemon.wait_metric("segmentd_refusals_total", lambda n: n == len(parts), 30)
        said = [line for line in self.daemon.log().splitlines() if "error: partition refused" in line]
        suite.equal(len(said), len(parts), said)
        status, text = self.daemon.http("/readyz")
        suite.equal((status, json.loads(text)["ready"]), (503, False))
        reasons = {p["partition"]: p["reason"] for p in json.loads(text)["partitions"] if p["state"] == "refused"}
        suite.equal(set(reasons), set(parts))
        for p, reason in reasons.items():
            print("         " + reason)
            if not re.search(".*".join(re.escape(str(part)) for part in parts[p]), reason):
                raise AssertionError("%s: not %s in the message: %s" % (self.name, parts[p], reason))
            suite.equal(any(reason[:200] in line for line in said), True, said)

    def goes_on_in(self, *partitions):
        """A new user enters in each of PARTITIONS, and nobody twice."""
        self.sent += 1
        topic = self.inputs[0]
        rows = [(p, user(p, 0, "new"), json.dumps({"type": "track", "event": "Used", "userId": user(p, 0, "new")}),
                 BASE_MS + 1000 * self.sent) for p in partitions for _ in (1, 2, 3)]
        self.topics.produce(topic, rows)
        want = {user(p, i) for p in (0, 1) for i in (0, 1)} | {user(p, 0, "new") for p in partitions}
        users = lambda: [change["userId"] for change in (json.loads(r.value) for r in self.topics.read(
            self.name + ".changes", foreign=[b"stranger"]) if r.key != b"stranger")
                         if change["properties"]["segment"] == "eager"]
        until(lambda: set(users()) >= want - self.lost, "they enter", 30, 0.1)
        found = users()
        suite.equal((len(found), set(found)), (len(set(found)), want - self.lost), "who entered, each once")


class World:
    """A broker, and the applications APPS: {name: settings}, all at work."""

    def __init__(self, cluster, apps):
        self.cluster, self.kafka = cluster, cluster.kafka()
        self.topics, self.protocol = self.kafka.topics, Protocol(self.kafka.address)
        # A daemon dies with the thread that started it: the pool is never shut.
        self.pool = concurrent.futures.ThreadPoolExecutor(4)
        self.working = {name: self.pool.submit(lambda name, more: App(self, name, **more).work(), name, more)
                        for name, more in apps.items()}

    def app(self, name):
        """The application NAME, after its work."""
        return self.working[name].result()

    def make_again(self, topic):
        self.topics.delete(topic)
        until(lambda: topic not in self.topics.admin.list_topics(timeout=10).topics, topic + " is gone", 30)
        policy = {"cleanup_policy": "compact"} if topic.endswith(".state") else {}
        self.topics.create_history(topic, 2, **policy)


def transaction(metadata):
    return int(re.match("v1:(\\d+):", metadata).group(1))
