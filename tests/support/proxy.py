"""proxy.py: a TCP proxy that a test puts between segmentd and Kafka or Redis, to
do to the network between them what networks do.

    with Proxy(redis.address) as proxy:       # proxy.address is for segmentd
        proxy.delay(0.2)                      # each way; rules hold until heal()
        proxy.rate(1e6 / 8)                   # bytes per second, of all connections
        proxy.lose(UP)                        # nothing of this way arrives
        proxy.refuse()                        # nobody listens any more
        proxy.cut(); proxy.reset()            # end all connections: FIN, RST
        proxy.heal()                          # no rules; what lost bytes is reset

With frames=True it knows where requests and answers of Kafka begin, counts both by
their kind, and can keep one back:

        held = proxy.hold(END_TXN)            # the next one
        held.wait_taken()
        held.wait_abandoned()                 # the client has closed its connection
        held.deliver()                        # only now it reaches the broker
        held.wait_answered()                  # held.error: what the broker said

What comes after a held request on the same connection waits behind it, as it would
behind packets that are late; other connections do not. A client that goes does not
take what it sent along: neither held nor delayed bytes are lost.

Proxied is a broker that tells clients the address of its proxy.

It runs in a thread of its own. One pump for each way of a connection reads pieces,
gives each the instant at which it is due, and a second task writes them then:

    socket -> read -> [queue of (due, bytes)] -> wait for due, rate; lose? -> socket
"""

import asyncio
import collections
import contextlib
import os
import socket
import struct
import threading
import time

from cluster import HOST, Kafka, free_port, until

UP, DOWN = "up", "down"  # From the client to the server, and back.
# Kinds of requests of Kafka, by their api keys.
PRODUCE, HEARTBEAT, INIT_PRODUCER_ID, END_TXN, TXN_OFFSET_COMMIT = 0, 12, 22, 26, 28
PIECE, PIECES = 1 << 16, 512
# A limited rate is kept over slices so long.
SLICE_S = 0.02


class Held:
    """A request that is kept back."""

    def __init__(self, proxy, kind):
        self.proxy, self.kind, self.go = proxy, kind, asyncio.Event()
        self.version, self.correlation, self.connection = None, None, None
        self.answer = None  # Bytes behind the correlation id.

    def take(self, connection, request):
        _, self.version, self.correlation = struct.unpack_from(">hhi", request, 4)
        self.connection, connection.held = connection, self

    def wait_taken(self, timeout=30):
        until(lambda: self.connection, "a request of kind %d comes" % self.kind, timeout)

    def wait_abandoned(self, timeout=60):
        """Until the client has given up its connection."""
        until(lambda: self.connection.client_left, "the connection of a held request is closed", timeout)

    def deliver(self):
        """Let it go on its way."""
        self.proxy._do(self.go.set)

    def wait_answered(self, timeout=30):
        until(lambda: self.answer is not None, "a held request is answered", timeout)

    @property
    def error(self):
        """The error code of an answer to EndTxn, or the first one in an answer to
        TxnOffsetCommit; both since version 3 with a byte in front of the throttle
        time, and then with shorter counts."""
        flexible = self.version >= 3
        at = 4 + flexible
        if self.kind == TXN_OFFSET_COMMIT and flexible:
            at += 1 + self.answer[at + 1] + 1 + 4
        elif self.kind == TXN_OFFSET_COMMIT:
            at += 4 + 2 + struct.unpack_from(">h", self.answer, at + 4)[0] + 4 + 4
        return struct.unpack_from(">h", self.answer, at)[0]


