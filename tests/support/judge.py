"""judge.py: is what segmentd wrote what the oracle says?

The oracle is tests/model/expect, a program that shares nothing with the engine
but the parser of segment files.  Everything here is read back through the
independent client of records.py, read_committed, up to the uncommitted end.
"""

import collections
import contextlib
import hashlib
import json
import os
import subprocess
import tempfile

from confluent_kafka import KafkaException

import cluster
import records
import suite

Change = collections.namedtuple("Change", "segment member at entered_at seq cause source triggers")
Trigger = collections.namedtuple("Trigger", "trigger segment on at seq source")
EXPECT = "tests/model/expect"
OUTPUTS = ("changes", "triggers", "traits", "state", "dead-letters")
CLOUD_TYPES = {("change", True): "segmentd.segment.entered", ("change", False): "segmentd.segment.exited",
               ("trigger", None): "segmentd.message.triggered"}


class Expected:
    """What must come of ROWS (history.Row, merged) with the segments at PATH.

    The oracle runs beside the caller, a process for each of JOBS shares of the
    partitions, until its results are asked for.  They are kept in the build
    folder under a name made of the oracle and all it was asked, for the next test
    that asks the same."""

    def __init__(self, path, rows, jobs=2):
        shares = [[] for _ in range(jobs)]
        for row in rows:
            shares[row.partition % jobs].append(json.dumps({
                "topic": row.topic, "partition": row.partition, "offset": row.offset,
                "timestamp": row.timestamp_ms, "value": row.value}))
        self._jobs = [_Oracle(path, "\n".join(lines).encode()) for lines in shares]
        self._forget()
        self._found = None

    def _forget(self):
        """Only the answers to the last question are kept."""
        for name in os.listdir(_answers_folder()):
            path = os.path.join(_answers_folder(), name)
            if name.endswith(".out") and path not in [job.path for job in self._jobs]:
                with contextlib.suppress(FileNotFoundError):  # Another test did.
                    os.unlink(path)

    @property
    def changes(self):
        """{user: [Change]} in order of seq."""
        return self._results()[0]

    @property
    def triggers(self):
        """{user: [Trigger]} in order of seq."""
        return self._results()[1]

    @property
    def memberships(self):
        """{user: {segment: entered_at in ms}}, of users in any."""
        return self._results()[2]

    @property
    def dead_letters(self):
        """{(topic, partition, offset): reason}."""
        return self._results()[3]

    def sizes(self):
        """{segment: (entered, exited)}."""
        found = collections.Counter((c.segment, c.member) for changes in self.changes.values() for c in changes)
        return {s: (found[s, True], found[s, False]) for s in {segment for segment, _ in found}}

    def causes(self):
        """{cause: changes}."""
        return collections.Counter(c.cause for changes in self.changes.values() for c in changes)

    def _results(self):
        if not self._found:
            self._found = collections.defaultdict(list), collections.defaultdict(list), {}, {}
            for job in self._jobs:
                for line in job.answers():
                    self._add(json.loads(line))
        return self._found

    def _add(self, line):
        changes, triggers, memberships, dead_letters = self._found
        if "dead_letter" in line:
            dead_letters[line["topic"], line["partition"], line["offset"]] = line["dead_letter"]
        elif "memberships" in line:
            if line["memberships"]:
                memberships[line["user"]] = {s: records.parse_ms(at) for s, at in line["memberships"].items()}
        elif "trigger" in line:
            # It follows its change.
            changes[line["user"]][-1].triggers.append(line["trigger"])
            triggers[line["user"]].append(Trigger(line["trigger"], line["segment"], line["on"], line["at"],
                                                  line["seq"], _source(line["source"])))
        else:
            changes[line["user"]].append(Change(
                line["segment"], line["member"], line["at"], line["entered_at"], line["seq"], line["cause"],
                _source(line["source"]), []))


class _Oracle:
    """One process of tests/model/expect, or the answers it gave before."""

    def __init__(self, path, question):
        key = hashlib.sha256(question)
        for part in cluster.test_program(EXPECT), path:
            with open(part, "rb") as content:
                key.update(content.read())
        self.path = os.path.join(_answers_folder(), key.hexdigest()[:32] + ".out")
        try:
            # Open, it stays ours if another test forgets it.
            self._file, self._child = open(self.path), None
        except FileNotFoundError:
            self._ask(path, question)

    def _ask(self, path, question):
        with tempfile.TemporaryFile() as asked:
            asked.write(question)
            asked.seek(0)
            self._file = tempfile.NamedTemporaryFile("w+", dir=_answers_folder(), suffix=".part", delete=False)
            self._child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", cluster.test_program(EXPECT), path, "--memberships",
                 "--triggers", "--dead-letters"], stdin=asked, stdout=self._file)

    def answers(self):
        """Its lines."""
        if self._child:
            status = self._child.wait(600)
            assert status == 0, "expect: exit %d" % status
            os.rename(self._file.name, self.path)
            self._child = None
        self._file.seek(0)
        with self._file as lines:
            yield from lines


def _answers_folder():
    folder = cluster.binary("check/oracle")
    os.makedirs(folder, exist_ok=True)
    return folder


