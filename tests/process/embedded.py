#!/usr/bin/python3
"""segmentd --embedded, for people without Kafka: its broker is found by the file in
the run directory, the main job works there, and what is written has the form that
the shipped schemas promise."""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import records
import suite
from cluster import HOST, Cluster, binary, free_port, until
from wire import Protocol

SEGMENT = '''segment eager {
  title "Tried it"
  when did "Tried" at least 2 times in 3s
  on enter trigger "hello" { goal = "g1" } once per 1h
}
'''


class Tried:
    """A daemon with its broker inside."""

    def __init__(self, cluster):
        self.run = cluster.path("run")
        self.text = conf.text([cluster.path("eager.seg", SEGMENT)], ["in"], "%s:%d" % (HOST, free_port()),
                              app="tried", run_directory='"%s"' % self.run, flush_interval="1s", workers=1)
        self.daemon = cluster.segmentd(self.text, name="embedded", arguments=["--embedded"])
        self.file = os.path.join(self.run, "broker")
        self.topics = None

    def read(self, name, count):
        """All records of a topic, once there are COUNT."""
        got = []

        def enough():
            got[:] = self.topics.read("tried." + name)
            return len(got) >= count

        until(enough, lambda: "%d of %d in %s" % (len(got), count, name))
        return got


def its_address_is_in_the_run_directory(tried):
    until(lambda: os.path.exists(tried.file), "the address of the broker")
    with open(tried.file) as source:
        tried.topics = records.Topics(source.read().strip())
    tried.daemon.wait_ready()
    suite.equal("proves nothing about exactly-once" in tried.daemon.log(), True)


def people_enter_by_event_and_leave_by_timer(tried):
    producer = tried.topics.producer(partitioner="murmur2_random")
    for number in (1, 2):
        event = {"type": "track", "userId": "u1", "event": "Tried", "messageId": "m%d" % number}
        producer.produce("in", json.dumps(event), "u1")
    producer.produce("in", '{"type":"track"}', "u1")
    producer.flush(30)
    changes = tried.read("changes", 2)
    triggers = tried.read("triggers", 1)
    said = [(c["event"], c["properties"]["cause"]) for c in (json.loads(r.value) for r in changes)]
    suite.equal(said, [("Segment Entered", "event"), ("Segment Exited", "timer")])
    suite.equal([json.loads(r.value)["properties"]["goal"] for r in triggers], ["g1"])


def what_is_no_event_is_a_dead_letter(tried):
    letters = tried.read("dead-letters", 1)
    suite.equal([(r.headers["reason"], r.value) for r in letters], [(b"no_user_id", b'{"type":"track"}')])


def its_positions_are_committed_with_metadata(tried):
    """Once more after the transaction, whose offsets this broker forgets: what a
    restore goes by is there."""
    ends = tried.topics.ends("in")
    wire = Protocol(tried.topics.client["bootstrap.servers"])
    place = next(p for p in sorted(ends) if ends[p])
    committed = lambda: tried.topics.committed("tried", ["in"]).get(("in", place), (None,))[0]
    until(lambda: committed() == ends[place], lambda: "%s of %s is committed" % (committed(), ends))
    metadata = wire.metadata("tried", "in", place)
    print("         offset %d, metadata %s" % (ends[place], metadata))
    suite.equal(bool(re.fullmatch(r"v1:\d+:.+", metadata)), True, metadata)


def it_ends_when_asked_to_and_takes_the_address_along(tried):
    suite.equal(tried.daemon.terminate(30), 0)
    suite.equal(os.path.exists(tried.file), False)


def it_cannot_start_at_an_instant(tried):
    path = tried.daemon.conf_path + ".instant"
    with open(path, "w") as out:
        out.write(tried.text.replace("start earliest", "start 2026-01-01"))
    done = subprocess.run([binary("segmentd"), "-f", path, "--embedded"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    suite.equal((done.returncode, "--embedded" in done.stderr), (78, True), done.stderr)


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(Tried(here), [
            its_address_is_in_the_run_directory, people_enter_by_event_and_leave_by_timer,
            what_is_no_event_is_a_dead_letter, its_positions_are_committed_with_metadata,
            it_ends_when_asked_to_and_takes_the_address_along, it_cannot_start_at_an_instant]))
