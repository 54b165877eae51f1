"""Rows 5, 8 and 9 with three brokers, of which one dies or stops."""

from clustered import LATE, one_frozen, one_killed, storm
from nemesis import judged
from network import commit_held, commit_late
from rows_brokers import each_judged
from scenario import Scenario

ROLES = "leader", "transactions", "group"

SCENARIOS = [
    Scenario(5, "one of three brokers killed: leader, coordinators", processes=2, stand="clustered", alone=True,
             faults=each_judged(one_killed(role) for role in ROLES)),
    Scenario(5, "one of three brokers stopped: leader, coordinators", processes=2, stand="clustered", alone=True,
             faults=each_judged(one_frozen(role, 10) for role in ROLES)),
    Scenario(8, "three brokers, the end of a transaction held or late", stand="clustered", alone=True, settings=LATE,
             faults=[commit_held(), judged(), commit_late(), judged()] * 2),
    Scenario(9, "three brokers, processes and brokers come and go", processes=3, stand="clustered", alone=True,
             faults=[storm(120, 5)]),
]