class Written:
    """What stands in the topics of APP, each record checked by itself and
    against its neighbours."""

    def __init__(self, topics, app="segmentd"):
        self.topics, self.app = topics, app
        self.changes = self._read("changes", "change", _change)
        self.triggers = self._read("triggers", "trigger", _trigger)
        check_sequences(self.changes)

    def _read(self, topic, kind, make):
        """{user: [...]} of a topic; keys, partitions, headers, ids are right."""
        found, seen = collections.defaultdict(list), set()
        name = "%s.%s" % (self.app, topic)
        partitions = self.topics.partitions(name)
        for record in self.topics.read(name):
            body = json.loads(record.value)
            check_record(self.app, kind, record, body, partitions)
            if body["messageId"] in seen:
                raise AssertionError("message id twice: %s" % record.value.decode())
            seen.add(body["messageId"])
            found[body["userId"]].append(make(body))
        return found


def check_record(app, kind, record, body, partitions):
    """One change or trigger: its key, its place, its CloudEvents headers."""
    user, where = body["userId"], "%s %d@%d" % (record.topic, record.offset, record.partition)
    suite.equal(record.key.decode(), user, where + ": key")
    suite.equal(record.partition, records.partition_of(user, partitions), where + ": partition of " + user)
    want = {
        "ce_specversion": "1.0", "ce_type": CLOUD_TYPES[kind, body["properties"].get("member")],
        "ce_source": "/segmentd/" + app, "ce_id": body["messageId"], "ce_subject": user,
        "ce_time": body["timestamp"], "content-type": "application/json"}
    suite.equal({k: v.decode() for k, v in record.headers.items()}, want, where + ": headers")
    source = body["context"].get("source")
    if source:
        suite.equal(source["partition"], record.partition, where + ": partition of the source")


def check_sequences(changes):
    """Per user seq counts every change and `at` never decreases; of a segment
    entered and exited alternate."""
    for user, mine in changes.items():
        inside = set()
        for i, change in enumerate(mine):
            where = "%s, change %d: %s" % (user, i, change)
            assert change.seq == i + 1, "seq: " + where
            assert not i or mine[i - 1].at <= change.at, "at goes backwards: " + where
            assert change.member != (change.segment in inside), "entered and exited do not alternate: " + where
            (inside.add if change.member else inside.discard)(change.segment)


def same(got, want, what):
    """GOT and WANT are {user: [...]}: equal, or the first difference."""
    for user in sorted(set(got) | set(want)):
        a, b = got.get(user, []), want.get(user, [])
        if a == b:
            continue
        i = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        raise AssertionError("%s of %s differ at %d of %d, wanted %d\n  before %s\n  got    %s\n  want   %s" % (
            what, user, i, len(a), len(b), a[i - 1:i], a[i:i + 2], b[i:i + 2]))


def compare(expected, written):
    """The whole: changes and triggers, per user in order."""
    same(written.changes, expected.changes, "changes")
    same(written.triggers, expected.triggers, "triggers")


def compare_redis(client, expected, app="segmentd"):
    """Every hash of a user in Redis equals his memberships, both ways."""
    prefix, got = app + ":user:", {}
    keys = list(client.scan_iter(prefix + "*", count=1000))
    for start in range(0, len(keys), 1000):
        pipe = client.pipeline(transaction=False)
        for key in keys[start:start + 1000]:
            pipe.hgetall(key)
        for key, value in zip(keys[start:start + 1000], pipe.execute()):
            got[key[len(prefix):]] = {s: int(at) for s, at in value.items()}
    same_memberships(got, expected.memberships)


def same_memberships(got, want):
    for user in sorted(set(got) | set(want)):
        if got.get(user) != want.get(user):
            raise AssertionError("Redis, %d users, wanted %d; first: %s\n  got  %s\n  want %s" % (
                len(got), len(want), user, got.get(user), want.get(user)))


def redis_agrees(client, expected, app="segmentd", timeout=10):
    """Redis comes to agree within TIMEOUT seconds; the last difference if not."""
    last = [None]

    def agrees():
        try:
            compare_redis(client, expected, app)
            return True
        except AssertionError as error:
            last[0] = error
            return False

    cluster.until(agrees, lambda: last[0], timeout, 0.3)


def wait_committed(daemon, topics, inputs, app="segmentd", timeout=120):
    """Until APP has committed the ends of all INPUTS: everything is written."""
    ends = {(t, p): end for t in inputs for p, end in topics.ends(t).items()}
    last = [None]

    def done():
        daemon._must_run()
        try:
            last[0] = {place: offset for place, (offset, _) in topics.committed(app, inputs).items()}
        except KafkaException as error:  # A transaction is pending, or the coordinator is being found.
            last[0] = error
        return last[0] == ends

    cluster.until(done, lambda: "committed %s, the ends are %s" % (last[0], ends), timeout, 0.25)


def _source(source):
    return source and (source["topic"], source["offset"], source.get("messageId"))


def _change(body):
    p = body["properties"]
    return Change(p["segment"], p["member"], body["timestamp"], p["entered_at"], p["seq"], p["cause"],
                  _source(body["context"].get("source")), p["triggers"])


def _trigger(body):
    p = body["properties"]
    return Trigger(p["trigger"], p["segment"], p["on"], body["timestamp"], p["seq"],
                   _source(body["context"].get("source")))
