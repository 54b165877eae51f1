#!/usr/bin/python3
"""segmentd as a service: installed, run by the command of its own unit inside the
restrictions of that unit (tests/support/shut_in.py), watched as systemd watches.

The last test has three daemons at one broker. One hangs between two calls of
librdkafka, one inside such a call; then the broker is stopped. Only the first of them
must be given up."""

import itertools
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import suite
from cluster import ROOT, Cluster, Process, Segmentd, free_port, until

SHUT_IN = os.path.join(ROOT, "tests", "support", "shut_in.py")
SEGMENT = 'segment eager { when did "Tried" at least 2 times in 1s }\n'
FED_US = 1500000  # WATCHDOG_USEC: fed three times in it.
HANGS_S = 10      # From daemon/base/watchdog.h.


class Systemd:
    """The socket that systemd would listen on; hears with instants."""

    def __init__(self, name):
        self.address = "@segmentd-%s-%d" % (name, os.getpid())
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.address[1:])
        self.socket.settimeout(0)
        self.said = []  # (instant of our clock, line)

    def listen(self):
        while True:
            try:
                lines = self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.said
            self.said += [(time.monotonic(), line) for line in lines]

    def hears(self, start):
        return any(line.startswith(start) for _, line in self.listen())

    def says(self, first, then):
        """Whether THEN came after FIRST."""
        lines = [line for _, line in self.listen()]
        return first in lines and then in lines[lines.index(first):]

    def fed(self, since):
        """When WATCHDOG=1 came, from the instant SINCE on."""
        return [at for at, line in self.listen() if line == "WATCHDOG=1" and at >= since]

    def env(self):
        return {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": str(FED_US)}


class World:
    def __init__(self, cluster):
        self.cluster, self.tree = cluster, cluster.path("tree")
        self.kafka, self.redis = cluster.kafka(), cluster.redis()
        for topic in "shut", "full", "hangs", "waits", "calls":
            self.kafka.topics.create(topic, 2)

    def text(self, name, segments, **more):
        text = conf.text(segments, [name], self.kafka.address, self.redis.address, app=name, workers=1, **more)
        self.cluster.ctl("topics", "create", "--conf", self.cluster.path(name + "-topics.conf", text))
        return text

    def path(self, name):
        return os.path.join(self.tree, name)

    def read(self, name):
        with open(self.path(name)) as source:
            return source.read()

    def tries(self, topic, user):
        producer = self.kafka.topics.producer(partitioner="murmur2_random")
        for n in range(2):
            event = {"type": "track", "userId": user, "event": "Tried", "messageId": "%s-%d" % (user, n)}
            producer.produce(topic, json.dumps(event), user)
        producer.flush(30)


def install(world, *more):
    subprocess.run([os.environ.get("MAKE", "make"), "-s", "-C", ROOT, "B=" + os.environ.get("B", "build"),
                    "DESTDIR=" + world.tree, "PREFIX=/usr", "install"], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "SANITIZE": "", "FAILPOINTS": ""})


def everything_is_installed(world):
    """Programs, library, units, manual, completions, and all of config/."""
    install(world)
    want = {"usr/sbin/segmentd", "usr/bin/segmentctl", "usr/lib/libseg.a", "usr/include/seg/seg.h",
            "usr/lib/systemd/system/segmentd.service", "usr/lib/sysusers.d/segmentd.conf",
            "usr/lib/tmpfiles.d/segmentd.conf", "etc/segmentd/segmentd.conf", "usr/share/man/man8/segmentd.8",
            "usr/share/man/man1/segmentctl.1", "usr/share/man/man5/segmentd.conf.5", "usr/share/man/man5/seg.5",
            "usr/share/bash-completion/completions/segmentctl", "usr/share/zsh/site-functions/_segmentctl"}
    for folder, _, names in os.walk(os.path.join(ROOT, "config")):
        below = os.path.relpath(folder, os.path.join(ROOT, "config"))
        want |= {os.path.normpath(os.path.join("usr/share/segmentd", below, name)) for name in names}
    suite.equal(sorted(name for name in want if not os.path.isfile(world.path(name))), [])
    for name in want:
        if "/lib/s" in name or "/lib/t" in name:
            suite.equal("/usr/local" in world.read(name), False, name)
    # The configuration of somebody who has one already stays.
    with open(world.path("etc/segmentd/segmentd.conf"), "a") as out:
        out.write("# ours\n")
    install(world)
    suite.equal(world.read("etc/segmentd/segmentd.conf").endswith("# ours\n"), True)


