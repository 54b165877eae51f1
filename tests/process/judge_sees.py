#!/usr/bin/python3
"""The judge of the other process tests must be able to see: what a transaction
left open, what it aborted, what a killed broker kept, what a redis-server lost,
what does not fit the schemas."""

import copy
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import suite
from cluster import Cluster, until
import records
import schema

# People who enter, get a trigger and leave by time.
SEGMENT = '''segment eager {
  when did "Tried" at least 2 times in 1h
  on enter trigger "hello" { text = "hi", goal.id = 7 } once per 1d
}
'''
# Put in place of each part of a record, right or wrong there.
OTHERS = [None, True, False, 0, 1, -1, 3.0, 1.5, "", "3", "event", "timer", "enter", "magic", "segmentd", "a" * 32,
          "A" * 32, "a" * 8, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00Z", "2026-01-01 00:00:00.000Z", [], [""],
          ["x"], [{"condition": ""}], [{"condition": "x"}], [{"condition": "x", "value": {}}, {"value": 1}], {},
          {"name": "segmentd", "version": "1"}, {"topic": "t", "partition": 0, "offset": 0}]
# What must be refused whatever was seen before: kind, place, value.
WRONG = [("change", "properties.seq", "3"), ("change", "properties.seq", 0), ("change", "properties.seq", 1.5),
         ("change", "properties.cause", "magic"), ("change", "properties.cause", "enter"),
         ("change", "properties.member", "true"), ("change", "properties.member", None),
         ("change", "properties.catalogue", "0123456G"), ("change", "properties.triggers", [""]),
         ("change", "properties.evidence", [{"value": 1}]), ("change", "event", "Segment Left"),
         ("change", "event", "Message Triggered"), ("change", "timestamp", "2026-01-01T00:00:00Z"),
         ("change", "timestamp", 1767225600000), ("change", "messageId", "A" * 32), ("change", "messageId", "a" * 31),
         ("change", "userId", ""), ("change", "context.library.name", "other"), ("change", "more", 1),
         ("trigger", "properties.on", "stay"), ("trigger", "properties.seq", "1"),
         ("trigger", "properties.expires_at", "tomorrow"), ("trigger", "event", "Segment Entered"),
         ("trigger", "context.source.offset", -1), ("trigger", "context.source.partition", "0"),
         ("dead-letter-headers", "offset", "-1"), ("dead-letter-headers", "reason", "No User"),
         ("dead-letter-headers", "original_bytes", ""), ("cloudevent-headers", "ce_time", "now"),
         ("cloudevent-headers", "ce_type", "segmentd.segment.left"), ("cloudevent-headers", "ce_source", "/other/x")]
LETTER = {"reason": "bad_json", "topic": "in", "partition": "0", "offset": "7", "timestamp": "-1",
          "original_bytes": "0"}


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
    topics.create_history("txn")
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
    topics.create_history("open")
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


def replayed(cluster):
    """{kind: [JSON]} as segmentctl prints them, with the headers they would have."""
    events = "".join(json.dumps({"type": "track", "event": "Tried", "userId": "u1", "messageId": "m%d" % i,
                                 "timestamp": "2026-01-01T00:0%d:00Z" % i}) + "\n" for i in range(3))
    printed = [schema.value(line) for line in cluster.ctl(
        "replay", "--segments", cluster.path("form.seg", SEGMENT), "--until", "2026-01-02",
        cluster.path("form.ndjson", events)).splitlines()]
    changes = [body for body in printed if "cause" in body["properties"]]
    triggers = [body for body in printed if body not in changes]
    suite.equal((len(changes), len(triggers)), (2, 1))
    return {"change": changes, "trigger": triggers, "dead-letter-headers": [LETTER],
            "cloudevent-headers": [headers_of(body) for body in printed]}


def headers_of(body):
    kind = {"Segment Entered": "segment.entered", "Segment Exited": "segment.exited"}
    return {"ce_specversion": "1.0", "ce_type": "segmentd." + kind.get(body["event"], "message.triggered"),
            "ce_source": "/segmentd/form", "ce_id": body["messageId"], "ce_subject": body["userId"],
            "ce_time": body["timestamp"], "content-type": "application/json"}


