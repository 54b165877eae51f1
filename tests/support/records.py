"""records.py: Kafka records for tests, seen through an independent client.

Writing gives every record an explicit partition and timestamp; reading goes up
to the *uncommitted* end, so that a marker still missing hides nothing, and holds
what segmentd wrote against the shipped schemas.
"""

import collections
import functools
import gzip
import json
import time
import zlib

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

import schema
from cluster import until

Record = collections.namedtuple("Record", "topic partition offset timestamp_ms key value headers")


def murmur2(data):
    """The hash of Kafka's Java clients (seed 0x9747b28c), unsigned."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        h = (h * m ^ (k ^ k >> 24) * m) & mask
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


@functools.lru_cache(maxsize=1 << 20)
def partition_of(key, count, partitioner="murmur2"):
    """The partition a producer with PARTITIONER puts KEY (text or bytes) in."""
    data = key.encode() if isinstance(key, str) else key
    if partitioner == "murmur2":
        return (murmur2(data) & 0x7FFFFFFF) % count
    assert partitioner == "crc32", partitioner
    return zlib.crc32(data) % count


def events(path):
    """(user id, timestamp in ms, the line as bytes) of each line of NDJSON."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as lines:
        for line in lines:
            message = json.loads(line)
            yield (message.get("userId") or message["anonymousId"],
                   parse_ms(message["timestamp"]), line.rstrip(b"\n"))


def parse_ms(text):
    """Milliseconds since 1970 of 2026-01-31T12:00:00.000Z."""
    whole = int(_seconds(text[:16])) + int(text[17:19])
    return whole * 1000 + int(text[20:23] if text[19] == "." else 0)


@functools.lru_cache(maxsize=1 << 16)
def _seconds(minute):
    import calendar
    return calendar.timegm(time.strptime(minute, "%Y-%m-%dT%H:%M"))


