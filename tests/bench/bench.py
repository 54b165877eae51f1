#!/usr/bin/python3
"""CPU time per event, in one run, against a bare consumer: for `make bench`.

    raw       librdkafka reads the topic and throws it away: the yardstick
    decode    bytes to event, nothing else
    engine    an event applied (decoding not counted)
    daemon    segmentd drains the topic, exactly once, with Redis, by its default
              settings; until every touched user is in the state topic, the last
              offset is committed and Redis shows the last change

The topic is filled before, on a real broker; every run has an application of its
own. Runs take turns, raw before and after each run of the daemon, and a ratio
is made within its turn: a machine has its hours. CPU is user and system time of
the whole process from its start. What came out is counted by an independent
reader and must be what brute force says.

Last a segmentd that was killed starts again, with all users in the state topic: how
long until it goes on with the first partition, and with all of them.

Then the language: what an event costs that touches one construct, by how many
events that construct keeps (bench_construct.c, counts.py); and what events cost
by the number of segments. `bench.py language` measures these alone, without a
broker.

Prints one table, and leaves it in B/bench as bench.md, with all runs as
bench.json. Environment: B, EVENTS, USERS, PARTITIONS, RUNS."""

import http.client
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cluster
import conf
import counts
import records

EVENTS = int(os.environ.get("EVENTS", 3000000))
USERS = int(os.environ.get("USERS", 1000000))
PARTITIONS = int(os.environ.get("PARTITIONS", 8))
RUNS = int(os.environ.get("RUNS", 3))
TOPIC = "bench"
CONSTRUCT_USERS = 2000
CONSTRUCT_KEPT = 64
COUNTED_KEPT = 16, 64, 256, 1000
SEGMENT_EVENTS = 1000000
SEGMENT_USERS = 300000
# Segments over the ten names that occur, and over names that do not.
SEGMENT_PLANS = (10, 0), (100, 0), (100, 900), (100, 9900), (1000, 0), (10000, 0)
POLL_S = 1      # Asking costs the daemon, too.
DRAIN_S = 600   # A daemon that has not ended by then never will.

# What counts as reached, by name of the measure: at most so much.
TO_REACH = {"engine / raw": 1.2, "daemon / raw": 5, "bytes per user, full_100": 400}

COUNT_MEMBERSHIPS = """
local cursor, count = '0', 0
repeat
  local answer = redis.call('SCAN', cursor, 'MATCH', ARGV[1] .. ':user:*', 'COUNT', 10000)
  cursor = answer[1]
  for _, key in ipairs(answer[2]) do count = count + redis.call('HLEN', key) end
until cursor == '0'
return count
"""


