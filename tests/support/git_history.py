"""git_history.py: who enters and leaves the segments of tests/data/git-history.seg
and when, computed a second time, by SQL that shares nothing with segmentd.

The idea.  Most of these conditions turn on a sorted list of instants per person,
so that an entry or exit is a matter of comparing an event with the one k - 1
before it and the next one: no state, no timers.  Each condition becomes a table
of *steps* (user, at, seq, delta): at instant `at` it became true (delta 1) or
false (-1); seq is the message that did it, or -1 for a timer, which therefore
sorts before every message of the same instant (a user's timers due at or before
a message have fired before it is applied).  A condition made of two others adds
their deltas up in that order and looks for the moments when the combined truth
turns; so do sums, averages and counts of distinct values, whose every event is
added when it comes and taken away when it is as old as the window.

Edges: `in W` counts ages 0 <= a < W, so the k-th newest event e leaves at e + W
exactly, and a message of that same instant finds it gone.
"""

import bisect
import collections
import gzip
import itertools
import json
import os
import shutil
import sqlite3
import subprocess

import cluster
import records
import schema

DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")
EVENTS = os.path.join(DATA, "git-history.ndjson.gz")
SEGMENTS = os.path.join(DATA, "git-history.seg")
UNTIL = "2028-12-31T00:00:00.000Z"  # 730 days after the last message have passed
DAY_MS = 86400000
# Of a two-ended window, a sum or an average so many pairs are kept one by one;
# beyond, its edges are early or late by up to 1/64 of it: the days of that window.
EXACT_PAIRS = 256
PAIRS_IN_DAYS = {"lapsed": 730, "heavy_writers": 30, "small_steps": 90}
# What holds of the sum and the number of pairs in such a window, and of the number
# of events in the one that is meant: up to 256 are counted exactly at any rate.
HOLDS = {"heavy_writers": lambda total, pairs, events: total > 5000,
         "small_steps": lambda total, pairs, events: total < 20 * pairs and events >= 5}

Change = collections.namedtuple("Change", "segment member at_ms")

TABLES = """
create table line (seq integer primary key, body text);
create table message (seq integer primary key, user text, at integer, type text, event text, domain text,
                      has_domain integer, subsystem text, kind text, insertions integer);
create table step (condition text, user text, at integer, seq integer, delta integer);
create view step_of as select condition, user, at, seq, sum(delta) as delta from step group by 1, 2, 3, 4;
"""

LOAD = """
insert into message
select seq, coalesce(json_extract(body, '$.userId'), json_extract(body, '$.anonymousId')),
       unixepoch(substr(json_extract(body, '$.timestamp'), 1, 19)) * 1000
           + cast(substr(json_extract(body, '$.timestamp'), 21, 3) as integer),
       json_extract(body, '$.type'), json_extract(body, '$.event'),
       json_extract(body, '$.traits.domain'), json_type(body, '$.traits.domain') is not null,
       json_extract(body, '$.properties.subsystem'), json_extract(body, '$.properties.kind'),
       json_extract(body, '$.properties.insertions')
from line
"""

# "did E at least K times in W": the event K - 1 before decides.  True after this
# event until that one is W old, unless a later event comes before then.
AT_LEAST = """
with selected as (
    select user, seq, at,
           lag(at, :times - 1) over per_user + :window as expires,
           lead(at) over per_user as next_at
    from message where type = 'track' and {where}
    window per_user as (partition by user order by seq)
), judged as (
    select *, expires > at as holds,
           lag(expires) over (partition by user order by seq) > at as held
    from selected
)
insert into step
select :condition, user, at, seq, 1 from judged where holds and held is not true
union all
select :condition, user, expires, -1, -1 from judged
where holds and expires <= coalesce(next_at, :until) and expires <= :until
"""

