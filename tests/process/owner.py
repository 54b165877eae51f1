#!/usr/bin/python3
"""Who has a user: any process of a group can be asked. The one that has him answers,
another one says who it is, and segmentctl goes there."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import history
import records
import suite
from cluster import Cluster, binary, until
from fleet import Fleet

PARTITIONS, SESSION_MS = 6, 10000
SEGMENT = 'segment eager { title "Eager"  when did "Used" }\n'
USERS = ["user/%d" % i for i in range(30)]
UNKNOWN = ["nobody/%d" % i for i in range(30)]


class World:
    """Two processes tell their address, "mute" does not; of the group "trust" nobody
    knows the partition of a user."""

    def __init__(self, servers):
        self.servers, self.kafka = servers, servers.kafka()
        self.topics = self.kafka.topics
        self.topics.create_history("events", PARTITIONS)
        self.topics.produce_events("events", [
            (user, history.BASE_MS + i, json.dumps({"type": "track", "event": "Used", "userId": user}))
            for i, user in enumerate(USERS)])
        self.segments = servers.path("owner.seg", SEGMENT)
        self.fleets = {name: self.fleet(name, partitioner) for name, partitioner in (
            ("told", "murmur2"), ("trust", "trust"))}
        self.fleets["told"].start("mute")
        for fleet in self.fleets.values():
            fleet.start("a", advertise=True)
            fleet.start("b", advertise=True)
        self.told = self.fleets["told"].own_all("a", "b", "mute")
        self.trusted = self.fleets["trust"].own_all("a", "b")
        for fleet in self.fleets.values():
            fleet.wait_done()

    def fleet(self, app, partitioner):
        return Fleet(self.servers, self.kafka, None, app, self.segments, ["events"], PARTITIONS, SESSION_MS,
                     partitioner=partitioner)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def ask(daemon, user, more=""):
    """(status, headers, JSON) of a question for USER, as it is answered."""
    url = "%s/v1/users/%s%s" % (daemon.url, user.replace("/", "%2F"), more)
    try:
        answer = urllib.request.build_opener(NoRedirect).open(url, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, json.loads(answer.read())


def ask_known(daemon, user, more=""):
    """The same, asked again while the brokers are late to say who has the user."""
    return until(lambda: _unless_503(ask(daemon, user, more)), "it is known who has %s" % user, 20)


def _unless_503(found):
    return found if found[0] != 503 else None


def owner_of(world, user):
    partition = records.partition_of(user, PARTITIONS)
    return partition, next(name for name, share in world.told.items() if partition in share)


def each_process_knows_who_has_whom(world):
    daemons, seen = world.fleets["told"].daemons, set()
    for user in USERS:
        partition, owner = owner_of(world, user)
        for name, daemon in daemons.items():
            status, headers, body = ask_known(daemon, user, "?x=1")
            seen.add((name, owner))
            if name == owner:
                suite.equal((status, body["user"], body["partition"]), (200, user, partition))
            elif owner == "mute":
                suite.equal((status, body["owner"], headers["Location"]), (421, None, None))
                assert "127.0.0.1 that does not tell where it answers: set http.advertise" in body["error"], body
            else:
                url = daemons[owner].url
                suite.equal((status, body["owner"], body["partition"]), (307, url, partition), body)
                suite.equal(headers["Location"], "%s/v1/users/%s?x=1" % (url, user.replace("/", "%2F")))
    suite.equal(len(seen), 9, "who was asked for whose users")


def a_user_nobody_ever_saw_is_unknown_to_his_owner_alone(world):
    for user in UNKNOWN:
        owner = owner_of(world, user)[1]
        for name, daemon in world.fleets["told"].daemons.items():
            status, _, body = ask_known(daemon, user)
            suite.equal(status, 404 if name == owner else 421 if owner == "mute" else 307, body)


def who_follows_gets_there(world):
    """A client that follows redirections, and segmentctl."""
    a = world.fleets["told"].daemons["a"]
    user = next(u for u in USERS if owner_of(world, u)[1] == "b")
    suite.equal(json.loads(a.http("/v1/users/" + user.replace("/", "%2F"))[1])["user"], user)
    for name in "a", "b", "mute":
        url = world.fleets["told"].daemons[name].url
        suite.equal(json.loads(world.servers.ctl("user", "--url", url, user))["user"], user)
        assert "eager (Eager): member since" in world.servers.ctl("explain", "--url", url, user, "eager")
    nobody = next(u for u in UNKNOWN if owner_of(world, u)[1] == "b")
    suite.equal(refusal("user", "--url", a.url, nobody), "No message of this user was ever seen.")
    muted = next(u for u in USERS if owner_of(world, u)[1] == "mute")
    assert "set http.advertise there" in refusal("explain", "--url", a.url, muted)


def refusal(*arguments):
    """What segmentctl complains of."""
    done = subprocess.run([binary("segmentctl"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60)
    suite.equal((done.returncode, done.stdout), (1, ""), done.stderr)
    return done.stderr.strip().partition(": ")[2]


def sizes_of_segments_say_that_they_are_a_part_and_who_has_the_rest(world):
    daemons, sum_of_all, here = world.fleets["told"].daemons, 0, 0
    for name, daemon in daemons.items():
        body = with_the_others(daemon)
        suite.equal((body["complete"], body["partitions"]), (False, {"here": 2, "total": PARTITIONS}))
        suite.equal(sorted(body["others"]), sorted(d.url for n, d in daemons.items() if n not in (name, "mute")))
        sum_of_all += body["segments"][0]["members"]
        here += body["partitions"]["here"]
    suite.equal((sum_of_all, here), (len(USERS), PARTITIONS))


def with_the_others(daemon):
    """The sizes of segments; asked again while the brokers have not said in time
    who is in the group."""
    found = []

    def said():
        found[:] = [json.loads(daemon.http("/v1/segments")[1])]
        return found[0]["others"]

    until(said, lambda: "the others are known, last: %s" % found, 20)
    return found[0]


def members_of_all(world, daemon):
    """What `segmentctl members` lists. It asks DAEMON for the others, which keeps
    what the brokers say for a second; if they are late, the list is a part."""
    lines = []

    def listed():
        with_the_others(daemon)
        try:
            lines[:] = world.servers.ctl("members", "--url", daemon.url, "eager").splitlines()
        except RuntimeError as error:
            if "this is a part" not in str(error):
                raise
        return lines

    until(listed, "segmentctl lists all", 20)
    return [json.loads(line) for line in lines]


def segmentctl_lists_the_members_of_all_who_tell_their_address(world):
    a = world.fleets["trust"].daemons["a"]
    out = members_of_all(world, a)
    suite.equal(sorted(m["user"] for m in out[:-1]), sorted(USERS))
    suite.equal((out[-1]["follow"]["complete"], len(out[-1]["follow"]["positions"])), (True, PARTITIONS))
    part = world.servers.ctl("members", "--url", a.url, "--part", "eager").splitlines()
    suite.equal(1 < len(part) < len(out), True, part)
    # One is mute: what it has is missing, and that is said; unless it is named.
    told = world.fleets["told"].daemons
    done = subprocess.run([binary("segmentctl"), "members", "--url", told["a"].url, "eager"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    suite.equal((done.returncode, "4 of 6 partitions" in done.stderr), (1, True), done.stderr)
    suite.equal(len(members_of_all(world, told["mute"])), len(USERS) + 1)


def where_the_partition_cannot_be_told_the_others_are(world):
    fleet = world.fleets["trust"]
    a, b = fleet.daemons["a"], fleet.daemons["b"]
    for user in USERS:
        there = records.partition_of(user, PARTITIONS) in world.trusted["b"]
        status, _, body = ask_known(a, user)
        suite.equal(status, 421 if there else 200, body)
        if there:
            suite.equal((body["owner"], body["partition"], body["owners"]), (None, None, [b.url]))
        suite.equal(json.loads(world.servers.ctl("user", "--url", a.url, user))["user"], user)


def who_has_taken_over_is_named_at_once(world):
    fleet = world.fleets["told"]
    suite.equal(fleet.daemons["mute"].terminate(), 0)
    world.told = fleet.own_all("a", "b")
    for user in USERS:
        owner = owner_of(world, user)[1]
        other = {"a": "b", "b": "a"}[owner]
        found = until(lambda: _no_longer_moving(ask(fleet.daemons[other], user)), "the group is settled", 10)
        suite.equal((found[0], found[2]["owner"]), (307, fleet.daemons[owner].url), found[2])


def _no_longer_moving(found):
    """What was known before is used for a second."""
    return found if found[0] != 503 and found[2].get("owners") else None


def brokers_that_do_not_answer_are_no_reason_to_fall(world):
    """Also when their answers come later than anybody waits."""
    fleet = world.fleets["told"]
    a = fleet.daemons["a"]
    user = next(u for u in USERS if owner_of(world, u)[1] == "b")
    world.kafka.freeze()
    until(lambda: ask(a, user)[0] == 503, "nothing is known any more", 10)
    for _ in range(2):
        status, headers, body = ask(a, user)
        suite.equal((status, headers["Retry-After"]), (503, "1"), body)
        assert "the brokers do not say" in body["error"], body
    world.kafka.thaw()
    until(lambda: ask(a, user)[0] == 307, "it is known again", 20)
    for fleet in world.fleets.values():
        fleet.end()


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(World(here), [
            each_process_knows_who_has_whom, a_user_nobody_ever_saw_is_unknown_to_his_owner_alone,
            who_follows_gets_there, sizes_of_segments_say_that_they_are_a_part_and_who_has_the_rest,
            segmentctl_lists_the_members_of_all_who_tell_their_address,
            where_the_partition_cannot_be_told_the_others_are, who_has_taken_over_is_named_at_once,
            brokers_that_do_not_answer_are_no_reason_to_fall]))
