#!/usr/bin/python3
"""mutants.py: a segmentd that breaks one rule of the protocol must fail.

    mutants.py [MUTATION...]

For each of daemon/protocol/mutation.h, on a real broker: the short scenarios of the
matrix, first those that look promising, until one fails; the list with what caught it
is printed at the end.  NONE, which breaks nothing, goes first through all of them and
must pass: else it would prove nothing that another fails."""

import concurrent.futures
import itertools
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)
import faults
from edits import killed_in_edition
from fault_points import EDITED
from nemesis import judged
import report
from cluster import ROOT, Cluster

TRIES = 3
TRY = itertools.count()
TOLD = 200  # Characters of why a scenario failed.

# Parts of the sentences of the scenarios to begin with.
PROMISING = {
    "RESTORE_STOPS_AT_LSO": ["a stranger has"], "TIMERS_WITHOUT_OFFSETS": ["timers have fired"],
    "OUTBOX_DROPPED_ON_ABORT": ["killed here and there, one process", "late, its answer"],
    "TXN_NOT_COMPARED": ["lost for ever"], "TAG_NOT_COMPARED": ["partitions move while the end"],
    "FAILED_FINISH_KEEPS_OLD_TAG": ["partitions move while the end"], "WARM_NOT_COMPARED": ["one of three"],
    "CACHED_AFTER_LOST": ["nobody to take over"], "LOST_IS_FINISHED": ["nobody to take over"],
    "CLOCK_AHEAD_OF_TIMERS": ["only timers"], "STEP5_AT_META_CLOCK": ["between two instants"],
    "TIMER_NOT_DIRTY": ["only timers"], "STEP5_ONLY_REDO_USERS": ["between two instants"],
    "WALL_WITHOUT_PROOF": ["clocks are set"], "PROOF_BY_FETCHED": ["clocks are set"],
    "RECORDS_CAPPED": ["clocks are set"], "STALE_END_OF_INPUT": ["clocks are set"],
    "PRODUCER_NOT_REPLACED": ["was replaced", "late, its answer"], "APPLIES_WHILE_UNDECIDED": ["aborted with users"],
    "LOST_RECORDS_STAY": ["nobody to take over"], "RESTORE_NOT_RECHECKED": ["offsets reset by"],
    "FLUSHED_BEFORE_COMMIT": ["aborted with users"], "RESTORED_DIRTY_SINCE_NOW": ["killed again before"],
    "REDIS_MARKER_IGNORED": ["a batch for Redis"], "MERGE_ORDER_IGNORED": ["killed here and there, one process"],
    **dict.fromkeys(["SWEEP_NOT_RESTARTED", "UNSWEPT_REPAIRED", "SWEPT_KEEP_OLD_TIMERS", "CATALOGUE_NOT_WRITTEN",
                     "SWEPT_TOO_EARLY", "RETIRED_STAY", "RETIRED_KEYS_LOST", "WARMING_IGNORED", "WARMING_FROM_CLOCK",
                     "MOVED_FROM_START", "TAKEN_OVER_FROM_START", "TAKEN_OVER_FROM_REDO", "APPLIES_WHILE_MOVING",
                     "DIRTY_NOT_MOVED", "SWAPPED_IS_SWEPT", "BACKFILL_EPOCH_NOT_WRITTEN", "PUBLISHED_BEFORE_FLUSHED"],
                    ["a new edition"]),
}


def names():
    with open(os.path.join(ROOT, "daemon", "protocol", "mutation.h")) as table:
        return re.findall(r"X\(([A-Z0-9_]+),", table.read())


def scenarios():
    """[(number, scenario, its steps)] of all that share a broker, as short as they are."""
    found = []
    for number, scenario in enumerate(faults.tables()):
        steps = scenario.acts(True) or (scenario.faults if len(scenario.faults) < 12 else [])
        if scenario.stand == "edited":
            steps = [killed_in_edition(point, 1) for point in EDITED] + [judged()]
        if steps and not scenario.alone and scenario.stand != "clustered" and 24 not in scenario.rows:
            found.append((number, scenario, steps))
    return found


def ordered(name, found):
    """What promises to see it, a few times: much is a matter of luck; then the rest."""
    wanted = PROMISING.get(name, ["killed here and there, one process", "killed here and there, one of three"])
    hopes = [item for words in wanted for item in found if words in item[1].says]
    return hopes * TRIES + [item for item in found if item not in hopes]


class Broken:
    """SERVERS for processes that break rule NAME."""

    def __init__(self, servers, name):
        self._servers, self.mutation = servers, name

    def __getattr__(self, what):
        return getattr(self._servers, what)


def failure(servers, name, number, scenario, steps):
    """Why SCENARIO fails with rule NAME broken; None: it does not."""
    here, app = None, "%s-%d-%d" % (name.lower().replace("_", ""), number, next(TRY))
    try:
        here = faults.make_stand(Broken(servers, name), app, scenario)
        for step in steps:
            step.call(here)
        here.judge()
        here.close()
        return None
    except (AssertionError, TimeoutError, RuntimeError) as error:
        return "%s: %s" % (type(error).__name__, str(error).strip().partition("\n")[0][:TOLD])
    finally:
        if here:
            for daemon in here.daemons.values():
                daemon.kill()
            here.release()


def hunt(servers, name, found):
    """(scenario, why) of the first that fails, or (None, "")."""
    for number, scenario, steps in ordered(name, found):
        why = failure(servers, name, number, scenario, steps)
        if why:
            return scenario, why
    return None, ""


def main():
    chosen = [name for name in names() if not sys.argv[1:] or name in sys.argv[1:]]
    found, failed = scenarios(), 0
    os.environ["SEGMENTD"] = os.path.join(os.environ.get("B", "build"), "failpoints", "mutations", "segmentd")
    with Cluster() as cluster, concurrent.futures.ThreadPoolExecutor(3) as pool:
        servers = faults.Servers(cluster, int(os.environ.get("SEED", "20250101")), "quick")
        control = {pool.submit(failure, servers, "NONE", *item): item[1] for item in found}
        sound = []
        for one in concurrent.futures.as_completed(control):
            if one.result():
                print("         with no rule broken %s fails: %s" % (control[one], one.result()), flush=True)
            else:
                sound.append(control[one])
        found = [item for item in found if item[1] in sound]
        began = {name: pool.submit(hunt, servers, name, found) for name in chosen}
        for name in chosen:
            scenario, why = began[name].result()
            failed += scenario is None
            report.add(row=13, by="mutants", scenario=name.lower(), passed=scenario is not None)
            report.add(mutation=name.lower(), caught_by=str(scenario) if scenario else None)
            print("  %-6s %s: %s%s" % ("ok" if scenario else "FAILED", name.lower(), scenario or "nobody saw it",
                                       "; " + why if why else ""), flush=True)
    print("mutants: %d tests, %d failed" % (len(chosen), failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