def places(what, at=()):
    """The path of every part of WHAT."""
    parts = what.items() if isinstance(what, dict) else enumerate(what) if isinstance(what, list) else ()
    for name, part in parts:
        yield (*at, name)
        yield from places(part, (*at, name))


def replaced(what, place, part=None, gone=False):
    """A copy of WHAT in which PART stands at PLACE, or nothing."""
    what = copy.deepcopy(what)
    within = what
    for name in place[:-1]:
        within = within[name]
    if gone:
        del within[place[-1]]
    else:
        within[place[-1]] = part
    return what


def fits(kind, what):
    try:
        kind.must_fit(what, "")
        return True
    except AssertionError:
        return False


def shapes_are_judged_as_the_schema_judges_each_record(cluster):
    """In any order of what was seen before: twice, the second time with all shapes
    known that fit."""
    verdicts = {True: 0, False: 0}
    for name, examples in replayed(cluster).items():
        kind = schema.schema(name)
        rows = [replaced(what, place, part) for what in examples for place in places(what) for part in OTHERS]
        rows += [replaced(what, place, gone=True) for what in examples for place in places(what)]
        rows += [replaced(what, (*place[:-1], "more"), part) for what in examples for place in places(what)
                 for part in (1, "x") if isinstance(place[-1], str)]
        want = [kind.validator.is_valid(row) for row in rows]
        for _ in (1, 2):
            for row, verdict in zip(rows, want):
                suite.equal(fits(kind, row), verdict, row)
                verdicts[verdict] += 1
    print("         %d records fit, %d do not" % (verdicts[True], verdicts[False]))
    suite.equal((verdicts[True] > 500, verdicts[False] > 2000), (True, True))


def what_is_wrong_is_refused_however_much_fitted(cluster):
    for name, examples in replayed(cluster).items():
        kind = schema.schema(name)
        known = len(kind.fitting)
        for seq in range(2, 1000):
            what = examples[0] if "headers" in name else replaced(examples[0], ("properties", "seq"), seq)
            suite.equal(fits(kind, what), True)
        suite.equal(len(kind.fitting), known)
        wrong = [(place.split("."), part) for which, place, part in WRONG if which == name]
        suite.equal([row for row in wrong if fits(kind, replaced(examples[0], *row))], [])
        suite.equal(len(wrong) >= 3, True, name)


def whoever_reads_sees_a_record_of_another_form(cluster):
    topics, good = cluster.kafka.topics, replayed(cluster)
    change, trigger = good["change"][0], good["trigger"][0]
    rows = [("changes", change, {}, {}), ("triggers", trigger, {}, {}), ("dead-letters", None, LETTER, {})]
    for topic, body, spoil in [
            ("changes", replaced(change, ("properties", "seq"), "3"), {}), ("changes", trigger, {}),
            ("changes", change, {"ce_time": "2026-01-01T00:00:00.000Z"}), ("changes", change, {"ce_type": "x"}),
            ("changes", change, {"key": "another"}), ("triggers", change, {}),
            ("triggers", replaced(trigger, ("properties", "on"), "stay"), {}), ("dead-letters", None, {"offset": "x"})]:
        rows.append((topic, body, LETTER if body is None else {}, spoil))
    for number, (topic, body, headers, spoil) in enumerate(rows):
        name = "form%d.%s" % (number, topic)
        headers = {**(headers or headers_of(body)), **spoil}
        key = headers.pop("key", "u1")
        topics.create_history(name)
        topics.produce(name, [(0, key, json.dumps(body), 1, list(headers.items()))])
        if number < 3:
            suite.equal(len(topics.read(name)), 1)
        else:
            suite.raises(AssertionError, lambda: topics.read(name))
            suite.equal(len(topics.read(name, foreign=[key.encode()])), 1)


def a_killed_broker_keeps_what_it_answered(cluster):
    kafka, topics = cluster.kafka, cluster.kafka.topics
    topics.create_history("kept", 2)
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
        shapes_are_judged_as_the_schema_judges_each_record,
        what_is_wrong_is_refused_however_much_fitted,
        whoever_reads_sees_a_record_of_another_form,
        a_killed_broker_keeps_what_it_answered,
        a_frozen_broker_does_not_answer_until_it_is_thawed,
        a_killed_redis_comes_back_empty,
    ])
sys.exit(code)
