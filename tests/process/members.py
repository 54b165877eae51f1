#!/usr/bin/python3
"""Who is in a segment, listed while people come and go, and followed from where
the list ends: the two together are what the oracle says, nobody missing, nobody
twice.

A follower does what daemon/http/members.h asks of clients, and is strict about it:
whoever enters must not be in, and of those who exit only one who was never seen to
enter may not be."""

import collections
import json
import os
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cluster
import conf
import history
import judge
import records
import schema
import suite
from cluster import Cluster, until

SEGMENTS = os.path.join(cluster.ROOT, "tests", "data", "core.seg")
EVENTS, PARTITIONS, TOPIC, LIMIT = 20000, 8, "events", 20
LOAD_S = 5  # In which the second half of the history comes.


class Oracle(judge.Expected):
    """Keeps the answers that other tests share."""

    def _forget(self):
        pass


class List:
    """One list of SEGMENT of one process, page by page."""

    def __init__(self, daemon, segment, wait=0.0):
        self.segment, self.members, self.pages, self.follow = segment, [], 0, None
        self.seqs, self.wait, self.daemon = {}, wait, daemon

    def read(self):
        """Returns the status of the last answer."""
        after = ""
        while self.follow is None:
            status, page = get(self.daemon, "/v1/segments/%s/members?limit=%d%s" % (self.segment, LIMIT, after))
            if status != 200:
                return status
            self.add(page)
            after = "&after=%s" % page["next"]
            time.sleep(self.wait)
        return 200

    def add(self, page):
        self.pages += 1
        suite.equal(page["segment"], self.segment)
        assert len(page["members"]) <= LIMIT, len(page["members"])
        self.members += page["members"]
        self.follow = page["follow"]
        suite.equal(page["next"] is None, page["follow"] is not None)


def get(daemon, path, patience=20):
    """(status, JSON) of a GET, asked again while the daemon is busy."""
    deadline = time.monotonic() + patience
    while True:
        status, text = daemon.http(path)
        if status != 503 or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    page = json.loads(text)
    if status == 200 and "/members" in path:
        schema.schema("members").must_fit(page, text[:500])
    return status, page


class Follower:
    """What a client makes of lists, one or several that are of different
    partitions, and of the changes after them."""

    def __init__(self, *lists):
        self.segment, self.inside, self.seqs = lists[0].segment, {}, {}
        self.starts, self.applied, self.skipped, self.unknown = {}, 0, 0, 0
        for one in lists:
            for place in one.follow["positions"]:
                assert place["partition"] not in self.starts, "%d is listed twice" % place["partition"]
                self.starts[place["partition"]] = place["offset"]
            for member in one.members:
                user = member["user"]
                assert user not in self.inside, "%s is listed twice" % user
                self.inside[user], self.seqs[user] = records.parse_ms(member["entered_at"]), member["seq"]
        self.seen = set(self.inside)

    def change(self, record):
        """Apply the change in RECORD, the next of its partition."""
        body = json.loads(record.value)
        p, user = body["properties"], body["userId"]
        if p["segment"] != self.segment or record.offset < self.starts[record.partition]:
            return
        if p["seq"] <= self.seqs.get(user, 0):
            self.skipped += 1
            return
        self.applied += 1
        if p["member"]:
            assert user not in self.inside, "%s enters %s twice: %s" % (user, self.segment, body)
            self.inside[user] = records.parse_ms(p["entered_at"])
        elif self.inside.pop(user, None) is None:
            assert user not in self.seen, "%s exits %s twice: %s" % (user, self.segment, body)
            self.unknown += 1
        self.seen.add(user)