def text_ms(ms):
    """The opposite of parse_ms."""
    seconds, rest = divmod(ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%03dZ" % rest


class Topics:
    """Topics of one cluster: make, describe, write, read."""

    def __init__(self, bootstrap):
        # A broker that tests kill need not be reported: errors are raised.
        self.client = {"bootstrap.servers": bootstrap, "log_level": 0}
        self.admin = AdminClient(self.client)
        self._held = set()  # Hashes of records that fit their schemas.

    def create(self, name, partitions=1, timeout=30, **config):
        """Make a topic; settings are written with _ for the dots."""
        config = {k.replace("_", "."): str(v) for k, v in config.items()}
        topic = NewTopic(name, partitions, -1, config=config)  # As many copies as the broker makes.
        self.admin.create_topics([topic], operation_timeout=timeout)[name].result(timeout)
        # The controller has it; a moment later the broker knows.
        deadline = time.monotonic() + timeout
        while self.admin.list_topics(name, timeout=timeout).topics[name].error:
            if time.monotonic() > deadline:
                raise TimeoutError("the broker does not know " + name)
            time.sleep(0.01)

    def create_history(self, name, partitions=1, **config):
        """Make a topic whose records may have any date and stay for ever."""
        self.create(name, partitions, **{
            "retention_ms": -1, "segment_ms": 2 ** 63 - 1,
            "message_timestamp_after_max_ms": 2 ** 63 - 1, **config})

    def delete(self, name, timeout=30):
        self.admin.delete_topics([name], operation_timeout=timeout)[name].result(timeout)

    def configure(self, name, timeout=30, **config):
        """Replace the settings of a topic; returns when the broker has them."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        for key, value in config.items():
            resource.set_config(key.replace("_", "."), str(value))
        self.admin.alter_configs([resource])[resource].result(timeout)
        until(lambda: all(self._setting(name, key) == str(value) for key, value in config.items()),
              "topic %s has %s" % (name, config), timeout)

    def _setting(self, name, key):
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        return self.admin.describe_configs([resource])[resource].result(30)[key.replace("_", ".")].value

    def partitions(self, name, timeout=30):
        topic = self.admin.list_topics(name, timeout=timeout).topics[name]
        if topic.error:
            raise KafkaException(topic.error)
        return len(topic.partitions)

    def producer(self, **config):
        """A producer; a transactional_id among CONFIG makes it transactional."""
        return Producer({**self.client, "enable.idempotence": True,
                         "linger.ms": 5, "queue.buffering.max.messages": 200000,
                         **{k.replace("_", "."): v for k, v in config.items()}})

    def produce(self, topic, rows, timeout=300, producer=None):
        """Write ROWS of (partition, key, value, timestamp_ms[, headers]), in
        order within a partition; returns how many.  Raises on the first record
        the broker refuses.  Without PRODUCER (say, one with a transaction open)
        it is a producer of its own."""
        # A Producer is false while its queue is empty.
        mine = self.producer() if producer is None else producer
        failed, count = [], 0

        def report(error, message):
            if error:
                failed.append(error)

        for partition, key, value, timestamp_ms, *headers in rows:
            while True:
                try:
                    mine.produce(topic, value, key, partition, report, timestamp=timestamp_ms,
                                 headers=headers[0] if headers else None)
                    break
                except BufferError:
                    mine.poll(0.1)
            count += 1
            if count % 1000 == 0:
                mine.poll(0)
            if failed:
                break
        left = mine.flush(timeout)
        if failed or left:
            raise KafkaException(failed[0] if failed else KafkaError(KafkaError._TIMED_OUT))
        return count

    def produce_events(self, topic, rows, partitioner="murmur2", timeout=300):
        """Write ROWS of (user id, timestamp_ms, value), each to its partition."""
        count = self.partitions(topic)
        return self.produce(topic, ((partition_of(user, count, partitioner), user, value, ms)
                                    for user, ms, value in rows), timeout)

    def ends(self, topic, committed=False, timeout=30):
        """{partition: high watermark}, or with COMMITTED the last stable offset."""
        consumer, deadline = self._consumer(committed), time.monotonic() + timeout
        found, wanted = {}, range(self.partitions(topic))
        try:
            while len(found) < len(wanted):
                p = len(found)
                try:
                    found[p] = consumer.get_watermark_offsets(TopicPartition(topic, p), 5)[1]
                except KafkaException:
                    # A broker that just came back does not lead at once.
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
            return found
        finally:
            consumer.close()

    def read(self, topic, committed=True, start=None, timeout=120, foreign=()):
        """All records from START ({partition: offset}, else the beginning) up
        to the uncommitted end of now, by partition and offset.  COMMITTED is
        the isolation: without it, aborted and open ones are seen as well.
        A transaction left open makes it raise TimeoutError after TIMEOUT.
        Changes, triggers and dead letters fit their schemas, but those with
        FOREIGN keys, which others than segmentd wrote."""
        ends = self.ends(topic, timeout=timeout)
        start = start or {}
        reached = {p: start.get(p, 0) for p in ends}
        consumer = self._consumer(committed)
        records, deadline = [], time.monotonic() + timeout
        try:
            # One that knows the topic finds its beginning at once, else half a
            # second later.
            consumer.list_topics(topic, timeout=timeout)
            from_where = [TopicPartition(topic, p, start.get(p, 0) or -2) for p in ends]
            consumer.assign(from_where)
            while any(reached[p] < ends[p] for p in ends):
                if time.monotonic() > deadline:
                    raise TimeoutError("%s: read up to %s, the ends are %s" % (topic, reached, ends))
                for message in consumer.consume(10000, 0.02):
                    p, error = message.partition(), message.error()
                    if error is None:
                        reached[p] = message.offset() + 1
                        records.append(_record(message))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        # Moves over markers and aborted records.
                        reached[p] = message.offset()
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()
        records.sort(key=lambda r: (r.partition, r.offset))
        for record in records:
            if record.key not in foreign:
                self._hold(record)
        return records

    def _hold(self, record):
        """RECORD fits its schema; what is read again need not show it again."""
        seen = hash(record._replace(headers=tuple(record.headers.items())))
        if seen not in self._held:
            schema.record(record)
            self._held.add(seen)

    def committed(self, group, topics, timeout=30):
        """{(topic, partition): (offset, metadata)} of what GROUP committed."""
        consumer = Consumer({**self.client, "group.id": group})
        try:
            wanted = [TopicPartition(t, p) for t in topics for p in range(self.partitions(t))]
            found = consumer.committed(wanted, timeout)
            return {(f.topic, f.partition): (f.offset, getattr(f, "metadata", None))
                    for f in found if f.offset >= 0}
        finally:
            consumer.close()

    def _consumer(self, committed):
        return Consumer({
            **self.client, "group.id": "reader",
            "enable.auto.commit": False, "fetch.wait.max.ms": 20, "enable.partition.eof": True,
            "auto.offset.reset": "error", "fetch.message.max.bytes": 10 << 20,
            "isolation.level": "read_committed" if committed else "read_uncommitted"})


def _record(message):
    return Record(message.topic(), message.partition(), message.offset(), message.timestamp()[1],
                  message.key(), message.value(), dict(message.headers() or ()))
