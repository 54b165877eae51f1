#!/usr/bin/python3
"""The judges of the fault matrix (tests/fault) see what is wrong: each is shown a small
world that is right, and the same with one thing wrong."""

import collections
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "fault")]
import judge
import past
import records
import state
import suite
import timers

Row = collections.namedtuple("Row", "topic offset")
Record = collections.namedtuple("Record", "partition key value")
AT = 1700000000000
TOPICS, HASHES = ("a", "b"), (17, 18)
SEGMENTS = {"one": 91, "two": 92}


def mark(position):
    return struct.pack("<qqqQ", position, -1, 0, 0)


def meta(redo, changes):
    """A meta record as lib/engine and daemon/protocol/meta.h write it."""
    body = struct.pack("<BBQQqQ8sqH", 2, 1, 5, 7, AT, 3, b"c0ffee00", AT, len(redo))
    for topic, position in redo.items():
        body += struct.pack("<H", len(topic)) + topic.encode() + struct.pack("<q", 99) + mark(position)
        body += struct.pack("<HBB", 11, 255, 7)
    body += b"\3" + b"".join(mark(at) + struct.pack("<QI", 0, 0) for at in (changes, 0, 0))
    return Record(0, state.META, body + struct.pack("<Q", 0))


def user(name, seq, members, positions):
    body = b"\2" + bytes([len(name)]) + name.encode() + bytes([len(positions)])
    body += b"".join(struct.pack("<Qq", *pair) for pair in positions.items())
    body += b"\0" + b"\x85\x01" + bytes([seq, 0]) + struct.pack("<qq", AT, AT) + b"\1"
    body += bytes([1, len(members)]) + b"".join(struct.pack("<Qq", *pair) for pair in members.items()) + b"\0"
    return Record(0, state.USER + name.encode(), body)


def change(segment, member, seq, at=AT, cause="event", source=("a", 3, None)):
    text = records.text_ms(at)
    return judge.Change(segment, member, text, text, seq, cause, source, [])


class World:
    """Ann was written when she was in one; since then she entered two."""

    def __init__(self):
        self.changes = {"ann": [change("one", True, 1), change("two", True, 2, AT + 5)]}
        self.places = {"ann": [10, 40]}
        self.rows = {"ann": [Row("a", 3), Row("a", 8), Row("b", 2)]}
        self.redo, self.fold = {"a": 8, "b": 2}, 40
        self.members, self.positions, self.seq = {SEGMENTS["one"]: AT}, {HASHES[0]: 4, HASHES[1]: 1}, 1

    def judge(self):
        seen = state.State([meta(self.redo, self.fold), user("ann", self.seq, self.members, self.positions)])
        seen.agrees(self.changes, self.places, self.rows, lambda name: 0)


def what_is_right_is_right(nothing):
    World().judge()


def a_state_topic_that_is_wrong_is_seen(nothing):
    def wrong(**what):
        world = World()
        for name, value in what.items():
            setattr(world, name, value)
        suite.raises(AssertionError, world.judge)

    wrong(members={})                         # She was in one when it was written.
    wrong(members={SEGMENTS["one"]: AT + 1})  # Not since then.
    wrong(seq=2)                              # Then she would be in both.
    wrong(seq=3)                              # More than there are.
    wrong(fold=41)                            # Nobody reads her second change again.
    wrong(redo={"a": 9, "b": 2})              # Nor an event of hers.
    wrong(redo={"a": 8, "b": 3})


def two_users_do_not_call_one_segment_by_two_names(nothing):
    def records_of(bob):
        return [meta({"a": 0, "b": 0}, 0), user("ann", 1, {91: AT}, {}), user("bob", 1, {bob: AT}, {})]

    changes = {"ann": [change("one", True, 1)], "bob": [change("two", True, 1)]}
    places = {"ann": [1], "bob": [2]}
    state.State(records_of(92)).agrees(changes, places, {}, lambda name: 0)
    suite.raises(AssertionError, lambda: state.State(records_of(91)).agrees(changes, places, {}, lambda name: 0))


def the_beginning_of_a_history_is_cut_where_it_ends(nothing):
    rows = [past.history.Row("a", 0, offset, AT + offset * 10, "ann", "{}") for offset in range(6)]
    all_of_it = collections.namedtuple("All", "changes triggers memberships dead_letters")(
        {"ann": [change("one", True, 1, source=("a", 2, None)), change("one", False, 2, AT + 35, "timer", None),
                 change("two", True, 3, AT + 50, source=("a", 5, None))]}, {}, {}, {("a", 0, 1): "bad_json", ("a", 0, 4): "x"})
    want = {0: 0, 2: 0, 3: 1, 4: 1, 5: 2, 6: 3}  # Rows: changes.
    for count, changes in want.items():
        found = past.Beginning(all_of_it, rows[:count], 1)
        suite.equal(len(found.changes.get("ann", [])), changes, "%d rows" % count)
        suite.equal(len(found.dead_letters), (count > 1) + (count > 4))
    suite.equal(past.Beginning(all_of_it, rows[:4], 1).memberships, {"ann": {"one": AT}})
    suite.equal(past.Beginning(all_of_it, rows, 1).memberships, {"ann": {"two": AT + 50}})


def who_leaves_too_early_or_late_is_seen(nothing):
    window = timers.WINDOW_MS
    first, second = timers.Event(AT, AT + 5, AT + 9, 0), timers.Event(AT + 30000, AT + 30001, AT + 30005, 1)
    verdict = timers.Verdict.__new__(timers.Verdict)
    verdict.load = collections.namedtuple("Load", "lead_ms")(0)

    def true(what, *events):
        verdict._true("ann", what, list(events))

    def wrong(what, *events):
        suite.raises(AssertionError, lambda: true(what, *events))

    entered = change("recent", True, 1, AT + 6, source=("a", 0, None))
    left = change("recent", False, 2, AT + window, "timer", None)
    true(entered, first)
    true(left, first)
    true(change("quiet", True, 3, AT + window, "timer", None), first)
    true(change("recent", False, 2, AT + 30000 + window, "timer", None), first, second)
    wrong(left, first, second)                                        # He had come back.
    wrong(change("recent", False, 2, AT + window + 1, "timer", None), first)  # Not that instant.
    wrong(change("recent", True, 1, AT - 500, source=("a", 0, None)), first)  # Before it came.
    wrong(change("recent", True, 1, AT + window, source=("a", 0, None)), first)
    wrong(change("quiet", True, 1, AT + 10, source=("a", 0, None)), first)


if __name__ == "__main__":
    sys.exit(suite.run(None, [
        what_is_right_is_right, a_state_topic_that_is_wrong_is_seen, two_users_do_not_call_one_segment_by_two_names,
        the_beginning_of_a_history_is_cut_where_it_ends, who_leaves_too_early_or_late_is_seen]))