class World:
    def __init__(self, servers):
        self.cluster, self.kafka, self.redis = servers, servers.kafka(), servers.redis()
        self.topics = self.kafka.topics
        past = history.History(int(os.environ.get("SEED", "20250101")), EVENTS, PARTITIONS)
        # One input, so that `clock records` has what it needs while records come.
        ends = collections.Counter()
        self.rows = []
        for row in past.merged():
            self.rows.append(row._replace(topic=TOPIC, offset=ends[row.partition]))
            ends[row.partition] += 1
        self.expected = Oracle(SEGMENTS, self.rows)
        with open(SEGMENTS) as text:
            self.segments = servers.path("members.seg", text.read())
        self.topics.create_history(TOPIC, PARTITIONS)
        servers.ctl("topics", "create", "--conf", servers.path("topics.conf", self.text("topics")))
        self.lists = []

    def text(self, name):
        return conf.text([self.segments], [TOPIC], self.kafka.address, redis=self.redis.address, clock="records",
                         workers=2, process=name, flush_interval="500ms", properties={"session.timeout.ms": 6000})

    def start(self, name):
        daemon = self.cluster.segmentd(self.text(name), name)
        daemon.wait_ready()
        return daemon

    def halves(self):
        """The rows in two parts, of each partition its first half and the rest."""
        logs = collections.defaultdict(list)
        for row in self.rows:
            logs[row.partition].append(row)
        first = [row for log in logs.values() for row in log[:len(log) // 2]]
        # As they come: of all partitions at a time.
        rest = sorted((i, row) for log in logs.values() for i, row in enumerate(log[len(log) // 2:]))
        return first, [row for _, row in rest]

    def produce(self, rows):
        self.topics.produce(TOPIC, ((r.partition, r.user, r.value, r.timestamp_ms) for r in rows))

    def load(self, rows, steps=50):
        """Write ROWS in about LOAD_S."""
        began = time.monotonic()
        for i in range(steps):
            self.produce(rows[len(rows) * i // steps:len(rows) * (i + 1) // steps])
            time.sleep(max(0, began + LOAD_S * (i + 1) / steps - time.monotonic()))

    def keys(self):
        """Segments by number of changes, busiest first."""
        status, page = get(self.one, "/v1/segments")
        suite.equal(status, 200)
        sizes = self.expected.sizes()
        return sorted((s["key"] for s in page["segments"]), key=lambda key: -sum(sizes.get(key, (0,))))

    def changes(self):
        return self.topics.read("segmentd.changes")


def lists_are_read_while_people_come_and_go(world):
    first, rest = world.halves()
    world.produce(first)
    world.one = world.start("one")
    world.one.wait_metric("segmentd_events_total", lambda n: n > len(first) // 2)
    keys = world.keys()
    writer = threading.Thread(target=world.load, args=(rest,), daemon=True)
    writer.start()
    turn = 0
    while writer.is_alive():
        # Busy ones again and again, with a client that takes its time.
        key = keys[turn // 2 % len(keys)] if turn % 2 else keys[turn // 2 % 4]
        one = List(world.one, key, 0.03)
        suite.equal(one.read(), 200, key)
        suite.equal(one.follow["complete"], True)
        world.lists.append(one)
        turn += 1
    judge.wait_committed(world.one, world.topics, [TOPIC])
    print("         %d lists, %d pages, %d members" % (
        len(world.lists), sum(one.pages for one in world.lists), sum(len(one.members) for one in world.lists)), flush=True)


def list_and_changes_are_what_the_oracle_says(world):
    want, changes = world.expected.memberships, world.changes()
    followers = [Follower(one) for one in world.lists]
    for record in changes:
        for follower in followers:
            follower.change(record)
    for follower in followers:
        got = {user: {follower.segment: at} for user, at in follower.inside.items()}
        judge.same_memberships(got, {user: {follower.segment: mine[follower.segment]}
                                     for user, mine in want.items() if follower.segment in mine})
    applied, skipped, unknown = (sum(getattr(f, n) for f in followers) for n in ("applied", "skipped", "unknown"))
    print("         %d changes followed, %d were in the list already, %d exits of people gone before their page" % (
        applied, skipped, unknown), flush=True)
    # Else nothing was proved: it must have mattered when a page was read.
    assert applied > 500 and skipped > 5 and unknown > 0, (applied, skipped, unknown)


def nobody_is_listed_before_his_time(world):
    """A list at rest is the oracle's, and follows on from the very end."""
    for key in world.keys()[:6]:
        one = List(world.one, key)
        suite.equal(one.read(), 200)
        suite.equal({m["user"]: records.parse_ms(m["entered_at"]) for m in one.members},
                    {u: mine[key] for u, mine in world.expected.memberships.items() if key in mine}, key)
        follower = Follower(one)
        for record in world.topics.read("segmentd.changes", start=follower.starts):
            follower.change(record)
        suite.equal((follower.applied, follower.skipped), (0, 0), key)


def a_cursor_ends_with_its_process_and_its_partition(world):
    key = world.keys()[0]
    path = "/v1/segments/%s/members?limit=5" % key
    world.cursor = get(world.one, path)[1]["next"]
    suite.equal(get(world.one, path + "&after=" + world.cursor)[0], 200)
    suite.equal(world.one.terminate(), 0)
    world.one.start().wait_ready()
    status, page = get(world.one, path + "&after=" + world.cursor)
    suite.equal((status, "from its beginning" in page["error"]), (410, True), page)


def two_processes_list_a_part_each(world):
    key = world.keys()[0]
    path = "/v1/segments/%s/members?limit=5" % key
    # The cursor stands in the middle of one partition, partition by partition.
    cursors, after = [], ""
    while True:
        page = get(world.one, path + after)[1]
        if not page["next"]:
            break
        cursors.append(page["next"])
        after = "&after=" + page["next"]
    world.two = world.start("two")

    def both_have_some():
        daemons = world.one, world.two
        rows = [d.metrics().get('segmentd_partitions{state="running"}', 0) for d in daemons]
        return all(rows) and sum(rows) == PARTITIONS

    until(both_have_some, "both processes run partitions", 30, 0.1)
    lists = [List(daemon, key) for daemon in (world.one, world.two)]
    suite.equal([one.read() for one in lists], [200, 200])
    suite.equal([one.follow["complete"] for one in lists], [False, False])
    follower = Follower(*lists)
    suite.equal(set(follower.starts), set(range(PARTITIONS)))
    suite.equal(follower.inside, {u: mine[key] for u, mine in world.expected.memberships.items() if key in mine})
    ends = collections.Counter(get(world.one, path + "&after=" + cursor)[0] for cursor in cursors)
    suite.equal(ends[410] > 0 and set(ends) <= {200, 410}, True, ends)
    segmentctl_reads_them_together(world, key, follower)
    mine = {p["partition"] for p in lists[0].follow["positions"]}
    print("         partitions %s stayed; of %d cursors %d ended" % (sorted(mine), len(cursors), ends[410]), flush=True)


def a_list_lasts_through_another_catalogue(world):
    """Its first page is of the old one, the rest of the new one; the changes that
    the sweep makes of it follow like all others."""
    before = len(world.changes())
    one = List(world.one, "did_not")
    path = "/v1/segments/did_not/members?limit=%d" % LIMIT
    status, page = get(world.one, path)
    suite.equal(status, 200)
    one.add(page)
    with open(world.segments) as text:
        old = text.read()
    new = old.replace("segment did_not          { when did not any in 2d }", 'segment did_not { when user.plan = "pro" }')
    assert new != old
    world.cluster.path("members.seg", new)
    for daemon in world.one, world.two:
        post = urllib.request.Request(daemon.url + "/-/reload", data=b"", method="POST")
        suite.equal(urllib.request.urlopen(post, timeout=10).status, 200)
    until(lambda: len(world.changes()) > before, "the sweep begins", 20, 0.05)
    while one.follow is None:
        status, page = get(world.one, path + "&after=" + page["next"])
        suite.equal(status, 200, page)
        one.add(page)
    until(lambda: len(world.changes()) - before > 50, "the sweep makes changes", 20, 0.2)
    for daemon in world.one, world.two:
        daemon.wait_metric("segmentd_sweeping_partitions", lambda n: n == 0, 20)
    follower, truth = Follower(one), {}
    mine = [record for record in world.changes() if record.partition in follower.starts]
    for record in mine:
        follower.change(record)
        body = json.loads(record.value)
        if body["properties"]["segment"] == "did_not":
            truth.pop(body["userId"], None)
            if body["properties"]["member"]:
                truth[body["userId"]] = records.parse_ms(body["properties"]["entered_at"])
    suite.equal(follower.inside, truth)
    print("         %d changes by the sweep; of those here %d followed, %d were in the list already" % (
        len(world.changes()) - before, follower.applied, follower.skipped), flush=True)
    assert follower.applied + follower.skipped > 10, "nobody came or left"


def segmentctl_reads_them_together(world, key, follower):
    path = world.cluster.path("positions.json")
    urls = ["--url", world.one.url, "--url", world.two.url]
    out = world.cluster.ctl("members", *urls, "--positions", path, key)
    members = [json.loads(line) for line in out.splitlines()]
    suite.equal({m["user"]: records.parse_ms(m["entered_at"]) for m in members}, follower.inside)
    with open(path) as text:
        follow = json.load(text)
    suite.equal((follow["complete"], {p["partition"]: p["offset"] for p in follow["positions"]}),
                (True, follower.starts))
    # The same process twice is still a part.
    suite.raises(RuntimeError, lambda: world.cluster.ctl("members", *urls[:2], *urls[:2], key))
    suite.equal(len(world.cluster.ctl("members", *urls[:2], "--part", key).splitlines()) < len(members), True)


if __name__ == "__main__":
    with Cluster() as servers:
        sys.exit(suite.run(World(servers), [
            lists_are_read_while_people_come_and_go,
            list_and_changes_are_what_the_oracle_says,
            nobody_is_listed_before_his_time,
            a_cursor_ends_with_its_process_and_its_partition,
            two_processes_list_a_part_each,
            a_list_lasts_through_another_catalogue]))
