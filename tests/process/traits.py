#!/usr/bin/python3
"""Traits on a real broker and a real redis-server: their topic is asked for only
where there are some; under kill -9 the last value of every user arrives, on the
topic, in Redis and over HTTP, at most once per trait_interval but for what a restart
says again; Redis, emptied, is filled from the topic.  The events of a user are added
up here, in Python."""

import collections
import datetime
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import suite
from cluster import Cluster, until
from reload import post

NONE = """segment buyers { when did "Order" in 1d }
"""
SOME = NONE + """
trait orders = count("Order") in 1d
trait spent = sum("Order", total) in 1d
trait best = max("Order", total) in 1d
trait town = last("Order", town)
trait lately = count("Order") in 2s
"""
USERS, KILLS, PARTITIONS, INTERVAL_MS = 40, 5, 2, 700
TOPIC = "segmentd.traits"


class World:
    def __init__(self, cluster):
        self.cluster, self.random = cluster, random.Random(int(os.environ.get("SEED", "1")))
        self.kafka, self.redis = cluster.kafka(), cluster.redis()
        self.topics = self.kafka.topics
        self.topics.create("in", PARTITIONS)
        self.segments = cluster.path("traits.seg", NONE)
        # Users are written early and late, so that a kill finds both.
        self.text = conf.text([self.segments], ["in"], self.kafka.address, self.redis.address, flush_interval="400ms",
                              trait_interval="%dms" % INTERVAL_MS, instance_id="one", process="one",
                              properties={"session.timeout.ms": 6000})
        self.conf = cluster.path("traits-topics.conf", self.text)
        self.producer = self.topics.producer(partitioner="murmur2_random")
        self.orders = collections.defaultdict(list)
        self.starts = 0

    def start(self):
        self.starts += 1
        self.daemon = self.cluster.segmentd(self.text, name="traits%d" % self.starts)
        return self.daemon

    def order(self, count, who="user"):
        for _ in range(count):
            user = "%s %d" % (who, self.random.randrange(USERS))
            total, town = self.random.randrange(1, 400) / 4, self.random.choice(("Oslo", "Bergen", 'a "b"'))
            self.orders[user].append((total, town))
            self.producer.produce("in", json.dumps({
                "type": "track", "userId": user, "event": "Order", "properties": {"total": total, "town": town}}), user)
            self.producer.poll(0)
        self.producer.flush(30)

    def wanted(self):
        return {user: {"orders": len(all_of), "spent": sum(total for total, _ in all_of),
                       "best": max(total for total, _ in all_of), "town": all_of[-1][1], "lately": 0}
                for user, all_of in self.orders.items()}

    def records(self):
        """{user: [(at in ms, traits)]}, as committed."""
        found = collections.defaultdict(list)
        for record in self.topics.read(TOPIC):
            read = json.loads(record.value)
            at = datetime.datetime.fromisoformat(read["timestamp"].replace("Z", "+00:00"))
            found[read["userId"]].append((round(at.timestamp() * 1000), read["traits"]))
        return found

    def in_redis(self):
        """Of those of whom all is known."""
        client = self.redis.client()
        return {user: {name: json.loads(value) for name, value in client.hgetall(key).items()}
                for key in client.scan_iter("segmentd:traits:*", 1000)
                for user in [key.partition(":traits:")[2]] if user in self.orders}


def without_traits_their_topic_is_not_missed(world):
    world.cluster.ctl("topics", "create", "--conf", world.conf)
    world.topics.delete(TOPIC)
    world.start().wait_ready()
    world.order(20, "guest")  # What these did will be known in part only.
    world.daemon.wait_metric("segmentd_events_total", lambda n: n == 20)
    suite.equal(world.daemon.metric("segmentd_traits_total"), 0)
    world.orders.clear()


def segments_with_traits_are_refused_without_it(world):
    world.cluster.path("traits.seg", SOME)
    status, answer = post(world.daemon, "/-/reload")
    suite.equal(status, 422)
    assert TOPIC in answer["said"] and "segmentctl topics create --conf" in answer["said"], answer
    world.daemon.kill()


