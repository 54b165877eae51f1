"""history.py: a month of believable messages for tests/data/core.seg, from a seed.

People come at some instant, are busy in sessions, go quiet.  Messages arrive late
(within a day), twice, with equal times, dated ahead, without or with unreadable
times; the records of a topic are not quite in order of their timestamps.  All
that a generator of random bytes would never do often enough for a segment to be
entered and left.
"""

import collections
import heapq
import json
import random

import records

TOPICS = ("product-events", "web-events")
BASE_MS = 1735689600000  # 2025-01-01
DAY_MS, HOUR_MS, MINUTE_MS = 86400000, 3600000, 60000

# A record of an input; its offset is its place in its partition.
Row = collections.namedtuple("Row", "topic partition offset timestamp_ms user value")


def merged(rows, partitions):
    """ROWS, each partition's in the order in which it is worked off: the least head
    of its inputs by (timestamp, topic, offset) goes next."""
    logs = collections.defaultdict(collections.deque)
    for row in rows:
        logs[row.partition, row.topic].append(row)
    for partition in range(partitions):
        mine = [log for (p, _), log in logs.items() if p == partition]
        heads = [(log[0].timestamp_ms, log[0].topic, i) for i, log in enumerate(mine)]
        heapq.heapify(heads)
        while heads:
            log = mine[heapq.heappop(heads)[2]]
            yield log.popleft()
            if log:
                heapq.heappush(heads, (log[0].timestamp_ms, log[0].topic, mine.index(log)))