def lines_of(program, *arguments):
    """The JSON lines a program of this folder prints."""
    out = subprocess.run([cluster.binary("tests/bench/" + program), *map(str, arguments)],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def must_be(what, got, want):
    if got != want:
        raise SystemExit("bench: %s: got %s, must be %s" % (what, got, want))


class Stage:
    """The servers, and the topic filled."""

    def __init__(self, servers):
        # As brokers have it: else a process that drains at once has all partitions
        # in its first worker, and half of what that fetched is fetched again.
        self.servers, self.kafka = servers, servers.kafka(group_initial_rebalance_delay_ms=3000)
        self.redis = servers.redis()
        self.segments = servers.path("bench.seg", subprocess.run(
            [cluster.binary("tests/bench/bench_topic"), "segments"], check=True, stdout=subprocess.PIPE, text=True).stdout)
        self.expected = lines_of("bench_topic", "expect", EVENTS, USERS)[0]
        self.kafka.topics.create(TOPIC, PARTITIONS)
        lines_of("bench_topic", "fill", self.kafka.address, TOPIC, PARTITIONS, EVENTS, USERS)
        must_be("records in the topic", sum(self.kafka.topics.ends(TOPIC).values()), EVENTS)

    def raw(self):
        run = lines_of("bench_topic", "raw", self.kafka.address, TOPIC, PARTITIONS, EVENTS)[0]
        return {"cpu_us": run["cpu_s"] * 1e6 / EVENTS, "wall_s": run["wall_s"], "peak_mib": run["peak_kib"] / 1024,
                "librdkafka": run["librdkafka"]}

    def settings(self, app):
        return conf.text([self.segments], [TOPIC], self.kafka.address, self.redis.address, partitioner="trust",
                         app=app, process=app, instance_id=app)

    def daemon(self, number):
        app = "bench%d" % number
        text = self.settings(app)
        self.servers.ctl("topics", "create", "--conf", self.servers.path(app + ".conf", text))
        before = self.kafka.cpu_s(), self.redis.cpu_s()
        start = time.monotonic()
        daemon = self.servers.segmentd(text, app)
        drained_s, drained_cpu_s = self.drain(daemon, start)
        run = {"cpu_us": daemon.cpu_s() * 1e6 / EVENTS, "wall_s": time.monotonic() - start,
               "drained_wall_s": drained_s, "drained_cpu_us": drained_cpu_s * 1e6 / EVENTS,
               "peak_mib": peak_mib(daemon.pid), "commits": daemon.metric("segmentd_commits_total"),
               "broker_cpu_s": self.kafka.cpu_s() - before[0], "redis_cpu_s": self.redis.cpu_s() - before[1]}
        self.check(app, daemon)
        must_be("exit status of segmentd", daemon.terminate(), 0)
        return run

    def restart(self, number):
        """Of the application of daemon(NUMBER): events are there, and it was killed."""
        daemon = self.servers.segmentd(self.settings("bench%d" % number))
        daemon.wait_ready(DRAIN_S)
        daemon.kill()
        lines_of("bench_topic", "fill", self.kafka.address, TOPIC, PARTITIONS, 100 * PARTITIONS, USERS)
        start = time.time()
        daemon.start()
        daemon.wait_ready(DRAIN_S)
        began = [records.parse_ms(at) / 1000 - start for at in re.findall(
            r"^(\S+) info: partition running", daemon.log().rpartition("segmentd starts")[2], re.M)]
        run = {"first_s": min(began), "ready_s": max(began), "cpu_us": daemon.cpu_s() * 1e6 / self.expected["touched"]}
        cluster.until(lambda: total(daemon.metrics(), "users") == self.expected["touched"], "all users are restored")
        must_be("repairs", daemon.metric("segmentd_restore_repairs_total"), 0)
        must_be("exit status of segmentd", daemon.terminate(), 0)
        return run

    def drain(self, daemon, start):
        """Until nothing is left to do; seconds of wall and CPU until the last
        event was applied."""
        applied = None
        while True:
            time.sleep(POLL_S)
            metrics = metrics_of(daemon)
            if metrics and not applied and total(metrics, "events_total") == EVENTS:
                applied = time.monotonic() - start, daemon.cpu_s()
            if applied and self.is_done(metrics):
                return applied
            self.kafka._must_run()
            if time.monotonic() - start > DRAIN_S:
                raise SystemExit("bench: segmentd is not done after %d s:\n%s" % (DRAIN_S, daemon.log()[-3000:]))

    def is_done(self, metrics):
        return (total(metrics, "dirty_users") == 0 and total(metrics, "input_lag_records") == 0
                and total(metrics, "flushed_users_total") >= self.expected["touched"]
                and metrics["segmentd_redis_up"] == 1 and metrics["segmentd_redis_lag_seconds"] == 0)

    def check(self, app, daemon):
        """By others than segmentd: its outputs, its offsets and Redis."""
        must_be("bad events", daemon.metric("segmentd_dead_letters_total"), 0)
        changes = self.kafka.topics.read(app + ".changes")
        must_be("changes", len(changes), self.expected["changes"])
        offsets = {p: offset for (_, p), (offset, _) in self.kafka.topics.committed(app, [TOPIC]).items()}
        must_be("committed offsets", offsets, self.kafka.topics.ends(TOPIC))
        shown = subprocess.run(["redis-cli", "-h", cluster.HOST, "-p", str(self.redis.port), "EVAL", COUNT_MEMBERSHIPS,
                                "0", app], check=True, stdout=subprocess.PIPE, text=True).stdout
        must_be("memberships in Redis", int(shown), self.expected["changes"])


def metrics_of(daemon):
    """None while it is starting."""
    if not daemon.running():
        raise SystemExit("bench: segmentd ended by itself:\n" + daemon.log()[-3000:])
    try:
        return daemon.metrics()
    except (OSError, http.client.HTTPException):
        return None


def total(metrics, name):
    return sum(v for k, v in metrics.items() if k.partition("{")[0] == "segmentd_" + name)


def peak_mib(pid):
    with open("/proc/%d/status" % pid) as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024


def engine():
    run = lines_of("bench_engine", EVENTS, USERS, 100, 0, "only")[0]
    return {"decode_us": run["decode_us"], "apply_us": run["decode_apply_us"] - run["decode_us"],
            "decode_apply_us": run["decode_apply_us"], "changes": run["changes"]}


def run_all(stage):
    """Turns of raw, daemon, raw, engine."""
    turns = []
    for i in range(RUNS):
        say("run %d of %d" % (i + 1, RUNS))
        turn = {"raw": stage.raw(), "daemon": stage.daemon(i + 1), "raw_after": stage.raw(), "engine": engine()}
        must_be("changes of the engine", turn["engine"]["changes"], stage.expected["changes"])
        turns.append(turn)
    return turns


class Table:
    """The measures, as they go into bench.json and bench.md."""

    def __init__(self):
        self.measures, self.lines = [], []

    def add(self, name, unit, runs):
        value = statistics.median(runs)
        self.measures.append({"name": name, "value": value, "unit": unit, "to_reach": TO_REACH.get(name), "runs": runs})
        return value

    def head(self, *cells):
        self.lines += ["", "| " + " | ".join(cells) + " |", "|---|" + "---:|" * (len(cells) - 1)]

    def row(self, *cells):
        self.lines.append("| " + " | ".join(cells) + " |")

    def ratio(self, name, runs):
        return "%.2f" % self.add(name, "ratio", runs), self.verdict(name)

    def verdict(self, name):
        """What is to be reached, and whether it was."""
        goal = TO_REACH.get(name)
        if goal is None:
            return ""
        value = next(m["value"] for m in self.measures if m["name"] == name)
        return "≤ %g, %s" % (goal, "reached" if value <= goal else "missed")


def cpu_rows(table, turns):
    raws = [[t["raw"]["cpu_us"], t["raw_after"]["cpu_us"]] for t in turns]
    by = [sum(pair) / 2 for pair in raws]
    table.head("CPU µs per event", "median", "least to most", "× raw", "to reach", "wall s", "peak MiB")

    def row(label, name, runs, wall="", peak=""):
        value = table.add(name, "us", runs)
        if name in ("broker", "redis"):
            ratio = "", ""
        elif name == "raw":
            ratio = "1", ""
        else:
            ratio = table.ratio(name + " / raw", [r / b for r, b in zip(runs, by)])
        table.row(label, "%.3f" % value, "%.3f to %.3f" % (min(runs), max(runs)), *ratio, wall, peak)

    def median(key, field):
        return "%.0f" % table.add("%s %s" % (key, field), field.rpartition("_")[2], [t[key][field] for t in turns])

    row("librdkafka, reading and discarding (raw)", "raw", [x for pair in raws for x in pair],
        median("raw", "wall_s"), median("raw", "peak_mib"))
    row("decoding", "decode", [t["engine"]["decode_us"] for t in turns])
    row("engine", "engine", [t["engine"]["apply_us"] for t in turns])
    row("decoding and engine", "decode+engine", [t["engine"]["decode_apply_us"] for t in turns])
    row("segmentd until all is applied", "daemon drained", [t["daemon"]["drained_cpu_us"] for t in turns],
        median("daemon", "drained_wall_s"))
    row("**segmentd, all of it**", "daemon", [t["daemon"]["cpu_us"] for t in turns],
        median("daemon", "wall_s"), median("daemon", "peak_mib"))
    for server in "broker", "redis":
        row({"broker": "(the broker meanwhile)", "redis": "(redis-server meanwhile)"}[server], server,
            [t["daemon"][server + "_cpu_s"] * 1e6 / EVENTS for t in turns])


def restart_rows(table, run, users):
    table.head("restart after kill -9, %d users" % users, "")
    for label, unit, key in (("seconds until the first partition runs", "s", "first_s"),
                             ("seconds until all of them do", "s", "ready_s"), ("CPU µs per user", "us", "cpu_us")):
        table.row(label, "%.2f" % table.add("restart, " + key, unit, [run[key]]))


def bytes_rows(table):
    found = {run["population"]: run for run in lines_of("bench_engine", EVENTS, USERS, 100, 0) if "population" in run}
    table.head("bytes per user, of a hundred segments", "ids aged out", "64 live ids", "to reach")
    table.row("as the workload leaves them", whole(table, found, "sparse"), "", "")
    for members, words in (0, "none"), (10, "ten"), (100, "all"):
        name = "full_%d" % members
        table.row("ten full features, in %s of the segments" % words, whole(table, found, name),
                  whole(table, found, name + "_ids"), table.verdict("bytes per user, " + name))
    table.row("the same, his events whole seconds apart", whole(table, found, "full_100_seconds"),
              whole(table, found, "full_100_seconds_ids"), "")


def whole(table, found, population):
    return "%d" % table.add("bytes per user, " + population, "bytes", [found[population]["bytes"]])


def construct_rows(table):
    """Each construct: CPU and bytes of many users, instructions of one."""
    runs = [lines_of("bench_construct", CONSTRUCT_USERS, CONSTRUCT_KEPT) for _ in range(RUNS)]
    counted = counts.measure(COUNTED_KEPT)
    table.head("an event that touches", "ns of CPU", "bytes per user",
               *("instructions, %d kept" % kept for kept in COUNTED_KEPT))
    for rows in zip(*runs):
        name = rows[0]["construct"]
        cells = ["%d" % table.add("%s, %s" % (name, unit), unit, [row[unit] for row in rows]) for unit in ("ns", "bytes")]
        cells += ["%d" % table.add("%s, instructions, %d kept" % (name, kept), "instructions", [counted[name][kept]])
                  for kept in COUNTED_KEPT]
        table.row(name, *cells)


def segment_rows(table):
    """The same events, and more and more segments."""
    table.head("segments over the ten names of events", "over other names", "CPU µs per event", "changes per event",
               "bytes per user")
    for touched, others in SEGMENT_PLANS:
        runs = [lines_of("bench_engine", SEGMENT_EVENTS, SEGMENT_USERS, touched, others, "only") for _ in range(RUNS)]
        name = "%d and %d segments" % (touched, others)
        cpu = table.add(name + ", engine", "us", [run[0]["decode_apply_us"] - run[0]["decode_us"] for run in runs])
        size = table.add(name + ", bytes per user", "bytes", [run[1]["bytes"] for run in runs])
        table.row("%d" % touched, "%d" % others, "%.3f" % cpu, "%.3f" % (runs[0][0]["changes"] / SEGMENT_EVENTS),
                  "%d" % size)


def language():
    """The tables of the language alone."""
    table = Table()
    say("the language, construct by construct")
    construct_rows(table)
    say("the number of segments")
    segment_rows(table)
    return table


def first_line(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.partition("\n")[0].strip()


def machine():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*:\s*(.*)", info.read())
    return {"cpu": model.group(1) if model else platform.machine(), "processors": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2 ** 30, 1),
            "kernel": platform.release()}


def versions(stage, turns):
    return {"segmentd": first_line(cluster.binary("segmentd"), "--version"), "librdkafka": turns[0]["raw"]["librdkafka"],
            "kafka": stage.kafka.version,
            "redis": first_line("redis-server", "--version").split(" sha")[0],
            "compiler": first_line(os.environ.get("CC", "cc"), "--version")}


def main():
    if sys.argv[1:] == ["language"]:
        print("\n".join(language().lines))
        return 0
    table = Table()
    with cluster.Cluster() as servers:
        say("filling a topic with %d events of %d users" % (EVENTS, USERS))
        stage = Stage(servers)
        turns = run_all(stage)
        say("a restart")
        restart = stage.restart(RUNS)
        report = {"machine": machine(), "versions": versions(stage, turns)}
    cpu_rows(table, turns)
    restart_rows(table, restart, stage.expected["touched"])
    say("bytes per user")
    bytes_rows(table)
    more = language()
    table.measures += more.measures
    table.lines += more.lines
    m, v = report["machine"], report["versions"]
    changes = stage.expected["changes"]
    head = ("%d events of %d users in %d partitions, ten features, a hundred segments, %d changes; medians of %d runs on %s "
            "(%d processors, shared with the broker), librdkafka %s, Apache Kafka %s." % (
                EVENTS, USERS, PARTITIONS, changes, RUNS, m["cpu"], m["processors"], v["librdkafka"], v["kafka"]))
    text = "\n".join([head] + table.lines) + "\n"
    folder = os.path.join(cluster.ROOT, os.environ.get("B", "build"), "bench")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "bench.md"), "w") as out:
        out.write(text)
    with open(os.path.join(folder, "bench.json"), "w") as out:
        json.dump({**report, "events": EVENTS, "users": USERS, "changes": changes, "measures": table.measures,
                   "turns": turns}, out, indent=1)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
