#!/usr/bin/python3
"""A daemon built with ThreadSanitizer (SEGMENTD names it) under load: two
workers, Redis that dies and comes back empty, a crowd that asks over HTTP, and
SIGTERM at good and bad moments.  No data race is reported, every change is there
once, and SIGTERM has written everybody down within stop_timeout.

SIGTERM is the only thing here that flushes: flush_interval is an hour."""

import collections
import os
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import history
import judge
import suite
from cluster import ROOT, Cluster, until

SEGMENTS = os.path.join(ROOT, "tests", "data", "core.seg")
TSAN = os.path.join(ROOT, "tests", "support", "tsan")
EVENTS, PARTITIONS, SLICES, ASKERS = 24000, 4, 8, 4
STOP_TIMEOUT_S = 25
REPORT = "WARNING: ThreadSanitizer"


class Crowd:
    """Threads that ask everything there is to ask, as fast as it is answered;
    ANSWERS counts by path and status."""

    def __init__(self, daemon, users):
        self.daemon, self.users = daemon, users
        self.answers, self.over = collections.Counter(), threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(i,)) for i in range(ASKERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, number):
        turn = number
        while not self.over.is_set():
            user = urllib.parse.quote(self.users[turn * 7 % len(self.users)], safe="")
            path = ("/metrics", "/readyz", "/v1/segments", "/v1/users/" + user, "/v1/users/%s/explain" % user,
                    "/healthz")[turn % 6]
            turn += 1
            try:
                self.answers[path.replace(user, "{id}"), self.daemon.http(path, 20)[0]] += 1
            except OSError as error:
                self.answers[path.replace(user, "{id}"), type(error).__name__] += 1
            # The machine is also there for the daemon.
            self.over.wait(0.02)


def threads(cluster):
    """What lets the sanitizer see the threads of librdkafka, built."""
    path = cluster.path("threads.so")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-shared", "-fPIC",
                    "-o", path, os.path.join(TSAN, "threads.c")], check=True)
    return path


def in_one_topic(slices):
    """The first of SLICES as it is, all others in the first topic: they come
    while the daemon runs, which with `clock records` believes that an input has
    ended when it has."""
    ends, later = collections.Counter(), False
    for rows in slices:
        placed = []
        for row in rows:
            topic = history.TOPICS[0] if later else row.topic
            placed.append(row._replace(topic=topic, offset=ends[topic, row.partition]))
            ends[topic, row.partition] += 1
        later = True
        yield placed


class Run:
    def __init__(self, cluster):
        self.kafka, self.redis = cluster.kafka(), cluster.redis()
        self.topics = self.kafka.topics
        seed = int(os.environ.get("SEED", "20250102"))
        self.past = history.History(seed, EVENTS, PARTITIONS)
        self.past.create(self.topics)
        self.slices = list(in_one_topic(self.past.slices(SLICES)))
        rows = [row for rows in self.slices for row in rows]
        self.expected = judge.Expected(SEGMENTS, rows, jobs=1)
        self.users = sorted({row.user for row in rows})
        text = conf.text([SEGMENTS], history.TOPICS, self.kafka.address, redis=self.redis.address, clock="records",
                         workers=2, instance_id="tsan", flush_interval="1h", stop_timeout="%ds" % STOP_TIMEOUT_S)
        cluster.ctl("topics", "create", "--conf", cluster.path("topics.conf", text))
        self.feed()
        self.daemon = cluster.segmentd(text, env={
            "LD_PRELOAD": threads(cluster), "TSAN_OPTIONS": "%s suppressions=%s/suppressions.txt" % (
                os.environ.get("TSAN_OPTIONS", ""), TSAN)})

    def feed(self):
        """Write the next slice."""
        self.past.produce(self.topics, self.slices.pop(0))

    def reports(self):
        """What ThreadSanitizer has said."""
        log = self.daemon.log()
        return [log[i:i + 3000] for i in find_all(log, REPORT)]


def find_all(text, part):
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def it_is_built_with_the_sanitizer(run):
    with open(run.daemon.command[0], "rb") as binary:
        suite.equal(b"__tsan_init" in binary.read(), True, "SEGMENTD names no build of SANITIZE=thread")


def a_load_is_worked_off(run):
    run.daemon.wait_ready(120)
    # What comes now is later than all of the first slice.
    judge.wait_committed(run.daemon, run.topics, history.TOPICS, timeout=120)
    changes = lambda: sum(run.topics.ends("segmentd.changes").values())
    with Crowd(run.daemon, run.users) as crowd:
        before = changes()
        for _ in range(SLICES // 2):
            run.feed()
        until(lambda: changes() > before, "changes are written", 60, 0.1)
        run.redis.kill()
        run.daemon.wait_metric("segmentd_redis_up", lambda up: up == 0, 60)
        while run.slices:
            run.feed()
        run.redis.start()
        judge.wait_committed(run.daemon, run.topics, history.TOPICS, timeout=180)
        judge.redis_agrees(run.redis.client(), run.expected, timeout=60)
    print("         %d answers over HTTP: %s" % (sum(crowd.answers.values()), ", ".join(
        "%s %s %d" % (path, status, n) for (path, status), n in sorted(crowd.answers.items(), key=str))))
    suite.equal({status for _, status in crowd.answers} - {200, 404, 503}, set())
    suite.equal(min(crowd.answers["/v1/users/{id}/explain", 200], crowd.answers["/metrics", 200]) >= 5, True)


def sigterm_writes_everybody_down_in_time(run):
    began = time.monotonic()
    suite.equal(run.daemon.terminate(STOP_TIMEOUT_S), 0)
    took = time.monotonic() - began
    written = {r.key[1:].decode() for r in run.topics.read("segmentd.state") if r.key[:1] == b"\x01"}
    print("         %d users written and ended within %.1f s" % (len(written), took))
    suite.equal((len(written), written == set(run.users)), (len(run.users), True))


def sigterm_is_heard_at_any_moment(run):
    for delay in (0, 0.3, 0.7, 1.5):
        run.daemon.start()
        if delay:
            time.sleep(delay)  # Not for something: at any moment.
        else:
            until(lambda: "segmentd starts" in run.daemon.log().rpartition("segmentd ended")[2], "it starts")
        suite.equal(run.daemon.terminate(STOP_TIMEOUT_S), 0)


def every_change_is_there_once(run):
    written = judge.Written(run.topics)
    judge.compare(run.expected, written)
    print("         %d changes, %d triggers" % (sum(map(len, written.changes.values())),
                                               sum(map(len, written.triggers.values()))))
    suite.equal(sum(map(len, written.changes.values())) > EVENTS // 4, True)


def no_race_was_reported(run):
    found = run.reports()
    if found:
        raise AssertionError("%d reports, the first:\n%s" % (len(found), found[0]))


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(Run(here), [
            it_is_built_with_the_sanitizer, a_load_is_worked_off, sigterm_writes_everybody_down_in_time,
            sigterm_is_heard_at_any_moment, every_change_is_there_once, no_race_was_reported]))
