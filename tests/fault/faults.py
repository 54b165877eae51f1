#!/usr/bin/python3
"""faults.py: the fault matrix on a real broker.

    faults.py quick|full [ROW...] [--only WORDS] [--list]
    faults.py soak [--hours HOURS]

runs the scenarios of the tables (rows_*.py), those of ROWs, those whose sentence has
WORDS.  `quick` is the part of `make check`, `full` is `make faults`; `soak` is row 24 for long,
in chapters with a broker, a history and choices of their own.  Several
scenarios share one broker, each with an application of its own; those that hurt the
broker come last, one after the other.

SEED is another history and other choices of who is hit; the one that was used is
printed.  A scenario that fails leaves a folder: what happened in one paragraph, the
logs, every topic as NDJSON."""

import argparse
import collections
import concurrent.futures
import importlib
import os
import queue
import re
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)
import edits
import clustered
import fault_points
import judge
import network
import past
import proxy
import remains
import report
import stand
import suite
import timers
from cluster import Cluster, test_program
from scenario import Scenario
from soak import anything

# In a takeover of two thirds of them five are restored.
PARTITIONS = {"quick": 6, "full": 12, "soak": 12}
EVENTS = {"quick": 10000, "full": 24000, "soak": 100000}
THERE = {"quick": 600, "full": 1200, "soak": 1200}
POISON = 40
NAMES = ("one", "two", "three", "four")
CHAPTER_S = 1200
PROXIES = 2  # So many scenarios may hurt their network at the same time.
STANDS = {"records": stand.Stand, "timers": timers.Stand, "proxied": network.Proxied,
          "clustered": clustered.Clustered, "edited": edits.Stand}


