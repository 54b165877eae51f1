"""Rows 2, 3, 4, 10, 11, 12: processes that sleep and wake as zombies, or have a twin;
transactions of strangers."""

from nemesis import judged
from pauses import doubled, foreign_transaction_in, poll_interval_exceeded, zombie_at
from scenario import Scenario

OPEN = ["emit", "before_send_offsets", "before_commit"]

SCENARIOS = [
    Scenario(2, "stopped in a transaction for longer than session and transaction may last", processes=2, aborts=True,
             faults=[zombie_at(point) for point in OPEN * 2] + [judged()]),
    Scenario(2, "a zombie has a batch for Redis in its hands", processes=2,
             faults=[zombie_at("view_before_apply"), zombie_at("view_after_apply"), judged()]),
    Scenario(2, "of three processes one is stopped, again and again", processes=3, aborts=True,
             faults=[zombie_at("emit"), judged(), zombie_at("before_commit"), judged(), zombie_at("after_send_offsets")]),
    Scenario(3, "stopped in a transaction of timers alone", processes=2, stand="timers", aborts=True,
             faults=[zombie_at(point, only_timers=True) for point in OPEN * 2] + [judged()],
             quick=[zombie_at("before_commit", only_timers=True)]),
    # Who comes next finds nothing open to wait for: the offsets alone tell the zombie that it is one.
    Scenario(3, "stopped when timers have fired, and nothing of that is sent yet", processes=2, stand="timers",
             settings={"flush_interval": "1h", "transaction_events": 1, "linger_busy": "0s"},
             faults=[zombie_at("advance", only_timers=True)] * 4 + [judged()], quick=[zombie_at("advance", only_timers=True)]),
    Scenario(4, "stopped between the offsets and the commit: who is next waits", processes=2, aborts=True,
             faults=[zombie_at("after_send_offsets", undecided=True)] * 3 + [judged()]),
    Scenario((2, 4), "stopped before the commit, and between the offsets and the commit", processes=2, aborts=True,
             faults=[], quick=[zombie_at("before_commit"), zombie_at("after_send_offsets", undecided=True)]),
    Scenario((3, 4), "stopped between the offsets of timers and the commit", processes=2, stand="timers", aborts=True,
             faults=[zombie_at("after_send_offsets", only_timers=True, undecided=True)] * 2 + [judged()]),
    Scenario(10, "two processes with one instance id", static=True,
             faults=[doubled("one"), doubled("another")]),
    Scenario(11, "a worker is away for longer than max.poll.interval.ms", processes=2,
             settings={"properties": {"max.poll.interval.ms": 3000}},
             faults=[poll_interval_exceeded(), judged()] * 3, quick=[poll_interval_exceeded()]),
    Scenario(12, "a restore while a stranger has a transaction open in what it reads", static=True,
             faults=[foreign_transaction_in("changes"), judged(), foreign_transaction_in("state"), judged(),
                     foreign_transaction_in("triggers")]),
]
