"""editions.py: segment files that are edited again and again, as a team does.

The segments of core.seg stay; beside them stands a file that changes with every
edition.  Its segments say things about what core.seg observes anyway, so that
whatever happened on the way there, in the end they hold exactly whom the oracle
says.  `warm_...` are the exceptions: what they ask nobody watched before, so all
one can say of them at once is that nobody is doubled or lost."""

import os
import random

import cluster

CORE = os.path.join(cluster.ROOT, "tests", "data", "core.seg")

# KEY -> conditions it may have; each reads features, and no more of them, or
# attributes that core.seg has as well.
POOL = {
    "goal_some": ['did "Goal Used" at least %d times in 2d' % n for n in (1, 2, 3)],
    "report_few": ['did "Report Exported" at most %d times in 3d' % n for n in (0, 1, 2)],
    "report_not": ['not (did "Report Exported" at most %d times in 3d)' % n for n in (0, 1)],
    "seats": ["user.seats > %d" % n for n in (5, 10, 30)] + ["user.seats <= 8"],
    "plan": ['user.plan = "free"', 'user.plan != "free"', "user.plan is not set"],
    "quiet": ['days_since(last any where context.device.type = "web") >= %g' % n for n in (0.5, 1, 3)],
    "both": ['user.plan = "free" and did "Goal Used" at least 2 times in 2d',
             'did "Goal Used" at least 1 times in 2d or user.seats > 20'],
    "all": ["everyone"],
}


class Editions:
    """FOLDER/segments has what is in force; next() writes another edition."""

    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.folder = os.path.join(folder, "segments")
        os.mkdir(self.folder)
        with open(CORE) as core:
            self.core = core.read()
        self._write("core.seg", self.core)
        self.count, self.text = 0, ""
        self.next()

    def next(self, warm=True):
        """Another edition: some segments appear, change, get another name, go."""
        r = self.random
        self.count += 1
        chosen = r.sample(sorted(POOL), r.randrange(3, len(POOL)))
        lines = ["segment %s { when %s }" % (key + r.choice(("", "", "_too")), r.choice(POOL[key])) for key in chosen]
        # Others ask the first one.
        first = lines[0].split()[1]
        lines.append("segment outside { when not in segment %s }" % first)
        if warm:
            lines.append('segment warm_%d { when did not "Goal Used" in %dms }' % (self.count % 3, 86400000 + self.count))
            lines.append('segment warm_ever { when did "NPS Answered" where score = %d }' % (self.count % 10))
        lines.append('segment edition_%d { include ("nobody") }' % self.count)  # Never the same as before.
        self.text = "\n".join(lines) + "\n"
        self._write("edited.seg", self.text)

    def spoil(self):
        """An edition with a mistake."""
        self._write("edited.seg", self.text + self.random.choice((
            "segment broken { when did \"Goal Used\" at lest 3 times }\n",
            "segment broken { when in segment nowhere }\n",
            "segment all_twice { when everyone }\nsegment all_twice { when everyone }\n",
            "segment a_cycle { when in segment b_cycle }\nsegment b_cycle { when in segment a_cycle }\n")))

    def keys(self):
        """The edited segments whose members the oracle knows."""
        return {line.split()[1] for line in self.text.splitlines()} - self._warm()

    def for_the_oracle(self, path):
        """The edited segments alone, in one file."""
        lists = "".join(line + "\n" for line in self.core.splitlines() if line.startswith("list "))
        with open(path, "w") as out:
            out.write(lists + "".join(line + "\n" for line in self.text.splitlines() if line.split()[1] in self.keys()))
        return path

    def _warm(self):
        return {line.split()[1] for line in self.text.splitlines() if line.split()[1].startswith("warm_")}

    def _write(self, name, text):
        # As an editor does: nobody reads half a file.
        path = os.path.join(self.folder, name)
        with open(path + ".new", "w") as out:
            out.write(text)
        os.rename(path + ".new", path)
