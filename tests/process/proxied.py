#!/usr/bin/python3
"""tests/support/proxy.py does what it says: each rule is seen at both ends, by plain
sockets; the server at its other side gives everything back."""

import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import suite
from cluster import HOST, until
from proxy import DOWN, END_TXN, PRODUCE, UP, Proxy

PAYLOAD = os.urandom(1 << 20)
FENCED = 90


class Echo:
    """Gives back what comes. Of each connection: what came, and how it ended."""

    def __init__(self):
        self.listener = socket.create_server((HOST, 0))
        self.address = "%s:%d" % self.listener.getsockname()
        self.links, self.came, self.ended = [], [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            link, _ = self.listener.accept()
            self.links.append(link)
            self.came.append(b"")
            self.ended.append(None)
            threading.Thread(target=self._serve, args=(link, len(self.links) - 1), daemon=True).start()

    def _serve(self, link, n):
        try:
            while piece := link.recv(1 << 16):
                self.came[n] += piece
                link.sendall(self.answer(piece))
            self.ended[n] = "closed"
        except ConnectionResetError:
            self.ended[n] = "reset"
        link.close()

    def answer(self, piece):
        return piece


class Broker(Echo):
    """Answers each frame by its correlation id and what EndTxn (version 1) says to a
    producer whose epoch is old."""

    def answer(self, frame):
        _, _, correlation = struct.unpack_from(">hhi", frame, 4)
        return struct.pack(">iiih", 10, correlation, 0, FENCED)


def request(kind, correlation):
    return struct.pack(">ihhi", 8, kind, 1, correlation)


def connect(proxy):
    host, port = proxy.address.split(":")
    link = socket.create_connection((host, int(port)), 5)
    link.settimeout(5)
    return link


def take(link, size):
    got = b""
    while len(got) < size:
        piece = link.recv(size - len(got))
        assert piece, "closed after %d bytes" % len(got)
        got += piece
    return got


def there_and_back(link, data):
    """Seconds until what was sent is back."""
    began = time.monotonic()
    threading.Thread(target=link.sendall, args=(data,), daemon=True).start()
    suite.equal(take(link, len(data)) == data, True)
    return time.monotonic() - began


def nothing_comes(link, seconds=0.1):
    link.settimeout(seconds)
    suite.raises(TimeoutError, lambda: link.recv(1))
    link.settimeout(5)


def without_rules_all_goes_through(echo):
    with Proxy(echo.address) as proxy, connect(proxy) as link:
        took = there_and_back(link, PAYLOAD)
        link.shutdown(socket.SHUT_WR)
        suite.equal(link.recv(1), b"")
        until(lambda: echo.ended[-1] == "closed", "the server sees the end", 5)
        print("         %.0f MB/s there and back, %.1f ms for a byte" % (
            len(PAYLOAD) / took / 1e6, 1000 * min(_byte(proxy) for _ in range(5))))


def _byte(proxy):
    with connect(proxy) as link:
        return there_and_back(link, b"x")


def a_delay_holds_for_the_ways_it_is_told(echo):
    with Proxy(echo.address) as proxy, connect(proxy) as link:
        for ways, least in ((UP,), 0.1), ((UP, DOWN), 0.2):
            proxy.delay(0.1, ways)
            # It is no limit to how much is under way.
            for data in b"x", PAYLOAD:
                took = there_and_back(link, data)
                assert least <= took < least + 0.3, (ways, len(data), took)
        proxy.heal()
        took = there_and_back(link, b"x")
        assert took < 0.1, took


def a_rate_is_that_of_all_connections_together(echo):
    with Proxy(echo.address) as proxy, connect(proxy) as one, connect(proxy) as two:
        proxy.rate(len(PAYLOAD) * 2)
        began = time.monotonic()
        both = threading.Thread(target=there_and_back, args=(one, PAYLOAD[:len(PAYLOAD) // 2]))
        both.start()
        there_and_back(two, PAYLOAD[:len(PAYLOAD) // 2])
        both.join()
        took = time.monotonic() - began
        assert 0.5 <= took < 0.8, took


def a_cut_closes_and_a_reset_resets_both_ends(echo):
    with Proxy(echo.address) as proxy:
        links = [connect(proxy) for _ in range(2)]
        for link in links:
            there_and_back(link, b"x")
        suite.equal(proxy.cut(), 2)
        suite.equal([link.recv(1) for link in links], [b"", b""])
        until(lambda: echo.ended[-2:] == ["closed"] * 2, "the server sees it", 5)
        link = connect(proxy)
        there_and_back(link, b"x")
        suite.equal(proxy.reset(), 1)
        suite.raises(ConnectionResetError, lambda: link.recv(1))
        until(lambda: echo.ended[-1] == "reset", "the server sees it", 5)


def what_is_lost_of_one_way_is_lost_and_the_other_goes_on(echo):
    with Proxy(echo.address) as proxy:
        for way in UP, DOWN:
            link = connect(proxy)
            there_and_back(link, b"x")
            proxy.lose(way)
            link.sendall(b"lost")
            nothing_comes(link)
            suite.equal(echo.came[-1], b"x" + b"lost" * (way == DOWN))
            if way == UP:
                echo.links[-1].sendall(b"not lost")
                suite.equal(take(link, 8), b"not lost")
            proxy.heal()
            suite.raises(ConnectionResetError, lambda: link.recv(1))
            until(lambda: echo.ended[-1] == "reset", "what lost bytes is reset", 5)
        assert _byte(proxy) < 1


def an_end_is_lost_as_well(echo):
    with Proxy(echo.address) as proxy:
        link = connect(proxy)
        there_and_back(link, b"x")
        proxy.lose(UP)
        link.close()
        with connect(proxy) as other:
            nothing_comes(other)
        suite.equal(echo.ended[-2], None)


def who_is_refused_is_told_and_who_is_connected_stays(echo):
    with Proxy(echo.address) as proxy, connect(proxy) as link:
        there_and_back(link, b"x")
        proxy.refuse()
        suite.raises(ConnectionRefusedError, lambda: connect(proxy))
        there_and_back(link, b"x")
        proxy.heal()
        assert _byte(proxy) < 1


def a_server_that_is_not_there_is_an_end_at_once(echo):
    gone = socket.create_server((HOST, 0))
    address = "%s:%d" % gone.getsockname()
    gone.close()
    with Proxy(address) as proxy, connect(proxy) as link:
        try:
            suite.equal(link.recv(1), b"")
        except ConnectionResetError:
            pass


def a_held_request_arrives_after_its_client_has_gone(echo):
    broker = Broker()
    with Proxy(broker.address, frames=True) as proxy, connect(proxy) as other:
        held, link = proxy.hold(END_TXN), connect(proxy)
        link.sendall(request(PRODUCE, 1))
        suite.equal(take(link, 14), broker.answer(request(PRODUCE, 1)))
        link.sendall(request(END_TXN, 2) + request(PRODUCE, 3))
        held.wait_taken(5)
        nothing_comes(link)
        other.sendall(request(END_TXN, 7))  # Only the next one was to be held.
        suite.equal(take(other, 14), broker.answer(request(END_TXN, 7)))
        suite.equal(held.connection.client_left, False)
        link.close()
        held.wait_abandoned(5)
        suite.equal(request(END_TXN, 2) in broker.came, False)
        suite.equal(sorted(proxy.requests.items()), [(PRODUCE, 2), (END_TXN, 2)])
        held.deliver()
        held.wait_answered(5)
        suite.equal(held.error, FENCED)
        came = request(PRODUCE, 1) + request(END_TXN, 2) + request(PRODUCE, 3)
        until(lambda: came in broker.came, "all of it came in order", 5)


if __name__ == "__main__":
    sys.exit(suite.run(Echo(), [
        without_rules_all_goes_through, a_delay_holds_for_the_ways_it_is_told,
        a_rate_is_that_of_all_connections_together, a_cut_closes_and_a_reset_resets_both_ends,
        what_is_lost_of_one_way_is_lost_and_the_other_goes_on, an_end_is_lost_as_well,
        who_is_refused_is_told_and_who_is_connected_stays, a_server_that_is_not_there_is_an_end_at_once,
        a_held_request_arrives_after_its_client_has_gone]))
