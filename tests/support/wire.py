"""wire.py: requests to a broker byte by byte, those that the Python client of this
Debian does not know."""

import socket
import struct

import suite


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