class Servers:
    """What scenarios share."""

    def __init__(self, cluster, seed, size):
        self.cluster, self.seed, self.mutation = cluster, seed, ""
        # Everything is allowed, until somebody makes a rule against it.
        self.kafka = proxy.behind(
            cluster, PROXIES, authorizer_class_name="org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            allow_everyone_if_no_acl_found="true")
        self.redis = cluster.redis()
        self.doors = queue.SimpleQueue()
        for one in self.kafka.proxies:
            self.doors.put(one)
        self.past = past.Past(seed, EVENTS[size], PARTITIONS[size], THERE[size], POISON)


def make_stand(servers, app, scenario):
    """The stand of SCENARIO, its application called APP."""
    return STANDS[scenario.stand](servers, app, servers.past, NAMES[:scenario.processes], servers.seed,
                                  static=scenario.static, **scenario.settings)


class Run:
    """Scenarios, done and reported."""

    def __init__(self, servers, quick):
        self.servers, self.quick = servers, quick
        self.kills, self.reached, self.versions = [], set(), set()

    def one(self, number, scenario):
        """Whether it passed."""
        began, here, step = time.monotonic(), None, "its beginning"
        try:
            here = make_stand(self.servers, "f%d" % number, scenario)
            for step in scenario.acts(self.quick):
                self.do(step, here)
            step = "its end"
            here.judge()
            if scenario.aborts:
                suite.equal(here.facts.aborted() > 0, True, "transactions were aborted")
            here.close()
            passed = True
        except Exception as error:
            traceback.print_exc(file=sys.stdout)
            passed = False
            told = self.keep(here, scenario, getattr(step, "text", step), error)
            print("         " + told.replace("\n", "\n         "))
        finally:
            if here:
                here.release()
        if here is not None:
            self.note(here)
        for row in scenario.rows:
            report.add(row=row, by="faults", scenario=scenario.says, passed=passed)
        print("  %-6s %6.1f s  %s%s" % ("ok" if passed else "FAILED", time.monotonic() - began, scenario, of(here)))
        return passed

    @staticmethod
    def do(step, here):
        began = time.monotonic()
        step.call(here)
        if os.environ.get("VERBOSE"):
            print("         %5.1f s  %s" % (time.monotonic() - began, step.text))

    def keep(self, *what):
        """The paragraph; whatever else goes wrong must not hide it."""
        try:
            return remains.keep(*what[:3], self.servers.seed, what[3])
        except Exception:
            return "Nothing could be kept:\n" + traceback.format_exc()

    def note(self, here):
        self.kills += here.kills
        self.reached |= here.reached
        for daemon in here.daemons.values():
            self.versions |= set(re.findall(r"librdkafka version=(\S+)", daemon.log()))
        phases = collections.Counter((tuple(told(kill)), kill.worked) for kill in here.kills)
        for (names, worked), count in phases.items():
            report.add(kills=count, by=here.app, phases=list(names), counts=worked)

    def tell(self):
        """Where processes died, and where none ever was."""
        for version in sorted(self.versions):
            report.add(librdkafka=version)
        worked = [kill for kill in self.kills if kill.worked]
        counts = collections.Counter(name for kill in worked for name in told(kill))
        print("         %d kills, %d of them of processes that had worked; of these %s" % (
            len(self.kills), len(worked), ", ".join("%s: %d" % pair for pair in sorted(counts.items()))))
        if self.quick:
            return
        never = [point for point in fault_points.ALL if point not in self.reached]
        print("         failpoints that nobody came to: %s" % (", ".join(never) or "none"))


def told(kill):
    """The phases a kill counts for."""
    return (["transaction open"] if kill.open else []) + ([kill.phase] if kill.phase else [])


def of(here):
    if here is None or not here.kills:
        return ""
    return " (%d kills, %d in a transaction; %d verdicts)" % (
        len(here.kills), sum(kill.open for kill in here.kills), here.judged)


def tables():
    """All scenarios, in the order of the files."""
    found = []
    for name in sorted(os.listdir(HERE)):
        if re.fullmatch(r"rows_[a-z]+\.py", name):
            found += importlib.import_module(name[:-3]).SCENARIOS
    return sorted(found, key=lambda scenario: scenario.rows[0])


def chosen(options):
    """[(number, scenario)]; the number is the same in every run."""
    return [(i, s) for i, s in enumerate(tables())
            if s.acts(options.size == "quick") and (not options.rows or set(options.rows) & set(s.rows))
            and options.only in str(s)]


def do_all(run, scenarios, at_once):
    """How many failed."""
    sys.stdout = apart = suite._Apart(sys.stdout)
    failed = 0
    # The threads live on: a child of theirs would die with them.
    pool = concurrent.futures.ThreadPoolExecutor(at_once)
    together = [pool.submit(apart.keep, run.one, *item) for item in scenarios if not item[1].alone]
    for one in concurrent.futures.as_completed(together):
        passed, text = one.result()
        failed += not passed
        print(text, end="", flush=True)
    for item in scenarios:
        if item[1].alone:
            failed += not run.one(*item)
            sys.stdout.flush()
    return failed


def soak(hours, seed):
    """How many chapters there were, and how many failed."""
    chapters = failed = kills = 0
    end = time.monotonic() + 3600 * hours
    while time.monotonic() < end:
        rest = end - time.monotonic()
        whatever = Scenario(24, "soak, seed %d" % (seed + chapters), [anything(round(min(CHAPTER_S, rest)))], processes=3,
                            stand="proxied", aborts=True)
        with Cluster() as cluster:
            run = Run(Servers(cluster, seed + chapters, "soak"), False)
            failed += not run.one(chapters, whatever)
            sys.stdout.flush()
            kills += len(run.kills)
        chapters += 1
    print("         %.1f hours, %d kills" % (hours, kills))
    return chapters, failed


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s quick|full|soak [ROW...] [--only WORDS] [--list] [--hours HOURS]")
    parser.add_argument("size", choices=["quick", "full", "soak"])
    parser.add_argument("rows", type=int, nargs="*")
    parser.add_argument("--only", default="", help="a part of the sentence")
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--list", action="store_true", help="only say what there is")
    options = parser.parse_args()
    scenarios = chosen(options)
    if options.list:
        for number, scenario in scenarios:
            print("%3d  %s" % (number, scenario))
        return 0
    seed = int(os.environ.get("SEED", "20250101"))
    test_program(judge.EXPECT)
    if options.size == "soak":
        return suite.closing(*soak(options.hours, seed))
    with Cluster() as cluster:
        run = Run(Servers(cluster, seed, options.size), options.size == "quick")
        failed = do_all(run, scenarios, int(os.environ.get("AT_ONCE", "4")))
        run.tell()
    return suite.closing(len(scenarios), failed)


if __name__ == "__main__":
    sys.exit(main())
