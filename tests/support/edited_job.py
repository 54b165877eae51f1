"""edited_job.py: the main job (job.py) while segment files are edited, and what
must be true in the end.

What core.seg says must come out as if nothing else had happened, change by change;
the edited segments must end as the oracle says of the last edition; the change
topic and Redis must agree."""

import collections

import cluster
import job
import judge
import suite


def make(servers, slices):
    # Small slices, so that there is something in between them.
    return job.Job(servers, slices=slices, failpoints=True, instance_id="one", batch_events=100,
                   transaction_events=500, flush_interval="500ms", flush_users=100, edited=True,
                   properties={"session.timeout.ms": 6000})


def all_is_worked_off_and_swept(run):
    run.wait_done()
    run.daemon.wait_metric("segmentd_sweeping_partitions", lambda n: n == 0, 30)
    suite.equal(run.daemon.metric("segmentd_restore_repairs_total"), 0)


def core_is_as_if_nothing_had_happened(run):
    run.written = judge.Written(run.topics)
    core = {s for changes in run.expected.changes.values() for s in {c.segment for c in changes}}
    judge.same(without_seq(run.written.changes, core), without_seq(run.expected.changes, core), "changes of core.seg")
    judge.same(run.written.triggers, run.expected.triggers, "triggers")


def without_seq(changes, segments):
    return {user: mine for user, all_of_his in changes.items()
            if (mine := [c._replace(seq=0) for c in all_of_his if c.segment in segments])}


def edited_segments_end_as_the_oracle_says(run):
    keys = run.editions.keys()
    expected = judge.Expected(run.editions.for_the_oracle(run.cluster.path("edited.seg")), run.past.merged())
    want = {user: set(of) & keys for user, of in expected.memberships.items() if set(of) & keys}
    got = {user: set(of) & keys for user, of in folded(run.written).items() if set(of) & keys}
    for user in set(want) | set(got):
        suite.equal(got.get(user), want.get(user), user)
    assert sum(map(len, want.values())) > 1000, "too few are in the edited segments"


def nobody_is_in_what_is_gone(run):
    in_force = run.editions.core + run.editions.text
    there = {line.split()[1] for line in in_force.splitlines() if line.startswith("segment ")}
    gone = {s for of in folded(run.written).values() for s in of} - there
    assert not gone, gone
    causes = collections.Counter((c.cause, c.member) for of in run.written.changes.values() for c in of)
    print("         %s" % ", ".join("%s %s: %d" % (k[0], "entered" if k[1] else "exited", n)
                                     for k, n in sorted(causes.items())))
    assert min(causes["catalogue", True], causes["catalogue", False]) > 1000, causes
    assert not any(c.triggers for of in run.written.changes.values() for c in of if c.cause == "catalogue")
    assert not causes["repair", True] + causes["repair", False]


def redis_is_the_change_topic(run):
    want = {user: {s: str(ms) for s, ms in of.items()} for user, of in folded(run.written).items() if of}
    client = run.redis.client()

    def agrees():
        keys = [k for k in client.scan_iter("segmentd:user:*", count=1000)]
        got = {k[len("segmentd:user:"):]: client.hgetall(k) for k in keys}
        return got == want

    cluster.until(agrees, "Redis agrees with the change topic", 20, 0.5)


def folded(written):
    """{user: {segment: entered_at in ms}} after all changes."""
    found = {}
    for user, changes in written.changes.items():
        mine = found.setdefault(user, {})
        for change in changes:
            if change.member:
                mine[change.segment] = judge.records.parse_ms(change.entered_at)
            else:
                mine.pop(change.segment)
    return found


VERDICTS = [core_is_as_if_nothing_had_happened, edited_segments_end_as_the_oracle_says, nobody_is_in_what_is_gone,
            redis_is_the_change_topic]
