#!/usr/bin/python3
"""The judge of the other process tests must be able to see: what a transaction
left open, what it aborted, what a killed broker kept, what a redis-server lost."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import suite
from cluster import Cluster, until
import records


def hashes_agree_with_the_clients_that_define_them(cluster):
    # UtilsTest.testMurmur2 of Apache Kafka.
    for key, want in [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536),
                      ("a-little-bit-longer-string", -1486304829), ("abc", 479470107),
                      ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]:
        suite.equal(records.murmur2(key.encode()), want & 0xFFFFFFFF, key)
    # And librdkafka itself, which has both.
    topics = cluster.kafka.topics
    for partitioner, name in [("murmur2", "murmur2_random"), ("crc32", "consistent_random")]:
        topics.create(partitioner, 7)
        producer = topics.producer(partitioner=name)
        for i in range(500):
            producer.produce(partitioner, key="user-%d-é" % i)
        suite.equal(producer.flush(30), 0)
        for record in topics.read(partitioner):
            suite.equal(record.partition, records.partition_of(record.key, 7, partitioner), record.key)


def records_keep_their_partition_time_and_order(cluster):
    topics = cluster.kafka.topics
    topics.create_history("order", 3)
    rows = [(i % 3, "k%d" % i, b"v%d" % i, 1112911993000 + i, [("h", b"x")]) for i in range(5000)]
    rows.append((1, "late", None, 4070908800000))  # 2099, and a tombstone
    suite.equal(topics.produce("order", rows), len(rows))
    read = topics.read("order")
    for p in range(3):
        want = [(r[1], r[2], r[3]) for r in rows if r[0] == p]
        suite.equal([(r.key.decode(), r.value, r.timestamp_ms) for r in read if r.partition == p], want)
    suite.equal(read[0].headers, {"h": b"x"})


def a_refused_record_is_an_error(cluster):
    topics = cluster.kafka.topics
    topics.create("small", 1, max_message_bytes=1000)
    suite.raises(Exception, lambda: topics.produce("small", [(0, "k", os.urandom(5000), 1)]))


def aborted_records_are_seen_only_uncommitted(cluster):
    topics = cluster.kafka.topics
    topics.create("txn", 1)
    producer = topics.producer(transactional_id="txn")
    producer.init_transactions(30)
    for value, end in [(b"one", producer.commit_transaction), (b"two", producer.abort_transaction),
                       (b"three", producer.commit_transaction)]:
        producer.begin_transaction()
        topics.produce("txn", [(0, "k", value, 1)], producer=producer)
        end(30)
    suite.equal([r.value for r in topics.read("txn")], [b"one", b"three"])
    suite.equal([r.value for r in topics.read("txn", committed=False)], [b"one", b"two", b"three"])


def an_open_transaction_hides_nothing(cluster):
    topics = cluster.kafka.topics
    topics.create("open", 1)
    producer = topics.producer(transactional_id="open")
    producer.init_transactions(30)
    producer.begin_transaction()
    topics.produce("open", [(0, "k", b"v", 1)], producer=producer)
    suite.equal(topics.ends("open"), {0: 1})
    suite.equal(topics.ends("open", committed=True), {0: 0})
    suite.raises(TimeoutError, lambda: topics.read("open", timeout=2))
    suite.equal(len(topics.read("open", committed=False)), 1)
    producer.commit_transaction(30)
    suite.equal(len(topics.read("open")), 1)


def a_killed_broker_keeps_what_it_answered(cluster):
    kafka, topics = cluster.kafka, cluster.kafka.topics
    topics.create("kept", 2)
    topics.produce("kept", [(i % 2, "k%d" % i, b"v", 5) for i in range(1000)])
    producer = topics.producer(transactional_id="kept", transaction_timeout_ms=5000)
    producer.init_transactions(30)
    producer.begin_transaction()
    topics.produce("kept", [(0, "never", b"v", 5)], producer=producer)
    address = kafka.address
    suite.equal(kafka.kill(), -9)
    kafka.start()
    suite.equal(kafka.address, address)
    # The transaction that nobody ends is aborted by the broker in the end.
    until(lambda: topics.ends("kept") == topics.ends("kept", committed=True), "the transaction times out", 30, 0.2)
    suite.equal(len(topics.read("kept")), 1000)
    suite.equal(len(topics.read("kept", committed=False)), 1001)


def a_frozen_broker_does_not_answer_until_it_is_thawed(cluster):
    kafka, topics = cluster.kafka, cluster.kafka.topics
    kafka.freeze()
    suite.raises(Exception, lambda: topics.admin.list_topics(timeout=1))
    kafka.thaw()
    until(lambda: topics.ends("kept"), "the broker answers", 30)


def a_killed_redis_comes_back_empty(cluster):
    redis = cluster.redis
    redis.client().hset("user", "segment", 1)
    redis.kill()
    redis.start()
    suite.equal(redis.client().dbsize(), 0)


with Cluster() as one:
    one.kafka, one.redis = one.kafka(), one.redis()
    code = suite.run(one, [
        hashes_agree_with_the_clients_that_define_them,
        records_keep_their_partition_time_and_order,
        a_refused_record_is_an_error,
        aborted_records_are_seen_only_uncommitted,
        an_open_transaction_hides_nothing,
        a_killed_broker_keeps_what_it_answered,
        a_frozen_broker_does_not_answer_until_it_is_thawed,
        a_killed_redis_comes_back_empty,
    ])
sys.exit(code)
