#!/usr/bin/python3
"""cluster.py: a real Apache Kafka broker, a private redis-server and segmentd
processes for tests, all on loopback, on ports chosen at run time, with their
data in one temporary folder.

    with Cluster() as cluster:
        kafka = cluster.kafka()
        redis = cluster.redis()
        kafka.topics.create("product-events", 8)
        daemon = cluster.segmentd(conf.text(...))
        daemon.wait_ready()

Everything started is ended by its own process id when the block is left, also
by an exception, Ctrl-C or SIGTERM; and the kernel ends it should this process
be killed.  After a failure the end of every log is shown; KEEP=1 keeps the
folder.

LIBRDKAFKA=current in the environment runs segmentd and segmentctl with a newer
librdkafka than the system's (tests/support/librdkafka), LIBRDKAFKA=FOLDER with the one
that is there; who reads their topics keeps the system's.

    cluster.py run [--redis] [--set KEY=VALUE] -- COMMAND...

starts a broker (and a redis-server), runs COMMAND with KAFKA=host:port,
REDIS=host:port in its environment, ends everything and exits as COMMAND did.
"""

import argparse
import base64
import functools
import http.client
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
HOST = "127.0.0.1"


def until(condition, what, timeout=30, every=0.02):
    """Poll CONDITION until it returns something true, and return that; after
    TIMEOUT seconds raise TimeoutError saying WHAT (text, or a function)."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError("not within %g s: %s" % (timeout, what() if callable(what) else what))
        time.sleep(every)


def free_port(taken=set()):
    """A port nobody listens on, below the range outgoing connections use: it
    is still free when a killed server comes back to it."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        if port not in taken:
            taken.add(port)
            return port


