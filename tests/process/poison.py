#!/usr/bin/python3
"""Bad input through a real broker: every row of lib/event/poison_table.h, and
what only Kafka can bring: tombstones, no keys, huge keys, absurd dates, the
wrong partition, a user who would grow too large.

Each bad record stands between two good ones.  Judge: the dead letters hold
exactly what the table calls one, once, with its reason and where it came from;
all that the table accepts has become an event, and every good record as well."""

import collections
import json
import os
import re
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import judge
import records
import suite
from cluster import ROOT, Cluster, until

BASE_MS, HOUR_MS = 1735689600000, 3600000  # 2025-01-01
YEAR_2099_MS, YEAR_9999_MS = 4070908800000, 253402300799999
PARTITIONS = 4
CHECKED, TRUSTED = "checked", "trusted"  # The inputs, by how they are partitioned.
LARGEST = 64 << 20
PADS = 400  # Segments that only make a user larger.
DEAD_LETTER_BYTES, USER_BYTES = 100 << 10, 8 << 10
SEGMENTS = """
segment known { when everyone }
segment good { when did "Good" }
segment seen { when did "E" }
segment twice { when did "E" at least 2 times }
segment fresh { when did "E" in 1h }
segment x_missing { when did "E" where x is not set }
segment x_two { when did "E" where x = 2 }
segment x_zero { when did "E" where x = 0 }
segment x_2_63 { when did "E" where x = 9.223372036854775808e18 }
segment x_2_64 { when did "E" where x = 1.8446744073709551616e19 }
segment x_nul { when did "E" where (x starts with "a" and x ends with "b") }
segment x_half { when did "E" where x = "a\\ufffd" }
segment talker { when user.bio starts with "b" }
""" + "".join('segment pad_%d { when did "Pad" in 1m }\n' % i for i in range(PADS))
# What the table accepts of a property is read as what?
VALUES = {"duplicate_member": "x_two", "number_too_small": "x_zero", "minus_zero": "x_zero",
          "integer_2_63": "x_2_63", "integer_2_64": "x_2_64", "nul_in_text": "x_nul", "half_pair_in_text": "x_half"}

Row = collections.namedtuple("Row", "name fate reason place value")
# One bad record, as it must stand among the dead letters.
Letter = collections.namedtuple("Letter", "reason timestamp_ms key value")


# ---- the table ---------------------------------------------------------------

def table():
    """The rows of the poison table, through the preprocessor that made it."""
    source = ('#include "lib/event/poison_table.h"\n#include <seg/error.h>\n'
              "#define X(name, fate, error, place, example, sentence) "
              "ROW #name #fate #error #place example END\n"
              "#define E(code, name, sentence) REASON #code name END\nPOISON_TABLE(X) SEG_ERR_TABLE(E)\n")
    out = subprocess.run([os.environ.get("CC", "cc"), "-E", "-P", "-I", ROOT, "-I", ROOT + "/include", "-"], check=True,
                         input=source.encode(), stdout=subprocess.PIPE).stdout
    literal = rb'"(?:[^"\\]|\\.)*"'
    found = [(kind, [unquote(text) for text in re.findall(literal, body)]) for kind, body in
             re.findall(rb"\b(ROW|REASON) ((?:\s*" + literal + rb")+)\s*END", out)]
    reasons = {code: name.decode() for kind, (code, name) in ((k, b[:2]) for k, b in found if k == b"REASON")}
    rows = [Row(b[0].decode(), b[1].decode(), reasons.get(b[2]), b[3].decode(), repeated(b"".join(b[4:])))
            for k, b in found if k == b"ROW"]
    if len(rows) < 60 or sum(row.fate == "DEAD_LETTER" for row in rows) < 30:
        raise AssertionError("the poison table was not read: %d rows" % len(rows))
    return rows


