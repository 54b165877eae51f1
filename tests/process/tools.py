#!/usr/bin/python3
"""The verbs of segmentctl that look at a running segmentd and at its topics:
members, topics verify, dead-letters, inspect, tap, top.  A real broker, one
segmentd, and faults that are made on purpose."""

import csv
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import judge
import records
import schema
import suite
from cluster import Cluster, binary, until

SEGMENTCTL = binary("segmentctl")
PARTITIONS, USERS = 4, 60
SEGMENTS = """
segment users { when did "Used" }
segment busy {
  when did "Used" at least 3 times in 30d
  on enter trigger "hello" { text = "hi" } once per 1d
}
segment pro { when user.plan = "pro" }
"""
CUT = 300  # dead_letter_bytes


class World:
    def __init__(self, cluster):
        self.cluster, self.kafka = cluster, cluster.kafka()
        self.topics = self.kafka.topics
        self.topics.create("events", PARTITIONS)
        self.text = conf.text([cluster.path("tools.seg", SEGMENTS)], ["events"], self.kafka.address, app="app",
                              workers=2, flush_interval="300ms", dead_letter_bytes="%dB" % CUT)
        self.conf = cluster.path("tools.conf", self.text)
        cluster.ctl("topics", "create", "--conf", self.conf)
        # They are there when that returns.
        cluster.ctl("topics", "verify", "--conf", self.conf)
        self.now = int(time.time() * 1000) - 60000
        self.send(self.events())
        self.daemon = cluster.segmentd(self.text)
        self.daemon.wait_ready()
        self.wait_applied()

    def events(self):
        """User n uses it n % 5 times; every third one is pro."""
        for n in range(USERS):
            user = "u%d" % n if n else 'u0, "the first" \u00fc'
            for i in range(n % 5):
                yield user, {"type": "track", "event": "Used", "userId": user, "messageId": "%d-%d" % (n, i)}
            if n % 3 == 0:
                yield user, {"type": "identify", "userId": user, "traits": {"plan": "pro", "seats": n}}

    def send(self, messages):
        self.now += 1
        self.topics.produce_events("events", ((user, self.now, json.dumps(message).encode())
                                              for user, message in messages))

    def wait_applied(self):
        judge.wait_committed(self.daemon, self.topics, ["events"], app="app", timeout=30)

    def wait_members(self, segment, users):
        until(lambda: set(users) <= set(self.members(segment)), "%s are in %s" % (users, segment), 20)

    def wait_letters(self, count):
        until(lambda: len(self.topics.read("app.dead-letters")) >= count, "%d dead letters" % count, 20)

    def members(self, segment):
        """{user: (entered_at, seq)} of the change topic."""
        found = {}
        for record in self.topics.read("app.changes"):
            change = json.loads(record.value)
            if change["properties"]["segment"] == segment:
                found.pop(change["userId"], None)
                if change["properties"]["member"]:
                    found[change["userId"]] = change["properties"]["entered_at"]
        return found


