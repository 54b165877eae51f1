"""Rows 5, 6 and 18: brokers that stop, die, are away, or refuse."""

from brokers import broker_frozen, broker_killed_after_it_committed, broker_killed_at, broker_killed_before_it_commits
from brokers import message_too_large, no_topic, not_allowed, started_without_brokers
from fault_points import BETWEEN, IN_TRANSACTION
from nemesis import judged
from scenario import Scenario

STEPS = [point for point in BETWEEN + IN_TRANSACTION if not point.startswith("view_")]
UNKNOWN = [broker_killed_before_it_commits(), broker_killed_after_it_committed()]


def each_judged(acts):
    return [step for act in acts for step in (act, judged())]


SCENARIOS = [
    Scenario(5, "the broker stopped", processes=2, alone=True,
             faults=each_judged(broker_frozen(seconds) for seconds in (5, 30, 120)), quick=[broker_frozen(5)]),
    Scenario(5, "the broker killed at a step of a commit", processes=2, alone=True,
             faults=each_judged(broker_killed_at(point) for point in STEPS)),
    Scenario(5, "the broker killed when the commit was asked for", stand="proxied", alone=True,
             faults=each_judged(UNKNOWN * 3), quick=UNKNOWN[1:]),
    Scenario(6, "the brokers away at the start", stand="proxied",
             faults=[started_without_brokers(180, "refused"), judged()], quick=[started_without_brokers(3, "refused")]),
    Scenario(6, "nobody answers at the start", stand="proxied",
             faults=[started_without_brokers(180, "silent"), judged()]),
    Scenario(18, "messages too large, topics missing", settings={"workers": 1},
             faults=[no_topic()] + each_judged(message_too_large(output) for output in ("changes", "triggers", "state")),
             quick=[no_topic(), message_too_large("changes")]),
    Scenario(18, "not allowed any more", settings={"workers": 1},
             faults=each_judged(not_allowed(what) for what in ("changes", "state", "group", "transactions")),
             quick=[not_allowed("changes")]),
]
