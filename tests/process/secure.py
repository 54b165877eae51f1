#!/usr/bin/python3
"""Brokers and a Redis that ask who one is: TLS with a certificate, SASL by SCRAM and
by PLAIN, ACL users. segmentd and segmentctl get in by what kafka { } and redis { }
say, and who is not let in says why and waits. At the end nothing that was printed
anywhere has a secret in it.

SCRAM runs with the librdkafka of tests/support/librdkafka: Debian's cannot do it with
this broker (daemon/kafka/library_table.h)."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import conf
import records
import redis
import suite
from cluster import Cluster, binary, librdkafka, until
from secure import Certificates, Secure

SEGMENT = 'segment eager { when did "Tried" at least 2 times in 30d }\n'
PARTITIONS = 3
# Each occurs nowhere by chance.
SECRETS = {"password": "pW-7f3a91c2", "wrong": "pW-wrong-5d20", "key": "pW-key-83be", "redis": "pW-redis-1c77",
           "token": "tOken-94ae-6b02-77d1"}
ROUTES = ("/metrics", "/healthz", "/readyz", "/v1/segments", "/v1/segments/eager/members", "/v1/events",
          "/v1/users/u0", "/v1/users/u0/explain", "/nothing")


class World:
    def __init__(self, cluster):
        self.cluster = cluster
        self.certificates = Certificates(cluster.path("certificates"))
        self.certificates.sign("client", password=SECRETS["key"])
        self.kafka = cluster._own(Secure(cluster.folder, self.certificates, {"segmentd": SECRETS["password"]}))
        self.topics = self.kafka.topics
        self.redis = cluster.redis()
        self.files = {name: cluster.path(name + ".secret", text + "\n") for name, text in SECRETS.items()}
        self.segments = cluster.path("eager.seg", SEGMENT)
        self.topics.create("in", PARTITIONS)
        self.current = {"LD_LIBRARY_PATH": librdkafka()}
        self.printed = []  # (what, text)

    def door(self, kind, **properties):
        """The text of kafka { } for the listener KIND."""
        rows = {"bootstrap.servers": self.kafka.doors[kind], "security.protocol": kind}
        if "SSL" in kind:
            rows["ssl.ca.location"] = self.certificates.path("ca.crt")
        if "SASL" in kind:
            rows.update({"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "segmentd",
                         "sasl.password": self.secret("password")})
        else:
            rows.update({"ssl.certificate.location": self.certificates.path("client.crt"),
                         "ssl.key.location": self.certificates.path("client.key"),
                         "ssl.key.password": self.secret("key")})
        rows.update({name.replace("_", "."): value for name, value in properties.items()})
        return "kafka {\n%s}\n" % "".join("    %s = %s\n" % (name, value if value.startswith('file "') else '"%s"' % value)
                                          for name, value in rows.items() if value)

    def secret(self, name):
        return 'file "%s"' % self.files[name]

    def text(self, kafka, view=None, **settings):
        """A segmentd.conf with the block KAFKA, and VIEW in redis { }."""
        text = conf.text([self.segments], ["in"], "nowhere:1", app="app", workers=1, **settings)
        text = re.sub(r"(?m)^kafka .*\n", lambda _: kafka, text)
        text = re.sub(r"(?m)^(http .*) }$", r'\1 token = %s }' % self.secret("token"), text)
        return text + ('redis { address = "%s" %s }\n' % (self.redis.address, view) if view is not None else "")

    def ctl(self, kafka, *arguments, status=0, env=None):
        """What segmentctl says, all of it."""
        path = self.cluster.path("ctl.conf", self.text(kafka))
        return said(self, [binary("segmentctl"), *arguments, "--conf", path], status, env)

    def ask(self, daemon, path):
        """(status, text) of a GET with the token."""
        request = urllib.request.Request(daemon.url + path, headers={"Authorization": "Bearer " + SECRETS["token"]})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def tries(self, *users):
        producer = self.topics.producer(partitioner="murmur2_random")
        for user in users:
            for n in range(2):
                producer.produce("in", json.dumps({"type": "track", "userId": user, "event": "Tried",
                                                   "messageId": "%s-%d" % (user, n)}), user)
        producer.flush(30)

    def told(self):
        return {json.loads(record.value)["userId"] for record in self.topics.read("app.changes")}


def said(world, command, status, env=None):
    done = subprocess.run(command, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    world.printed.append((" ".join(command[:3]), done.stdout))
    suite.equal(done.returncode, status, "%s: %s" % (command, done.stdout))
    return done.stdout


def asked(world, daemon, path="/readyz"):
    """As World.ask, None while nobody listens yet."""
    daemon._must_run()
    try:
        return world.ask(daemon, path)
    except OSError:
        return None


def ready(world, daemon):
    last = [None]

    def is_ready():
        last[0] = asked(world, daemon)
        return last[0] and last[0][0] == 200

    until(is_ready, lambda: "%s is ready, last %s" % (daemon.name, last[0]), 60)


def metric(world, daemon, name):
    return sum(float(line.split()[-1]) for line in world.ask(daemon, "/metrics")[1].splitlines()
               if re.match(name + "[ {]", line))


def user_of(partition):
    return next("u%d" % n for n in range(1000) if records.partition_of("u%d" % n, PARTITIONS) == partition)


# ---- getting in ---------------------------------------------------------------

def segmentctl_gets_in_at_every_door(world):
    world.ctl(world.door("SASL_SSL"), "topics", "create", env=world.current)
    for door, env in (world.door("SSL"), {}), (world.door("SASL_SSL", sasl_mechanism="PLAIN"), {}), (
            world.door("SASL_PLAINTEXT"), world.current):
        suite.equal("WRONG" in world.ctl(door, "topics", "verify", env=env), False)


def segmentd_works_at_every_door(world):
    """Three processes of one group, of two librdkafkas, each with a partition."""
    admin = world.redis.client()
    admin.acl_setuser("tests", enabled=True, passwords=["+tests"], keys=["*"], commands=["+@all"])
    world.admin = redis.Redis(port=world.redis.port, username="tests", password="tests", decode_responses=True)
    # As the manual says.
    world.admin.execute_command("ACL", "SETUSER", "segmentd", "on", ">" + SECRETS["redis"], "~app:*", "+@read",
                                "+@write", "+@scripting", "+@connection", "-@dangerous")
    world.admin.execute_command("ACL", "SETUSER", "default", "off")
    view = 'user = "segmentd" password = %s' % world.secret("redis")
    quick = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "200"}
    world.scram = world.cluster.segmentd(world.text(world.door("SASL_SSL", debug="conf,security", **quick), view,
                                                    log_level="debug"), "scram", env=world.current)
    world.plaintext = world.cluster.segmentd(world.text(world.door("SASL_PLAINTEXT", **quick), view), "plaintext",
                                             env=world.current)
    world.tls = world.cluster.segmentd(world.text(world.door("SSL", **quick), ""), "tls")  # No user for Redis.
    everybody = world.scram, world.plaintext, world.tls
    for daemon in everybody:
        ready(world, daemon)
    until(lambda: [metric(world, daemon, "segmentd_partitions") for daemon in everybody] == [1, 1, 1],
          "each has a partition", 60)
    users = [user_of(partition) for partition in range(PARTITIONS)]
    world.tries(*users)
    for daemon in everybody:
        until(lambda: metric(world, daemon, "segmentd_segment_entered_total") == 1, daemon.name + " works")
    suite.equal(world.told(), set(users))
    versions = {re.search("librdkafka version=(.*)", daemon.log()).group(1) for daemon in everybody}
    suite.equal(len(versions) == 2 or bool(os.environ.get("LIBRDKAFKA")), True, versions)


# ---- not getting in -------------------------------------------------------------

def refusals(world):
    """{name: (kafka { }, environment, what is said)}"""
    stranger = world.certificates.path("stranger.crt")
    invalid = "invalid credentials with SASL mechanism SCRAM-SHA-512"
    old = not os.environ.get("LIBRDKAFKA")
    return {
        "password": (world.door("SASL_SSL", sasl_password=world.secret("wrong")), world.current, invalid),
        "user": (world.door("SASL_PLAINTEXT", sasl_username="nobody"), world.current, invalid),
        # The right password: but the library is too old for this broker.
        "library": (world.door("SASL_SSL"), {}, "before 2.6.1 cannot log in" if old else None),
        "plain": (world.door("SASL_SSL", sasl_mechanism="PLAIN", sasl_password=SECRETS["wrong"]), {},
                  "Authentication failed: Invalid username or password"),
        "authority": (world.door("SASL_SSL", ssl_ca_location=stranger), {}, "certificate verify failed"),
        "certificate": (world.door("SSL", ssl_certificate_location=None, ssl_key_location=None, ssl_key_password=None),
                        {}, "bad certificate|certificate required"),
        "tls": (world.door("SASL_SSL", security_protocol="PLAINTEXT"), {}, "connecting to a SSL listener"),
    }


def who_is_not_let_in_says_why_and_waits(world):
    rows = {name: row for name, row in refusals(world).items() if row[2]}
    daemons = {name: world.cluster.segmentd(world.text(kafka), "not-" + name, env=env)
               for name, (kafka, env, _) in rows.items()}
    for name, (_, _, want) in rows.items():
        last = [None]

        def is_told():
            last[0] = asked(world, daemons[name])
            return last[0] and last[0][0] == 503 and re.search(want, last[0][1])

        until(is_told, lambda: "%s: readyz says %s, last %s" % (name, want, last[0]))
        until(lambda: re.search("warn: .*" + want, daemons[name].log()),
              lambda: "%s: the log says %s:\n%s" % (name, want, daemons[name].log()), 60)
    for name, daemon in daemons.items():
        suite.equal((daemon.running(), asked(world, daemon, "/healthz")[0]), (True, 200), name)
        # It tries again and does not say so each time.
        suite.equal(len(daemon.log().splitlines()) < 100, True, daemon.log())
        daemon.signal(15)
    suite.equal({name: daemon.wait(30) for name, daemon in daemons.items()}, dict.fromkeys(daemons, 0))


def segmentctl_tries(world):
    """It waits for 10 s; others need not wait for it."""
    world.trying = {name: (want, subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", binary("segmentctl"), "topics", "verify", "--conf",
         world.cluster.path("ctl-%s.conf" % name, world.text(kafka))],
        env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        for name, (kafka, env, want) in refusals(world).items() if want}


def segmentctl_says_why(world):
    for name, (want, child) in world.trying.items():
        text = child.communicate(timeout=60)[0]
        world.printed.append(("segmentctl " + name, text))
        suite.equal((child.returncode, bool(re.search("segmentctl: .*" + want, text)), text.count("\n") < 4),
                    (1, True, True), text)


def what_cannot_be_read_is_78_at_once(world):
    nowhere, key = world.cluster.path("nowhere"), world.certificates.path("client.key")
    for kafka, want in (
            (world.door("SASL_SSL", ssl_ca_location=nowhere), "ssl.ca.location failed"),
            (world.door("SSL", ssl_certificate_location=nowhere), "ssl.certificate.location failed"),
            (world.door("SSL", ssl_key_password=world.secret("wrong")), "ssl.key.location failed"),
            (world.door("SSL", ssl_key_location=None, ssl_key_pem=SECRETS["wrong"]), "ssl.key.pem|ssl_key_pem"),
            (world.door("SSL", ssl_key_password='file "%s"' % nowhere), "nowhere: No such file"),
            (world.door("SASL_SSL", sasl_mechanism="SCRAM-SHA-1024"), "Unsupported hash function|No provider"),
            (world.door("SASL_SSL", sasl_pasword=SECRETS["wrong"]), "sasl.pasword"),
            (world.door("SASL_SSL", sasl_username="a") + "redis { password %s" % SECRETS["redis"], "error"),
            (world.door("SASL_SSL") + 'redis { password "%s' % SECRETS["redis"], "error")):
        path = world.cluster.path("wrong.conf", world.text(kafka))
        for arguments in ["-t"], []:
            text = said(world, [binary("segmentd"), *arguments, "-f", path], 78)
            suite.equal(bool(re.search(want, text)), True, "%s: %s" % (want, text))
    suite.equal(os.path.exists(key), True)


# ---- Redis ----------------------------------------------------------------------

def partition_at(world, daemon):
    return int(re.search(r'segmentd_users\{partition="(\d)"', world.ask(daemon, "/metrics")[1]).group(1))


@suite.row(15)
def who_has_no_user_for_redis_says_so(world):
    missing = "app:user:" + user_of(partition_at(world, world.tls))
    everybody = {"app:user:" + user_of(p) for p in range(PARTITIONS)}
    until(lambda: set(world.admin.keys("app:user:*")) == everybody - {missing}, "the others' users are shown")
    until(lambda: "NOAUTH" in world.tls.log(), "NOAUTH is told")
    suite.equal(bool(re.search('error: redis cannot be used.*address=.*reason="NOAUTH Auth', world.tls.log())), True,
                world.tls.log())
    suite.equal((metric(world, world.tls, "segmentd_redis_up"), asked(world, world.tls)[0]), (0, 200))


def loses(world, what, *change):
    """The view of the whole group is away while its user is CHANGEd so; segmentd says
    WHAT and catches up when it is well again."""
    daemon = world.scram
    world.admin.execute_command("ACL", "SETUSER", "segmentd", *change)
    world.admin.execute_command("CLIENT", "KILL", "USER", "segmentd")
    user = kafka_is_told(world, daemon)
    until(lambda: re.search('error: redis cannot be used.*reason="[^"]*%s' % what, daemon.log()),
          lambda: "%s is told: %s" % (what, daemon.log()[-3000:]))
    until(lambda: metric(world, daemon, "segmentd_redis_up") == 0, "redis is down")
    suite.equal(world.ask(daemon, "/readyz")[0], 200)
    suite.equal(world.admin.exists("app:user:" + user), 0)
    return user


def kafka_is_told(world, daemon, times=[0]):
    """Somebody of DAEMON's partition does what it takes, and is told of."""
    partition = partition_at(world, daemon)
    times[0] += 1
    user = next("r%d-%d" % (times[0], n) for n in range(1000)
                if records.partition_of("r%d-%d" % (times[0], n), PARTITIONS) == partition)
    world.tries(user)
    until(lambda: user in world.told(), user + " is told of")
    return user


