#!/usr/bin/python3
"""`make demo` as a newcomer sees it: people enter and leave by timer within a
minute, what is written fits the schemas, the URLs it prints answer, and after Ctrl-C nothing is left of it."""

import os
import re
import signal
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import records
import suite
from cluster import ROOT, Cluster, until


class Demo:
    """`make demo` with what it printed so far."""

    def __init__(self, cluster, *arguments, name="demo"):
        self.cluster = cluster
        self.folder, self.log = cluster.path(name), cluster.path(name + ".log")
        os.mkdir(self.folder)
        environment = {**os.environ, "TMPDIR": self.folder}
        for name in "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SANITIZE", "FAILPOINTS":
            environment.pop(name, None)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["make", "demo", *arguments] + ["B=" + os.environ["B"]] * ("B" in os.environ), cwd=ROOT,
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def text(self):
        with open(self.log) as log:
            return log.read()

    def lines(self, pattern):
        return re.findall(pattern, self.text(), re.MULTILINE)

    def shows(self, pattern, count=1, timeout=60):
        def found():
            suite.equal(self.process.poll(), None, self.text()[-2000:])
            return len(self.lines(pattern)) >= count

        until(found, lambda: "%d lines like %s in\n%s" % (count, pattern, self.text()[-2000:]), timeout=timeout)

    def interrupt(self):
        """Ctrl-C: the whole foreground group hears it."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(30)


def it_begins(demo):
    demo.shows(r"^ +metrics +http://", timeout=300)


def people_enter_and_leave_within_a_minute(demo):
    demo.shows(r"  entered  ", 20)
    demo.shows(r"  left  .*by time alone", 5)
    demo.shows(r"  trigger  ", 1)
    print("         %d entered, %d left, %d triggers" % tuple(
        len(demo.lines("  %s  " % word)) for word in ("entered", "left", "trigger")))


def what_is_written_is_there_for_others(demo):
    topics = records.Topics(demo.lines(r"^ +broker +(\S+) \(embedded\)")[0])
    found = [len(topics.read("demo." + name)) for name in ("changes", "triggers", "dead-letters")]
    print("         %d changes, %d triggers, %d dead letters" % tuple(found))
    suite.equal((found[0] >= 25, found[1] >= 1, found[2]), (True, True, 0))


def what_it_prints_answers(demo):
    metrics = demo.lines(r"metrics +(http://\S+)/metrics")[0]
    user = demo.lines(r"  entered  .* (\S+@\S+)")[0]
    for path in "/metrics", "/healthz", "/readyz", "/v1/segments", "/v1/users/" + user, "/v1/users/%s/explain" % user:
        with urllib.request.urlopen(metrics + path, timeout=10) as answer:
            suite.equal(answer.status, 200, path)


def after_ctrl_c_nothing_is_left(demo):
    demo.interrupt()
    demo_ended = "nothing is left of it" in demo.text()
    suite.equal((demo_ended, os.listdir(demo.folder)), (True, []))
    suite.equal(demo.lines(r"make.*\*\*\*.*"), [])
    suite.equal([pid for pid in os.listdir("/proc") if pid.isdigit() and names(pid, demo.folder)], [])


def it_does_the_same_on_a_real_broker(demo):
    other = Demo(demo.cluster, "BROKER=kafka", name="demo-kafka")
    try:
        other.shows(r"^ +broker +\S+ \(kafka\)", timeout=120)
        other.shows(r"  entered  ", 5)
        suite.equal(other.lines("proves exactly-once"), [])
    finally:
        after_ctrl_c_nothing_is_left(other)


def names(pid, folder):
    try:
        with open("/proc/%s/cmdline" % pid, "rb") as source:
            return folder.encode() in source.read()
    except OSError:
        return False


if __name__ == "__main__":
    with Cluster() as here:
        scene = Demo(here)
        try:
            status = suite.run(scene, [it_begins, people_enter_and_leave_within_a_minute,
                                       what_is_written_is_there_for_others, what_it_prints_answers,
                                       after_ctrl_c_nothing_is_left, it_does_the_same_on_a_real_broker])
        finally:
            if scene.process.poll() is None:
                scene.interrupt()
        sys.exit(status)
