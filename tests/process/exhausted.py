#!/usr/bin/python3
"""What there is only so much of: connections, descriptors, the broker's disk. Events
keep coming meanwhile; segmentd answers with an error, waits, or goes on, and in the
end each user was told of exactly once and nothing was repaired."""

import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import suite
from cluster import HOST, Cluster, until

SEGMENT = 'segment eager { when did "Tried" at least 2 times in 30d }\n'
PARTITIONS = 2
GUESTS = 256  # From daemon/http/guests.h.
FLOOD = 10000


class World:
    def __init__(self, cluster):
        self.cluster = cluster
        self.disk = cluster.path("disk")
        os.mkdir(self.disk)
        self.has_disk = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", self.disk],
                                       stderr=subprocess.DEVNULL).returncode == 0

    def start(self):
        cluster = self.cluster
        self.kafka = cluster.kafka(log_dirs=self.disk)
        os.mkdir(cluster.path("kafka"))  # Lest it be formatted again.
        self.redis = cluster.redis()
        self.kafka.topics.create("in", PARTITIONS)
        self.kafka.topics.create("filler")
        text = conf.text([cluster.path("eager.seg", SEGMENT)], ["in"], self.kafka.address, self.redis.address,
                         workers=2, flush_interval="1s")
        cluster.ctl("topics", "create", "--conf", cluster.path("topics.conf", text))
        self.daemon = cluster.segmentd(text)
        self.daemon.wait_ready()
        self.users = 0

    def close(self):
        if self.has_disk:
            subprocess.run(["umount", "-l", self.disk], check=True)

    def port(self):
        return int(self.daemon.url.rpartition(":")[2])

    def tries(self, count=100):
        """COUNT more users do what it takes."""
        producer = self.kafka.topics.producer(partitioner="murmur2_random")
        for user in range(self.users, self.users + count):
            for n in range(2):
                event = {"type": "track", "userId": "u%d" % user, "event": "Tried", "messageId": "%d-%d" % (user, n)}
                producer.produce("in", json.dumps(event), "u%d" % user)
        producer.flush(30)
        self.users += count

    def all_are_told(self):
        want = sorted("u%d" % n for n in range(self.users))
        told = []

        def is_told():
            told[:] = sorted(json.loads(r.value)["userId"] for r in self.kafka.topics.read("segmentd.changes"))
            return len(told) >= len(want)

        until(is_told, lambda: "%d of %d are told of" % (len(told), len(want)), 60, 0.2)
        suite.equal(told, want)

    def go_on(self):
        self.tries()
        self.all_are_told()


def connect(world):
    link = socket.create_connection((HOST, world.port()), 10)
    link.settimeout(10)
    return link


def ask(world, text):
    """What comes for TEXT until the connection is closed."""
    with connect(world) as link:
        link.sendall(text)
        got = b""
        while True:
            try:
                more = link.recv(65536)
            except ConnectionResetError:
                return got
            if not more:
                return got
            got += more


