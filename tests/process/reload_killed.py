#!/usr/bin/python3
"""Kill -9 in the middle of what a new edition of the segment files sets off: while
users move to it, in its sweep, while what is new is warming; and files edited while
the daemon is down.  tests/support/edited_job.py says what must come of it; SEED gives
another history, other editions and instants."""

import collections
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cluster
import edited_job
import suite
from cluster import Cluster

# Where it dies, and how often: in the sweep, while users move, while what is new
# is warming and ordinary work goes on.
KILLS = [("sweep_half", 8), ("adopt_half", 4), ("emit", 4), ("flush", 2), ("before_commit", 2)]


@suite.row(1, 22)
def killed_in_sweeps_moves_and_while_warming(run):
    plan = [point for point, count in KILLS for _ in range(count)]
    run.editions.random.shuffle(plan)
    died = collections.Counter()
    for point in plan:
        run.feed()
        died[point] += one_life(run, point)
    print("         killed: %s" % dict(died))
    suite.equal(sum(died.values()), len(plan))


def one_life(run, point):
    """1 if it died at POINT.  An edition is new when it starts, save where users
    are to move in a running one."""
    nth = run.editions.random.randrange(1, 6)
    if point != "adopt_half":
        run.editions.next()
    run.start("%s=kill@%d" % (point, nth))
    if point == "adopt_half":
        run.daemon.wait_ready()
        run.editions.next()
        run.daemon.signal(signal.SIGHUP)
    cluster.until(lambda: not run.daemon.running(), "it dies at %s@%d" % (point, nth), 60)
    status = run.daemon.wait(5)
    suite.equal(status, -signal.SIGKILL, "%s: %s" % (point, run.daemon.log()[-2000:]))
    return 1


def then_it_works_off_the_rest(run):
    run.feed(all_of_it=True)
    run.editions.next(warm=False)
    run.start()
    run.daemon.wait_ready()
    edited_job.all_is_worked_off_and_swept(run)


if __name__ == "__main__":
    with Cluster() as servers:
        sys.exit(suite.run(edited_job.make(servers, slices=1 + sum(n for _, n in KILLS)), [
            killed_in_sweeps_moves_and_while_warming, then_it_works_off_the_rest, *edited_job.VERDICTS]))
