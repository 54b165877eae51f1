#!/usr/bin/python3
"""Segments edited at noon: the main job, while segment files are edited again and
again under load, well and badly.  tests/support/edited_job.py says what must come of
it; SEED gives another history and other editions."""

import collections
import json
import os
import signal
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import edited_job
import job
import suite
from cluster import Cluster

RELOADS, BAD_EVERY = 50, 4


def post(daemon, path):
    """(status, JSON) of a POST."""
    request = urllib.request.Request(daemon.url + path, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def catalogue(daemon):
    """The hash in force."""
    return next(name.split('"')[1] for name in daemon.metrics() if name.startswith("segmentd_catalogue_info"))


@suite.row(22)
def fifty_good_and_bad_reloads_under_load(run):
    run.feed(all_of_it=True)
    # Slow enough for all of them to come in between, spread over the history.
    run.start("before_commit=sleep 20")
    run.daemon.wait_ready()
    seen = collections.Counter()
    for n in range(RELOADS):
        run.daemon.wait_metric("segmentd_events_total", lambda events: events >= n * job.EVENTS / (RELOADS + 10), 60)
        bad = n % BAD_EVERY == BAD_EVERY - 1
        before = catalogue(run.daemon)
        run.editions.spoil() if bad else run.editions.next()
        by_signal(run, bad, before) if n % 2 else by_post(run, bad, before)
        seen["bad" if bad else "good"] += 1
        seen["under load"] += run.applied() < 1
    print("         %s; %.0f %% of the history was applied by then" % (dict(seen), 100 * run.applied()))
    suite.equal(run.daemon.metric("segmentd_reloads_total"), seen["good"])
    suite.equal(run.daemon.metric("segmentd_reload_failures_total"), seen["bad"])
    assert seen["under load"] > RELOADS * 0.8, seen
    run.editions.next(warm=False)
    suite.equal(post(run.daemon, "/-/reload")[0], 200)


def by_post(run, bad, before):
    status, answer = post(run.daemon, "/-/reload")
    if not bad:
        suite.equal((status, answer["before"]), (200, before))
        suite.equal(answer["catalogue"], catalogue(run.daemon))
        assert answer["catalogue"] != before
        return
    suite.equal((status, answer["catalogue"], catalogue(run.daemon)), (422, before, before))
    assert "edited.seg:" in answer["said"] and "error" in answer["said"], answer


def by_signal(run, bad, before):
    name = "segmentd_reload_failures_total" if bad else "segmentd_reloads_total"
    count = run.daemon.metric(name)
    run.daemon.signal(signal.SIGHUP)
    run.daemon.wait_metric(name, lambda n: n == count + 1, 10)
    suite.equal(catalogue(run.daemon) == before, bad)
    suite.equal(run.daemon.metric("segmentd_last_reload_failed"), int(bad))


if __name__ == "__main__":
    with Cluster() as servers:
        sys.exit(suite.run(edited_job.make(servers, slices=1), [
            fifty_good_and_bad_reloads_under_load, edited_job.all_is_worked_off_and_swept, *edited_job.VERDICTS]))
