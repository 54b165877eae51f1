"""Row 21: SIGTERM at each failpoint, with the broker stopped, twice."""

from endings import ended_at, ended_twice, ended_without_a_broker
from fault_points import BETWEEN, IN_TRANSACTION, MOVING, RESTORING, TROUBLED
from nemesis import judged
from scenario import Scenario


def each_of(points, **more):
    return [ended_at(point, **more) for point in points] + [judged()]


SCENARIOS = [
    Scenario(21, "SIGTERM at each failpoint of the work", static=True,
             faults=each_of(IN_TRANSACTION) + each_of(BETWEEN) + each_of(TROUBLED)),
    Scenario(21, "SIGTERM at each failpoint of a restore", static=True, faults=each_of(RESTORING, at_start=True)),
    Scenario(21, "SIGTERM while partitions move, are lost, Redis is filled, it ends already", static=True,
             faults=each_of(MOVING + ["lost", "rebuild_half", "close"])),
    Scenario(21, "SIGTERM to one of three at each failpoint of the work", processes=3, faults=each_of(IN_TRANSACTION)),
    Scenario(21, "SIGTERM twice", static=True, faults=[ended_twice()] * 2),
    Scenario(21, "SIGTERM in a transaction, in a restore, twice", static=True, faults=[], quick=[
        ended_at("before_send_offsets"), ended_at("restore_redo_half", at_start=True), ended_twice()]),
    Scenario(21, "SIGTERM while the broker is stopped", static=True, alone=True,
             faults=[ended_without_a_broker(), judged()] * 2),
]