def the_user_and_the_folders_are_made(world):
    root = "--root=" + world.tree
    subprocess.run(["systemd-sysusers", root, world.path("usr/lib/sysusers.d/segmentd.conf")], check=True,
                   stderr=subprocess.DEVNULL)
    subprocess.run(["systemd-tmpfiles", root, "--create", world.path("usr/lib/tmpfiles.d/segmentd.conf")], check=True)
    user = re.search(r"^segmentd:x:(\d+):(\d+):", world.read("etc/passwd"), re.M)
    file = os.stat(world.path("etc/segmentd/segmentd.conf"))
    suite.equal((file.st_uid, file.st_gid, file.st_mode & 0o777), (0, int(user.group(2)), 0o640))
    # What comes with it is in order as it is, but for the segments there are not.
    done = subprocess.run([world.path("usr/sbin/segmentd"), "-t", "-f", world.path("etc/segmentd/segmentd.conf")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    suite.equal((done.returncode, "good, 0 segments" in done.stdout), (0, True), done.stdout)


class ShutIn(Segmentd):
    """The command of the unit."""

    def __init__(self, world, name, text, env):
        with open(world.path("etc/segmentd/segmentd.conf"), "w") as out:
            out.write(text)  # Its owner and mode stay.
        self.url = "http://" + re.search(r'^http .*address = "([^"]+)"', text, re.M).group(1)
        Process.__init__(self, name, world.cluster.folder, [
            "/usr/bin/python3", SHUT_IN, world.path("usr/lib/systemd/system/segmentd.service"), world.tree,
            *("%s=%s" % pair for pair in env.items())])


def directive(world, name):
    return re.search(r"(?m)^%s=(.*)$" % name, world.read("usr/lib/systemd/system/segmentd.service")).group(1)


def status_of(daemon):
    with open("/proc/%d/status" % daemon.pid) as rows:
        return dict(re.split(r":\s*", row.rstrip("\n"), maxsplit=1) for row in rows)


def the_unit_s_command_works_shut_in_as_the_unit_says(world):
    systemd = Systemd("shut-in")
    text = world.text("shut", ["segments"])
    with open(world.path("etc/segmentd/segments/eager.seg"), "w") as out:
        out.write(SEGMENT.replace("in 1s", "in 5s"))  # It must be seen in between.
    daemon = world.cluster._own(ShutIn(world, "shut-in", text, systemd.env()))
    daemon.wait_ready()
    until(lambda: systemd.hears("READY=1"), "systemd hears that it is ready")
    # It is shut in indeed.
    shown = status_of(daemon)
    user = re.search(r"^segmentd:x:(\d+):", world.read("etc/passwd"), re.M).group(1)
    suite.equal({name: shown[name].split()[0] for name in ("Name", "Uid", "CapBnd", "CapEff", "NoNewPrivs", "Seccomp")},
                {"Name": "segmentd", "Uid": user, "CapBnd": "0" * 16, "CapEff": "0" * 16, "NoNewPrivs": "1",
                 "Seccomp": "2"})
    suite.equal(sorted(os.listdir("/proc/%d/root" % daemon.pid))[:4], ["bin", "dev", "etc", "home"])
    suite.equal(is_dumpable(daemon), False)
    # It does all it has to: Kafka in and out, Redis, HTTP.
    world.tries("shut", "ann")
    redis = world.redis.client()
    until(lambda: redis.hgetall("shut:user:ann"), "Redis shows the membership")
    suite.equal(json.loads(daemon.http("/v1/users/ann")[1])["user"], "ann")
    until(lambda: not redis.hexists("shut:user:ann", "eager"), "he leaves by timer")
    until(lambda: systemd.hears("WATCHDOG=1"), "it is fed")
    suite.equal(directive(world, "Type"), "notify")
    reload = shlex.split(directive(world, "ExecReload").replace("$MAINPID", str(daemon.pid)))
    suite.equal(subprocess.run(reload).returncode, 0)
    until(lambda: systemd.says("RELOADING=1", "READY=1"), "systemd hears of the reload, and that it is over")
    suite.equal(daemon.terminate(int(directive(world, "TimeoutStopSec"))), 0)
    suite.equal((systemd.hears("STOPPING=1"), "ended" in daemon.log()), (True, True), daemon.log())


def who_asks_for_core_dumps_gets_them(world):
    text = world.text("shut", ["segments"], core_dumps="on")
    daemon = world.cluster._own(ShutIn(world, "core", text, {}))
    daemon.wait_ready()
    suite.equal((is_dumpable(daemon), directive(world, "LimitCORE")), (True, "0"))
    daemon.kill()


def is_dumpable(daemon):
    """What cannot be dumped belongs to root in /proc, whoever runs it."""
    return os.stat("/proc/%d/environ" % daemon.pid).st_uid != 0


# Each is tried in the unit's place and must be refused.
FORBIDDEN = {
    "write below /usr": "open('/usr/share/x', 'w')",
    "write below /etc": "open('/etc/segmentd/x', 'w')",
    "write beside its folder": "open('/run/x', 'w')",
    "see other processes": "os.stat('/proc/%d' % os.getppid())",
    "look into homes": "os.listdir('/root')",
    "open a raw socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "make a namespace": "libc('unshare', 0x10000000)",
    "write code": "mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "change its root": "os.chroot('/tmp')",
    "become root": "os.setuid(0)",
}
PROBE = """import ctypes, mmap, os, socket, sys
def libc(name, *arguments):
    if getattr(ctypes.CDLL(None), name)(*arguments) < 0: raise OSError
open('/run/segmentd/x', 'w'); open('/tmp/x', 'w'); open('/etc/segmentd/segmentd.conf')
print('begins', flush=True)
try: %s
except (OSError, ValueError): sys.exit(41)
"""


def what_the_unit_forbids_is_refused_there(world):
    """Lest the test above prove nothing: refused, or killed for it (SIGSYS)."""
    unit, probes = world.read("usr/lib/systemd/system/segmentd.service"), {}
    for n, (what, code) in enumerate(FORBIDDEN.items()):
        world.cluster.path("tree/usr/share/segmentd/probe%d.py" % n, PROBE % code)
        path = world.cluster.path("probe%d.service" % n, re.sub(
            r"(?m)^ExecStart=.*$", "ExecStart=/usr/bin/python3 /usr/share/segmentd/probe%d.py" % n, unit))
        probes[what] = subprocess.Popen(["/usr/bin/python3", SHUT_IN, path, world.tree], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
    for what, probe in probes.items():
        said = probe.communicate(timeout=60)[0]
        suite.equal((said, probe.returncode in (41, -signal.SIGSYS)), ("begins\n", True),
                    "%s: %s %s" % (what, probe.returncode, said))


def what_starting_again_does_not_mend_is_not_started_again(world):
    statuses = set(map(int, directive(world, "RestartPreventExitStatus").split()))
    suite.equal((statuses, directive(world, "Restart")), ({75, 78}, "on-failure"))
    daemon = world.cluster._own(ShutIn(world, "wrong", world.text("shut", ["nowhere"]), {}))
    suite.equal(daemon.wait(30) in statuses, True, daemon.log())


@suite.row(19)
def at_memory_max_no_records_are_taken_until_there_is_room(world):
    """One process cannot hold all users, two can."""
    users, bytes_max = 32000, 3 << 20
    text = world.text("full", [world.cluster.path("eager.seg", SEGMENT)], memory_max="%dB" % bytes_max,
                      log_format="json", properties={"heartbeat.interval.ms": 300})
    one = world.cluster.segmentd(text, "full")
    one.wait_ready()
    producer = world.kafka.topics.producer(partitioner="murmur2_random")
    for n in range(users):
        event = {"type": "track", "userId": "user%d" % n, "event": "Tried", "messageId": "m%d" % n}
        producer.produce("full", json.dumps(event), event["userId"])
    producer.flush(30)
    one.wait_metric("segmentd_memory_paused", lambda paused: paused == 1)
    until(lambda: one.http("/readyz")[0] == 503, "it is not ready")
    suite.equal("memory_max (%d bytes)" % bytes_max in json.loads(one.http("/readyz")[1])["reason"], True)
    suite.equal((one.metric("segmentd_memory_max_bytes"), one.log().count("memory_max is reached")), (bytes_max, 1))
    suite.equal((one.http("/healthz")[0], one.http("/v1/users/user1")[0]), (200, 200))
    lines = [json.loads(line) for line in one.log().splitlines()]
    suite.equal([line for line in lines if not {"time", "level", "message"} <= set(line)], [])
    suite.equal([line["memory_max"] for line in lines if "memory_max is reached" in line["message"]], [bytes_max])
    held = settled(one)
    suite.equal(held < users and one.metric("segmentd_user_bytes") < 2 * bytes_max, True, held)
    # Another comes, and each has room for his half.
    two = world.cluster.segmentd(conf_again(world, text), "full-too")
    for daemon in one, two:
        daemon.wait_ready()
    until(lambda: sum(daemon.metric("segmentd_users") for daemon in (one, two)) == users, "all users are there", 60)
    suite.equal("there is memory again" in one.log(), True, one.log())
    suite.equal([daemon.metric("segmentd_memory_paused") for daemon in (one, two)], [0, 0])
    suite.equal([daemon.metric("segmentd_restore_repairs_total") for daemon in (one, two)], [0, 0])
    for daemon in one, two:
        daemon.kill()


def settled(daemon):
    """The users of DAEMON, when their number is the same twice; it is counted every
    second."""
    seen = []

    def same():
        seen.append(daemon.metric("segmentd_users"))
        return seen[-1:] == seen[-2:-1] and seen[-1]

    return until(same, "its users are counted", every=1.1)


def conf_again(world, text):
    return re.sub(r'(?m)^http .*$', 'http { address = "127.0.0.1:%d" }' % free_port(), text)


def longest_pause(instants, since, until_):
    times = [since, *instants, until_]
    return max(b - a for a, b in zip(times, times[1:]))


def stop_the_broker_amid_a_transaction(world, daemon):
    """What came of an event lingers for a second before it is committed; on a busy
    machine that may be over before the broker is stopped.  Returns when it is sure
    to be open."""
    for user in range(10):
        before = daemon.metric("segmentd_input_records_total")
        world.tries("waits", "user%d" % user)
        daemon.wait_metric("segmentd_input_records_total", lambda n: n == before + 2)
        world.kafka.freeze()
        try:
            daemon.wait_metric("segmentd_transaction_age_seconds", lambda age: age > 1.5, 5)
            return time.monotonic()
        except TimeoutError:
            world.kafka.thaw()
            daemon.wait_metric("segmentd_transaction_age_seconds", lambda age: age == 0)
    raise AssertionError("no transaction was open")


@suite.row(5)
def who_hangs_is_given_up_and_who_waits_for_brokers_is_not(world):
    segments = [world.cluster.path("eager.seg", SEGMENT)]
    hangs, waits, calls = Systemd("hangs"), Systemd("waits"), Systemd("calls")
    barriers = world.cluster.path("barriers")
    os.mkdir(barriers)
    one = world.cluster.segmentd(
        world.text("hangs", segments), "hangs", failpoints=True,
        env={**hangs.env(), "SEGMENTD_FAILPOINTS": "advance=barrier", "SEGMENTD_BARRIERS": barriers})
    two = world.cluster.segmentd(world.text("waits", segments, linger_idle="1s", linger_busy="1s"), "waits",
                                 env=waits.env())
    three = world.cluster.segmentd(
        world.text("calls", segments), "calls", failpoints=True,
        env={**calls.env(), "SEGMENTD_FAILPOINTS": "during_commit=barrier", "SEGMENTD_BARRIERS": barriers})
    one.wait_ready()
    two.wait_ready()
    world.tries("hangs", "bob")
    for name in "advance", "during_commit":
        until(lambda: os.path.exists(os.path.join(barriers, name + ".reached")), "one hangs at " + name)
    began = stop_the_broker_amid_a_transaction(world, two)
    limit = began + HANGS_S + 2.5
    everybody = hangs, waits, calls
    until(lambda: [s.listen() for s in everybody] and time.monotonic() > limit, "that lasts", HANGS_S + 30, 0.1)
    over = time.monotonic()
    # The one is fed at first, as long as nobody knows, and then not any more.
    fed = hangs.fed(began)
    suite.equal((len(fed) > 10, max(fed) < began + HANGS_S + 1.5), (True, True), fed)
    suite.equal(one.http("/healthz")[0], 503)
    suite.equal((one.metric("segmentd_hung_workers"), one.log().count("a worker hangs")), (1, 1))
    # The others are fed all the time, though their transactions get nowhere; one
    # of them is in one call of librdkafka for as long.
    for daemon, systemd in (two, waits), (three, calls):
        suite.equal(longest_pause(systemd.fed(began), began, over) < FED_US / 1e6, True, systemd.said)
        suite.equal((daemon.http("/healthz")[0], daemon.metric("segmentd_hung_workers")), (200, 0))
    suite.equal(two.metric("segmentd_transaction_age_seconds") > HANGS_S / 2, True, two.http("/metrics")[1])
    world.kafka.thaw()
    for name in "advance", "during_commit":
        open(os.path.join(barriers, name + ".go"), "w").close()
    again = time.monotonic()
    until(lambda: hangs.fed(again), "who goes on is fed again")
    until(lambda: "no worker hangs any more" in one.log(), "that is told")
    # On a busy machine the second is over before anybody sees that it began.
    more = itertools.count()
    until(lambda: two.metric("segmentd_segment_exited_total") > 0 or world.tries("waits", "late%d" % next(more)),
          "people come and go again", 60, 2)
    two.wait_metric("segmentd_transaction_age_seconds", lambda age: age == 0)
    three.wait_ready()
    for daemon in one, two, three:
        daemon.signal(signal.SIGTERM)
    suite.equal([daemon.wait(30) for daemon in (one, two, three)], [0, 0, 0])


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(World(here), [
            everything_is_installed, the_user_and_the_folders_are_made,
            the_unit_s_command_works_shut_in_as_the_unit_says, who_asks_for_core_dumps_gets_them,
            what_the_unit_forbids_is_refused_there,
            what_starting_again_does_not_mend_is_not_started_again,
            at_memory_max_no_records_are_taken_until_there_is_room,
            who_hangs_is_given_up_and_who_waits_for_brokers_is_not]))
