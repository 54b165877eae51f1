"""job.py: the main job as the process tests do it: a history in two topics of a
real broker, segmentd with `clock records`, and the oracle's answers, on which the
change topic, the trigger topic and Redis are judged.

The same SEED is the same history, so that several tests share one run of the
oracle (see judge.Expected)."""

import os

import cluster
import conf
import editions
import history
import judge

SEGMENTS = editions.CORE
# The whole matrix has more.
EVENTS, PARTITIONS = 200000 if os.environ.get("FAULTS") == "full" else 120000, 8


class Job:
    """SLICES says into how many parts the history is cut; feed() writes the next
    one.  With EDITED there are editions (editions.py) beside core.seg.  SETTINGS are
    those of conf.text."""

    def __init__(self, servers, slices=1, failpoints=False, properties=None, edited=False, **settings):
        self.cluster, self.failpoints = servers, failpoints
        self.kafka, self.redis = servers.kafka(), servers.redis()
        self.topics = self.kafka.topics
        self.seed = int(os.environ.get("SEED", "20250101"))
        self.past = history.History(self.seed, EVENTS, PARTITIONS)
        self.expected = judge.Expected(SEGMENTS, self.past.merged())
        self.slices = self.past.slices(slices)
        self.editions = editions.Editions(servers.folder, self.seed) if edited else None
        self.conf = conf.text([self.editions.folder if edited else SEGMENTS], history.TOPICS, self.kafka.address, redis=self.redis.address,
                              clock="records", workers=2, properties=properties, **settings)
        self.past.create(self.topics)
        servers.ctl("topics", "create", "--conf", servers.path("topics.conf", self.conf))
        self.daemon = None

    def feed(self, all_of_it=False):
        """Write the next slice, or all that is left.  Only while no daemon runs:
        with `clock records` one that sees half of a slice would be right to
        believe that an input has ended."""
        assert not (self.daemon and self.daemon.running())
        for rows in self.slices:
            self.past.produce(self.topics, rows)
            if not all_of_it:
                break

    def start(self, failpoints="", barriers="."):
        """Start the daemon, with FAILPOINTS as in SEGMENTD_FAILPOINTS, the files of
        barriers in BARRIERS; it need not be ready yet."""
        env = {"SEGMENTD_FAILPOINTS": failpoints, "SEGMENTD_BARRIERS": barriers}
        if not self.daemon:
            self.daemon = self.cluster.segmentd(self.conf, env=env, failpoints=self.failpoints)
            return
        self.daemon.env.update(env)
        self.daemon.start()

    def wait_done(self, timeout=180):
        """Until everything fed is worked off and committed."""
        judge.wait_committed(self.daemon, self.topics, history.TOPICS, timeout=timeout)

    def applied(self):
        """Share of the history that this life of the daemon has applied."""
        return self.daemon.metric("segmentd_events_total") / EVENTS

    # ---- verdicts, tests of their own ---------------------------------------

    def changes_and_triggers_equal_the_oracle(self):
        judge.compare(self.expected, judge.Written(self.topics))

    def redis_equals_the_oracle(self):
        judge.redis_agrees(self.redis.client(), self.expected)

    def nothing_was_bad(self):
        assert not self.expected.dead_letters
        bad = self.topics.read("segmentd.dead-letters")
        assert not bad, "%d dead letters, the first: %s" % (len(bad), bad[0])