# "did E exactly 1 times": from the first to the second.
ONCE = """
with numbered as (
    select user, at, seq, row_number() over (partition by user order by seq) as n
    from message where type = 'track' and {where}
)
insert into step select :condition, user, at, seq, case n when 1 then 1 else -1 end from numbered where n <= 2
"""

# "did E at least 3 times from 730d to 365d ago and did not E in 365d": true a
# year after the last event, if the one two before it is younger than two years
# then; until that one is two years old, or an event comes.
LAPSED = """
with selected as (
    select user, seq, at,
           at + :year as enters,
           lag(at, 2) over per_user + 2 * :year as expires,
           lead(at) over per_user as next_at, lead(seq) over per_user as next_seq
    from message where type = 'track' and {where}
    window per_user as (partition by user order by seq)
), spell as (
    select * from selected
    where enters < expires and enters <= coalesce(next_at, :until) and enters <= :until
)
insert into step
select :condition, user, enters, -1, 1 from spell
union all
select :condition, user, expires, -1, -1 from spell where expires <= coalesce(next_at, :until) and expires <= :until
union all
select :condition, user, next_at, next_seq, -1 from spell where next_at < expires
"""

# "user.domain = D": what the last identify that names it says.
DOMAIN = """
with told as (
    select user, at, seq, domain is :domain as holds,
           coalesce(lag(domain) over (partition by user order by seq) is :domain, 0) as held
    from message where type = 'identify' and has_domain
)
insert into step select :condition, user, at, seq, holds - held from told where holds <> held
"""

# A and B (:b_is 1), or A and not B (:b_is 0).
BOTH = """
with moment as (
    select user, at, seq,
           sum(case condition when :a then delta else 0 end) as da,
           sum(case condition when :b then delta else 0 end) as db
    from step_of where condition in (:a, :b) group by user, at, seq
), truth as (
    select user, at, seq,
           sum(da) over sofar = 1 and sum(db) over sofar = :b_is as holds
    from moment
    window sofar as (partition by user order by at, seq rows unbounded preceding)
), turn as (
    select *, coalesce(lag(holds) over (partition by user order by at, seq), 0) as held from truth
)
insert into step select :condition, user, at, seq, holds - held from turn where holds <> held
"""

# A condition on the sum of a property and the number of events in W.
ADDED_UP = """
with moved as (
    select user, at, seq, insertions as more, 1 as events from message where type = 'track' and {where}
    union all
    select user, at + :window, -1, -insertions, -1 from message
    where type = 'track' and {where} and at + :window <= :until
), moment as (
    select user, at, seq, sum(more) as more, sum(events) as events from moved group by user, at, seq
), level as (
    select user, at, seq, sum(more) over sofar as total, sum(events) over sofar as events from moment
    window sofar as (partition by user order by at, seq rows unbounded preceding)
), truth as (
    select user, at, seq, {holds} as holds from level
), turn as (
    select *, coalesce(lag(holds) over (partition by user order by at, seq), 0) as held from truth
)
insert into step select :condition, user, at, seq, holds - held from turn where holds <> held
"""

# "distinct(E, subsystem) in W >= N": a value is there from an event that has it
# until it is W old, or longer if the value came again before that.
DISTINCT = """
with selected as (
    select user, at, seq, lag(at) over per_value as last_at, lead(at) over per_value as next_at
    from message where type = 'track' and {where} and subsystem is not null
    window per_value as (partition by user, subsystem order by seq)
), moved as (
    select user, at, seq, 1 as more from selected where last_at is null or last_at + :window <= at
    union all
    select user, at + :window, -1, -1 from selected
    where at + :window <= coalesce(next_at, :until) and at + :window <= :until
), moment as (
    select user, at, seq, sum(more) as more from moved group by user, at, seq
), truth as (
    select user, at, seq,
           sum(more) over (partition by user order by at, seq rows unbounded preceding) >= :values as holds
    from moment
), turn as (
    select *, coalesce(lag(holds) over (partition by user order by at, seq), 0) as held from truth
)
insert into step select :condition, user, at, seq, holds - held from turn where holds <> held
"""

