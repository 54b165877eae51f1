"""state.py: the state topic, read by a reader that shares nothing with the engine.

Of a user record the head is read, and his memberships; of the meta record where the
redo begins.  That is enough to say that the state topic and what must be read again
after a crash give the truth together: what a record holds was true when it was
written, and everything that happened later stands behind the places from which the
meta record has it read again (lib/engine/snapshot.h, daemon/protocol/meta.h)."""

import collections
import itertools
import struct

import past
import suite

META, USER = b"\0", b"\1"  # Keys: the whole one, the first byte.
MEMBERS = 1                 # The tag of the section.

User = collections.namedtuple("User", "positions seq members")
Meta = collections.namedtuple("Meta", "redo changes")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        found, = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return found

    def number(self):
        """LEB128."""
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def text(self, size, encoding="utf-8"):
        self.at += size
        return self.data[self.at - size:self.at].decode(encoding)

    def skip(self, form):
        self.at += struct.calcsize(form)

    def mark(self):
        """The position of a meta_mark."""
        position = self.take("q")
        self.skip("<qqQ")
        return position


def read_user(value):
    """A User whose positions are by the hash of the topic's name, his members by
    that of the segment's."""
    reader = Reader(value)
    reader.take("B")
    reader.text(reader.number())
    positions = {reader.take("Q"): reader.take("q") for _ in range(reader.take("B"))}
    reader.take("B")
    reader.number()  # Birth.
    seq = reader.number()
    reader.number()  # Of triggers.
    reader.skip("<qq")
    reader.number()  # Epoch.
    members = {}
    if reader.take("B") == MEMBERS:
        members = {reader.take("Q"): reader.take("q") for _ in range(reader.number())}
    return User(positions, seq, members)


def read_meta(value):
    reader = Reader(value)
    reader.skip("<BBQQqQ8sq")
    redo = {}
    for _ in range(reader.take("H")):
        topic = reader.text(reader.take("H"))
        reader.take("q")
        redo[topic] = reader.mark()
        reader.text((reader.take("H") + 7) // 8, "latin1")
    outputs = []
    for _ in range(reader.take("B")):
        outputs.append(reader.mark())
        reader.skip("<QI")
    return Meta(redo, outputs[0])


class State:
    """The state topic of one application, all of RECORDS."""

    def __init__(self, records):
        self.metas, self.users = {}, {}
        for record in records:
            if record.key == META:
                self.metas[record.partition] = read_meta(record.value)
            elif record.key[:1] == USER:
                user = record.key[1:].decode()
                self.users.pop(user, None)
                if record.value:
                    self.users[user] = read_user(record.value)
        self.segments = {}  # {hash: key}, as the records show it.

    def agrees(self, changes, places, rows, partition_of):
        """CHANGES are {user: [Change]}, PLACES their offsets, ROWS what was read,
        by user, without what counts for nothing."""
        for user, mine in changes.items():
            record, partition = self.users.get(user), partition_of(user)
            seq = record.seq if record else 0
            suite.equal(seq <= len(mine), True, "state of %s: seq %d, he has %d changes" % (user, seq, len(mine)))
            if record:
                self._same_members(user, record.members, past.folded(mine[:seq]))
            behind = [at for at in places[user][seq:] if at < self.metas[partition].changes]
            suite.equal(behind, [], "changes of %s after seq %d that no restore reads again" % (user, seq))
        self._nothing_is_lost(rows, partition_of)

    def _same_members(self, user, members, want):
        """MEMBERS are named by hashes; which is which must be the same for all."""
        suite.equal(sorted(members.values()), sorted(want.values()), "state of %s: entered_at, %s" % (user, want))
        for digest, at in members.items():
            known = self.segments.get(digest)
            if known:
                suite.equal(want.get(known), at, "state of %s: %s" % (user, known))
                continue
            possible = [key for key, ms in want.items() if ms == at and key not in self.segments.values()]
            if len(possible) == 1:
                self.segments[digest] = possible[0]

    def _nothing_is_lost(self, rows, partition_of):
        """What is in no user record stands behind the redo."""
        topics = sorted({topic for meta in self.metas.values() for topic in meta.redo})
        digests = sorted({digest for user in self.users.values() for digest in user.positions})
        wrong = []
        for order in itertools.permutations(digests, min(len(digests), len(topics))):
            wrong = list(self._lost(rows, partition_of, dict(zip(topics, order))))
            if not wrong:
                return
        suite.equal(wrong[:3], [], "%d events are in no record of the state and before the redo" % len(wrong))

    def _lost(self, rows, partition_of, names):
        for user, mine in rows.items():
            record, meta = self.users.get(user), self.metas[partition_of(user)]
            for row in mine:
                folded = record.positions.get(names.get(row.topic), 0) if record else 0
                if folded <= row.offset < meta.redo[row.topic]:
                    yield row, folded, meta.redo[row.topic]