def nor_does_it_get_ready_with_them(world):
    daemon = world.start()
    reasons = []

    def refused():
        reasons.append(daemon._ask(lambda: daemon.http("/readyz")) or (0, ""))
        return "segmentctl topics create --conf" in reasons[-1][1]

    until(refused, lambda: "the reason, last: %s" % (reasons[-1],), 20)
    suite.equal(reasons[-1][0], 503)
    world.cluster.ctl("topics", "create", "--conf", world.conf)
    daemon.wait_ready()


def under_kill_9_the_last_value_arrives(world):
    def is_busy():
        world.order(25)
        return (world.daemon.metric("segmentd_traits_throttled_total") > 0 and
                world.daemon.metric("segmentd_traits_total") > USERS)

    for kill in range(KILLS):
        until(is_busy, "traits are published, and throttled", 30, 0.1)
        if kill % 2:  # Amid those whose interval has passed.
            published = world.daemon.metric("segmentd_traits_total")
            world.daemon.wait_metric("segmentd_traits_total", lambda n: n > published)
        world.daemon.kill()
        world.order(10)
        world.start().wait_ready()
    world.order(50)
    world.daemon.wait_metric("segmentd_traits_throttled_total", lambda n: n > 0)
    known = world.wanted()
    until(lambda: last_of(world, known) == known, lambda: "the last records: %s" % difference(last_of(world, known), known),
          30, 0.5)
    assert world.daemon.metric("segmentd_traits_total") > 0
    suite.equal(world.daemon.metric("segmentd_restore_repairs_total"), 0)


def last_of(world, known):
    return {user: all_of[-1][1] for user, all_of in world.records().items() if user in known}


def difference(got, want):
    return [(user, got.get(user), want.get(user)) for user in sorted(want) if got.get(user) != want.get(user)][:3]


def twice_within_the_interval_only_after_a_kill(world):
    early = again = 0
    records = world.records()
    for user, all_of in records.items():
        for (before, said), (at, says) in zip(all_of, all_of[1:]):
            early += at - before < INTERVAL_MS
            again += said == says
            assert at >= before - 1, (user, before, at)
    count = sum(len(all_of) for all_of in records.values())
    print("         %d records of %d users, %d within the interval, %d said again" % (count, len(records), early, again))
    assert count > 5 * USERS, count
    assert early <= KILLS * USERS and again <= 2 * KILLS * USERS, (early, again)


def redis_and_http_say_the_same(world):
    known = world.wanted()
    until(lambda: world.in_redis() == known, lambda: difference(world.in_redis(), known), 20, 0.2)
    for user in list(known)[:5]:
        status, text = world.daemon.http("/v1/users/" + user.replace(" ", "%20"))
        suite.equal((status, json.loads(text)["traits"]), (200, known[user]))


def emptied_redis_is_filled_from_the_topic(world):
    client, known = world.redis.client(), world.wanted()
    client.flushall()
    client.set("segmentd:traits:user 1", "of another type")
    until(lambda: client.type("segmentd:traits:user 1") == "hash" and world.in_redis() == known, "the traits are back", 20)
    world.order(30)
    known = world.wanted()
    until(lambda: world.in_redis() == known, lambda: difference(world.in_redis(), known), 20, 0.2)


def segmentctl_shows_them(world):
    user = next(iter(world.orders))
    shown = [json.loads(line) for line in
             world.cluster.ctl("inspect", "traits", "--user", user, "--conf", world.conf).splitlines()]
    suite.equal(shown[-1]["value"]["traits"], world.wanted()[user])
    tapped = world.cluster.ctl("tap", "--traits", "--user", user, "--from", "earliest", "--count", "1", "--conf", world.conf)
    assert user in tapped, tapped
    suite.equal(world.daemon.terminate(), 0)


if __name__ == "__main__":
    with Cluster() as servers:
        sys.exit(suite.run(World(servers), [
            without_traits_their_topic_is_not_missed, segments_with_traits_are_refused_without_it,
            nor_does_it_get_ready_with_them, under_kill_9_the_last_value_arrives,
            twice_within_the_interval_only_after_a_kill, redis_and_http_say_the_same,
            emptied_redis_is_filled_from_the_topic, segmentctl_shows_them]))
