#!/usr/bin/python3
"""What segmentd refuses rather than guess, and what it only waits for, on a real
broker; what segmentctl reset mends is in reset.py."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import suite
from broken import BASE_MS, FIRST, SEGMENT, World
from cluster import Cluster, free_port, until

# All work at once, each is broken when its turn comes. Of those that are killed
# the members are static, lest the group waits for the dead.
APPS = {"lag": {"instance_id": "lag"}, "waits": {"instance_id": "waits"}, "cut-good": {}, "newer": {}, "other": {},
        "twice": {"process": "twice"}}


# ---- truncated -------------------------------------------------------------------

@suite.row(14)
def the_lag_of_who_is_refused_is_true_and_grows(world):
    app = world.app("lag").kill()
    world.protocol.delete_records(app.inputs[0], 0, 5)
    app.start()
    app.daemon.wait_metric("segmentd_refusals_total", lambda n: n == 1, 30)
    lag = lambda: app.daemon.metrics()['segmentd_input_lag_records{topic="%s",partition="0"}' % app.inputs[0]]
    unread = lambda: app.topics.ends(app.inputs[0])[0] - app.committed()[app.inputs[0], 0]
    for more in (3, 2):
        app.feed(app.inputs[0], more, [0])
        until(lambda: lag() == unread() >= more, "the lag is what is unread", 10, 0.1)
    suite.equal(lag() >= 5, True, lag())
    app.end()


@suite.row(12)
def a_restore_that_waits_says_for_what(world):
    """Somebody has a transaction open in a topic it must read."""
    app = world.app("waits").kill()
    end = app.topics.ends("waits.changes")[0]
    stranger = app.topics.producer(transactional_id="stranger", **{"transaction.timeout.ms": 60000})
    stranger.init_transactions(30)
    stranger.begin_transaction()
    stranger.produce("waits.changes", value=b"x", key=b"stranger", partition=0)
    until(lambda: not stranger.flush(1), "the stranger's record is there", 30)
    app.start()
    says = lambda: [line for line in app.daemon.log().splitlines() if "a restore " in line]
    until(says, "it says that it waits", 40, 0.2)
    status, text = app.daemon.http("/readyz")
    reason = [p["reason"] for p in json.loads(text)["partitions"] if p["partition"] == 0][0]
    print("         " + reason)
    print("         " + says()[0])
    facts = "records from [0-9]+ to %d, topic waits.changes; last answer: again" % (end + 1)
    suite.equal((status, bool(re.search(facts, reason))), (503, True), reason)
    facts = ('warn: a restore waits for the brokers topic="waits.changes" partition=0 step=3 asked="records" '
             'from=[0-9]+ to=%d answer=again' % (end + 1))
    suite.equal((len(says()), bool(re.search(facts, says()[0]))), (1, True), says())
    stranger.abort_transaction(30)
    app.daemon.wait_ready()
    suite.equal([line.partition("info: ")[2] for line in says()[1:]], ["a restore goes on partition=0"], says())
    app.goes_on_in(0, 1)
    app.end()


def an_input_truncated_below_what_is_flushed_is_good(world):
    app = world.app("cut-good").end()
    world.protocol.delete_records(app.inputs[0], 0, FIRST)
    app.start()
    app.daemon.wait_ready()
    app.goes_on_in(0, 1)
    app.end()


# ---- settings of topics ----------------------------------------------------------------

@suite.row(14)
def topics_not_set_as_they_must_be_are_waited_for(world):
    """Nothing is read before they are; what is only unwise is a warning."""
    world.topics.create("settings-in", 2, cleanup_policy="compact")
    text = conf.text([world.cluster.path("settings.seg", SEGMENT % 1)], ["settings-in"], world.kafka.address,
                     app="settings", partitioner="trust", workers=1, flush_interval="20m")
    world.cluster.ctl("topics", "create", "--conf", world.cluster.path("settings-topics.conf", text))
    longer = {"retention_ms": 120000000}
    cases = [  # A topic, how it is set, what is said, how it is set then.
        ("changes", {"cleanup_policy": "compact"}, ("cleanup.policy=compact", "must be delete"), longer),
        ("triggers", {"cleanup_policy": "compact,delete"}, ("cleanup.policy=compact,delete", "must be delete"), longer),
        ("state", {"cleanup_policy": "compact,delete"}, ("cleanup.policy=compact,delete", "must be compact and"),
         {"cleanup_policy": "compact"}),
        # A hundred flush intervals, at least a day.
        ("changes", {"retention_ms": 119999999}, ("retention.ms=119999999", "at least 120000000"), longer),
        ("triggers", {"retention_ms": 86399999}, ("retention.ms=86399999", "at least 86400000"),
         {"retention_ms": 86400000})]
    daemon = None
    for topic, settings, parts, right in cases:
        world.topics.configure("settings." + topic, **settings)
        if not daemon:
            daemon = world.cluster.segmentd(text, name="settings")
        if topic == "triggers" and "retention_ms" in settings:
            daemon = _with_short_flushes(daemon)
        until(lambda: all(part in _why_not_ready(daemon) for part in ("Topic settings." + topic,) + parts),
              lambda: "%s: %s" % (parts, _why_not_ready(daemon)), 20)
        print("         " + _why_not_ready(daemon))
        world.topics.configure("settings." + topic, **right)
    daemon.wait_ready()
    suite.equal("an input is compacted" in daemon.log() and "topic=settings-in" in daemon.log(), True, daemon.log())
    suite.equal(daemon.terminate(), 0)


def _with_short_flushes(daemon):
    """The same whose hundred flush intervals are less than a day."""
    suite.equal(daemon.terminate(), 0)
    with open(daemon.conf_path) as source:
        text = source.read()
    with open(daemon.conf_path, "w") as out:
        out.write(text.replace("flush_interval 20m", "flush_interval 30s"))
    daemon.start()
    return daemon


def _why_not_ready(daemon):
    status, text = daemon._ask(lambda: daemon.http("/readyz")) or (503, "")
    return "ready" if status == 200 else text and str(json.loads(text)["reason"])


# ---- not ours ------------------------------------------------------------------------

@suite.row(14)
def a_state_record_of_a_newer_version(world):
    app = world.app("newer").end()
    at = app.outputs(0)["state"]
    world.topics.produce("newer.state", [(0, b"\x01stranger", b"\xff\x08stranger", BASE_MS)])
    app.is_refused("newer.state", "partition 0", "offset %d " % at, "version 255", "up to")


# ---- the whole process -----------------------------------------------------------------

def another_catalogue_is_none(world):
    app = world.app("other").end()
    world.cluster.path("other.seg", SEGMENT % 3)
    app.start()
    app.daemon.wait_ready()
    app.goes_on_in(0, 1)
    app.end()


@suite.row(10)
def a_second_process_of_one_name_ends_the_first_with_75(world):
    app = world.app("twice")
    second = world.cluster.segmentd(re.sub(r"(?m)^http .*$", "", app.conf) + 'http { address = "127.0.0.1:%d" }\n' % (
        free_port()), name="second")
    second.wait_metric("segmentd_partitions", lambda n: n == 1, 30)
    app.goes_on_in(0, 1)
    suite.equal(app.daemon.wait(30), 75)
    print("         " + [line for line in app.daemon.log().splitlines() if "error: " in line][0][25:])
    second.wait_metric("segmentd_partitions", lambda n: n == 2, 30)
    second.wait_ready()
    suite.equal(second.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(second.terminate(), 0)


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(World(here, APPS), [
            the_lag_of_who_is_refused_is_true_and_grows, a_restore_that_waits_says_for_what,
            an_input_truncated_below_what_is_flushed_is_good, topics_not_set_as_they_must_be_are_waited_for,
            a_state_record_of_a_newer_version, another_catalogue_is_none,
            a_second_process_of_one_name_ends_the_first_with_75]))
