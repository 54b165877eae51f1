"""Rows 7 and 8: the network between segmentd, the broker and Redis."""

from nemesis import judged
from network import BOTH, LATE, MBIT_S, broken, commit_answer_lost, commit_held, commit_late, commit_lost, offsets_held
from network import one_way, refused, revoked_undecided, slow
from scenario import Scenario

# Long enough for the five round trips of a transaction.
PATIENT = {"session_ms": 6000}

SCENARIOS = [
    Scenario(7, "200 ms latency, 1 Mbit/s", processes=2, stand="proxied", settings=PATIENT,
             faults=[slow(20, latency_s=0.2), judged(), slow(20, rate=MBIT_S), judged()],
             quick=[slow(1, latency_s=0.1), slow(1, rate=MBIT_S)]),
    Scenario(7, "connections cut, reset, refused", processes=2, stand="proxied",
             faults=[broken("cut", 20), judged(), broken("reset", 20), judged(), refused(10)],
             quick=[broken("cut", 3), broken("reset", 3), refused(1)]),
    Scenario(7, "one way lost, then the other", processes=2, stand="proxied",
             faults=[one_way(way, seconds) for seconds in (1, 5, 15) for way in BOTH] + [judged()],
             quick=[one_way(way, 3) for way in BOTH]),
    Scenario(8, "the end of a transaction held until its producer was replaced", stand="proxied", settings=LATE,
             faults=([commit_held(), judged()]) * 5, quick=[commit_held()]),
    Scenario(8, "the end of a transaction late, its answer lost, offsets held", stand="proxied", settings=LATE,
             faults=([commit_late(), commit_answer_lost(), offsets_held(), judged()]) * 5,
             quick=[commit_late(), commit_answer_lost(), offsets_held()]),
    Scenario(8, "partitions move while the end of a transaction is held", stand="proxied", aborts=True,
             settings={"workers": 1, "session_ms": 10000, "flush_interval": "1h",
                       "properties": {"transaction.timeout.ms": 9000}},
             faults=[revoked_undecided(), judged()] * 3),
    Scenario(8, "the end of a transaction lost for ever", stand="proxied", settings=LATE, aborts=True,
             faults=([commit_lost(), judged()]) * 3),
]