class History:
    """ROWS in the order in which they are produced."""

    def __init__(self, seed, messages, partitions, messages_per_user=36, days=24):
        self.seed, self.partitions = seed, partitions
        print("         history: seed %d, %d messages" % (seed, messages), flush=True)
        self.random = random.Random(seed)
        self.days = days
        self.rows = self._place(self._arrivals(messages, max(1, messages // messages_per_user)))

    def merged(self):
        return merged(self.rows, self.partitions)

    def slices(self, count):
        """The rows in COUNT parts, one after the other.  Each holds, of every
        partition, what is worked off next: however far one has got, the rest is
        merged as if all had been there from the beginning."""
        logs = collections.defaultdict(list)
        for row in self.merged():
            logs[row.partition].append(row)
        for i in range(count):
            yield [row for log in logs.values() for row in log[len(log) * i // count:len(log) * (i + 1) // count]]

    def create(self, topics):
        for name in TOPICS:
            topics.create_history(name, self.partitions)

    def produce(self, topics, rows):
        """Write ROWS of this history, in its order."""
        for name in TOPICS:
            topics.produce(name, ((r.partition, r.user, r.value, r.timestamp_ms) for r in rows if r.topic == name))

    # ---- when ----------------------------------------------------------------

    def _arrivals(self, messages, users):
        """(arrival in ms, topic, user, message) in order of arrival."""
        found = []
        while len(found) < messages:
            user = "user-%d" % (len(found) % users) if len(found) < users else "user-%d" % self.random.randrange(users)
            found += self._person(user, min(messages - len(found), self._how_many(messages / users)))
        found.sort(key=lambda item: item[0])
        return found

    def _how_many(self, mean):
        return 1 + min(int(self.random.expovariate(2 / mean)), 120)

    def _person(self, user, count):
        """COUNT messages of one stay of USER."""
        r = self.random
        at, found = BASE_MS + r.randrange(self.days * DAY_MS), []
        while len(found) < count:
            message = self._message(user)
            topic = TOPICS[message["type"] in ("page", "identify", "group") or r.random() < 0.1]
            if r.random() < 0.7:
                message["messageId"] = "%s-%d" % (user, r.getrandbits(40))
            arrival = self._date(message, at)
            found.append((arrival, topic, user, message))
            if "messageId" in message and r.random() < 0.04:
                found.append(self._again(arrival, topic, user, message))
            at += self._pause()
        return found[:count]

    def _again(self, arrival, topic, user, message):
        """The same message once more; now and then it is no duplicate."""
        kind = self.random.random()
        if kind < 0.1:  # From another topic.
            return arrival + MINUTE_MS, TOPICS[topic == TOPICS[0]], user, message
        if kind < 0.2:  # More than a day later: another one with the old id.
            at = arrival + DAY_MS + self.random.randrange(-1000, 6 * HOUR_MS)
            return at, topic, user, {**message, "timestamp": at}
        return arrival + self.random.choice((0, 1, MINUTE_MS, 3 * HOUR_MS)), topic, user, message

    def _date(self, message, at):
        """Give MESSAGE its timestamp; when it arrives."""
        r, kind = self.random, self.random.random()
        if kind < 0.02:
            return at  # No timestamp.
        if kind < 0.03:
            message["timestamp"] = r.choice(("yesterday", [], True, "2025-02-30"))
            return at
        if kind < 0.05:
            message["timestamp"] = records.text_ms(at + r.randrange(2 * HOUR_MS))  # Ahead.
            return at
        message["timestamp"] = records.text_ms(at) if kind < 0.9 else at if kind < 0.95 else at / 1000
        return at + (r.randrange(20 * HOUR_MS) if kind < 0.10 else r.randrange(3000))

    def _pause(self):
        r = self.random
        kind = r.random()
        if kind < 0.06:
            return 0
        if kind < 0.95:
            return int(r.expovariate(1 / (4 * MINUTE_MS))) // 1000 * 1000
        return int(r.expovariate(1 / (1.5 * DAY_MS)))

    def _place(self, arrivals):
        r, ends, rows = self.random, collections.Counter(), []
        for at, topic, user, message in arrivals:
            partition = records.partition_of(user, self.partitions)
            if r.random() < 0.02:
                at -= r.randrange(5000)  # Out of order in its topic.
            rows.append(Row(topic, partition, ends[topic, partition], at, user,
                            json.dumps(message, ensure_ascii=False, separators=(",", ":"))))
            ends[topic, partition] += 1
        return rows

    # ---- what ----------------------------------------------------------------

    def _message(self, user):
        kind = self.random.choices(KINDS, WEIGHTS)[0]
        message = kind(self.random)
        message["userId" if user[-1] != "9" else "anonymousId"] = user
        return message


def _track(event, properties, context=None):
    message = {"type": "track", "event": event, "properties": properties}
    if context:
        message["context"] = context
    return message


def _some(r, **values):
    """Each of VALUES, a list to choose from, most of the time; sometimes null."""
    return {name: None if r.random() < 0.03 else r.choice(choice)
            for name, choice in values.items() if r.random() < 0.85}


def _instant(r):
    """An instant of that month, in one of the forms people write."""
    ms = BASE_MS + r.randrange(-30 * DAY_MS, 40 * DAY_MS)
    return r.choice((ms, ms // 1000, ms / 1000, records.text_ms(ms), records.text_ms(ms)[:10],
                     records.text_ms(ms)[:16].replace("T", " "), records.text_ms(ms)[:19] + "+0200"))


def _device(r):
    return {"device": {"type": r.choice(("ios", "android", "web", "web"))}, "ip": "127.0.0.1"}


def goal(r):
    return _track("Goal Used", {"goal": {"id": "g%d" % r.randrange(5)}, **_some(r, plan_seen=("a", "b"))}, _device(r))


def report(r):
    tags = [t for t in ("finance", "hr", "q1", "q2", "ops") if r.random() < 0.45]
    return _track("Report Exported", {**_some(
        r, format=("pdf", "PDF", "csv", "xlsx"), rows=(5, 10, 11, 150, 200, 200.0, 985, 990, 991, "many", 1e3)),
        "tags": tags if r.random() < 0.9 else "finance"})


def order(r):
    return _track("Order Placed", {**_some(
        r, total=(99.99, 100, 250.5, 300, 300.01, 500, 1200), currency=("EUR", "USD", "GBP", "CHF", 7),
        coupon=("NEW", ""), note=("gift",)), "ships_at": _instant(r), "paid_at": _instant(r)})


def nps(r):
    return _track("NPS Answered", _some(r, score=(0, 3, 6, 6.5, 7, 10), comment=("good", "bad", "")))


def integration(r):
    return _track("Integration " + r.choice(("Connected", "Disconnected")),
                  {"name": r.choice(("slack", "slack", "jira"))}, _device(r))


def app(r):
    return _track("App Opened", _some(r, version=("3.0.0", "4.1.9", "4.2.0", "4.10.0-rc.1", "4.10.0", "v5", "5.0.0+b7")),
                  _device(r))


def beat(r):
    return _track("Heartbeat", {"n": r.randrange(1000), "ok": True})


def signup(r):
    return _track("Signed Up", {})


def demo(r):
    return _track("Demo Requested", {"text": "Stra\u00dfe \U0001f600 \"quoted\" \\ \n"})


def page(r):
    return {"type": "page", "name": r.choice(("Docs", "Pricing", "Home")), "context": _device(r), "properties": _some(
        r, path=("/docs/a", "/pricing", "/pricing/eu", "/files/x.pdf", "/stra\u00dfe/7", "/home"), plan_seen=("a",))}


def screen(r):
    return {"type": "screen", "name": r.choice(("Settings", "App Set-ings 2", "Home")), "properties": {},
            "context": _device(r)}


def identify(r):
    traits = _some(
        r, plan=("free", "pro", "trial"), seats=(1, 3, 10, 10.5, 50, 51, 2 ** 53 + 1), title=("CFO", "VP Finance", "Dev"),
        email=("kim@example.com", "ana@ACME.example"), app_version=("3.0.0", "4.1.9", "4.10.0", "4.9.0", "5.0.0", "x"),
        beta=(True, False, "true"), country=("AT", "US", "JP"), first_seen=({"source": "ad"}, {"source": None}, 5))
    for name in ("trial_ends_at", "created_at", "renewed_at"):
        if r.random() < 0.5:
            traits[name] = _instant(r) if r.random() < 0.9 else r.choice((None, "2025-01-10", "soon"))
    if r.random() < 0.4:
        traits["roles"] = r.sample(("owner", "admin", "viewer", "editor"), r.randrange(4))
    if r.random() < 0.1:
        traits["odd name"] = r.choice(("xyz", "x", "y"))
    return {"type": "identify", "traits": traits}


def group(r):
    traits = _some(r, industry=("healthcare", "retail"), seats=(5, 20, 300),
                   integrations=(["slack", "jira"], ["slack"], ["jira", "slack", "x"], []))
    if r.random() < 0.5:
        traits["renews_at"] = _instant(r)
    return {"type": "group", "groupId": "acme-%d" % r.randrange(3), "traits": traits}


KINDS, WEIGHTS = zip(*[(beat, 260), (goal, 22), (report, 15), (order, 9), (nps, 5), (integration, 6), (app, 7), (signup, 2), (demo, 3),
                       (page, 13), (screen, 6), (identify, 13), (group, 6)])
