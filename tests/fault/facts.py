"""facts.py: what the broker knows of an application, asked again and again.

Everything a fault is timed by and every phase of a kill is told by these facts, not
by the daemon: how far it has committed, whether a transaction is open and where,
what stands in it.  The clients are kept, so that a question takes milliseconds."""

import json
import threading
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

OUTPUTS = ("changes", "triggers", "traits", "state", "dead-letters")
END = -1  # As a time: the end.
# Who leads is asked anew after so long: it may have died.
LEADERS_MS = 2000


class Facts:
    """Of APP, which reads INPUTS; all its topics have PARTITIONS partitions."""

    def __init__(self, topics, app, inputs, partitions):
        self.topics, self.app, self.inputs, self.partitions = topics, app, inputs, partitions
        self._lock = threading.Lock()
        self._plain, self._stable, self._group = (
            Consumer({**topics.client, "group.id": group, "isolation.level": level, "enable.auto.commit": False,
                      "metadata.max.age.ms": LEADERS_MS})
            for group, level in (("reader", "read_uncommitted"), ("reader", "read_committed"), (app, "read_committed")))

    def close(self):
        for client in self._plain, self._stable, self._group:
            client.close()

    def name(self, output):
        return "%s.%s" % (self.app, output)

    def ends(self, *topics, stable=False, timeout=30):
        """{(topic, partition): high watermark}, with STABLE the last stable offset."""
        asked = [TopicPartition(t, p, END) for t in topics for p in range(self.partitions)]
        client, deadline = self._stable if stable else self._plain, time.monotonic() + timeout
        while True:
            try:
                with self._lock:
                    found = client.offsets_for_times(asked, 3)
                errors = [place.error for place in found if place.error]
                if not errors:
                    return {(f.topic, f.partition): f.offset for f in found}
            except KafkaException as error:  # Of a new topic, or after a start, nobody is the leader at first.
                errors = [error]
            if time.monotonic() > deadline:
                raise KafkaException(errors[0])
            time.sleep(0.05)

    def open(self):
        """{(output topic, partition): where it begins} of the transactions that are
        open in our outputs."""
        topics = [self.name(output) for output in OUTPUTS]
        # Stable first: what is committed in between must not look open.
        stable, ends = self.ends(*topics, stable=True), self.ends(*topics)
        again = self.ends(*topics, stable=True)
        return {place: stable[place] for place in ends if again[place] < ends[place] and again[place] == stable[place]}

    def committed(self, timeout=5):
        """{(topic, partition): offset} of the inputs, None while it is undecided."""
        asked = [TopicPartition(t, p) for t in self.inputs for p in range(self.partitions)]
        try:
            with self._lock:
                found = self._group.committed(asked, timeout)
        except KafkaException:  # A transaction is pending, or the coordinator is being found.
            return None
        return {(f.topic, f.partition): max(f.offset, 0) for f in found}

    def as_nobody(self):
        """The group, as seen by who is none of its members."""
        return self._group.consumer_group_metadata()

    def all_is_done(self):
        """All inputs are committed to their ends and no transaction is open."""
        return self.committed() == self.ends(*self.inputs) and not self.open()

    def still_open(self, partitions, wait_s):
        """Those of PARTITIONS that are open now and after WAIT_S seconds: what is
        committed already, but has no marker yet, is not among them."""
        first = {place: at for place, at in self.open().items() if place[1] in partitions}
        if not first:
            return {}
        time.sleep(wait_s)
        again = self.open()
        return {place: at for place, at in first.items() if again.get(place) == at}

    def causes(self, pending):
        """Causes of the changes in PENDING, an answer of `open`."""
        topic = self.name("changes")
        start = {p: at for (name, p), at in pending.items() if name == topic}
        if not start:
            return set()
        rest = {p: end for (_, p), end in self.ends(topic).items()}
        found = self.topics.read(topic, committed=False, start={**rest, **start})
        return {json.loads(r.value)["properties"]["cause"] for r in found}

    def aborted(self):
        """How many records stand in transactions that nobody committed."""
        return sum(len(self._places(output, False) - self._places(output, True)) for output in OUTPUTS)

    def _places(self, output, committed):
        return {(r.partition, r.offset) for r in self.topics.read(self.name(output), committed)}

    def written_since(self, before):
        """How many changes stand after BEFORE ({partition: end}), committed or not."""
        return len(self.topics.read(self.name("changes"), committed=False, start=before))

    def change_ends(self):
        return {p: end for (_, p), end in self.ends(self.name("changes")).items()}
