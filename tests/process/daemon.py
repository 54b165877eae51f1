#!/usr/bin/python3
"""segmentd as ops know it: its command line, exit statuses, signals, HTTP and
what it tells systemd; without brokers, and with a real one."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import suite
from cluster import HOST, Cluster, binary, free_port, until

SEGMENTD = binary("segmentd")
SEGMENT = 'segment eager {\n  title "Tried it"\n  when did "Tried" at least 2 times in 1h\n}\n'
OTHER = 'segment other {\n  when did "Tried"\n}\n'
TOKEN = "0123456789abcdef0123456789abcdef"


def run(*arguments):
    """(exit status, standard output, standard error)."""
    done = subprocess.run([SEGMENTD, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def write(cluster, name, text):
    path = os.path.join(cluster.folder, name)
    with open(path, "w") as out:
        out.write(text)
    return path


def settings(cluster, kafka, topic="in", **more):
    """A segmentd.conf with the segment above."""
    return conf.text([write(cluster, "eager.seg", SEGMENT)], [topic], kafka, **more)


def broker(cluster):
    """One that all share who have an application of their own."""
    if not hasattr(cluster, "shared"):
        cluster.shared = cluster.kafka()
    return cluster.shared


def nobody():
    """An address that does not answer."""
    return "%s:%d" % (HOST, free_port())


def help_and_version(cluster):
    status, out, err = run("--help")
    suite.equal((status, err), (0, ""))
    suite.equal(out.startswith("segmentd: who is in which segment"), True, out)
    status, out, err = run("--version")
    suite.equal((status, err, out.startswith("segmentd ")), (0, "", True))


def a_wrong_command_line_is_78(cluster):
    for arguments in (["--nothing"], ["word"], ["-f"], ["-f", "/nowhere/segmentd.conf"]):
        status, out, err = run(*arguments)
        suite.equal((status, out, err != ""), (78, "", True), arguments)


def a_wrong_file_is_78_and_shown(cluster):
    good = settings(cluster, nobody())
    missing = conf.text(["/nowhere/x.seg"], ["in"], nobody())
    bad_segment = conf.text([write(cluster, "bad.seg", "segment a { when did }")], ["in"], nobody())
    rows = [
        (good + "flush_intervall 1s\n", "did you mean flush_interval?"),
        (good.replace("murmur2", "murmur"), "did you mean murmur2?"),
        (good.replace(HOST + ":", "0.0.0.0:"), "0.0.0.0"),
        (missing, "/nowhere/x.seg: No such file"),
        (bad_segment, "bad.seg:1:"),
        (settings(cluster, nobody(), properties={"no.such": "1"}), "no.such"),
        (settings(cluster, nobody(), properties={"group.id": "x"}), "Use the setting group"),
    ]
    for text, part in rows:
        path = write(cluster, "wrong.conf", text)
        for arguments in (["-t", "-f", path], ["-f", path]):
            status, out, err = run(*arguments)
            suite.equal((status, out, part in err), (78, "", True), "%s: %s" % (part, err))


def a_good_file_is_checked_and_printed(cluster):
    path = write(cluster, "good.conf", settings(
        cluster, nobody(), properties={"sasl.password": "hush-hush"}, flush_interval="90s"))
    status, out, err = run("-t", "-f", path)
    suite.equal((status, "good, 1 segment, catalogue" in out), (0, True), out + err)
    status, out, err = run("-T", "-f", path)
    suite.equal((status, err), (0, ""))
    suite.equal(("flush_interval 1m30s\n" in out, "hush" in out), (True, False), out)
    again = write(cluster, "again.conf", out)
    suite.equal(run("-T", "-f", again), (0, out, ""))


@suite.row(6)
def without_brokers_it_waits_and_says_so(cluster):
    daemon = cluster.segmentd(settings(cluster, nobody()), name="waits")
    until(lambda: answers(daemon), "HTTP answers")
    suite.equal(daemon.http("/healthz"), (200, "ok\n"))
    status, text = daemon.http("/readyz")
    answer = json.loads(text)
    suite.equal((status, answer["ready"], bool(answer["reason"])), (503, False, True), text)
    status, text = daemon.http("/v1/users/nobody")
    suite.equal((status, "error" in json.loads(text)), (503, True), text)
    status, text = daemon.http("/nothing")
    suite.equal((status, "error" in json.loads(text)), (404, True), text)
    daemon.signal(signal.SIGHUP)
    until(lambda: "mean what they meant" in daemon.log(), "SIGHUP is answered")
    suite.equal(daemon.terminate(30), 0)


def answers(daemon):
    daemon._must_run()
    try:
        return daemon.http("/healthz")
    except OSError:
        return None


def a_port_that_is_taken_ends_it_with_1(cluster):
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        address = "%s:%d" % taken.getsockname()
        path = write(cluster, "taken.conf", settings(cluster, nobody(), http=address))
        status, out, err = run("-f", path)
        suite.equal((status, "Address already in use" in err), (1, True), err)


def the_token_is_asked_for(cluster):
    path = write(cluster, "token", TOKEN + "\n")
    text = re.sub(r"(?m)^(http .*) }$", r'\1 token file "%s" }' % path, settings(cluster, nobody()))
    daemon = cluster.segmentd(text, name="token")
    until(lambda: answers(daemon), "HTTP answers")
    suite.equal(daemon.http("/metrics")[0], 401)
    request = urllib.request.Request(daemon.url + "/metrics", headers={"Authorization": "Bearer " + TOKEN})
    with urllib.request.urlopen(request, timeout=10) as answer:
        suite.equal(answer.status, 200)
    suite.equal(daemon.terminate(30), 0)


class Systemd:
    """The socket that systemd would listen on."""

    def __init__(self, cluster, name):
        self.path = os.path.join(cluster.folder, name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(0)
        self.heard = ""

    def hears(self, text):
        while True:
            try:
                self.heard += self.socket.recv(4096).decode() + "\n"
            except BlockingIOError:
                return text in self.heard


def systemd_hears_how_it_is(cluster):
    systemd = Systemd(cluster, "notify")
    daemon = cluster.segmentd(settings(cluster, nobody()), name="heard", env={"NOTIFY_SOCKET": systemd.path})
    until(lambda: systemd.hears("EXTEND_TIMEOUT_USEC="), "asked for patience")
    until(lambda: systemd.hears("STATUS="), "says why")
    suite.equal("READY=1" in systemd.heard, False)
    suite.equal(daemon.terminate(30), 0)
    suite.equal(systemd.hears("STOPPING=1"), True)


def promtool_finds_nothing_to_say(daemon):
    checked = subprocess.run(["promtool", "check", "metrics"], input=daemon.http("/metrics")[1].encode(),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    suite.equal((checked.returncode, checked.stdout.decode()), (0, ""))


def on_a_real_broker_it_gets_ready_and_answers(cluster):
    kafka, systemd = broker(cluster), Systemd(cluster, "notify2")
    kafka.topics.create("in", 4)
    text = settings(cluster, kafka.address)
    path = write(cluster, "topics.conf", text)
    subprocess.run([binary("segmentctl"), "topics", "create", "--conf", path], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    daemon = cluster.segmentd(text, name="ready", env={"NOTIFY_SOCKET": systemd.path})
    daemon.wait_ready()
    until(lambda: systemd.hears("READY=1"), "systemd hears that it is ready")
    user = "a/b \u00e9"
    event = {"type": "track", "userId": user, "event": "Tried"}
    producer = kafka.topics.producer(partitioner="murmur2_random")
    for message in ("1", "2"):
        producer.produce("in", json.dumps({**event, "messageId": message}), user)
    producer.flush(30)
    quoted = "/v1/users/a%2Fb%20%C3%A9"
    until(lambda: member_of(daemon, quoted) == ["eager"], "the user is in the segment")
    answer = json.loads(daemon.http(quoted)[1])
    suite.equal((answer["user"], answer["seq"]), (user, 1))
    status, text = daemon.http(quoted + "/explain?segment=eager")
    explained = json.loads(text)["segments"][0]
    suite.equal((status, explained["member"], explained["tree"]["value"]), (200, True, 2), text)
    sizes = json.loads(daemon.http("/v1/segments")[1])
    suite.equal((sizes["partitions"], sizes["segments"][0]["members"]), ({"here": 4, "total": 4}, 1))
    promtool_finds_nothing_to_say(daemon)
    suite.equal(daemon.metric("segmentd_segment_entered_total"), 1)
    suite.equal(daemon.metric("segmentd_partitions"), 4)
    suite.equal(daemon.terminate(30), 0)


def a_segment_is_made_a_shadow_and_back(cluster):
    """Its members leave when it becomes one, whoever enters then is counted and
    not told of, and all who are in enter when it is promoted."""
    kafka = broker(cluster)
    kafka.topics.create("shown", 2)
    text = conf.text([write(cluster, "shown.seg", SEGMENT + OTHER)], ["shown"], kafka.address, app="shown")
    cluster.ctl("topics", "create", "--conf", cluster.path("shown.conf", text))
    daemon = cluster.segmentd(text, name="shown")
    daemon.wait_ready()
    for members, user in enumerate(("ann", "bob"), 1):
        try_twice(kafka, daemon, user, members)
    told = {"ann": ["+other", "+eager"], "bob": ["+other", "+eager"]}
    suite.equal(published(kafka), told)
    edit(cluster, daemon, SEGMENT.replace("{", "{ shadow ", 1) + OTHER)
    until(lambda: "-eager" in published(kafka).get("bob", []), "its members leave")
    try_twice(kafka, daemon, "cyd", 3)
    told = {"ann": told["ann"] + ["-eager"], "bob": told["bob"] + ["-eager"], "cyd": ["+other"]}
    suite.equal(published(kafka), told)
    explained = json.loads(daemon.http("/v1/users/cyd/explain?segment=eager")[1])["segments"][0]
    suite.equal(explained["member"], True)
    suite.equal(published(kafka), told)
    edit(cluster, daemon, SEGMENT + OTHER)
    until(lambda: published(kafka)["cyd"] == ["+other", "+eager"], "its members enter")
    told = {user: changes + ["+eager"] for user, changes in told.items()}
    until(lambda: published(kafka) == told, lambda: "%s, not %s" % (published(kafka), told), 10)
    causes = [change["properties"]["cause"] for change in changes(kafka)]
    suite.equal((causes.count("catalogue"), causes.count("event")), (2 + 3, 3 + 2))
    until(lambda: eager_members(daemon) == 3, lambda: "%d members, not 3" % eager_members(daemon), 10)
    suite.equal(daemon.terminate(30), 0)


def try_twice(kafka, daemon, user, members):
    """USER does what it takes; then MEMBERS are in the segment."""
    kafka.topics.produce_events("shown", [(user, int(1000 * time.time()), json.dumps(
        {"type": "track", "userId": user, "event": "Tried", "messageId": user + str(n)})) for n in (1, 2)])
    until(lambda: eager_members(daemon) == members, "the metrics count %s" % user)


def eager_members(daemon):
    return daemon.metrics()['segmentd_segment_members{segment="eager"}']


def edit(cluster, daemon, text):
    write(cluster, "shown.seg", text)
    request = urllib.request.Request(daemon.url + "/-/reload", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        suite.equal(answer.status, 200)


def changes(kafka):
    """All of them, seq by seq."""
    found = [json.loads(record.value) for record in kafka.topics.read("shown.changes")]
    return sorted(found, key=lambda change: change["properties"]["seq"])


def published(kafka):
    """{user: ["+segment" or "-segment"]} in order; none is missing between them."""
    told = {}
    for change in changes(kafka):
        mine, p = told.setdefault(change["userId"], []), change["properties"]
        mine.append("-+"[p["member"]] + p["segment"])
        suite.equal(p["seq"], len(mine))
    return told


def a_producer_that_is_refused_says_why_and_tries_at_leisure(cluster):
    """The brokers take no transaction time-out as long as ours."""
    kafka = cluster.kafka("strict", transaction_max_timeout_ms=5000)
    kafka.topics.create("in", 1)
    text = settings(cluster, kafka.address, workers=1)
    path = write(cluster, "strict.conf", text)
    subprocess.run([binary("segmentctl"), "topics", "create", "--conf", path], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    daemon = cluster.segmentd(text, name="refused")
    until(lambda: answers(daemon) and "has no producer" in daemon.http("/readyz")[1], "the reason is told")
    until(lambda: daemon.metric("segmentd_uptime_seconds") > 8, "it has tried for a while")
    suite.equal(daemon.log().count("no transaction can be begun"), 1)
    # Each try is worth a line or two of the library; in a busy loop thousands.
    suite.equal(daemon.metric("segmentd_log_suppressed_total") < 100, True)
    suite.equal(daemon.terminate(30), 0)


def who_stops_still_serves_the_group(cluster):
    """One cannot write his users down when he is asked to end; another who comes
    meanwhile need not wait for that."""
    kafka = broker(cluster)
    kafka.topics.create("busy", 4)
    options = {"topic": "busy", "app": "busy", "workers": 1, "flush_interval": "1h", "stop_timeout": "60s"}
    text = settings(cluster, kafka.address, process="one", **options)
    subprocess.run([binary("segmentctl"), "topics", "create", "--conf", write(cluster, "busy.conf", text)],
                   check=True, timeout=60, stdout=subprocess.DEVNULL)
    one = cluster.segmentd(text, name="one", env={"SEGMENTD_FAILPOINTS": "flush=error"}, failpoints=True)
    one.wait_ready()
    producer = kafka.topics.producer(partitioner="murmur2_random")
    for n in range(80):
        event = {"type": "track", "userId": "u%d" % (n // 2), "event": "Tried", "messageId": str(n)}
        producer.produce("busy", json.dumps(event), event["userId"])
    producer.flush(30)
    one.wait_metric("segmentd_segment_entered_total", lambda entered: entered == 40)
    one.wait_metric("segmentd_transaction_age_seconds", lambda age: age == 0, 15)
    one.signal(signal.SIGTERM)
    one.wait_metric('segmentd_transaction_age_seconds', lambda age: age > 1, 15)
    two = cluster.segmentd(settings(cluster, kafka.address, process="two", **options), name="two",
                           failpoints=True)
    # He would be at it for half of stop_timeout.
    suite.equal(one.wait(20), 0)
    two.wait_metric("segmentd_segment_members", lambda members: members == 40)
    suite.equal(two.metric("segmentd_restore_repairs_total"), 0)
    suite.equal(two.terminate(30), 0)


def member_of(daemon, path):
    status, text = daemon.http(path)
    return [row["segment"] for row in json.loads(text)["memberships"]] if status == 200 else None


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(here, [
            help_and_version, a_wrong_command_line_is_78, a_wrong_file_is_78_and_shown,
            a_good_file_is_checked_and_printed, without_brokers_it_waits_and_says_so,
            a_port_that_is_taken_ends_it_with_1, the_token_is_asked_for, systemd_hears_how_it_is,
            on_a_real_broker_it_gets_ready_and_answers, a_segment_is_made_a_shadow_and_back,
            a_producer_that_is_refused_says_why_and_tries_at_leisure,
            who_stops_still_serves_the_group]))
