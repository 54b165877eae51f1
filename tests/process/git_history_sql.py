#!/usr/bin/python3
"""Twenty years of real behaviour: `segmentctl replay` and an independent
computation in SQL (tests/support/git_history.py) must list the same changes."""

import collections
import gzip
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import git_history
import suite


class Both:
    def __init__(self, folder):
        self.want, self.coarse = git_history.expected()
        self.lines = git_history.replay(folder)
        self.got, self.seqs = collections.defaultdict(list), collections.defaultdict(list)
        for line in self.lines:
            found = git_history.change_of(line)
            if found:
                user, change, seq = found
                self.got[user].append(change)
                self.seqs[user].append(seq)


def the_history_makes_things_happen(both):
    counts = collections.Counter((c.segment, c.member) for changes in both.want.values() for c in changes)
    suite.equal(len({segment for segment, _ in counts}), 12)
    for segment in sorted({segment for segment, _ in counts}):
        entered, exited = counts[segment, True], counts[segment, False]
        print("         %-16s %5d entered %5d exited" % (segment, entered, exited))
        if entered < 40 or exited < 40:
            raise AssertionError("too little happens in " + segment)
    for segment, users in both.coarse.items():
        print("         %s: %d people beyond the exact limit are compared within the stated error"
              % (segment, len(users)))
        assert 1 <= len(users) <= 100, segment


def replay_and_sql_list_the_same_changes(both):
    wrong = git_history.differences(both.got, both.want, both.coarse)
    if wrong:
        raise AssertionError("%d of %d people differ, the first:\n%s" % (len(wrong), len(both.want), "\n".join(wrong[:5])))


def a_wrong_list_would_be_seen(both):
    user = next(u for u, c in sorted(both.want.items()) if u not in set().union(*both.coarse.values()) and len(c) > 3)
    good = both.want[user]
    later = [good[0], good[1]._replace(at_ms=good[1].at_ms + 1), *good[2:]]
    for name, bad in [("missing", good[1:]), ("1 ms late", later), ("twice", good + good[-1:]),
                      ("turned", [c._replace(member=not c.member) for c in good])]:
        if not git_history.differences({user: bad}, {user: good}, both.coarse):
            raise AssertionError("not seen: " + name)
    suite.equal(git_history.differences({user: good}, {user: good}, both.coarse), [])
    for segment, users in both.coarse.items():
        user = min(users)
        moved = [c._replace(at_ms=c.at_ms + 4 * git_history.PAIRS_IN_DAYS[segment] * git_history.DAY_MS // 64)
                 if c.segment == segment else c for c in both.want[user]]
        if not git_history.differences({user: sorted(moved, key=lambda c: c.at_ms)}, {user: both.want[user]},
                                       both.coarse):
            raise AssertionError("not seen: later than the stated error of " + segment)


def seq_counts_every_change_of_a_user(both):
    for user, seqs in both.seqs.items():
        suite.equal(seqs, list(range(seqs[0], seqs[0] + len(seqs))), user)


def message_ids_are_never_used_twice(both):
    ids = [json.loads(line)["messageId"] for line in both.lines]
    suite.equal(len(set(ids)), len(ids))


def the_source_is_the_line_that_decided(both):
    with gzip.open(git_history.EVENTS) as lines:
        users = [json.loads(line)["userId"] for line in lines]
    for line in both.lines:
        change = json.loads(line)
        if change["properties"].get("cause") == "event":
            source = change["context"]["source"]
            suite.equal((source["topic"], source["partition"]), ("git-history.ndjson", 0))
            suite.equal(users[source["offset"]], change["userId"], line)


with tempfile.TemporaryDirectory(prefix="segmentd-test-") as place:
    code = suite.run(Both(place), [
        the_history_makes_things_happen,
        replay_and_sql_list_the_same_changes,
        a_wrong_list_would_be_seen,
        seq_counts_every_change_of_a_user,
        message_ids_are_never_used_twice,
        the_source_is_the_line_that_decided,
    ])
sys.exit(code)
