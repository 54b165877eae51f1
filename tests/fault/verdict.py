"""verdict.py: is everything as the oracle says, at a moment when all is worked off?

One Verdict follows one application.  Each time it is asked it reads what was written
since, holds every record against its neighbours and its schema (tests/support/
judge.py), and compares all that ever was written with what the reference model says
of the input so far: every change and trigger in order, dead letters once each, the
state topic, Redis key by key, the metrics of who lives."""

import collections
import json

import judge
import past
import records
import state
import suite
from cluster import until

REDIS_S, LAG_S = 10, 20

Shown = collections.namedtuple("Shown", "memberships")


class Verdict:
    """Of the application of FACTS, which is fed by LOAD, with the client REDIS or
    None."""

    def __init__(self, facts, load, redis):
        self.facts, self.load, self.redis, self.app = facts, load, redis, facts.app
        self.topics = facts.topics
        self.changes, self.triggers = collections.defaultdict(list), collections.defaultdict(list)
        self.places = collections.defaultdict(list)  # Offsets of the changes.
        self.dead_letters, self._ids = collections.Counter(), set()
        self._read = {}  # {output: {partition: how far}}

    def judge(self, daemons):
        """Everything is right; DAEMONS live and have worked off all that was fed."""
        self._read_on()
        expected = self.load.expected()
        judge.check_sequences(self.changes)
        self.compare(expected)
        suite.equal(dict(self.dead_letters), dict.fromkeys(expected.dead_letters, 1), "dead letters")
        check_state_topic(self.facts, self.changes, self.places, {
            user: [row._replace(topic="%s-%s" % (self.app, row.topic)) for row in mine]
            for user, mine in self.load.counted().items()})
        for daemon in daemons:
            suite.equal(daemon.metric("segmentd_restore_repairs_total"), 0, daemon.name + ": repairs")
            daemon.wait_metric("segmentd_input_lag_records", lambda lag: lag == 0, LAG_S)
        if self.redis:
            shown = Shown(self.shown(expected))
            judge.redis_agrees(self.redis, shown, self.app, REDIS_S)

    def compare(self, expected):
        judge.same(self.changes, expected.changes, "changes")
        judge.same(self.triggers, expected.triggers, "triggers")

    def shown(self, expected):
        """{user: memberships} that Redis must show."""
        return expected.memberships

    def _fresh(self, output):
        """The records that came since the last time."""
        name = self.facts.name(output)
        ends = {p: end for (_, p), end in self.facts.ends(name).items()}
        found = [r for r in self.topics.read(name, start=self._read.get(output)) if r.offset < ends[r.partition]]
        self._read[output] = ends
        return found

    def _read_on(self):
        for output, kind, make, into in (("changes", "change", judge._change, self.changes),
                                         ("triggers", "trigger", judge._trigger, self.triggers)):
            for record in self._fresh(output):
                body = json.loads(record.value)
                judge.check_record(self.app, kind, record, body, self.facts.partitions)
                if body["messageId"] in self._ids:
                    raise AssertionError("message id twice: %s" % record.value.decode())
                self._ids.add(body["messageId"])
                into[body["userId"]].append(past.plain_source(self.app, make(body)))
                if kind == "change":
                    self.places[body["userId"]].append(record.offset)
        for record in self._fresh("dead-letters"):
            head = {name: value.decode() for name, value in record.headers.items()}
            place = head["topic"].removeprefix(self.app + "-"), int(head["partition"]), int(head["offset"])
            self.dead_letters[place] += 1


def check_state_topic(facts, changes, places, rows):
    """The state topic and what a restore reads again are the truth together."""
    seen = state.State(facts.topics.read(facts.name("state")))
    seen.agrees(changes, places, rows, lambda user: records.partition_of(user, facts.partitions))


def settle(facts, daemons, timeout=60):
    """Until all that was fed is worked off by DAEMONS, which must live."""
    def settled():
        for daemon in daemons:
            daemon._must_run()
        return facts.all_is_done()

    until(settled, lambda: "committed %s, the ends are %s; open: %s" % (
        facts.committed(), facts.ends(*facts.inputs), facts.open()), timeout, 0.03)