class Process:
    """One child with a log file; may be started again after it ended."""

    def __init__(self, name, folder, command, env=None):
        self.name, self.folder, self.command = name, folder, command
        self.env = {**os.environ, **(env or {})}
        self.log_path = os.path.join(folder, name + ".log")
        self.child = None

    def start(self):
        assert not self.running(), self.name + " runs already"
        with open(self.log_path, "ab") as log:
            # setpriv: the kernel kills the child when we die, however we die.
            # A session of its own: Ctrl-C reaches only us.
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command], cwd=self.folder, env=self.env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        return self

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child is not None and self.child.poll() is None

    def signal(self, number):
        if self.running():
            self.child.send_signal(number)

    def freeze(self):
        """SIGSTOP, and wait until it has stopped."""
        self.signal(signal.SIGSTOP)
        until(lambda: self._state() in "TZX", self.name + " stops")

    def thaw(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """kill -9; nothing of it runs when this returns."""
        self.signal(signal.SIGKILL)
        return self.wait(30)

    def terminate(self, timeout=30):
        """SIGTERM; the exit status, or TimeoutError."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout=30):
        """The exit status, negative for a signal."""
        if self.child is None:
            return None
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError("%s still runs after %g s" % (self.name, timeout)) from None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def cpu_s(self):
        """User and system time so far, in seconds."""
        with open("/proc/%d/stat" % self.pid) as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _state(self):
        with open("/proc/%d/stat" % self.pid) as stat:
            return stat.read().rpartition(")")[2].split()[0]

    def _must_run(self):
        if not self.running():
            raise RuntimeError("%s ended with %s:\n%s" % (self.name, self.child.returncode, self.log()[-3000:]))


class Kafka(Process):
    """One broker in KRaft mode, its own controller."""

    # It lives for seconds: code that is compiled twice would not pay.
    jvm = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]

    @staticmethod
    def archive(jars):
        """See kafka/archive.py."""
        return jars + ".jsa"

    def __init__(self, name, folder, settings):
        jars = subprocess.run([os.path.join(HERE, "kafka", "fetch.sh")], check=True,
                              stdout=subprocess.PIPE, text=True).stdout.strip()
        self.address = "%s:%d" % (HOST, free_port())
        self.control = "%s:%d" % (HOST, free_port())
        # StorageTool takes a leading "-" for an option.
        self.identity = "A" + base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")[1:]
        self.properties = os.path.join(folder, name + ".properties")
        self.version = os.path.basename(jars).partition("-")[2]
        archive = self.archive(jars)
        shared = ["-XX:SharedArchiveFile=" + archive] if os.path.exists(archive) else []
        self.java = ["java", *self.jvm, *shared, "-cp", jars + "/*"]
        data = os.path.join(folder, name)
        self.set({
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": "1@" + self.control,
            "listeners": "PLAINTEXT://%s,CONTROLLER://%s" % (self.address, self.control),
            "advertised.listeners": "PLAINTEXT://" + self.address,
            "controller.listener.names": "CONTROLLER",
            "log.dirs": data,
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
            # So long the controller remembers a killed broker and does
            # not let it in again; the default is 9 s.
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 200,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "log.cleaner.dedupe.buffer.size": 16 << 20,
            **settings,
        })
        warn = os.environ.get("KAFKA_LOG", "warn")
        super().__init__(name, folder, [
            self.java[0], "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=" + warn,
            "-Dorg.slf4j.simpleLogger.showDateTime=true", *self.java[1:], "kafka.Kafka", self.properties])
        self._topics = None

    def set(self, settings):
        """More settings, for the next start; what is said last counts."""
        with open(self.properties, "a") as out:
            for item in settings.items():
                out.write("%s=%s\n" % item)

    def start(self):
        """Returns when the broker answers; its data, if any, is kept."""
        self.launch()
        until(self._answers, self.name + " answers", 60, 0.1)
        return self

    def launch(self):
        """Start it, and do not wait."""
        if not os.path.exists(os.path.join(self.folder, self.name)):
            self._format()
        super().start()

    @property
    def topics(self):
        if not self._topics:
            import records
            self._topics = records.Topics(self.address)
        return self._topics

    def _format(self):
        done = subprocess.run([*self.java, "kafka.tools.StorageTool", "format", "-t", self.identity,
                               "-c", self.properties, *self.format_arguments()],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError("kafka: formatting its folder failed:\n" + done.stdout)

    def format_arguments(self):
        """More words for StorageTool."""
        return []

    def _answers(self):
        self._must_run()
        try:
            socket.create_connection(self.address.split(":"), 1).close()
            seen = self.topics.admin.list_topics(timeout=2)
            return seen.brokers and all(p.leader >= 0 for t in seen.topics.values() for p in t.partitions.values())
        except Exception:
            return False


class Redis(Process):
    """A private redis-server; a killed one comes back with its data if it was
    given --appendonly yes, else empty."""

    def __init__(self, name, folder, arguments):
        self.port = free_port()
        self.address = "%s:%d" % (HOST, self.port)
        data = os.path.join(folder, name)
        os.mkdir(data)
        super().__init__(name, folder, [
            "redis-server", "--bind", HOST, "--port", str(self.port), "--dir", data, "--save", "",
            "--daemonize", "no", *arguments])

    def start(self):
        super().start()
        until(self._answers, self.name + " answers", 20)
        return self

    def client(self):
        import redis
        return redis.Redis(HOST, self.port, decode_responses=True, socket_timeout=10)

    def _answers(self):
        self._must_run()
        try:
            with socket.create_connection((HOST, self.port), 1) as link:
                link.sendall(b"PING\r\n")
                return link.recv(64).startswith(b"+PONG")
        except OSError:
            return False


class Segmentd(Process):
    """A daemon with its configuration file.  SEGMENTD in the environment names
    another binary (a sanitizer's build)."""

    def __init__(self, name, folder, conf, env, arguments, failpoints):
        self.conf_path = os.path.join(folder, name + ".conf")
        with open(self.conf_path, "w") as out:
            out.write(conf)
        found = re.search(r'^http .*address = "([^"]+)"', conf, re.M)
        self.url = "http://" + found.group(1) if found else None
        super().__init__(name, folder, [binary("segmentd", failpoints), "-f", self.conf_path, *arguments], env)

    def http(self, path, timeout=5):
        """(status, text) of a GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_ready(self, timeout=60):
        """Until /readyz says so; its reasons are in the error."""
        last = [None]

        def ready():
            last[0] = self._ask(lambda: self.http("/readyz"))
            return last[0] and last[0][0] == 200

        until(ready, lambda: "%s is ready, last: %s" % (self.name, last[0]), timeout)

    def metrics(self):
        """{'name{label="value"}': number}, as printed."""
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
                for line in self.http("/metrics")[1].splitlines() if line and line[0] != "#"}

    def metric(self, name):
        """The sum of all series called NAME; 0 if there is none."""
        return sum(v for k, v in self.metrics().items() if k.partition("{")[0] == name)

    def wait_metric(self, name, condition, timeout=60):
        """Until CONDITION holds of metric NAME; returns the value."""
        last = [None]

        def holds():
            last[0] = self._ask(lambda: self.metric(name))
            return last[0] is not None and condition(last[0])

        until(holds, lambda: "%s of %s, last %s" % (name, self.name, last[0]), timeout, 0.05)
        return last[0]

    def _ask(self, question):
        """The answer, None while nobody listens yet; an error if it ended."""
        self._must_run()
        try:
            return question()
        except (OSError, http.client.HTTPException):
            return None


class Cluster:
    """Owner of everything started, and of the temporary folder."""

    def __init__(self):
        self.processes = []
        self.folder = None

    def __enter__(self):
        # Ctrl-C raises by itself; make SIGTERM and SIGHUP leave the block too.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
        self.folder = tempfile.mkdtemp(prefix="segmentd-test-")
        use_librdkafka()
        return self

    def __exit__(self, kind, error, trace):
        if error is not None and not isinstance(error, (KeyboardInterrupt, SystemExit)):
            for process in self.processes:
                self._show_log(process)
        for process in reversed(self.processes):
            process.kill()
        if os.environ.get("KEEP"):
            print("kept: " + self.folder, file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kafka(self, name="kafka", **settings):
        """A started broker; settings are written with _ for the dots."""
        return self._own(Kafka(name, self.folder, {k.replace("_", "."): v for k, v in settings.items()}))

    def redis(self, *arguments, name="redis"):
        """A started redis-server, with ARGUMENTS of its own."""
        return self._own(Redis(name, self.folder, arguments))

    def segmentd(self, conf, name="segmentd", env=None, arguments=(), failpoints=False):
        """A started daemon (not yet ready) with the text CONF; with FAILPOINTS
        the build that has them."""
        return self._own(Segmentd(name, self.folder, conf, env, arguments, failpoints))

    def ctl(self, *arguments, timeout=120):
        """What `segmentctl ARGUMENTS` prints; its exit status must be 0."""
        done = subprocess.run([binary("segmentctl"), *arguments], cwd=self.folder, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError("segmentctl %s: exit %d\n%s%s" % (
                " ".join(arguments), done.returncode, done.stdout, done.stderr))
        return done.stdout

    def path(self, name, text=None):
        """The path of a file NAME in the folder, written if TEXT is given."""
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w") as out:
                out.write(text)
        return path

    def _own(self, process):
        self.processes.append(process)
        return process.start()

    @staticmethod
    def _show_log(process):
        if os.path.exists(process.log_path):
            print("---- end of the log of %s\n%s" % (process.name, process.log()[-4000:]), file=sys.stderr)


def librdkafka(name="current"):
    """The folder of the librdkafka NAME: "current", fetched if need be, or a folder."""
    if name != "current":
        return os.path.abspath(name)
    return subprocess.run([os.path.join(HERE, "librdkafka", "fetch.sh")], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()


def use_librdkafka():
    """What is started from now on runs with the one that LIBRDKAFKA names, and says so."""
    if os.environ.get("LIBRDKAFKA"):
        os.environ["LD_LIBRARY_PATH"] = librdkafka(os.environ["LIBRDKAFKA"])
        said = subprocess.run([binary("segmentd"), "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
        print("         " + said.strip(), flush=True)


def binary(name, failpoints=False):
    """The path of one of our programs: NAME in upper case in the environment,
    else in the build folder B (default build/)."""
    folder = os.path.join(os.environ.get("B", "build"), "failpoints" if failpoints else "")
    return os.path.join(ROOT, os.environ.get(name.upper()) or os.path.join(folder, name))


@functools.lru_cache
def test_program(name):
    """The path of a test program in C, such as tests/model/expect, built now and
    never a variant."""
    target = os.path.join(os.environ.get("B", "build"), name)
    subprocess.run([os.environ.get("MAKE", "make"), "-s", "-C", ROOT, target], check=True,
                   env={**os.environ, "SANITIZE": "", "FAILPOINTS": "", "MUTATIONS": "", "MAKEFLAGS": ""})
    return binary(name)


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s run [options] -- COMMAND...",
                                     description="Run a command beside a real broker.")
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("--redis", action="store_true", help="a redis-server as well")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the broker")
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options, command = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1:]
    if not command:
        parser.error("no command")
    settings = dict(s.split("=", 1) for s in options.set)
    with Cluster() as cluster:
        env = {**os.environ, "KAFKA": cluster.kafka(**settings).address}
        if options.redis:
            env["REDIS"] = cluster.redis().address
        return subprocess.call(["setpriv", "--pdeathsig", "TERM", *command], env=env)


if __name__ == "__main__":
    sys.exit(main())