def unquote(literal):
    """The bytes of a C string literal."""
    simple = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}

    def one(match):
        text = match.group(1)
        if text[:1] == b"x":
            return bytes([int(text[1:], 16)])
        return bytes([int(text, 8)]) if text[:1].isdigit() else simple.get(text, text)

    return re.sub(rb"\\(x[0-9a-fA-F]+|[0-7]{1,3}|.)", one, literal[1:-1], flags=re.S)


def repeated(example):
    """REPEAT(text, n) written out."""
    return re.sub(rb"\x01(.*?)\x02(\d+)\x03", lambda m: m.group(1) * int(m.group(2)), example, flags=re.S)


def event(user, **more):
    return json.dumps({"type": "track", "event": "Good", "userId": user, **more}).encode()


# ---- the world ---------------------------------------------------------------

class World:
    """Two inputs, filled before anybody reads them, and what must come of them:
    LETTERS {(topic, partition, offset): Letter}, CHANGES {user: [(segment,
    member, at, (topic, offset) or None)]}, in any order within one instant."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.kafka = cluster.kafka(message_max_bytes=LARGEST)
        self.topics = self.kafka.topics
        self.segments = cluster.path("poison.seg", SEGMENTS)
        self.rows = collections.defaultdict(list)
        self.clock_ms = collections.Counter()
        self.letters, self.changes, self.inside = {}, collections.defaultdict(list), collections.defaultdict(set)
        self.names, self.fresh_ms = 0, {}
        self.daemon = None
        for number, row in enumerate(table()):
            self.add_row(row, (CHECKED, TRUSTED)[number % 2], number % PARTITIONS)
        for number, add in enumerate((add_keys, add_partitions, add_large_user, add_duplicate, add_dates)):
            add(self, number % PARTITIONS)
        self.end()
        self.write()

    def user(self, partition):
        """A user nobody has seen, who belongs to PARTITION."""
        while True:
            self.names += 1
            name = "user-%d" % self.names
            if records.partition_of(name, PARTITIONS) == partition:
                return name

    def add(self, topic, partition, key, value, ms=None):
        """One more record; its (topic, offset) and instant. A second after the
        one before, so that the inputs are merged in the order of the calls."""
        if ms is None:
            self.clock_ms[partition] += 1000
            ms = BASE_MS + self.clock_ms[partition]
        log = self.rows[topic]
        offset = sum(row[0] == partition for row in log)
        log.append((partition, key, value, ms))
        return (topic, offset), ms

    def bad(self, reason, topic, partition, key, value, ms=None):
        (topic, offset), ms = self.add(topic, partition, key, value, ms)
        self.letters[topic, partition, offset] = Letter(reason, ms, key, value)

    def good(self, topic, partition, user, segments, value, key="", ms=None, at=None):
        """A record by which USER enters SEGMENTS (and leaves `fresh` an hour
        later by timer)."""
        source, ms = self.add(topic, partition, user if key == "" else key, value, ms)
        for segment in segments - self.inside[user]:
            self.changes[user].append((segment, True, at or ms, source))
        self.inside[user] |= segments
        if "fresh" in segments:
            self.fresh_ms[user] = ms

    def neighbour(self, topic, partition, **more):
        user = self.user(partition)
        self.good(topic, partition, user, {"known", "good"}, event(user), **more)

    def add_row(self, row, topic, partition):
        user = self.user(partition)
        value = re.sub(rb'"(userId|anonymousId)":"[ua]"', rb'"\1":"%s"' % user.encode(), row.value)
        self.neighbour(topic, partition)
        if row.fate == "DEAD_LETTER":
            self.bad(row.reason, topic, partition, user, value)
        else:
            segments = {"known"} if b'"type":"identify"' in value else {
                "known", "seen", "fresh", VALUES[row.name] if (row.fate, row.place) == ("ACCEPTED", "FIELD")
                else "x_missing"}
            for again in (0, 1) if row.place == "MESSAGE_ID" else (0,):
                self.good(topic, partition, user, segments | ({"twice"} if again else set()), value)
        self.neighbour(topic, partition)

    def end(self):
        """Hours later in every partition: `fresh` is left at the very instant of
        the record, not of what the message says."""
        for partition in range(PARTITIONS):
            self.clock_ms[partition] += 3 * HOUR_MS
            self.neighbour(CHECKED, partition)
        for user, ms in self.fresh_ms.items():
            self.changes[user].append(("fresh", False, ms + HOUR_MS, None))

    def write(self):
        producer = self.topics.producer(message_max_bytes=LARGEST, compression_type="zstd")
        for topic in (CHECKED, TRUSTED):
            self.topics.create_history(topic, PARTITIONS, max_message_bytes=LARGEST)
            self.topics.produce(topic, self.rows[topic], producer=producer)
        print("         %d records, %d of them bad in %d ways" % (
            sum(map(len, self.rows.values())), len(self.letters), len({l.reason for l in self.letters.values()})))

    def segmentd(self, app, inputs=(CHECKED, TRUSTED), failpoints=False, workers=2, **more):
        text = conf.text([self.segments], inputs, self.kafka.address, app=app, clock="records", workers=workers,
                         partitioner={i: "murmur2" if i == CHECKED else "trust" for i in inputs},
                         dead_letter_bytes="%dB" % DEAD_LETTER_BYTES, user_bytes="%dB" % USER_BYTES,
                         properties={"fetch.max.bytes": LARGEST, "receive.message.max.bytes": 2 * LARGEST}, **more)
        self.cluster.ctl("topics", "create", "--conf", self.cluster.path(app + "-topics.conf", text))
        return self.cluster.segmentd(text, name=app, failpoints=failpoints)


def add_keys(world, partition):
    """The key says nothing: who it was stands in the message."""
    for key in (None, b"", b"somebody else"):
        world.neighbour(CHECKED, partition, key=key)
        world.bad("bad_json", CHECKED, partition, key, b"{")
    world.bad("empty_value", CHECKED, partition, "deleted", None)
    world.bad("empty_value", CHECKED, partition, None, None)
    world.bad("not_an_object", CHECKED, partition, b"k" * 900000, b"v" * 900000)
    world.neighbour(CHECKED, partition, key=b"k" * 900000)


def add_partitions(world, partition):
    """A record that its producer put elsewhere than its user id says."""
    other = (partition + 1) % PARTITIONS
    for topic in (CHECKED, TRUSTED):
        user = world.user(other)
        if topic == TRUSTED:
            world.good(topic, partition, user, {"known", "good"}, event(user))
        else:
            world.bad("wrong_partition", topic, partition, user, event(user))
    world.neighbour(CHECKED, partition)


def add_large_user(world, partition):
    """What would be too much is refused; what the user was, he stays."""
    user = world.user(partition)

    def identify(size):
        return json.dumps({"type": "identify", "userId": user, "traits": {"bio": "b" * size}}).encode()

    world.good(CHECKED, partition, user, {"known", "talker"}, identify(USER_BYTES // 2))
    for size in (USER_BYTES, 60000):
        world.bad("user_too_large", CHECKED, partition, user, identify(size))
    world.good(CHECKED, partition, user, {"good"}, event(user))
    world.good(CHECKED, partition, user, set(), identify(USER_BYTES // 2 + 1))
    user = world.user(partition)
    world.good(CHECKED, partition, user, {"known"}, json.dumps(
        {"type": "identify", "userId": user, "traits": {"nobody_reads": "n" * 2000}}).encode())


def add_duplicate(world, partition):
    """Beside the rows with message ids that cannot be read: one that can."""
    user = world.user(partition)
    message = event(user, event="E", messageId="m", properties={"x": 2})
    world.good(CHECKED, partition, user, {"known", "seen", "fresh", "x_two"}, message)
    world.good(CHECKED, partition, user, set(), message)


def add_dates(world, partition):
    """A record dated 1970 does not move the clock."""
    now_ms = BASE_MS + world.clock_ms[partition]
    world.neighbour(CHECKED, partition, ms=1, at=now_ms)
    world.bad("bad_json", CHECKED, partition, "old", b"{", ms=1)
    world.neighbour(CHECKED, partition)


# ---- what was written ----------------------------------------------------------

def cut(key, value):
    """What a dead letter keeps of a record."""
    key = key.encode() if isinstance(key, str) else key
    return key, value if value is None else value[:DEAD_LETTER_BYTES]


def compare_letters(world, app):
    """Every bad record is among the dead letters, once, as it was."""
    want, found = world.letters, {}
    for record in world.topics.read(app + ".dead-letters"):
        h = {k: v.decode() for k, v in record.headers.items()}
        place = h["topic"], int(h["partition"]), int(h["offset"])
        where = "dead letter of %s %d@%d" % place
        suite.equal(place in found, False, where + " is there twice")
        found[place] = record
        suite.equal(place in want, True, where + " should not be there")
        letter = want[place]
        suite.equal(h, {"reason": letter.reason, "topic": place[0], "partition": str(place[1]), "offset": str(place[2]),
                        "timestamp": str(letter.timestamp_ms), "original_bytes": str(len(letter.value or b""))}, where)
        suite.equal(record.partition, place[1], where + ": its partition")
        key, value = cut(letter.key, letter.value)
        if key and len(key) > 500000:
            suite.equal((key.startswith(record.key), value.startswith(record.value), len(record.key) > 400000),
                        (True, True, True), where + ": a key that leaves no room")
        else:
            suite.equal((record.key, record.value), (key, value), where)
    suite.equal(sorted(want.keys() - found.keys()), [], "missing among the dead letters")


def compare_changes(world, app):
    want, found = world.changes, collections.defaultdict(list)
    for record in world.topics.read(app + ".changes"):
        body = json.loads(record.value)
        p, source = body["properties"], body["context"].get("source")
        found[body["userId"]].append((p["segment"], p["member"], records.parse_ms(body["timestamp"]),
                                      source and (source["topic"], source["offset"])))
        suite.equal(p["seq"], len(found[body["userId"]]), "seq of " + body["userId"])
    for user in sorted(want.keys() | found.keys()):
        suite.equal(sorted(found[user], key=str), sorted(want[user], key=str), "changes of %s (got, want)" % user)


def no_repairs(daemon, restores):
    """RESTORES restores are counted by now (once a second they are), and nothing
    had to be repaired."""
    daemon.wait_metric("segmentd_restores_total", lambda n: n >= restores, 10)
    suite.equal(daemon.metric("segmentd_restore_repairs_total"), 0)


def by_reason(daemon):
    prefix = 'segmentd_dead_letters_total{reason="'
    return {k[len(prefix):-2]: v for k, v in daemon.metrics().items() if k.startswith(prefix) and v}


# ---- tests ---------------------------------------------------------------------

def everything_is_worked_off(world):
    world.daemon = world.segmentd("poison")
    world.daemon.wait_ready()
    judge.wait_committed(world.daemon, world.topics, (CHECKED, TRUSTED), app="poison", timeout=60)


@suite.row(17)
def bad_records_are_dead_letters_with_reason_and_place(world):
    compare_letters(world, "poison")


def they_are_counted_by_reason(world):
    want = collections.Counter(letter.reason for letter in world.letters.values())
    suite.equal(by_reason(world.daemon), dict(want))
    print("         " + ", ".join("%s %d" % item for item in sorted(want.items())))


@suite.row(17, 23)
def every_limit_that_was_reached_is_counted_and_logged(world):
    cut_short = sum(len(letter.value or b"") > DEAD_LETTER_BYTES for letter in world.letters.values())
    suite.equal((cut_short > 0, world.daemon.metric("segmentd_dead_letters_cut_total")), (True, cut_short))
    world.daemon.wait_metric("segmentd_attributes_dropped_total", lambda n: n == 1, 5)
    for limit in ("dead_letter_bytes=%dB" % DEAD_LETTER_BYTES, "user_bytes=%dB" % USER_BYTES, "attribute_bytes=1024B"):
        said = [line for line in world.daemon.log().splitlines() if " warn: " in line and limit in line]
        suite.equal(len(said) > 0, True, limit)


@suite.row(17)
def good_records_and_accepted_ones_count(world):
    suite.equal(set(VALUES), {r.name for r in table() if (r.fate, r.place) == ("ACCEPTED", "FIELD")}, "VALUES")
    compare_changes(world, "poison")
    suite.equal(world.daemon.terminate(), 0)


@suite.row(1, 17)
def dead_letters_and_offsets_are_one_transaction(world):
    """Killed at each step of transactions that hold dead letters."""
    daemon = world.segmentd("killed", failpoints=True, instance_id="killed", batch_events=8, linger_busy="0s",
                            linger_behind="0s", flush_interval="200ms")
    daemon.kill()
    ends, actions = [], ("dead_letter=kill@1", "before_send_offsets=kill@2", "after_send_offsets=kill@2",
                         "before_commit=kill@1", "after_commit=kill@2", "dead_letter=kill@4",
                         "after_send_offsets=kill@1", "before_commit=kill@2")
    # How far a transaction reaches depends on how records come: a few more, if too many met at one place.
    for action in actions + actions[1:5]:
        if len(ends) >= len(actions) and len(set(ends)) >= 5:
            break
        daemon.env["SEGMENTD_FAILPOINTS"] = action
        daemon.start()
        suite.equal(daemon.wait(60), -9, action)
        ends.append(sum(world.topics.ends("killed.dead-letters").values()))
    daemon.env["SEGMENTD_FAILPOINTS"] = ""
    daemon.start()
    daemon.wait_ready()
    judge.wait_committed(daemon, world.topics, (CHECKED, TRUSTED), app="killed", timeout=60)
    compare_letters(world, "killed")
    compare_changes(world, "killed")
    no_repairs(daemon, PARTITIONS)
    aborted = len(world.topics.read("killed.dead-letters", committed=False)) - len(world.letters)
    print("         %d kills, %d dead letters in transactions that were aborted" % (len(ends), aborted))
    suite.equal((aborted >= 1, len(set(ends)) >= 5), (True, True), ends)
    suite.equal(daemon.terminate(), 0)


@suite.row(17)
def who_grew_too_large_once_stays_as_he_was(world):
    """Some fit only because of segments they have left since: nothing of them
    is flushed, a restore must not let in now what was refused then."""
    world.topics.create_history("grown", PARTITIONS)
    rows, users = [], {}
    for size in range(USER_BYTES - 1000, USER_BYTES, 25):
        for padded in (False, True):
            user = users[size, padded] = world.user(0)
            messages = [{"type": "identify", "traits": {"bio": "b"}}]
            messages += [{"type": "track", "event": "Pad"}] * padded
            messages += [{"type": "identify", "traits": {"bio": "c" * size}}]
            rows += [(0, user, json.dumps({"userId": user, **message}).encode(), BASE_MS) for message in messages]
    rows.append((0, user, event(user), BASE_MS + HOUR_MS))
    world.topics.produce("grown", rows)
    daemon = world.segmentd("grown", inputs=["grown"], flush_interval="1h", workers=1, instance_id="grown")
    daemon.wait_ready()
    judge.wait_committed(daemon, world.topics, ["grown"], app="grown", timeout=30)
    refused = {r.key.decode() for r in world.topics.read("grown.dead-letters")
               if r.headers["reason"] == b"user_too_large"}
    plain, padded = (min(size for (size, p), user in users.items() if p == which and user in refused)
                     for which in (False, True))
    print("         refused from %d bytes on; with %d more memberships from %d on" % (plain, PADS, padded))
    suite.equal((plain - padded >= 50, padded > min(users)[0]), (True, True))
    before, daemon_refused = world.topics.ends("grown.changes"), _talkers(daemon, users)
    suite.equal(daemon_refused, refused)
    daemon.kill()
    daemon.start()
    daemon.wait_ready()
    suite.equal(_talkers(daemon, users), refused)
    daemon.wait_metric("segmentd_restored_records_total", lambda n: n > len(rows), 10)  # Else it was flushed.
    no_repairs(daemon, PARTITIONS)
    suite.equal(daemon.terminate(), 0)
    suite.equal(world.topics.read("grown.changes", start=before), [])


def _talkers(daemon, users):
    """Those whose first bio stands."""
    return {user for user in users.values()
            if "talker" in [m["segment"] for m in json.loads(daemon.http("/v1/users/" + user)[1])["memberships"]]}


@suite.row(16, 17)
def a_record_dated_ahead_stops_nothing(world):
    """The clock goes with it; what comes later still counts."""
    world.topics.create_history("dated", PARTITIONS)
    dates = (BASE_MS, YEAR_2099_MS, BASE_MS + 1, YEAR_9999_MS, 2 ** 53, BASE_MS + 2, 2 ** 62, 2 ** 63 - 1, BASE_MS + 3)
    rows = [(0, user, event(user, messageId="m"), ms) for user, ms in ((world.user(0), ms) for ms in dates)]
    world.topics.produce("dated", rows)
    daemon = world.segmentd("dated", inputs=["dated"])
    daemon.wait_ready()
    judge.wait_committed(daemon, world.topics, ["dated"], app="dated", timeout=30)
    entered = [json.loads(r.value) for r in world.topics.read("dated.changes")]
    at = {b["userId"]: records.parse_ms(b["timestamp"]) for b in entered if b["properties"]["segment"] == "good"}
    want = [min(max(dates[:i + 1]), YEAR_9999_MS) for i in range(len(dates))]
    suite.equal([at.get(user) for _, user, _, _ in rows], want)
    suite.equal(daemon.terminate(), 0)
    daemon.start()
    daemon.wait_ready()
    no_repairs(daemon, PARTITIONS)
    suite.equal(daemon.terminate(), 0)


@suite.row(17)
def nothing_but_garbage_pauses_its_input(world):
    """After 501 of 1000; half of them is not more than half; the alarm outlives
    a restart."""
    world.topics.create_history("garbage", 2)
    world.topics.create_history("clean", 2)
    rows = [(0, "k", b"garbage", BASE_MS + 1000 + i) for i in range(700)]
    for i in range(1500):
        user = "half-%d" % i
        rows.append((1, user, b"x" if i % 2 else event(user), BASE_MS + i))
    world.topics.produce("garbage", rows)
    world.topics.produce("clean", [(p, u, event(u), ms) for p in (0, 1) for u, ms in (
        ("early-%d" % p, BASE_MS + 5), ("late-%d" % p, BASE_MS + HOUR_MS))])
    daemon = world.segmentd("alarm", inputs=["garbage", "clean"])
    told = 0
    for life in (1, 2):
        until(lambda: _paused(daemon) == ["garbage 0"], "the input is paused", 30, 0.1)
        until(lambda: places(world) == [501, 1500, 1, 2], lambda: "the other goes on, now: %s" % places(world))
        letters = world.topics.read("alarm.dead-letters")
        suite.equal([sum(r.partition == p for r in letters) for p in (0, 1)], [501, 750])
        # The alarm is known before the rest is restored.
        until(lambda: "half of the last 1000" in daemon.http("/readyz")[1], "it is the reason", 20, 0.1)
        status, text = daemon.http("/readyz")
        suite.equal((status, "Partition 0" in text), (503, True), text)
        said = [line for line in daemon.log().splitlines() if "an input is paused" in line]
        suite.equal((len(said) > told, "topic=garbage partition=0" in said[-1]), (True, True), said)
        told = len(said)
        if life == 1:
            suite.equal(daemon.terminate(), 0)
            daemon.start()
    entered = {json.loads(r.value)["userId"] for r in world.topics.read("alarm.changes")}
    suite.equal((len(entered), {"early-0", "early-1", "late-1"} <= entered, "late-0" in entered), (753, True, False))
    somebody_lets_it_go_on(world, daemon)


def places(world):
    """What is committed of both inputs, in both partitions."""
    committed = world.topics.committed("alarm", ["garbage", "clean"])
    return [committed[topic, p][0] for topic in ("garbage", "clean") for p in (0, 1)]


def somebody_lets_it_go_on(world, daemon):
    """Counting begins anew: the 199 bad records left are no alarm."""
    request = urllib.request.Request(daemon.url + "/-/resume", data=b"", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        suite.equal((answer.status, json.loads(answer.read())), (200, {"resumed": 1}))
    daemon.wait_ready(30)
    judge.wait_committed(daemon, world.topics, ["garbage", "clean"], app="alarm", timeout=30)
    until(lambda: not _paused(daemon), "nothing is paused", 10)
    suite.equal(len(world.topics.read("alarm.dead-letters")), 700 + 750)
    suite.equal("late-0" in {json.loads(r.value)["userId"] for r in world.topics.read("alarm.changes")}, True)
    suite.equal(daemon.terminate(), 0)


def on_bad_input_stop_stops_that_partition_only(world):
    world.topics.create_history("strict", 2)
    world.topics.produce("strict", [(p, u, v, BASE_MS + i) for i, (p, u, v) in enumerate((
        (0, "s-0", event("s-0")), (0, "s-1", b"{"), (0, "s-2", event("s-2")), (1, "s-3", event("s-3"))))])
    daemon = world.segmentd("strict", inputs=["strict"], on_bad_input="stop")
    wanted = {("strict", 0): 1, ("strict", 1): 1}
    until(lambda: {k: v[0] for k, v in world.topics.committed("strict", ["strict"]).items()} == wanted, "both commit")
    until(lambda: "on_bad_input is stop" in daemon.http("/readyz")[1], "it says why", 10)
    said = [line for line in daemon.log().splitlines() if "partition stands still" in line]
    suite.equal((len(said), "partition=0" in said[0]), (1, True), said)
    suite.equal(world.topics.read("strict.dead-letters"), [])
    suite.equal(daemon.terminate(), 0)
    text = open(daemon.conf_path).read().replace("on_bad_input stop", "on_bad_input dead-letter")
    daemon = world.cluster.segmentd(text, name="lenient")
    daemon.wait_ready()
    judge.wait_committed(daemon, world.topics, ["strict"], app="strict", timeout=30)
    suite.equal([r.headers["reason"] for r in world.topics.read("strict.dead-letters")], [b"bad_json"])
    entered = sorted(json.loads(r.value)["userId"] for r in world.topics.read("strict.changes")
                     if json.loads(r.value)["properties"]["segment"] == "good")
    suite.equal(entered, ["s-0", "s-2", "s-3"])
    suite.equal(daemon.terminate(), 0)


def _paused(daemon):
    """The inputs that are paused; [] while nobody answers."""
    metrics = daemon._ask(daemon.metrics) or {}
    return ["%s %s" % re.search(r'topic="(.*)",partition="(\d+)"', k).groups() for k, v in metrics.items()
            if k.startswith("segmentd_input_paused{") and v]


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(World(here), [
            everything_is_worked_off, bad_records_are_dead_letters_with_reason_and_place, they_are_counted_by_reason,
            every_limit_that_was_reached_is_counted_and_logged,
            good_records_and_accepted_ones_count, dead_letters_and_offsets_are_one_transaction,
            who_grew_too_large_once_stays_as_he_was, a_record_dated_ahead_stops_nothing,
            nothing_but_garbage_pauses_its_input, on_bad_input_stop_stops_that_partition_only]))