COMMIT = "event = 'Commit Authored'"
REVIEW = "event = 'Patch Reviewed' and kind "


def expected(until=UNTIL, path=EVENTS):
    """(changes, coarse): {user: [Change]} with each person's changes in order,
    and {segment: {user whom segmentd may tell it of early or late: his pairs}}."""
    db = sqlite3.connect(":memory:")
    db.executescript(TABLES)
    db.executemany("insert into line values (?, ?)",
                   ((i, line.decode()) for i, (_, _, line) in enumerate(records.events(path))))
    db.execute(LOAD)
    (backwards,), = db.execute("select count(*) from (select at < lag(at) over (order by seq) as b from message) where b")
    assert backwards == 0, "the computation needs messages in order of time"
    until_ms = records.parse_ms(until)

    def at_least(condition, times, days, where):
        db.execute(AT_LEAST.format(where=where), {
            "condition": condition, "times": times, "window": days * DAY_MS, "until": until_ms})

    def added_up(condition, days, holds):
        db.execute(ADDED_UP.format(where=COMMIT, holds=holds), {
            "condition": condition, "window": days * DAY_MS, "until": until_ms})

    def both(condition, a, b, b_is=1):
        db.execute(BOTH, {"condition": condition, "a": a, "b": b, "b_is": b_is})

    at_least("regulars", 10, 90, COMMIT)
    db.execute(ONCE.format(where=COMMIT), {"condition": "newcomers"})
    db.execute(LAPSED.format(where=COMMIT), {"condition": "lapsed", "year": 365 * DAY_MS, "until": until_ms})
    at_least("big_patches", 1, 365, COMMIT + " and insertions >= 1000")
    added_up("heavy_writers", 30, "total > 5000")
    added_up("small_steps", 90, "total < 20 * events and events >= 5")
    db.execute(DISTINCT.format(where="event = 'File Changed'"), {
        "condition": "all_rounders", "values": 5, "window": 365 * DAY_MS, "until": until_ms})
    at_least("documenters", 5, 180, "event = 'File Changed' and subsystem = 'Documentation'")
    at_least("reviewers", 2, 180, REVIEW + "= 'reviewed'")
    at_least("bug_finders", 1, 365, REVIEW + "in ('reported', 'tested')")
    at_least("(committed lately)", 1, 180, COMMIT)
    both("silent_reviewer", "reviewers", "(committed lately)", b_is=0)
    db.execute(DOMAIN, {"condition": "(google)", "domain": "google.com"})
    both("at_google", "regulars", "(google)")

    changes = collections.defaultdict(list)
    for user, condition, delta, at_ms in db.execute(
            "select user, condition, delta, at from step_of where condition not like '(%' and delta <> 0"
            " order by user, at, seq, condition"):
        changes[user].append(Change(condition, delta > 0, at_ms))
    return dict(changes), coarse(db)


def coarse(db):
    """{segment: {user: [(at, insertions)]}} of people with more events in its
    window than are kept one by one."""
    def pairs(user):
        return db.execute("select at, insertions from message where user = ? and type = 'track' and " + COMMIT
                          + " order by seq", (user,)).fetchall()

    return {segment: {user: pairs(user) for user, in db.execute(
        "select distinct user from (select user, at, lag(at, ?) over (partition by user order by seq) as earlier"
        " from message where type = 'track' and " + COMMIT + ") where at - earlier < ?",
        (EXACT_PAIRS, days * DAY_MS)).fetchall()} for segment, days in PAIRS_IN_DAYS.items()}


def replay(folder):
    """The lines that `segmentctl replay` prints for the whole history; they fit the
    schemas."""
    history = os.path.join(folder, "git-history.ndjson")
    with gzip.open(EVENTS) as packed, open(history, "wb") as plain:
        shutil.copyfileobj(packed, plain)
    with open(os.path.join(folder, "changes"), "wb") as out:
        subprocess.run([cluster.binary("segmentctl"), "replay", "--segments", SEGMENTS, "--until", UNTIL, history],
                       stdout=out, check=True)
    with open(out.name, "rb") as changes:
        lines = changes.readlines()
    for line in lines:
        schema.value(line)
    return lines


