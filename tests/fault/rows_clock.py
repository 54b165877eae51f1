"""Row 16: clocks that jump while they run, that are wrong from the start, and that
went on while everybody slept."""

from clocks import DAY_MS, HOUR_MS, clock_set, owner_ahead, owner_behind, sleeps_with_timers_due
from nemesis import judged
from scenario import Scenario

JUMPS = [by for way in (1, -1) for by in (way * DAY_MS, way * HOUR_MS)]

SCENARIOS = [
    Scenario(16, "the machine's clock is set by a day and an hour, forth and back", stand="timers", static=True,
             faults=[clock_set("one", by) for by in JUMPS] + [judged()]),
    Scenario(16, "a new owner's clock is an hour ahead", processes=2, stand="timers",
             faults=[owner_ahead(HOUR_MS), judged()]),
    Scenario(16, "a new owner's clock is an hour behind", processes=2, stand="timers",
             faults=[owner_behind(HOUR_MS), judged()]),
    Scenario(16, "all sleep for ten minutes with timers due", processes=2, stand="timers",
             faults=[sleeps_with_timers_due(10), judged()] * 2),
    Scenario(16, "clocks are set, wrong, and go on while all sleep", processes=2, stand="timers", faults=[],
             quick=[clock_set("one", DAY_MS), owner_behind(HOUR_MS), judged(), sleeps_with_timers_due(10)]),
]
