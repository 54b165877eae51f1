#!/usr/bin/python3
"""What segmentd refuses rather than guess, on a real broker: topics truncated,
deleted, made again; committed offsets set back, deleted, written by somebody else;
records in its topics that are not its own; another catalogue, other numbers of
partitions, a name that is taken.

Each case has an application of its own: it works, is ended, its partition 0 is
broken, it starts again.  Partition 0 must be refused with a message that names
topic, partition and both numbers, nothing may be written for it, and partition 1
must go on as if nothing had happened."""

import concurrent.futures
import json
import os
import re
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from confluent_kafka.admin import NewPartitions

import conf
import judge
import suite
from cluster import Cluster, free_port, until

BASE_MS = 1735689600000  # 2025-01-01
FIRST, SECOND = 10, 6  # Records of each partition of the two inputs, at first.
LATER = 4  # Once more of the first input, in a transaction of their own.
SEGMENT = 'segment eager { when did "Used" at least %d times }\n'
MEND = "`segmentctl reset` says how to go on"


# All work at once, each is broken when its turn comes. Of those that are killed
# the members are static, lest the group waits for the dead.
APPS = {"cut-input": {"instance_id": "cut-input"}, "cut-good": {}, "cut-changes": {"instance_id": "cut-changes"},
        "new-changes": {}, "new-input": {}, "new-state": {}, "remade": {}, "set-back": {}, "deleted": {}, "older": {},
        "expired": {}, "forgotten": {"properties": {"session.timeout.ms": 2000}}, "newer": {}, "foreign": {},
        "other": {}, "counts": {}, "twice": {"process": "twice"}}


class Protocol:
    """Requests that the Python client of this Debian does not know."""

    def __init__(self, address):
        self.host, self.port = address.split(":")

    def delete_records(self, topic, partition, before):
        place = self._topics([(topic, struct.pack(">iq", partition, before))])
        answer = self._ask(21, place + struct.pack(">i", 10000))
        suite.equal(struct.unpack(">h", answer[-2:]), (0,), "DeleteRecords")

    def delete_group(self, group):
        answer = self._ask(42, struct.pack(">i", 1) + self._text(group))
        suite.equal(struct.unpack(">h", answer[-2:]), (0,), "DeleteGroups")

    def delete_offset(self, group, topic, partition):
        answer = self._ask(47, self._text(group) + self._topics([(topic, struct.pack(">i", partition))]))
        suite.equal((answer[:2], answer[-2:]), (b"\0\0", b"\0\0"), "OffsetDelete")

    def metadata(self, group, topic, partition):
        """What stands beside the committed offset."""
        answer = self._ask(9, self._text(group) + self._topics([(topic, struct.pack(">i", partition))]), version=1)
        at = 4 + 2 + len(topic) + 4 + 4 + 8
        size, = struct.unpack(">h", answer[at:at + 2])
        return answer[at + 2:at + 2 + size].decode()

    def commit(self, group, topic, partition, offset, metadata):
        """As a tool does that is no member of the group."""
        place = self._topics([(topic, struct.pack(">iq", partition, offset) + self._text(metadata))])
        nobody = struct.pack(">i", -1) + self._text("") + struct.pack(">q", -1)
        answer = self._ask(8, self._text(group) + nobody + place, version=2)
        suite.equal(answer[-2:], b"\0\0", "OffsetCommit")

    def _ask(self, key, body, version=0):
        """The body of the answer to a request."""
        with socket.create_connection((self.host, int(self.port)), 10) as connection:
            message = struct.pack(">hhi", key, version, 1) + self._text("test") + body
            connection.sendall(struct.pack(">i", len(message)) + message)
            stream = connection.makefile("rb")
            size, = struct.unpack(">i", stream.read(4))
            return stream.read(size)[4:]

    def _topics(self, rows):
        return struct.pack(">i", len(rows)) + b"".join(self._text(t) + struct.pack(">i", 1) + p for t, p in rows)

    @staticmethod
    def _text(text):
        return struct.pack(">h", len(text)) + text.encode()


