"""timers.py: a stand where people leave by timer, with `clock wall`.

Every user does one thing, dated so that what it is worth is over in a moment, in one
segment a second later than in the others; some do it again before that, or after.
Which list of changes comes of it depends on when it was read, so each change is held
against the truth instead: it must be true at its own instant, by the events that had
been folded, and if a timer made it by all that had been appended until then.  In the
end everybody is where he belongs."""

import collections
import json
import time

import judge
import past
import records
import stand
import suite
from cluster import until
from verdict import LAG_S, REDIS_S, Shown, check_state_topic

WINDOW_MS, LATER_MS = 60000, 61000
CLOCKS_MS = 100  # Two processes of one machine do not quite agree what time it is.
SOON_MS, EVERY_MS = 1200, 25  # The first timer of a slice is due after, the others every.
SEGMENTS = """
segment recent { when did "Used" in 60s }
segment quiet { when did "Used" and did not "Used" in 60s }
segment gone { when did "Used" and did not "Used" in 61s }
"""
IN_THE_END = {"quiet", "gone"}

Event = collections.namedtuple("Event", "ms arrival_ms appended_ms offset")


def now_ms():
    return int(time.time() * 1000)


class Load:
    def __init__(self, topics, app, partitions):
        self.topics, self.app, self.partitions = topics, app, partitions
        self.inputs = [app + "-events"]
        self._producer = topics.producer()
        topics.create_history(self.inputs[0], partitions)
        self.events, self._ends = collections.defaultdict(list), collections.Counter()
        self.fed = self.last_due_ms = 0
        self.shift_ms = 0  # So much later it is in this world than here.
        self.lead_ms = 0   # So far ahead some process's clock was.

    def now(self):
        return now_ms() + self.shift_ms

    def feed(self, count=stand.SLICE):
        """COUNT new users, each of whom leaves soon."""
        now, users = self.now(), ["%s-user-%d" % (self.app, self.fed + i) for i in range(count)]
        self.send([(user, now - WINDOW_MS + SOON_MS + EVERY_MS * i, now) for i, user in enumerate(users)])
        self.fed += count

    def again(self, ago_ms=0):
        """A third of the last users did it once more, AGO_MS ago: who was about to
        leave stays a while, who had left comes back."""
        then, chosen = self.now() - ago_ms, list(self.events)[-2 * stand.SLICE::3]
        self.send([(user, then - WINDOW_MS + 2 * SOON_MS + EVERY_MS * i, then) for i, user in enumerate(chosen)])

    def send(self, rows):
        """ROWS of (user, date, arrival)."""
        out, places = [], []
        for user, ms, arrival_ms in rows:
            partition = records.partition_of(user, self.partitions)
            places.append((user, ms, arrival_ms, self._ends[partition]))
            self._ends[partition] += 1
            out.append((partition, user, json.dumps({
                "type": "track", "event": "Used", "userId": user, "timestamp": records.text_ms(ms)}), arrival_ms))
        self.topics.produce(self.inputs[0], out, producer=self._producer)
        appended = self.now()
        for user, ms, arrival_ms, offset in places:
            self.events[user].append(Event(ms, arrival_ms, appended, offset))
            self.last_due_ms = max(self.last_due_ms, ms + LATER_MS)

    def counted(self):
        """{user: rows} in the form of the other load."""
        row = collections.namedtuple("Row", "topic offset")
        return {user: [row(self.inputs[0], e.offset) for e in mine] for user, mine in self.events.items()}


class Verdict:
    """Each change is true at its instant, as far as load.lead_ms lets it be."""

    def __init__(self, facts, load, redis):
        self.facts, self.load, self.redis, self.app = facts, load, redis, facts.app
        self.topics = facts.topics
        self.changes, self.places = {}, {}

    def read(self):
        self.changes, self.places = collections.defaultdict(list), collections.defaultdict(list)
        seen = set()
        for record in self.topics.read(self.facts.name("changes")):
            body = json.loads(record.value)
            judge.check_record(self.app, "change", record, body, self.facts.partitions)
            suite.equal(body["messageId"] in seen, False, "message id twice: %s" % record.value)
            seen.add(body["messageId"])
            self.changes[body["userId"]].append(judge._change(body))
            self.places[body["userId"]].append(record.offset)

    def quiet(self):
        """How many users are where they belong in the end."""
        self.read()
        return sum(set(past.folded(mine)) == IN_THE_END for mine in self.changes.values())

    def judge(self, daemons):
        self.read()
        judge.check_sequences(self.changes)
        suite.equal(sorted(set(self.changes) ^ set(self.load.events)), [], "users with changes, users with events")
        timers = 0
        for user, mine in self.changes.items():
            for change in mine:
                self._true(user, change, self.load.events[user])
                timers += change.cause == "timer"
            suite.equal(set(past.folded(mine)), IN_THE_END, "%s in the end: %s" % (user, mine))
        suite.equal(timers > 0, True, "changes by timer")
        suite.equal(self.topics.read(self.facts.name("dead-letters")), [])
        check_state_topic(self.facts, self.changes, self.places, self.load.counted())
        for daemon in daemons:
            suite.equal(daemon.metric("segmentd_restore_repairs_total"), 0, daemon.name + ": repairs")
            daemon.wait_metric("segmentd_input_lag_records", lambda lag: lag == 0, LAG_S)
        if self.redis:
            shown = {user: past.folded(mine) for user, mine in self.changes.items()}
            judge.redis_agrees(self.redis, Shown(shown), self.app, REDIS_S)

    def _true(self, user, change, events):
        at, where = records.parse_ms(change.at), "%s: %s\n  events %s" % (user, change, events)
        window_ms = LATER_MS if change.segment == "gone" else WINDOW_MS
        if change.source:
            known = [e for e in events if e.offset <= change.source[1]]
            suite.equal(at + CLOCKS_MS >= known[-1].arrival_ms, True, "true before its event: " + where)
        else:
            suite.equal(change.cause, "timer", where)
            known = [e for e in events if e.appended_ms <= at - self.load.lead_ms - CLOCKS_MS]
            instants = [e.ms + window_ms for e in events if e.arrival_ms <= at + CLOCKS_MS]
            suite.equal(at in instants, True, "no instant of his: " + where)
            known = known or events[:1]
        inside = any(0 <= at - e.ms < window_ms for e in known)
        want = inside if change.segment == "recent" else not inside
        suite.equal(change.member, want, "not true at its instant: " + where)
        if change.member:
            suite.equal(change.entered_at, change.at, where)


class Stand(stand.Stand):
    CLOCK = "wall"

    def make_load(self, topics, app, past_, folder):
        return Load(topics, app, past_.partitions)

    def make_verdict(self):
        return Verdict(self.facts, self.load, self.redis.client())

    def segments_path(self, servers):
        return servers.cluster.path("timers.seg", SEGMENTS)

    def calm(self, timeout=90):
        """All timers have fired as well."""
        daemons = super().calm(timeout)
        until(lambda: self.load.now() > self.load.last_due_ms, "all is due", 60)
        until(lambda: self.verdict.quiet() == len(self.load.events), lambda: "all have left: %d of %d" % (
            self.verdict.quiet(), len(self.load.events)), 60, 0.2)
        return super().calm(timeout)
