#!/usr/bin/python3
"""What is far larger than usual: a catalogue as large as it may be, and one user who
does nearly everything.  No event costs more because of what there is besides it."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import judge
import suite
from cluster import Cluster
from history import BASE_MS

SEGMENTS, NAMES, TIMES = 100000, 1000, 7
HOT = 1000000 if os.environ.get("FAULTS") == "full" else 200000
QUARTERS = 4

# Each keeps something of the events: times, values, days, attempts, a set.
CONDITIONS = {
    "all": 'did "Hot" at least %d times' % HOT,
    "window": 'did "Hot" at least 100000000 times in 30d',
    "ended": 'did "Hot" at least 100000000 times from 30d to 1h ago',
    "sum": 'sum("Hot", n) in 30d < 0',
    "least": 'min("Hot", n) in 7d < 0',
    "values": 'distinct("Hot", n) in 7d > 100000000',
    "days": 'did "Hot" at least 1 time per day for 20 days',
    "funnel": 'did "Hot" then "Cold" within 1d all within 7d',
    "absent": 'did "Hot" without "Cold" within 9d',
    "average": 'avg("Hot", n) from 7d to 1h ago < 0',
}


def many_segments():
    """Segment i asks for so many times of one of NAMES."""
    return "".join('segment s%d { when did "Event %d" at least %d times in %dd }\n' % (
        i, i % NAMES, 1 + i // NAMES % TIMES, 1 + i % 30) for i in range(SEGMENTS))


class World:
    def __init__(self, cluster):
        self.cluster = cluster

    def start(self):
        self.kafka = self.cluster.kafka()
        self.redis = self.cluster.redis()

    def daemon(self, app, segments):
        text = conf.text([self.cluster.path(app + ".seg", segments)], [app], self.kafka.address, self.redis.address,
                         app=app, instance_id=app, workers=1, clock="records", flush_interval="1s")
        self.kafka.topics.create_history(app, 1)
        self.cluster.ctl("topics", "create", "--conf", self.cluster.path(app + ".conf", text))
        daemon = self.cluster.segmentd(text, name=app)
        daemon.wait_ready()
        return daemon

    def send(self, app, messages):
        """(user, event, date) each."""
        self.kafka.topics.produce(app, [(0, user, json.dumps(
            {"type": "track", "userId": user, "event": event, "messageId": str(at_ms),
             "properties": {"n": at_ms % 1000}}).encode(), at_ms) for user, event, at_ms in messages])

    def entered(self, app):
        """[(user, segment)] of all changes, none of which is an exit."""
        changes = [json.loads(r.value) for r in self.kafka.topics.read(app + ".changes")]
        suite.equal({c["event"] for c in changes}, {"Segment Entered"})
        return sorted((c["userId"], c["properties"]["segment"]) for c in changes)


@suite.row(23)
def a_hundred_thousand_segments(world):
    daemon = world.daemon("many", many_segments())
    world.send("many", [("u%d" % n, "Event %d" % (n % 10), BASE_MS + n) for n in range(30)])
    judge.wait_committed(daemon, world.kafka.topics, ["many"], app="many", timeout=60)
    # Each of three users of one event did it once.
    want = sorted(("u%d" % n, "s%d" % i) for n in range(30) for i in range(n % 10, SEGMENTS, NAMES)
                  if i // NAMES % TIMES == 0)
    suite.equal(world.entered("many"), want)
    print("         %d entries; restarts in " % len(want), end="")
    daemon.kill()
    daemon.start()
    daemon.wait_ready()
    print("%.1f s of CPU" % daemon.cpu_s())
    suite.equal(daemon.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(daemon.terminate(), 0)


@suite.row(23)
def one_user_who_does_it_all(world):
    daemon = world.daemon("hot", "".join("segment hot_%s { when %s }\n" % item for item in CONDITIONS.items()))
    spent = []
    for quarter in range(QUARTERS):
        world.send("hot", [("hot", "Hot", BASE_MS + 2000 * n)
                           for n in range(HOT * quarter // QUARTERS, HOT * (quarter + 1) // QUARTERS)])
        began = daemon.cpu_s()
        judge.wait_committed(daemon, world.kafka.topics, ["hot"], app="hot", timeout=120)
        spent.append(daemon.cpu_s() - began)
    print("         %d events; CPU of each quarter %s s" % (HOT, ", ".join("%.2f" % s for s in spent)))
    # Were each event as dear as there are kept ones, the last quarter would cost seven times the first.
    suite.equal(spent[-1] < 3 * spent[0] + 0.1, True, spent)
    told = world.entered("hot")
    suite.equal(("hot", "hot_all") in told, True, told)
    suite.equal(len(told), len(set(told)))
    suite.equal(daemon.terminate(), 0)


def main():
    with Cluster() as cluster:
        world = World(cluster)
        world.start()
        return suite.run(world, [a_hundred_thousand_segments, one_user_who_does_it_all])


if __name__ == "__main__":
    sys.exit(main())