class App:
    """One application: two inputs of two partitions, trusted to be right."""

    def __init__(self, world, name, threshold=2, **settings):
        self.world, self.name, self.topics = world, name, world.topics
        self.inputs = [name + "-a", name + "-b"]
        self.sent = 0
        for topic in self.inputs:
            self.topics.create_history(topic, 2)
        self.segments = world.cluster.path(name + ".seg", SEGMENT % threshold)
        self.conf = conf.text([self.segments], self.inputs, world.kafka.address, app=name, partitioner="trust",
                              clock="records", workers=1, flush_interval="1h", **settings)
        world.cluster.ctl("topics", "create", "--conf", world.cluster.path(name + "-topics.conf", self.conf))
        self.daemon = None

    def start(self):
        if self.daemon:
            self.daemon.start()
        else:
            self.daemon = self.world.cluster.segmentd(self.conf, name=self.name)

    def feed(self, topic, count, partitions=(0, 1)):
        """COUNT records, of two users of a partition."""
        self.sent += 1
        self.topics.produce(topic, [
            (p, "u%d-%d" % (p, i % 2), json.dumps({"type": "track", "event": "Used", "userId": "u%d-%d" % (p, i % 2),
                                                   "messageId": "%s-%d-%d" % (topic, self.sent, i)}),
             BASE_MS + 1000 * self.sent + i) for p in partitions for i in range(count)])

    def work(self):
        """Two transactions and more of each partition."""
        for topic, count in zip(self.inputs, (FIRST, SECOND)):
            self.feed(topic, count)
        self.start()
        judge.wait_committed(self.daemon, self.topics, self.inputs, app=self.name, timeout=60)
        self.before, self.metadata_before = self.committed(), self.metadata()
        self.feed(self.inputs[0], LATER)
        judge.wait_committed(self.daemon, self.topics, self.inputs, app=self.name, timeout=60)
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
        rows = [(p, "new-%d" % p, json.dumps({"type": "track", "event": "Used", "userId": "new-%d" % p}),
                 BASE_MS + 1000 * self.sent) for p in partitions for _ in (1, 2, 3)]
        self.topics.produce(topic, rows)
        want = {"u%d-%d" % (p, i) for p in (0, 1) for i in (0, 1)} | {"new-%d" % p for p in partitions}
        users = lambda: [json.loads(r.value)["userId"] for r in self.topics.read(self.name + ".changes")
                         if r.key != b"stranger"]
        until(lambda: set(users()) >= want - self.lost, "they enter", 30, 0.1)
        found = users()
        suite.equal((len(found), set(found)), (len(set(found)), want - self.lost), "who entered, each once")

    lost = frozenset()  # Whose changes were deleted with their topic.


class World:
    def __init__(self, cluster):
        self.cluster, self.kafka = cluster, cluster.kafka()
        self.topics, self.protocol = self.kafka.topics, Protocol(self.kafka.address)
        # A daemon dies with the thread that started it: the pool is never shut.
        self.pool = concurrent.futures.ThreadPoolExecutor(4)
        self.working = {name: self.pool.submit(lambda name, more: App(self, name, **more).work(), name, more)
                        for name, more in APPS.items()}

    def app(self, name):
        """The application NAME, after its work."""
        return self.working[name].result()

    def make_again(self, topic):
        self.topics.delete(topic)
        until(lambda: topic not in self.topics.admin.list_topics(timeout=10).topics, topic + " is gone", 30)
        policy = {"cleanup_policy": "compact"} if topic.endswith(".state") else {}
        self.topics.create_history(topic, 2, **policy)


# ---- truncated -------------------------------------------------------------------

def an_input_truncated_below_what_a_restore_needs(world):
    app = world.app("cut-input").kill()
    world.protocol.delete_records(app.inputs[0], 0, 5)
    app.is_refused(app.inputs[0], "partition 0", "truncated", "offset 0 ", "begins at 5", MEND)


def an_input_truncated_below_what_is_flushed_is_good(world):
    app = world.app("cut-good").end()
    world.protocol.delete_records(app.inputs[0], 0, FIRST)
    app.start()
    app.daemon.wait_ready()
    app.goes_on_in(0, 1)
    app.end()