@suite.row(15)
def a_password_that_changed_is_told_and_kafka_goes_on(world):
    user = loses(world, "WRONGPASS", "resetpass", ">other")
    world.admin.execute_command("ACL", "SETUSER", "segmentd", "resetpass", ">" + SECRETS["redis"])
    until(lambda: world.admin.exists("app:user:" + user), "it is shown")


@suite.row(15)
def what_is_not_allowed_any_more_is_told_and_kafka_goes_on(world):
    user = loses(world, "NOPERM", "-evalsha")
    world.admin.execute_command("ACL", "SETUSER", "segmentd", "+evalsha")
    until(lambda: world.admin.exists("app:user:" + user), "it is shown")
    until(lambda: metric(world, world.scram, "segmentd_redis_up") == 1, "redis is up")


# ---- secrets ----------------------------------------------------------------------

def nothing_printed_has_a_secret(world):
    inline = world.door("SASL_SSL", sasl_password=SECRETS["password"], ssl_key_password=SECRETS["key"],
                        ssl_keystore_password=SECRETS["wrong"])
    view = 'password = "%s"' % SECRETS["redis"]
    for n, text in enumerate((world.text(inline, view), world.text(world.door("SSL"), ""))):
        path = world.cluster.path("printed%d.conf" % n, text)
        shown = said(world, [binary("segmentd"), "-T", "-f", path], 0)
        suite.equal(('"sasl.password" = "********"' in shown, 'ssl.key.password" = file "/' in shown),
                    (n == 0, n == 1), shown)
    everybody = world.scram, world.plaintext, world.tls
    for daemon in everybody:
        for path in ROUTES:
            world.printed.append((daemon.name + path, "%d %s" % world.ask(daemon, path)))
            world.printed.append((daemon.name + path, "%d %s" % daemon.http(path)))
        suite.equal(daemon.http("/metrics")[0], 401)
        suite.equal(daemon.terminate(), 0)
    world.printed += [(process.name, process.log()) for process in world.cluster.processes
                      if process not in (world.kafka, world.redis)]
    found = [(what, name, re.search(".*%s.*" % secret, text).group(0)) for what, text in world.printed
             for name, secret in SECRETS.items() if secret in text]
    suite.equal(found, [])
    # It would have been seen: the same places name what is no secret.
    suite.equal(sum("segmentd" in text for _, text in world.printed) > 20, True)


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(World(here), [
            segmentctl_gets_in_at_every_door, segmentd_works_at_every_door, segmentctl_tries,
            who_is_not_let_in_says_why_and_waits, what_cannot_be_read_is_78_at_once,
            who_has_no_user_for_redis_says_so, a_password_that_changed_is_told_and_kafka_goes_on,
            what_is_not_allowed_any_more_is_told_and_kafka_goes_on, segmentctl_says_why,
            nothing_printed_has_a_secret]))