def status(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


@suite.row(20)
def what_is_too_large_is_an_error(world):
    close = b"Host: h\r\nConnection: close\r\n"
    for text, want in (
            (b"GET /healthz HTTP/1.1\r\n" + close + b"\r\n", 200),
            (b"GET /healthz HTTP/1.1\r\n" + close + b"X: " + b"x" * 20000 + b"\r\n\r\n", 400),
            (b"GET /healthz HTTP/1.1\r\n" + close + b"".join(b"X%d: x\r\n" % n for n in range(5000)) + b"\r\n", 400),
            (b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n" + close + b"\r\n", 400),
            (b"POST /-/reload HTTP/1.1\r\n" + close + b"Content-Length: 99999999\r\n\r\n", 413),
            (b"POST /-/reload HTTP/1.1\r\n" + close + b"Content-Length: -1\r\n\r\n", 400),
            (b"POST /-/reload HTTP/1.1\r\n" + close + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n", 400)):
        suite.equal(status(ask(world, text)), want, text[:60])


def nothing_is_found_outside_the_routes(world):
    for path in ("/..", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/segments/../../metrics", "//metrics",
                 "/metrics/", "/metrics/x", "/metrics%00", "/METRICS", "/v1", "/v1/", "/v1/users", "/v1/segments/eager",
                 "/v1/users/u0/x", "/.git/config", "/proc/self/environ", "/debug/pprof", "/-/quit", "*", "/"):
        text = "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % path
        suite.equal(status(ask(world, text.encode())) in (400, 404), True, path)


def flood(world, count):
    """COUNT connections, begun together. Some never end their request, some never read
    the answer, the others are quiet."""
    ready, links = selectors.DefaultSelector(), []
    for n in range(count):
        links.append(socket.socket())
        links[-1].setblocking(False)
        links[-1].connect_ex((HOST, world.port()))
        ready.register(links[-1], selectors.EVENT_WRITE, n)
    deadline = time.monotonic() + 60
    while ready.get_map():
        for key, _ in ready.select(1):
            ready.unregister(key.fileobj)
            try:
                if key.data % 2 == 0:
                    key.fileobj.send(b"GET /metrics HTTP/1.1\r\n")
                elif key.data % 50 == 1:
                    key.fileobj.send(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
            except OSError:
                pass  # Closed already.
        assert time.monotonic() < deadline, "%d connections are not made" % len(ready.get_map())
    return links


@suite.row(20)
def ten_thousand_connections_are_not_kept(world):
    """Each stays open on this side; whoever asks something then is answered."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = FLOOD if most == resource.RLIM_INFINITY else min(FLOOD, most - 500)
    world.tries()
    before = world.daemon.cpu_s()
    links = flood(world, count)
    suite.equal(world.daemon.running(), True)
    refused = world.daemon.wait_metric("segmentd_http_refused_total", lambda n: n > count / 2)
    suite.equal(world.daemon.metric("segmentd_open_files") < GUESTS + 200, True)
    world.all_are_told()
    for link in links:
        link.close()
    world.daemon.wait_metric("segmentd_http_connections", lambda n: n < 10)
    print("         %d connections, %d of them closed; then %d are left; %.1f s of CPU" % (
        count, refused, world.daemon.metric("segmentd_http_connections"), world.daemon.cpu_s() - before))


@suite.row(20)
def without_descriptors_events_go_on(world):
    """Nothing can be opened any more: connections of HTTP wait, and those of Kafka and
    Redis are held."""
    files = len(os.listdir("/proc/%d/fd" % world.daemon.pid))
    limit = resource.prlimit(world.daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(world.daemon.pid, resource.RLIMIT_NOFILE, (files, limit[1]))
    links = [connect(world) for _ in range(20)]  # The kernel's queue takes them.
    until(lambda: "an HTTP connection could not be accepted" in world.daemon.log(), "that is told")
    before = world.daemon.cpu_s()
    world.go_on()
    world.redis.client().execute_command("CLIENT", "KILL", "TYPE", "normal")
    world.go_on()
    # It neither spins nor floods the log.
    print("         %.1f s of CPU; %d lines" % (world.daemon.cpu_s() - before, world.daemon.log().count("\n")))
    suite.equal(world.daemon.cpu_s() - before < 3, True)
    suite.equal(world.daemon.log().count("Too many open files") < 40, True, world.daemon.log())
    resource.prlimit(world.daemon.pid, resource.RLIMIT_NOFILE, limit)
    until(lambda: answers(world), "HTTP answers again")
    for link in links:
        link.close()
    world.daemon.wait_metric("segmentd_redis_up", lambda up: up == 1)
    until(lambda: world.redis.client().exists("segmentd:user:u%d" % (world.users - 1)), "Redis is current")


def answers(world):
    try:
        return world.daemon.http("/healthz")[0] == 200
    except OSError:
        return False


@suite.row(20)
def a_broker_whose_disk_is_full_is_waited_for(world):
    """It ends, as Kafka does, and comes back when there is room."""
    if not world.has_disk:
        return print("         not root: no disk can be made")
    size = used_bytes(world.disk) + (2 << 20)
    subprocess.run(["mount", "-o", "remount,size=%d" % size, world.disk], check=True)
    world.tries(10)
    producer = world.kafka.topics.producer(**{"message.timeout.ms": 3000})
    until(lambda: fill(producer) or not world.kafka.running(), "the disk is full and the broker ends", 60, 0.05)
    suite.equal((world.daemon.running(), world.daemon.http("/healthz")[0]), (True, 200))
    subprocess.run(["mount", "-o", "remount,size=1g", world.disk], check=True)
    world.kafka.wait(30)
    world.kafka.start()
    world.daemon.wait_ready(120)
    world.go_on()


def used_bytes(path):
    return os.statvfs(path).f_frsize * (os.statvfs(path).f_blocks - os.statvfs(path).f_bfree)


def fill(producer):
    """Some of what nobody reads."""
    for _ in range(64):
        try:
            producer.produce("filler", os.urandom(16000))
        except BufferError:
            break
    producer.poll(0.05)


def nothing_was_repaired(world):
    suite.equal((world.daemon.metric("segmentd_restore_repairs_total"), world.daemon.metric("segmentd_losses_total")),
                (0, 0))
    suite.equal(world.daemon.terminate(), 0)


if __name__ == "__main__":
    with Cluster() as here:
        world = World(here)
        try:
            world.start()
            status_ = suite.run(world, [
                what_is_too_large_is_an_error, nothing_is_found_outside_the_routes,
                ten_thousand_connections_are_not_kept, without_descriptors_events_go_on,
                a_broker_whose_disk_is_full_is_waited_for, nothing_was_repaired])
        finally:
            world.close()
        sys.exit(status_)
