"""Row 1, and what of row 22 is about kills: kill -9 at each failpoint of what a new
edition of the segment files sets off."""

from edits import killed_in_edition
from fault_points import EDITED
from nemesis import each
from scenario import Scenario

SCENARIOS = [
    Scenario((1, 22), "killed while a new edition comes into force, %s" % words, processes=processes,
             static=processes == 1, stand="edited", faults=each(killed_in_edition, EDITED))
    for processes, words in ((1, "one process"), (3, "one of three"))
]