def changes_truncated_before_they_were_flushed(world):
    app = world.app("cut-changes").kill()
    world.protocol.delete_records("cut-changes.changes", 0, 1)
    app.lost = {"u0-0"}
    app.is_refused("cut-changes.changes", "partition 0", "truncated", "offset 0 ", "begins at 1", MEND)


# ---- made again ------------------------------------------------------------------

def changes_deleted_and_made_again(world):
    app = world.app("new-changes").end()
    ends = {r.partition: r.offset + 1 for r in world.topics.read("new-changes.changes")}
    world.make_again("new-changes.changes")
    app.both_are_refused(lambda p: ("topic new-changes.changes partition %d" % p, "offset %d " % ends[p], "ends at 0",
                                    MEND))


def an_input_deleted_and_made_again_with_other_records(world):
    app = world.app("new-input").end()
    world.make_again(app.inputs[0])
    app.sent = 100
    app.feed(app.inputs[0], 3 * FIRST)
    app.both_are_refused(lambda p: (app.inputs[0] + " partition %d" % p, "no committed offset",
                                    "%s has %d:" % (app.inputs[1], SECOND), MEND))


def an_input_made_again_whose_offsets_somebody_saved(world):
    """Positions fit, the records before them are others."""
    app = world.app("remade").end()
    reached, metadata = app.committed(), [app.metadata(p) for p in (0, 1)]
    world.make_again(app.inputs[0])
    app.sent = 100
    app.feed(app.inputs[0], 3 * FIRST)
    for (topic, p), offset in reached.items():
        world.protocol.commit("remade", topic, p, offset, metadata[p])
    app.both_are_refused(lambda p: (app.inputs[0] + " partition %d" % p, "not the one it was", "record at offset ",
                                    "before position %d " % reached[app.inputs[0], p], "is another", MEND))


def state_made_again_and_empty(world):
    app = world.app("new-state").end()
    reached = app.committed()[app.inputs[0], 0]
    world.make_again("new-state.state")
    app.both_are_refused(lambda p: ("new-state.state partition %d" % p, "no meta record", "offset %d " % reached, MEND))


# ---- committed offsets -------------------------------------------------------------

def an_offset_set_back_by_an_operator(world):
    app = world.app("set-back").end()
    number = transaction(app.metadata())
    world.protocol.commit("set-back", app.inputs[0], 0, 3, "")
    app.is_refused(app.inputs[0], "partition 0", "offset 3 ", "not one of ours", "transaction %d)" % number, MEND)


def an_offset_deleted_by_an_operator(world):
    app = world.app("deleted").end()
    world.protocol.delete_offset("deleted", app.inputs[1], 0)
    app.is_refused(app.inputs[1], "partition 0", "no committed offset", app.inputs[0], FIRST + LATER, MEND)


def offsets_of_an_older_transaction_of_ours(world):
    """As from a copy of the group's offsets."""
    app = world.app("older").end()
    then, now = transaction(app.metadata_before), transaction(app.metadata())
    suite.equal(then < now, True)
    for topic in app.inputs:
        world.protocol.commit("older", topic, 0, app.before[topic, 0], app.metadata_before)
    app.is_refused("older.state", "partition 0", "of transaction %d " % now, "committed", "are of %d " % then,
                   "set back", MEND)


def transaction(metadata):
    return int(re.match("v1:(\\d+):", metadata).group(1))


def an_expired_group_goes_on_from_what_is_flushed(world):
    app = world.app("expired").end()
    world.protocol.delete_group("expired")
    suite.equal(app.committed(), {})
    app.start()
    app.daemon.wait_ready()
    app.goes_on_in(0, 1)
    suite.equal(app.committed()[app.inputs[0], 0] >= FIRST + LATER, True)
    app.end()


def an_expired_group_with_more_written_than_flushed(world):
    app = world.app("forgotten").kill()
    # It is a member until its session ends.
    until(lambda: _deleted(world, "forgotten"), "the group is empty", 30, 0.2)
    app.both_are_refused(lambda p: ("offsets of partition %d are gone" % p, "forgotten.changes", "holds 2 ", "knows 0",
                                    MEND))


