#!/usr/bin/python3
"""segmentctl plan beside a running segmentd: what it says of the users in the state
topic is what becomes of them when the new files come into force.  segmentctl check
beside it: events that never came in are told."""

import collections
import json
import os
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import judge
import suite
from cluster import Cluster, binary, until

PARTITIONS, USERS = 4, 200
OLD = """
list plans = ["pro"]
segment busy { when did "Used" at least 3 times in 30d }
segment casual { when did "Used" between 1 and 2 times in 30d }
segment gone { when did "Used" at least 4 times }
segment paying { when user.plan in @plans }
segment both { when in segment busy and in segment paying }
segment idle { when did not "Left" in 7d }
"""
NEW = """
list plans = ["pro", "team"]
segment busy { when did "Used" at least 2 times in 30d }
segment casual { when did "Used" exactly 1 times in 30d }
segment paying { when user.plan in @plans }
segment both { when in segment paying and in segment busy }
segment idle { when did "Left" at most 0 times in 7d }
segment seated { when user.seats >= 100 }
segment wide { when did "Used" in 60d }
"""


class World:
    def __init__(self, cluster):
        kafka = cluster.kafka()
        self.topics = kafka.topics
        self.topics.create("events", PARTITIONS)
        self.old, self.new = cluster.path("old.seg", OLD), cluster.path("new.seg", NEW)
        self.live = cluster.path("live.seg", OLD)
        text = conf.text([self.live], ["events"], kafka.address, app="app", workers=2, flush_interval="200ms")
        self.conf = cluster.path("plan.conf", text)
        cluster.ctl("topics", "create", "--conf", self.conf)
        self.send()
        self.daemon = cluster.segmentd(text)
        self.daemon.wait_ready()
        judge.wait_committed(self.daemon, self.topics, ["events"], app="app", timeout=30)
        until(lambda: self.plan("--state", "--conf", self.conf)["state"]["users"] == USERS, "all are in the state topic")

    def send(self):
        """User n uses it n % 6 times; his plan is pro, team or nothing."""
        at = int(time.time() * 1000) - 600000
        messages = []
        for n in range(USERS):
            user = "u%d" % n
            messages += [(user, {"type": "track", "event": "Used", "userId": user, "messageId": "%d-%d" % (n, i)})
                         for i in range(n % 6)]
            if n == 1:
                messages += [(user, {"type": "track", "event": name, "userId": user})
                             for name in ("Signed Up", "Report Exported")]
            if n % 4 < 3:
                traits = {"plan": ("pro", "team", "free")[n % 4], "seats": n}
                messages.append((user, {"type": "identify", "userId": user, "traits": traits}))
        self.topics.produce_events("events", ((user, at, json.dumps(message).encode()) for user, message in messages))

    def plan(self, *arguments):
        done = subprocess.run([binary("segmentctl"), "plan", "--json", *arguments, self.old, self.new],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        suite.equal((done.returncode, done.stderr), (0, b""))
        return json.loads(done.stdout)

    def members(self):
        return {s["key"]: s["members"] for s in json.loads(self.daemon.http("/v1/segments")[1])["segments"]}

    def catalogue_changes(self):
        """{(segment, member): how many}, of cause `catalogue`."""
        changes = [json.loads(record.value)["properties"] for record in self.topics.read("app.changes")]
        return collections.Counter((c["segment"], c["member"]) for c in changes if c["cause"] == "catalogue")


def what_state_says_is_what_becomes_of_them(world):
    found = world.plan("--state", "--conf", world.conf, "--url", world.daemon.url)
    before = world.members()
    suite.equal({s["segment"]: s["members"] for s in found["now"]["segments"]}, before)
    suite.equal((found["now"]["catalogue"], found["now"]["complete"]), (found["before"], True))
    state = found["state"]
    suite.equal((state["topic"], state["users"]), ("app.state", USERS))
    rows = {s["segment"]: s for s in state["segments"]}
    suite.equal({key: rows[key]["before"] for key in before}, before)
    with open(world.live, "w") as live:
        live.write(NEW)
    request = urllib.request.Request(world.daemon.url + "/-/reload", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        suite.equal(json.load(answer)["catalogue"], found["after"])
    world.daemon.wait_metric("segmentd_sweeping_partitions", lambda n: n == 0, 30)
    judge.wait_committed(world.daemon, world.topics, ["events"], app="app", timeout=30)
    after = world.members()
    suite.equal({key: rows[key]["before"] + rows[key]["enter"] - rows[key]["leave"] for key in after}, after)
    want = collections.Counter({(key, member): row[word] for key, row in rows.items()
                                for member, word in ((True, "enter"), (False, "leave")) if row[word]})
    suite.equal(world.catalogue_changes(), want)
    # Of each kind there is something to see; whom nobody watched for 60 days is not known yet.
    suite.equal({key for key, member in want if member}, {"busy", "both", "paying", "seated"})
    suite.equal({key for key, member in want if not member}, {"casual", "gone"})


def a_new_catalogue_is_no_news_any_more(world):
    """NEW is in force; what OLD says of its users is told all the same."""
    found = world.plan("--state", "--conf", world.conf)
    suite.equal((found["now"], found["state"]["users"]), (None, USERS))


SEEN = """
segment a { when did "Used" and did "signed_up" }
segment b { when did "Report Exportde" then "Left" }
segment c { when count("Zebra Fed") > count("used") or did any }
segment d { when did "Used" in 7d or did "signed_up" in 7d }
"""


def events_that_never_came_in_are_told(world):
    path = os.path.join(os.path.dirname(world.old), "seen.seg")
    with open(path, "w") as file:
        file.write(SEEN)

    def check(*arguments):
        done = subprocess.run([binary("segmentctl"), "check", "--quiet", *arguments, path], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
        suite.equal(done.stderr, "")
        return done.returncode, done.stdout.splitlines()

    code, lines = check("--url", world.daemon.url)
    suite.equal((code, lines[0].endswith(": 3 names")), (0, True), lines)
    never = [(line.split(": ", 1)[1], lines[at + 3].strip() if "did you mean" in lines[at + 3] else "")
             for at, line in enumerate(lines) if "has come in" in line]
    suite.equal(never, [
        ('warning: No event "signed_up" has come in yet.', 'did you mean `"Signed Up"`?'),
        ('warning: No event "Report Exportde" has come in yet.', 'did you mean `"Report Exported"`?'),
        ('warning: No event "Left" has come in yet.', ""),
        ('warning: No event "Zebra Fed" has come in yet.', ""),
        ('warning: No event "used" has come in yet.', 'did you mean `"Used"`?'),
    ])
    suite.equal(check("--url", world.daemon.url, "--strict")[0], 1)
    suite.equal([line for line in check()[1] if "has come in" in line], [])
    answer = json.loads(world.daemon.http("/v1/events")[1])
    suite.equal((answer["events"], answer["complete"], answer["full"]), (["Report Exported", "Signed Up", "Used"], True, False))


if __name__ == "__main__":
    with Cluster() as servers:
        sys.exit(suite.run(World(servers), [
            what_state_says_is_what_becomes_of_them,
            a_new_catalogue_is_no_news_any_more,
            events_that_never_came_in_are_told,
        ]))
