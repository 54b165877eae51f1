#!/usr/bin/python3
"""report.py: faults.json: which rows were proved by what, and where processes died.

Whatever proves something of the fault matrix appends lines to faults.lines in the
folder of the checks; the last word of each author about each thing counts.  A line is
one of

    {"row": 9, "by": "process/scale", "scenario": "...", "passed": true}
    {"mutation": "redo skipped", "caught_by": "..."}          or null: by nobody
    {"kills": 1, "by": ..., "phases": ["restore"], "counts": true}
    {"librdkafka": "2.0.2"}

    report.py [clear]     makes faults.json of them, says what there is; or begins anew

The simulation says in its log what it caught, and what not: `caught NAME: how`, `MISSED NAME: ...`.
"""

import collections
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROWS = range(1, 25)


def folder():
    path = os.path.join(ROOT, os.environ.get("B", "build"), "check")
    os.makedirs(path, exist_ok=True)
    return path


def add(**line):
    """A short line is written whole, whoever else writes."""
    with open(os.path.join(folder(), "faults.lines"), "a") as out:
        out.write(json.dumps(line) + "\n")


def lines():
    try:
        with open(os.path.join(folder(), "faults.lines")) as source:
            return [json.loads(line) for line in source]
    except FileNotFoundError:
        return []


def simulated():
    """Lines for the mutations that the simulation tried, by its log: they are row 13."""
    try:
        with open(os.path.join(folder(), "mutant-check_mutants.log")) as log:
            found = re.findall(r"^(caught|MISSED) (\w+):( explored)?", log.read(), re.M)
    except FileNotFoundError:
        return []
    return [line for verdict, name, explored in found
            for line in of_mutation(name, "exploring" if explored else "simulation", verdict == "caught")]


def of_mutation(name, by, caught):
    """The lines for a broken rule that BY tried to see."""
    return [{"row": 13, "by": by, "scenario": name.lower(), "passed": caught},
            {"mutation": name.lower(), "caught_by": by if caught else None}]


def summary(found):
    """The content of faults.json."""
    rows, kills, mutations, versions = {}, {}, {}, set()
    for line in found:
        if "row" in line:
            rows[line["row"], line["by"], line["scenario"]] = line["passed"]
        elif "mutation" in line:
            mutations.setdefault(line["mutation"], set()).update(filter(None, [line["caught_by"]]))
        elif "kills" in line:
            kills[line["by"], tuple(line["phases"]), line["counts"]] = line["kills"]
        elif "librdkafka" in line:
            versions.add(line["librdkafka"])
    phases = collections.Counter()
    for (_, names, counts), count in kills.items():
        phases.update({name: count for name in (names if counts else ["before it worked"])})
    return {
        "rows": [{"row": row, "scenarios": len(mine), "passed": sum(mine)} for row in ROWS
                 if (mine := [passed for (of, _, _), passed in rows.items() if of == row])],
        "mutations": [{"name": name, "caught_by": sorted(by)} for name, by in sorted(mutations.items())],
        "kills": sum(count for (_, _, counts), count in kills.items() if counts),
        "phases": dict(sorted(phases.items())), "librdkafka": sorted(versions)}


def main(arguments):
    if arguments == ["clear"]:
        open(os.path.join(folder(), "faults.lines"), "w").close()
        return 0
    found = summary(lines() + simulated())
    with open(os.path.join(folder(), "faults.json"), "w") as out:
        json.dump(found, out, indent=2)
        out.write("\n")
    print("fault matrix: " + ", ".join("%d: %d of %d" % (r["row"], r["passed"], r["scenarios"]) for r in found["rows"]))
    print("  %d kills, %s" % (found["kills"], ", ".join("%s %d" % pair for pair in found["phases"].items())))
    for mutation in found["mutations"]:
        print("  mutation %s: %s" % (mutation["name"], ", ".join(mutation["caught_by"]) or "CAUGHT BY NOBODY"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