def _deleted(world, group):
    try:
        world.protocol.delete_group(group)
        return True
    except AssertionError:
        return False


# ---- not ours ------------------------------------------------------------------------

def a_state_record_of_a_newer_version(world):
    app = world.app("newer").end()
    at = app.outputs(0)["state"]
    world.topics.produce("newer.state", [(0, b"\x01stranger", b"\xff\x08stranger", BASE_MS)])
    app.is_refused("newer.state", "partition 0", "offset %d " % at, "version 255", "up to")


def a_change_that_somebody_else_wrote(world):
    app = world.app("foreign").end()
    written = next(r for r in world.topics.read("foreign.changes") if r.partition == 0)
    at = app.outputs(0)["changes"]
    body = json.loads(written.value)
    body["properties"]["seq"] += 5
    world.topics.produce("foreign.changes", [(0, b"stranger", json.dumps(body), BASE_MS)])
    app.is_refused("foreign.changes", "partition 0", "offset %d " % at, "change 6 of a user follows change 1")


# ---- the whole process -----------------------------------------------------------------

def another_catalogue_ends_it_with_78(world):
    app = world.app("other").end()
    hashes = [re.search(r"catalogue=(\w+)", app.daemon.log()).group(1)]
    world.cluster.path("other.seg", SEGMENT % 3)
    app.start()
    suite.equal(app.daemon.wait(30), 78)
    hashes.append(re.findall(r"segmentd starts .*catalogue=(\w+)", app.daemon.log())[-1])
    said = [line for line in app.daemon.log().splitlines() if "error: partition refused" in line][-1]
    print("         " + said.partition("reason=")[2])
    suite.equal((hashes[0] != hashes[1], all(h in said for h in hashes)), (True, True), said)
    world.cluster.path("other.seg", SEGMENT % 2)
    app.start()
    app.daemon.wait_ready()
    app.goes_on_in(0, 1)
    app.end()


def other_numbers_of_partitions_end_it_with_78(world):
    app = world.app("counts").end()
    world.topics.admin.create_partitions([NewPartitions("counts.changes", 3)])["counts.changes"].result(30)
    until(lambda: world.topics.partitions("counts.changes") == 3, "there are three")
    app.start()
    suite.equal(app.daemon.wait(30), 78)
    said = [line for line in app.daemon.log().splitlines() if "error: " in line][-1]
    print("         " + said.partition("reason=")[2])
    suite.equal([part in said for part in ("counts.changes has 3 partitions", "counts-a has 2")], [True, True], said)


def a_second_process_of_one_name_ends_the_first_with_75(world):
    app = world.app("twice")
    second = world.cluster.segmentd(re.sub(r"(?m)^http .*$", "", app.conf) + 'http { address = "127.0.0.1:%d" }\n' % (
        free_port()), name="second")
    second.wait_metric("segmentd_partitions", lambda n: n == 1, 30)
    app.goes_on_in(0, 1)
    suite.equal(app.daemon.wait(30), 75)
    print("         " + [line for line in app.daemon.log().splitlines() if "error: " in line][0][25:])
    second.wait_metric("segmentd_partitions", lambda n: n == 2, 30)
    second.wait_ready()
    suite.equal(second.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(second.terminate(), 0)


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(World(here), [
            an_input_truncated_below_what_a_restore_needs, an_input_truncated_below_what_is_flushed_is_good,
            changes_truncated_before_they_were_flushed, changes_deleted_and_made_again,
            an_input_deleted_and_made_again_with_other_records, an_input_made_again_whose_offsets_somebody_saved,
            state_made_again_and_empty, an_offset_set_back_by_an_operator, an_offset_deleted_by_an_operator,
            offsets_of_an_older_transaction_of_ours, an_expired_group_goes_on_from_what_is_flushed,
            an_expired_group_with_more_written_than_flushed, a_state_record_of_a_newer_version,
            a_change_that_somebody_else_wrote, another_catalogue_ends_it_with_78,
            other_numbers_of_partitions_end_it_with_78, a_second_process_of_one_name_ends_the_first_with_75]))