class _Connection:
    """Two pairs of (reader, writer), and what became of them."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.client_left = self.is_broken = False  # Broken: bytes of it were lost.
        self.held = None                           # Until its answer.
        self.asked = {}                            # {correlation: kind} without an answer.
        for _, writer in client, server:
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ends(self, way):
        """(reader, writer) of one WAY."""
        return (self.client[0], self.server[1]) if way == UP else (self.server[0], self.client[1])

    def close(self):
        for _, writer in self.client, self.server:
            writer.close()

    def reset(self):
        for _, writer in self.client, self.server:
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Proxy:
    """Listens at `address` while the block is running, connects to TARGET."""

    def __init__(self, target, frames=False):
        self.target, self.frames, self.port = target, frames, free_port()
        self.address = "%s:%d" % (HOST, self.port)
        self.requests, self.answers = collections.Counter(), collections.Counter()  # By kind.
        self._connections, self._holds, self._server = set(), [], None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._no_rules()

    def _no_rules(self):
        self._delay_s = dict.fromkeys((UP, DOWN), 0)
        self._rate, self._free_at = None, dict.fromkeys((UP, DOWN), 0)
        self._lost = set()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        self.stop()

    def start(self):
        self._thread.start()
        self._do(self._listen)
        return self

    def stop(self):
        if self._thread.is_alive():
            self._do(self._end)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    # ---- rules -------------------------------------------------------------------

    def delay(self, seconds, ways=(UP, DOWN)):
        """What is read from now on arrives SECONDS later."""
        self._do(self._delay_s.update, dict.fromkeys(ways, seconds))

    def rate(self, bytes_per_s):
        """So many bytes a second go each way, of all connections together."""
        self._rate = bytes_per_s

    def lose(self, way):
        """Nothing of WAY arrives, the end of a connection neither."""
        self._do(self._lost.add, way)

    def refuse(self):
        """Whoever connects is refused; who is connected stays so."""
        self._do(self._deafen)

    def cut(self):
        """Close all connections. How many there were."""
        return self._do(self._end_all, _Connection.close)

    def reset(self):
        """RST to both ends of all connections. How many there were."""
        return self._do(self._end_all, _Connection.reset)

    def hold(self, kind):
        """Keep back the next request of KIND that nobody else wants to hold."""
        assert self.frames
        held = Held(self, kind)
        self._do(self._holds.append, held)
        return held

    def heal(self):
        """No rules any more. What is held stays so."""
        self._do(self._heal)

    # ---- in the thread of the proxy ------------------------------------------------

    def _do(self, call, *arguments):
        """What CALL returns, called (and awaited) in the thread of the proxy."""
        async def run():
            result = call(*arguments)
            return await result if asyncio.iscoroutine(result) else result
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    async def _listen(self):
        if not self._server:
            self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=PIECE)

    def _deafen(self):
        if self._server:
            self._server.close()
        self._server = None

    def _end_all(self, how):
        mine = list(self._connections)
        for connection in mine:
            how(connection)
        return len(mine)

    async def _heal(self):
        self._no_rules()
        await self._listen()
        for connection in self._connections:
            if connection.is_broken:
                connection.reset()

    async def _end(self):
        self._deafen()
        self._end_all(_Connection.reset)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, *client):
        host, port = self.target.split(":")
        try:
            server = await asyncio.open_connection(host, int(port), limit=PIECE)
        except OSError:
            client[1].transport.abort()
            return
        connection = _Connection(client, server)
        self._connections.add(connection)
        try:
            await asyncio.gather(self._pump(connection, UP), self._pump(connection, DOWN))
        finally:
            connection.close()
            self._connections.discard(connection)

    async def _pump(self, connection, way):
        """Everything of one WAY, and at last its end, also if that is a reset."""
        queue = asyncio.Queue(PIECES)
        writing = asyncio.ensure_future(self._write(connection, way, queue))
        reader, _ = connection.ends(way)
        try:
            while piece := await self._read(reader):
                held = self._watch(connection, way, piece) if self.frames else None
                await queue.put((time.monotonic() + self._delay_s[way], piece, held))
        except OSError:
            pass
        connection.client_left |= way == UP
        await queue.put((time.monotonic() + self._delay_s[way], None, None))
        await writing

    async def _read(self, reader):
        """A frame with the four bytes of its size, or what there is; None at the end."""
        if not self.frames:
            return await reader.read(PIECE)
        try:
            size = await reader.readexactly(4)
            return size + await reader.readexactly(*struct.unpack(">i", size))
        except asyncio.IncompleteReadError:
            return None

    def _watch(self, connection, way, frame):
        """The Held that FRAME is to be; an answer may be that to one."""
        if way == DOWN:
            held = connection.held
            correlation, = struct.unpack_from(">i", frame, 4)
            self.answers[connection.asked.pop(correlation, None)] += 1
            if held and correlation == held.correlation:
                held.answer, connection.held = frame[8:], None
            return None
        kind, _, correlation = struct.unpack_from(">hhi", frame, 4)
        connection.asked[correlation] = kind
        self.requests[kind] += 1
        held = next((h for h in self._holds if h.kind == kind), None)
        if held:
            self._holds.remove(held)
            held.take(connection, frame)
        return held

    async def _write(self, connection, way, queue):
        """Each piece when it is due. When nobody is there any more, nowhere: what
        comes the other way has to be read on."""
        _, writer = connection.ends(way)
        piece, is_gone = b"", False
        while piece is not None:
            due, piece, held = await queue.get()
            await asyncio.sleep(due - time.monotonic())
            if held:
                await held.go.wait()
            if way in self._lost:
                connection.is_broken = True
            elif not is_gone:
                try:
                    await self._write_piece(writer, way, piece)
                except OSError:
                    is_gone = True

    async def _write_piece(self, writer, way, piece):
        if piece is None:
            writer.write_eof()
            return
        while self._rate and piece:
            part = piece[:max(1, int(self._rate * SLICE_S))]
            self._free_at[way] = max(time.monotonic(), self._free_at[way]) + len(part) / self._rate
            await asyncio.sleep(self._free_at[way] - time.monotonic())
            writer.write(part)
            piece = piece[len(part):]
        writer.write(piece)
        await writer.drain()


class Proxied(Kafka):
    """A broker that is also behind PROXIES: for each it has a listener, at which it
    says that it is to be found at the proxy. `address` is the way around them."""

    def __init__(self, name, folder, settings, proxies=1):
        super().__init__(name, folder, settings)
        doors = ["%s:%d" % (HOST, free_port()) for _ in range(proxies)]
        self.proxies = [Proxy(door, frames=True).start() for door in doors]
        names = ["PROXIED%d" % n for n in range(proxies)]
        self.set({
            "listeners": ",".join([
                "PLAINTEXT://" + self.address, "CONTROLLER://" + self.control, *("%s://%s" % door for door in zip(names, doors))]),
            "advertised.listeners": ",".join([
                "PLAINTEXT://" + self.address, *("%s://%s" % (name, proxy.address)
                                                 for name, proxy in zip(names, self.proxies))]),
            "listener.security.protocol.map": ",".join(
                name + ":PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *names)),
            "inter.broker.listener.name": "PLAINTEXT",
        })


def behind(servers, proxies=1, name="kafka", **settings):
    """A started Proxied of SERVERS (cluster.Cluster)."""
    return servers._own(Proxied(name, servers.folder, {k.replace("_", "."): v for k, v in settings.items()}, proxies))
