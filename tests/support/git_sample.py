"""git_sample.py: some two hundred people of the git history, the ten most active
among them, for the catalogue of all constructs (tests/data/git-catalogue.seg).

The history has no lists, no dates and no versions.  What the language can ask of
those is made of what it has: a commit lists the files it changed and names the git
of its day; the first commit of a year tells who somebody has become.

The oracle remembers everything and is cubic in it.  So of somebody who has sent
more than MOST messages those of the first half are his first ones, dense as they
came (beyond the exact limits), the others are taken evenly from all the years
after.  A commit stays together with its files.
"""

import gzip
import json

import git_history
import records

PEOPLE, MOST_ACTIVE = 200, 10
RELEASES = [  # The day, and the version from then on.
    ("2005-01-01", "0.99.0"), ("2005-12-21", "1.0.0"), ("2007-02-14", "1.5.0"), ("2008-08-17", "1.6.0"),
    ("2010-02-13", "1.7.0"), ("2012-10-21", "1.8.0"), ("2014-02-14", "1.9.0"), ("2014-05-28", "2.0.0"),
    ("2016-08-14", "2.10.0-rc0"), ("2016-09-02", "2.10.0"), ("2018-12-09", "2.20.0"), ("2020-12-27", "2.30.0"),
    ("2023-03-13", "2.40.0")]
DAY_MS = git_history.DAY_MS


def sample(most):
    """(people, lines): the ids in order of activity, and the messages in order."""
    deeds = {}  # {user: [[(number, line)]]}: what belongs together.
    with gzip.open(git_history.EVENTS) as lines:
        for number, line in enumerate(lines):
            mine = deeds.setdefault(line.split(b'"userId": "', 1)[1].split(b'"', 1)[0], [])
            if b'"event": "File Changed"' in line:
                mine[-1].append((number, line))
            else:
                mine.append([(number, line)])
    people = chosen({user: sum(map(len, mine)) for user, mine in deeds.items()})
    rows = [row for user in people for row in told(thinned(deeds[user], most))]
    rows.sort(key=lambda row: row[0])
    return [user.decode() for user in people], [json.dumps(message, separators=(",", ":")) for _, message in rows]


def chosen(counts):
    """The most active, and ever fewer of those who did ever less."""
    ranked = sorted(counts, key=lambda user: (-counts[user], user))
    rest, others = PEOPLE - MOST_ACTIVE, len(ranked) - MOST_ACTIVE
    return ranked[:MOST_ACTIVE] + [ranked[MOST_ACTIVE + others * i * i // (rest * rest)] if i > 15
                                   else ranked[MOST_ACTIVE + i] for i in range(rest)]


def thinned(mine, most):
    """At most about MOST messages of the deeds MINE."""
    total, kept, sent = sum(map(len, mine)), [], 0
    if total <= most:
        return mine
    while sent < most // 2:
        kept.append(mine[len(kept)])
        sent += len(kept[-1])
    every = -(-(total - sent) // (most - sent))
    return kept + mine[len(kept)::every]


def told(mine):
    """The messages of one person, with what they lack."""
    year, since, commits, areas = None, None, 0, []
    for deed in mine:
        deed = [(number, json.loads(line)) for number, line in deed]
        (number, message), files = deed[0], [m["properties"] for _, m in deed[1:]]
        if message.get("event") == "Commit Authored":
            message["properties"].update(changes=files[:20], subsystems=sorted({f["subsystem"] for f in files}))
            message["context"]["app"] = {"version": release(message["timestamp"])}
            since, commits = since or message["timestamp"][:10], commits + 1
            areas = (areas + message["properties"]["subsystems"])[-8:]
            if message["timestamp"][:4] != year:
                year = message["timestamp"][:4]
                yield (number, 0), self_told(message, since, commits, areas)
        for number, message in deed:
            yield (number, 1), message


def self_told(message, since, commits, areas):
    """What the author of the commit MESSAGE may say of himself."""
    at_ms = records.parse_ms(message["timestamp"]) + 90 * DAY_MS
    review = [at_ms, at_ms // 1000, records.text_ms(at_ms)][commits % 3]
    return {"type": "identify", "messageId": "y" + message["messageId"][1:], "userId": message["userId"],
            "timestamp": message["timestamp"], "traits": {
                "since": since, "review_at": review, "areas": areas, "files": message["properties"]["changes"],
                "commits": commits, "git": message["context"]["app"], "nickname": "n" if commits % 3 == 0 else None}}


def release(timestamp):
    return max((day, version) for day, version in RELEASES if day <= timestamp[:10])[1]
