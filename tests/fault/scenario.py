"""scenario.py: what a scenario is.

    Scenario(4, "stopped between its offsets and the commit", processes=2, quick=True, faults=[
        zombie_at("after_send_offsets", undecided=True), judged()])

A scenario names the rows of the fault matrix that it proves, says what happens as a
sentence, and lists its faults: verbs (nemesis.py and others), done one after the other
to the processes of one application while its input is written on.  The list is empty
where only the short run does something.  In the end all is judged once more, whatever
the verbs were."""

import collections
import functools

Act = collections.namedtuple("Act", "text call")

DEFAULTS = {
    "processes": 1,
    "static": False,     # Members outlive their processes.
    "quick": None,       # The faults of the short run; True: all of them, None: none.
    "stand": "records",  # Which stand (faults.py, STANDS).
    "alone": False,      # The broker is hurt: nobody else may be there.
    "aborts": False,     # Transactions must have been aborted, or it proves nothing.
    "settings": {},      # Of segmentd.conf, and of the stand.
}


class Scenario:
    """ROWS is a number or several; the rest are DEFAULTS."""

    def __init__(self, rows, says, faults, **more):
        self.rows = (rows,) if isinstance(rows, int) else tuple(rows)
        self.says, self.faults = says, faults
        unknown = set(more) - set(DEFAULTS)
        assert not unknown, unknown
        for name, value in {**DEFAULTS, **more}.items():
            setattr(self, name, value)

    def acts(self, quick):
        """What is done in the short run, or in the full one; [] if nothing is."""
        if not quick:
            return self.faults
        return self.faults if self.quick is True else self.quick or []

    def __str__(self):
        return "row %s: %s" % (", ".join(map(str, self.rows)), self.says)


def verb(function):
    """FUNCTION(stand, ...) as something to write into a list of faults."""
    @functools.wraps(function)
    def make(*arguments, **more):
        words = [str(a) for a in arguments] + ["%s=%s" % pair for pair in more.items()]
        return Act(" ".join([function.__name__.replace("_", " ")] + words),
                   lambda stand: function(stand, *arguments, **more))
    return make
