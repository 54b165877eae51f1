"""wire.py: requests to a broker byte by byte, those that the Python client of this
Debian does not know."""

import socket
import struct

import suite
from cluster import until


# Resources, operations, verdicts of a broker that has an authorizer.
TOPIC, GROUP, TRANSACTIONAL_ID, LITERAL = 2, 3, 5, 3
ANY, ALL, READ, WRITE, DENY, ALLOW = 1, 2, 3, 4, 2, 3


class Protocol:
    """One broker, at HOST:PORT."""

    def __init__(self, address):
        self.host, self.port = address.split(":")

    def delete_records(self, topic, partition, before):
        place = self._topics([(topic, struct.pack(">iq", partition, before))])
        answer = self._ask(21, place + struct.pack(">i", 10000))
        suite.equal(struct.unpack(">h", answer[-2:]), (0,), "DeleteRecords")

    def delete_group(self, group):
        answer = self._ask(42, struct.pack(">i", 1) + self._text(group))
        suite.equal(struct.unpack(">h", answer[-2:]), (0,), "DeleteGroups")

    def delete_offset(self, group, topic, partition):
        answer = self._ask(47, self._text(group) + self._topics([(topic, struct.pack(">i", partition))]))
        suite.equal((answer[:2], answer[-2:]), (b"\0\0", b"\0\0"), "OffsetDelete")

    def metadata(self, group, topic, partition):
        """What stands beside the committed offset."""
        answer = self._ask(9, self._text(group) + self._topics([(topic, struct.pack(">i", partition))]), version=1)
        at = 4 + 2 + len(topic) + 4 + 4 + 8
        size, = struct.unpack(">h", answer[at:at + 2])
        return answer[at + 2:at + 2 + size].decode()

    def commit(self, group, topic, partition, offset, metadata):
        """As a tool does that is no member of the group."""
        place = self._topics([(topic, struct.pack(">iq", partition, offset) + self._text(metadata))])
        nobody = struct.pack(">i", -1) + self._text("") + struct.pack(">q", -1)
        answer = self._ask(8, self._text(group) + nobody + place, version=2)
        suite.equal(answer[-2:], b"\0\0", "OffsetCommit")

    def members(self, group):
        """{client id: member id}."""
        answer = self._ask(15, struct.pack(">i", 1) + self._text(group))
        at = 6

        def take(form):
            nonlocal at
            size, = struct.unpack_from(form, answer, at)
            at += struct.calcsize(form) + size
            return answer[at - size:at]

        for _ in range(4):  # Group, state, type of protocol, protocol.
            take(">h")
        count, = struct.unpack_from(">i", answer, at)
        at, found = at + 4, {}
        for _ in range(count):
            member, client, _ = (take(">h").decode() for _ in range(3))
            found[client] = member
            take(">i"), take(">i")  # What it told the leader, and was told.
        return found

    def remove_member(self, group, member):
        """As if MEMBER had left."""
        answer = self._ask(13, self._text(group) + self._text(member), version=1)
        suite.equal(answer[-2:], b"\0\0", "LeaveGroup")

    def coordinator(self, kind, name):
        """The number of the broker that coordinates a group (KIND 0) or a
        transactional id (1); it must exist."""
        def asked():
            answer = self._ask(10, self._text(name) + struct.pack(">b", kind), version=1)
            error, size = struct.unpack_from(">hh", answer, 4)  # Behind the throttle time.
            return struct.unpack_from(">i", answer, 8 + max(size, 0))[0] if not error else None
        return until(asked, "the coordinator of " + name)

    def forbid(self, kind, name, operation):
        """Nobody may do OPERATION to the resource NAME any more; everything else that
        was allowed without a rule stays so."""
        rules = [(name, ALL, ALLOW), (name, operation, DENY)]
        answer = self._ask(30, struct.pack(">i", len(rules)) + b"".join(
            struct.pack(">b", kind) + self._text(name) + struct.pack(">b", LITERAL) + self._text("User:*") +
            self._text("*") + struct.pack(">bb", what, verdict) for name, what, verdict in rules), version=1)
        suite.equal(struct.unpack_from(">ih", answer, 4) + struct.unpack(">h", answer[-4:-2]), (2, 0, 0), "CreateAcls")

    def allow_again(self, kind, name):
        """There are no rules about NAME any more."""
        anybody = struct.pack(">hhbb", -1, -1, ANY, ANY)
        answer = self._ask(31, struct.pack(">ib", 1, kind) + self._text(name) + struct.pack(">b", LITERAL) + anybody,
                           version=1)
        suite.equal(struct.unpack_from(">ih", answer, 4), (1, 0), "DeleteAcls")

    def _ask(self, key, body, version=0):
        """The body of the answer to a request."""
        with socket.create_connection((self.host, int(self.port)), 10) as connection:
            message = struct.pack(">hhi", key, version, 1) + self._text("test") + body
            connection.sendall(struct.pack(">i", len(message)) + message)
            stream = connection.makefile("rb")
            size, = struct.unpack(">i", stream.read(4))
            return stream.read(size)[4:]

    def _topics(self, rows):
        return struct.pack(">i", len(rows)) + b"".join(self._text(t) + struct.pack(">i", 1) + p for t, p in rows)

    @staticmethod
    def _text(text):
        return struct.pack(">h", len(text)) + text.encode()
