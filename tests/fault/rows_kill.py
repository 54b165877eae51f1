"""Row 1: kill -9 at each failpoint, the first to the fifth time, of one process and
of one of three."""

from fault_points import BETWEEN, IN_TRANSACTION, MOVING, RESTORING, TROUBLED
from nemesis import aborted, each, judged, killed_at, killed_at_random, killed_at_start, killed_in_timers
from scenario import Scenario

HELD = [point for point in IN_TRANSACTION if point != "during_commit"]
IN_TIMERS = ["begin", "advance", "emit", "before_send_offsets", "after_send_offsets", "before_commit", "during_commit",
             "after_commit", "after_ack"]
HELD_IN_TIMERS = ["emit", "before_send_offsets", "after_send_offsets", "before_commit"]


def at_random(batches, kills):
    return ([killed_at_random()] * kills + [judged()]) * batches


def of(processes, words):
    """The scenarios of so many processes; a single one is a static member, which may
    come back at once."""
    def row(says, faults, **more):
        return Scenario(1, "%s, %s" % (says, words), faults, processes=processes, static=one, **more)

    one = processes == 1
    return [
        row("killed at work", each(killed_at, IN_TRANSACTION + BETWEEN), aborts=True),
        row("killed in a transaction that the broker sees", each(killed_at, HELD, range(1, 9), held=True),
            aborts=True),
        row("killed in trouble: abort, second try, new producer", each(killed_at, TROUBLED), aborts=True),
        row("killed while partitions move", each(killed_at, MOVING)),
        row("killed in a restore", each(killed_at, RESTORING)),
        # It ends once in each worker.
        row("killed when it has lost its partitions, or ends",
            each(killed_at, ["lost"]) + each(killed_at, ["close"], [1, 2] if one else [1])),
        row("killed while Redis is filled again", each(killed_at, ["rebuild_half"])),
        row("killed while only timers are due", stand="timers", aborts=True,
            faults=each(killed_in_timers, IN_TIMERS) + each(killed_in_timers, HELD_IN_TIMERS, held=True)),
        row("killed at any instant", at_random(10, 10), aborts=True),
    ]


SCENARIOS = of(1, "one process") + of(3, "one of three") + [
    Scenario(1, "killed right after its start, one process", static=True,
             # Each worker has one producer at first.
             faults=each(killed_at_start, ["assign"] + RESTORING) + each(killed_at_start, ["init_transactions"], [1, 2])),
    Scenario(1, "killed again before all that was read back is written", static=True,
             settings={"flush_interval": "200ms", "flush_users": 2},
             faults=[killed_at("after_ack", 6)] * 6 + [judged()]),
    # Written long before the first, or not since they came: both are read back.
    *[Scenario(1, "killed between two instants of the same users, written %s" % words, static=True, stand="timers",
               settings={"flush_interval": interval, "flush_users": 1000},
               faults=[killed_in_timers("after_commit", n) for n in (3, 6, 9, 12)] + [judged()])
      for words, interval in (("before", "900ms"), ("after", "3s"))],
    Scenario(1, "aborted, sent again, from a new producer", static=True, aborts=True, faults=[
        killed_at("resend", 2), killed_at("abort", 2), killed_at("init_transactions", 2), judged()] * 2),
    Scenario(13, "aborted with users to write, and nobody dies", static=True, aborts=True, settings={"flush_interval": "200ms"},
             faults=[aborted(8), judged()] * 2),
    Scenario(1, "killed here and there, one process", static=True, aborts=True, faults=[], quick=[
        killed_at("emit", 1), killed_at("before_commit", 3), killed_at("after_commit", 1), killed_at("dead_letter", 1),
        judged(), killed_at("before_send_offsets", 1, held=True), killed_at_random(), killed_at("rebuild_half", 1),
        killed_at_start("restore_redo_half", 2), killed_at("close", 1), judged()]),
    Scenario(1, "killed here and there, one of three", processes=3, aborts=True, faults=[], quick=[
        killed_at("flush", 1), killed_at("before_commit", 1, held=True), killed_at("restore_redo_half", 1), judged()]),
    Scenario(1, "killed here and there while only timers are due", static=True, stand="timers", aborts=True, faults=[],
             quick=[killed_in_timers("before_commit", 1, held=True), killed_in_timers("advance", 3), judged()]),
]