def run(*arguments, status=0, timeout=60):
    """(standard output, standard error) of segmentctl, which ends with STATUS."""
    done = subprocess.run([SEGMENTCTL, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout)
    suite.equal(done.returncode, status, "%s: %s%s" % (arguments, done.stdout.decode(), done.stderr.decode()))
    return done.stdout.decode(), done.stderr.decode()


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


# ---- members ----------------------------------------------------------------

def members_are_written_as_lines_with_the_places_at_the_end(world):
    out, err = run("members", "--url", world.daemon.url, "pro")
    *members, last = lines(out)
    suite.equal({m["user"]: m["entered_at"] for m in members}, world.members("pro"))
    suite.equal(len(members), USERS // 3)
    for member in members:
        schema.schema("members").must_fit({"segment": "pro", "catalogue": "00000000", "members": [member],
                                           "next": "x", "follow": None}, member)
    suite.equal({p["partition"] for p in last["follow"]["positions"]}, set(range(PARTITIONS)))
    suite.equal((last["follow"]["topic"], last["follow"]["complete"], err), ("app.changes", True, ""))


def members_are_written_as_csv_and_the_places_into_a_file(world):
    path = world.cluster.path("positions.json")
    out, err = run("members", "--conf", world.conf, "--csv", "--positions", path, "users")
    head, *rows = csv.reader(io.StringIO(out, newline=""))
    suite.equal(head, ["user", "entered_at", "seq"])
    suite.equal({user: at for user, at, _ in rows}, world.members("users"))
    with open(path) as text:
        suite.equal([len(json.load(text)["positions"]), err], [PARTITIONS, ""])


def an_unknown_segment_has_no_members(world):
    out, err = run("members", "--url", world.daemon.url, "nobody", status=1)
    suite.equal((out, "no segment of this key" in err), ("", True), err)


# ---- tap --------------------------------------------------------------------

def tap(world, *arguments, **more):
    return run("tap", "--conf", world.conf, *arguments, **more)[0]


def tap_shows_what_is_in_the_topics(world):
    all_of_it = {r.value.decode() for t in ("changes", "triggers") for r in world.topics.read("app." + t)}
    out = tap(world, "--from", "earliest", "--triggers", "--json", "--count", str(len(all_of_it)))
    for line in out.splitlines():
        schema.value(line)
    suite.equal(set(out.splitlines()), all_of_it)


def tap_has_filters(world):
    pro = world.members("pro")
    out = tap(world, "--from", "earliest", "--segment", "pro", "--json", "--count", str(len(pro)))
    suite.equal({v["properties"]["segment"] for v in lines(out)}, {"pro"})
    out = tap(world, "--from", "2020-01-01", "--user", "u9", "--triggers", "--count", "4")
    kinds = [line.split()[1:5] for line in out.splitlines()]
    suite.equal(sorted(kinds), [["entered", "busy", "u9", "event"], ["entered", "pro", "u9", "attribute"],
                                ["entered", "users", "u9", "event"], ["trigger", "busy", "u9", "hello"]], out)


def tap_follows_until_it_is_told_to_end(world):
    child = subprocess.Popen([SEGMENTCTL, "tap", "--conf", world.conf, "--segment", "users", "--from", "latest"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        read, n = b"", 0
        deadline = time.monotonic() + 20
        while b"\n" not in read:
            # Whoever enters before the tap has found the end is not seen.
            n += 1
            user = "tapped%d" % n
            world.send([(user, {"type": "track", "event": "Used", "userId": user})])
            if select.select([child.stdout], [], [], 0.3)[0]:
                read += os.read(child.stdout.fileno(), 65536)
            assert time.monotonic() < deadline, "tap shows nothing"
        suite.equal(re.match(rb"\S+Z  entered  users tapped\d+  event seq=1 events \d@\d+\n", read) is None, False, read)
        child.send_signal(signal.SIGINT)
        suite.equal(child.wait(10), 0)
    finally:
        child.kill()
        child.wait()
    world.wait_applied()


def tap_goes_on_where_members_ended(world):
    path = world.cluster.path("positions.json")
    out, _ = run("members", "--url", world.daemon.url, "--positions", path, "users")
    known = {m["user"] for m in lines(out)}
    world.send([("fresh%d" % i, {"type": "track", "event": "Used", "userId": "fresh%d" % i}) for i in range(10)])
    world.wait_applied()
    followed = lines(tap(world, "--positions", path, "--segment", "users", "--json", "--count", "10"))
    suite.equal({v["userId"] for v in followed}, {"fresh%d" % i for i in range(10)})
    suite.equal(known & {v["userId"] for v in followed}, set())
    world.cluster.path("other.json", '{"topic":"x.changes","positions":[]}')
    _, err = run("tap", "--conf", world.conf, "--positions", world.cluster.path("other.json"), status=1)
    suite.equal("is of x.changes, not of app.changes" in err, True, err)


# ---- inspect ----------------------------------------------------------------

def inspect(world, *arguments):
    return lines(run("inspect", *arguments, "--conf", world.conf)[0])


def inspect_state_shows_users_and_meta_records(world):
    until(lambda: world.daemon.metric("segmentd_dirty_users") == 0, "everybody is written", 20)
    found = inspect(world, "state")
    wrong = [line for line in found if "error" in line]
    suite.equal(wrong, [])
    metas = {line["partition"]: line["meta"] for line in found if "meta" in line}
    suite.equal(set(metas), set(range(PARTITIONS)))
    ends = world.topics.ends("events")
    for partition, meta in metas.items():
        suite.equal([i["topic"] for i in meta["inputs"]], ["events"])
        suite.equal(meta["inputs"][0]["committed"] <= ends[partition], True, meta)
        suite.equal(re.fullmatch("[0-9a-f]{8}", meta["catalogue"]) is None, False, meta)
    users = {line["user"]: line["state"] for line in found if "state" in line}
    for segment in "users", "busy", "pro":
        suite.equal({u: s["memberships"][segment] for u, s in users.items() if segment in s["memberships"]},
                    world.members(segment), segment)
    suite.equal(users["u9"]["attributes"]["user"], {"plan": "pro", "seats": 9})
    one = inspect(world, "state", "--user", "u9")
    suite.equal([line["user"] for line in one], ["u9"] * len(one))
    suite.equal(one[-1]["state"], users["u9"])


def inspect_names_segments_that_the_configuration_has_no_more(world):
    """They stand in the catalogue record of each partition."""
    few = world.cluster.path("few.seg", SEGMENTS.replace("segment pro", "segment other"))
    path = world.cluster.path("few.conf", world.text.replace(world.cluster.path("tools.seg"), few))
    for user in ["u%d" % n for n in range(3, 12, 3)]:
        *_, last = lines(run("inspect", "state", "--user", user, "--conf", path)[0])
        suite.equal("pro" in last["state"]["memberships"], True, last)
    all_of_them = lines(run("inspect", "state", "--conf", path)[0])
    suite.equal([line for line in all_of_them if "(gone)" in json.dumps(line)], [])


def inspect_outputs_and_offsets(world):
    changes = world.topics.read("app.changes")
    found = inspect(world, "changes")
    suite.equal(sorted((f["partition"], f["offset"], f["key"]) for f in found),
                [(r.partition, r.offset, r.key.decode()) for r in changes])
    suite.equal([f["value"] for f in inspect(world, "changes", "--user", "u9")],
                [json.loads(r.value) for r in changes if r.key == b"u9"])
    suite.equal(len(inspect(world, "triggers")), len(world.topics.read("app.triggers")))
    ends, offsets = world.topics.ends("events"), inspect(world, "offsets")
    suite.equal({o["partition"]: (o["high"], o["lag"]) for o in offsets}, {p: (e, 0) for p, e in ends.items()})
    for offset in offsets:
        suite.equal(sorted(offset["metadata"]), ["clock", "tag", "txn"])
    suite.equal([o["partition"] for o in inspect(world, "offsets", "--partition", "2")], [2])
    _, err = run("inspect", "changes", "--partition", "9", "--conf", world.conf, status=1)
    suite.equal("partitions 0 to 3" in err, True, err)


# ---- dead letters -----------------------------------------------------------

def place(world, user):
    return records.partition_of(user, PARTITIONS)


def bad_records(world):
    """Three of no JSON, one of them too long to be kept whole; one where its user
    does not belong."""
    stray = json.dumps({"type": "track", "event": "Used", "userId": "stray"}).encode()
    return [(place(world, "u1"), "u1", b"no json", world.now),
            (place(world, "u2"), "u2", b"no json " + b"x" * CUT, world.now),
            (place(world, "u1"), "u1", b"\xff\xfe", world.now),
            ((place(world, "stray") + 1) % PARTITIONS, "stray", stray, world.now)]


def dead_letters(world, *arguments):
    return run("dead-letters", *arguments, "--conf", world.conf)[0]


def dead_letters_are_counted(world):
    world.topics.produce("events", bad_records(world))
    world.wait_applied()
    out = dead_letters(world, "list")
    rows = [line.split()[:4] for line in out.splitlines()]
    letters = world.topics.read("app.dead-letters")
    suite.equal(len(letters), 4)
    suite.equal([row for row in rows if row[1] == "wrong_partition"],
                [["1", "wrong_partition", "events", str((place(world, "stray") + 1) % PARTITIONS)]], out)
    suite.equal(sum(int(row[0]) for row in rows[1:-1]), 4, out)
    suite.equal(rows[-1][:1], ["4"], out)
    suite.equal("(1 cut short)" in out, True, out)
    suite.equal(dead_letters(world, "list", "--topic", "other").splitlines()[-1].split(), ["0", "in", "all"])


def dead_letters_are_shown(world):
    shown = lines(dead_letters(world, "show"))
    by_place = {(s["partition"], s["offset"]): s for s in shown}
    letters = world.topics.read("app.dead-letters")
    suite.equal(set(by_place), {(r.partition, r.offset) for r in letters})
    for record in letters:
        one = by_place[record.partition, record.offset]
        suite.equal(one["headers"], {k: v.decode() for k, v in record.headers.items()})
        suite.equal(one["key"], record.key.decode())
        suite.equal(one["complete"], len(record.value) == int(record.headers["original_bytes"]))
        want = {"base64": "//4="} if record.value == b"\xff\xfe" else record.value.decode()
        suite.equal(one["value"], want)
    suite.equal(len(lines(dead_letters(world, "show", "--limit", "2"))), 2)
    only = lines(dead_letters(world, "show", "--reason", "wrong_partition"))
    suite.equal([o["key"] for o in only], ["stray"])


def replay_says_what_it_would_do(world):
    before = world.topics.ends("events")
    out = dead_letters(world, "replay", "--reason", "wrong_partition")
    where = (place(world, "stray") + 1) % PARTITIONS
    said = r"^would replay events %d@\d+ to partition %d \(dead letter %d@\d+, wrong_partition, \d+ bytes\)\n" % (
        where, place(world, "stray"), where)
    suite.equal(re.match(said, out) is None or "Say --yes" not in out, False, out)
    suite.equal(world.topics.ends("events"), before)


def replay_brings_an_event_where_it_belongs_once(world):
    for want in "1 replayed", "0 replayed":
        out = dead_letters(world, "replay", "--reason", "wrong_partition", "--yes")
        suite.equal(re.search("^%s, " % want, out, re.M) is None, False, out)
    world.wait_members("users", ["stray"])
    found = [r for r in world.topics.read("events") if r.key == b"stray"]
    suite.equal([r.partition for r in found],
                sorted([place(world, "stray"), (place(world, "stray") + 1) % PARTITIONS]))
    suite.equal(len({(r.key, r.value, r.timestamp_ms) for r in found}), 1, found)
    out = dead_letters(world, "replay", "--reason", "wrong_partition", "--again")
    suite.equal("1 would be replayed" in out, True, out)


def replay_leaves_what_was_cut_short(world):
    out = dead_letters(world, "replay", "--topic", "events", "--yes")
    suite.equal(re.search("^2 replayed, 9 bytes; 1 replayed before; 1 cannot be", out, re.M) is None, False, out)
    world.wait_letters(6)
    again = [r.value for r in world.topics.read("events") if r.value in (b"no json", b"\xff\xfe")]
    suite.equal(sorted(again), [b"no json"] * 2 + [b"\xff\xfe"] * 2)
    # They were no better than before: two letters more, which may be replayed.
    suite.equal(len(world.topics.read("app.dead-letters")), 6)
    suite.equal("2 would be replayed" in dead_letters(world, "replay"), True)


# ---- topics verify ----------------------------------------------------------

def verify(world, *arguments, **more):
    return run("topics", "verify", "--conf", more.pop("conf", world.conf), *arguments, **more)[0]


def topics_that_are_right_are_found_right(world):
    out = verify(world)
    suite.equal([line for line in out.splitlines() if not line.startswith("ok ")],
                ["note   events: 1 are elsewhere: they become dead letters wrong_partition"], out)
    suite.equal("events: partitioner murmur2 fits" in out, True, out)


def what_is_wrong_comes_with_what_mends_it(world):
    world.topics.create("wide", PARTITIONS + 1)
    world.topics.create("plain", PARTITIONS)
    world.topics.create("b.changes", PARTITIONS, cleanup_policy="compact")
    world.topics.create("b.triggers", PARTITIONS - 1, retention_ms=3600000)
    world.topics.create("b.state", PARTITIONS, cleanup_policy="delete", max_message_bytes=1000)
    rows = [(i % PARTITIONS, "x", json.dumps({"type": "track", "event": "Used", "userId": "u%d" % i}).encode(),
             world.now) for i in range(200)]
    world.topics.produce("plain", rows)
    path = world.cluster.path("b.conf", conf.text([world.cluster.path("tools.seg")], ["events", "plain", "wide"],
                                                  world.kafka.address, app="b", partitioner="crc32"))
    out = verify(world, conf=path, status=1)
    for topic, said, mended in [
            ("b.changes", "cleanup.policy=compact, it must be delete", "--entity-name b.changes --add-config cleanup.policy=delete"),
            ("b.triggers", "it has 3 partitions and the first input has 4", "--alter --topic b.triggers --partitions 4"),
            ("b.triggers", "retention.ms=3600000, it must be at least 86400000",
             "--entity-name b.triggers --add-config retention.ms=86400000"),
            ("b.state", "cleanup.policy=delete, it must be compact", "--entity-name b.state --add-config cleanup.policy=compact"),
            ("b.state", "max.message.bytes=1000, too little", "--entity-name b.state --add-config max.message.bytes="),
            ("b.traits", "Unknown topic", "segmentctl topics create --conf " + path),
            ("b.dead-letters", "Unknown topic", "segmentctl topics create --conf " + path),
            ("wide", "it has 5 partitions", "--delete --topic wide"),
            ("events", "are where murmur2 puts them", 'input "events" { partitioner murmur2'),
            ("plain", "it is not keyed by the user id", "the user id as the key")]:
        found = re.search(r"^WRONG  %s: .*%s.*\n       mend it: .*%s" % tuple(map(re.escape, (topic, said, mended))),
                          out, re.M)
        suite.equal(found is None, False, "%s: %s\n%s" % (topic, said, out))


# ---- top --------------------------------------------------------------------

def top_prints_one_picture_where_there_is_no_terminal(world):
    out, err = run("top", "--url", world.daemon.url)
    for said in (r"^segmentd \S+  catalogue [0-9a-f]{8}  up \d+ s", r"^ready$", r"^partitions  4 running$",
                 r"^events      \d+/s, 0 behind", r"^commits     ", r"^ +\d+ +[0-9.]+ +[0-9.]+  users$"):
        suite.equal(re.search(said, out, re.M) is None, False, "%s\n%s" % (said, out))
    sizes = {m[1]: int(m[0]) for m in re.findall(r"^ +(\d+) +[0-9.]+ +[0-9.]+  (\w+)$", out, re.M)}
    suite.equal(sizes, {s: len(world.members(s)) for s in ("users", "busy", "pro")})
    suite.equal((out.count("catalogue"), "\033" in out, err), (1, False, ""), out)


def top_draws_on_a_terminal_until_it_is_told_to_end(world):
    leader, follower = pty.openpty()
    child = subprocess.Popen([SEGMENTCTL, "top", "--url", world.daemon.url, "--interval", "1"], stdin=subprocess.DEVNULL,
                             stdout=follower, stderr=follower)
    os.close(follower)
    read = b""
    try:
        deadline = time.monotonic() + 15
        while read.count(b"\033[H") < 2 and time.monotonic() < deadline:
            if select.select([leader], [], [], 0.2)[0]:
                read += os.read(leader, 65536)
        suite.equal(read.count(b"\033[H") >= 2, True, read)
        child.send_signal(signal.SIGINT)
        suite.equal(child.wait(10), 0)
    finally:
        child.kill()
        child.wait()
        os.close(leader)


def without_a_daemon_top_says_so(world):
    _, err = run("top", "--url", "http://127.0.0.1:1", status=1)
    suite.equal("no answer from segmentd" in err, True, err)


if __name__ == "__main__":
    with Cluster() as servers:
        sys.exit(suite.run(World(servers), [
            members_are_written_as_lines_with_the_places_at_the_end,
            members_are_written_as_csv_and_the_places_into_a_file,
            an_unknown_segment_has_no_members,
            tap_shows_what_is_in_the_topics,
            tap_has_filters,
            inspect_state_shows_users_and_meta_records,
            inspect_names_segments_that_the_configuration_has_no_more,
            inspect_outputs_and_offsets,
            tap_follows_until_it_is_told_to_end,
            tap_goes_on_where_members_ended,
            dead_letters_are_counted,
            dead_letters_are_shown,
            topics_that_are_right_are_found_right,
            replay_says_what_it_would_do,
            replay_brings_an_event_where_it_belongs_once,
            replay_leaves_what_was_cut_short,
            what_is_wrong_comes_with_what_mends_it,
            top_prints_one_picture_where_there_is_no_terminal,
            top_draws_on_a_terminal_until_it_is_told_to_end,
            without_a_daemon_top_says_so]))
