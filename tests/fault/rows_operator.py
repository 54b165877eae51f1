"""Rows 11 and 14: what people do to a group."""

from nemesis import judged
from operators import offsets_reset_in_restore, removed
from scenario import Scenario

SCENARIOS = [
    Scenario(11, "removed from the group while others take over", processes=2, stand="proxied",
             faults=[removed("begin"), judged()] * 3),
    Scenario(11, "removed from the group in a transaction, with nobody to take over", stand="proxied", aborts=True,
             settings={"workers": 1, "session_ms": 10000, "properties": {"transaction.timeout.ms": 9000}},
             faults=[removed("begin"), removed("flush"), removed("before_send_offsets"), removed("before_commit"),
                     judged(), removed("before_send_offsets", heard=False), judged()] * 2),
    Scenario(14, "offsets reset by an operator while partitions are restored by them", static=True, settings={"workers": 1},
             faults=[offsets_reset_in_restore(), judged()] * 2),
]