def change_of(value):
    """(user, Change, seq) of one JSON change of segmentd; None for a trigger."""
    message = json.loads(value)
    if message["event"] not in ("Segment Entered", "Segment Exited"):
        return None
    properties = message["properties"]
    return (message["userId"], Change(properties["segment"], properties["member"],
                                      records.parse_ms(message["timestamp"])), properties["seq"])


def differences(got, changes, coarse_users):
    """What is wrong in GOT ({user: [Change]} in the order they came) as a list
    of text.  Of one instant the order between segments is free, that within a
    segment is not.  A segment of which a user is coarse may be early or late by
    the stated error: `lapsed` may be missing where it would have been shorter
    than that, the others be as any window would have it that is so much longer
    or shorter."""
    wrong = []
    for user in sorted(set(got) | set(changes)):
        have, want = got.get(user, []), changes.get(user, [])
        if any(b.at_ms < a.at_ms for a, b in zip(have, have[1:])):
            wrong.append("%s: at goes backwards: %s" % (user, _text(have)))
        for segment in (s for s in coarse_users if user in coarse_users[s]):
            spells = [[c for c in x if c.segment == segment] for x in (have, want)]
            window = PAIRS_IN_DAYS[segment] * DAY_MS
            if not (_allowed(spells[0], coarse_users[segment][user], window, HOLDS[segment]) if segment in HOLDS
                    else _near(*spells, window // 64)):
                wrong.append("%s: %s beyond the stated error\n  got  %s\n  want %s" % (
                    user, segment, *map(_text, spells)))
            have, want = ([c for c in x if c.segment != segment] for x in (have, want))
        have, want = (sorted(x, key=lambda c: (c.at_ms, c.segment)) for x in (have, want))
        if have != want:
            wrong.append("%s\n  got  %s\n  want %s" % (user, _text(have), _text(want)))
    return wrong


def _near(have, want, error_ms):
    """Do two alternating lists of one segment agree within ERROR_MS?  Each spell
    has its like in the other list, or is shorter than the error."""
    def spells(changes):
        return list(zip(changes[0::2], changes[1::2] + [None]))

    def close(a, b):
        return (a is None) == (b is None) and (a is None or abs(a.at_ms - b.at_ms) <= error_ms)

    def short(spell):
        return spell[1] is not None and spell[1].at_ms - spell[0].at_ms <= error_ms

    def found(mine, others):
        return all(short(s) or any(close(s[0], o[0]) and close(s[1], o[1]) for o in others) for s in mine)

    return found(spells(have), spells(want)) and found(spells(want), spells(have))


def _allowed(have, pairs, window, holds):
    """Is there at every instant a window no more than 1/64 off in which HOLDS of
    the PAIRS is what HAVE says?  It can only turn when one comes, or comes to
    one of the ends between which the window's own may lie."""
    error = window // 64 + 1
    sums = [0, *itertools.accumulate(more for _, more in pairs)]
    times = [at for at, _ in pairs]
    turns = {c.at_ms: c.member for c in have}
    member = False
    for at in sorted({t + d for t in times for d in (0, window - error, window, window + error)} | set(turns)):
        member = turns.get(at, member)
        end = bisect.bisect_right(times, at)
        first, exact, last = (bisect.bisect_right(times, at - window + d) for d in (-error, 0, error))
        if all(holds(sums[end] - sums[i], end - i, end - exact) != member for i in range(first, min(last, end) + 1)):
            return False
    return True


def _text(changes):
    return ", ".join("%s%s %s" % ("+" if c.member else "-", c.segment, records.text_ms(c.at_ms)) for c in changes[:12])
