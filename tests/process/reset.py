#!/usr/bin/python3
"""What segmentd refuses is mended by segmentctl reset, on a real broker.

Each case has an application of its own: it works, is ended or killed, its topics
or offsets are broken, segmentd refuses.  Then the command that the refusal names:
first it only says what it would do, with the numbers, and nothing moves; with
--yes it does it, and segmentd goes on.  Where nothing was lost all changes ever
put out equal the oracle's; where something was, memberships equal the oracle's for
what is left, no message id came twice and no number was used again."""

import collections
import json
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from confluent_kafka.admin import NewPartitions

import history
import judge
import records
import suite
from broken import App, FIRST, LATER, SECOND, World, mend, transaction, user
from cluster import Cluster, binary, test_program, until

# Memberships that counts end, that time ends, and that a trigger hangs on.
SEGMENTS = """
segment eager { when did "Used" at least 2 times on enter trigger "hello" { offer = "tea" } once per 1d }
segment keen { when did "Used" at least 9 times }
"""
TIMED = SEGMENTS + 'segment recent { when did "Used" at least 2 times in 10s }\n'
ENDED = {"segments": TIMED}


def static(name, **more):
    """Killed, and back without waiting for its session to end."""
    return {"segments": TIMED, "instance_id": name, "properties": {"session.timeout.ms": 2000}, **more}


APPS = {"cut-input": static("cut-input"), "cut-unread": static("cut-unread"), "cut-changes": static("cut-changes"),
        "cut-triggers": static("cut-triggers"), "new-input": ENDED, "saved": ENDED, "new-changes": ENDED,
        "new-state": ENDED, "set-back": ENDED, "all-back": ENDED, "deleted": ENDED, "older": ENDED,
        "expired": ENDED, "forgotten": static("forgotten", segments=SEGMENTS), "foreign": ENDED,
        "counts": ENDED, "moved": ENDED, "rebuilt": ENDED, "alive": ENDED}


class Mended:
    """How an application is mended, and what must come of it."""

    oracle = threading.Lock()

    def __init__(self, world, name):
        self.world, self.app = world, world.app(name)
        self.topics = world.topics
        self.gone = self.changes()  # All that was ever put out, also what is deleted.

    def reset(self, *arguments, status=0):
        done = subprocess.run([binary("segmentctl"), "reset", "--conf", self.app.conf_path, *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        suite.equal(done.returncode, status, "%s\n%s%s" % (arguments, done.stdout, done.stderr))
        return done.stdout + done.stderr

    def is_mended(self, *arguments, says=()):
        """A dry run says SAYS and moves nothing; then it is done."""
        before = [self.app.outputs(p) for p in (0, 1)], self.app.committed()
        self.wait_empty()
        told = self.reset(*arguments)
        for part in says:
            if not re.search(part, told):
                raise AssertionError("not %s in:\n%s" % (part, told))
        print("".join("         %s\n" % line for line in told.splitlines()), end="")
        assert "Nothing was done. Say --yes to do it." in told, told
        suite.equal(([self.app.outputs(p) for p in (0, 1)], self.app.committed()), before, "a dry run moves nothing")
        told = self.reset(*arguments, "--yes")
        assert "Nothing was done" not in told, told
        if "--accept-loss" in arguments:
            again = self.reset(*arguments)
            assert "nothing is to be mended" in again and "lost" not in again, again

    def wait_empty(self):
        """Until the session of one that was killed has ended."""
        until(lambda: "live members" not in self.reset("--accept-loss", "--yes", "--partition", "7", status=1),
              "the group is empty", 30, 0.2)

    def goes_on(self):
        """It starts, works off more events, leaves by time, and ends."""
        app = self.app
        app.start()
        app.daemon.wait_ready()
        app.feed(app.inputs[0], 3)
        app.feed(app.inputs[1], 2, after_s=30)
        app.wait()
        suite.equal(app.daemon.metric("segmentd_restore_repairs_total"), 0)
        suite.equal(app.daemon.metric("segmentd_refusals_total"), 0)
        if "instance_id" in app.conf:
            app.kill()  # Nothing is flushed yet but what reset wrote.
        else:
            app.end()
        app.start()
        app.daemon.wait_ready()
        app.feed(app.inputs[0], 1, after_s=2)
        app.wait()
        suite.equal(app.daemon.metric("segmentd_restore_repairs_total"), 0)
        app.end()

    # ---- what is compared ----

    def expected(self, rows):
        """The oracle's, which answers one after the other."""
        with self.oracle:
            expected = judge.Expected(self.app.segments, rows, jobs=1)
            suite.equal(bool(expected.memberships), True)
        return expected

    def rows(self):
        """All events that the inputs still have, in the order of the merge."""
        found = [history.Row(r.topic, r.partition, r.offset, r.timestamp_ms, r.key, r.value.decode())
                 for topic in self.app.inputs for r in self.topics.read(topic)]
        return sorted(found, key=lambda r: (r.timestamp_ms, r.topic, r.offset))

    def changes(self):
        return [r for r in self.topics.read(self.app.name + ".changes", foreign=[b"stranger"])
                if r.key != b"stranger"]

    def equals_the_oracle(self):
        """Nothing was lost: every change, each once."""
        expected = self.expected(self.rows())
        written = judge.Written(self.topics, self.app.name)
        judge.same(written.changes, expected.changes, "changes")
        judge.same(written.triggers, expected.triggers, "triggers")

    def is_true_for(self, rows, leaps=False):
        """Memberships are what ROWS make them. No message id came twice, also not
        of records that are gone; numbers grow, by one if nothing LEAPS."""
        expected = self.expected(rows)
        bodies, seen = [], set()
        for record in self.gone + [r for r in self.changes() if not self.knows(r)]:
            body = json.loads(record.value)
            if body["messageId"] in seen:
                raise AssertionError("message id twice: %s" % record.value.decode())
            seen.add(body["messageId"])
            bodies.append(body)
        inside, last = collections.defaultdict(dict), {}
        for body in bodies:
            who, what = body["userId"], body["properties"]
            step = what["seq"] - last.get(who, 0)
            assert step > 0 if leaps else step == 1, "seq: %s after %s" % (body, last.get(who))
            last[who] = what["seq"]
            inside[who][what["segment"]] = what["member"]
        got = {who: {s for s, member in mine.items() if member} for who, mine in inside.items()}
        want = {who: set(mine) for who, mine in expected.memberships.items()}
        suite.equal({w: m for w, m in got.items() if m}, {w: m for w, m in want.items() if m}, "memberships")

    def knows(self, record):
        return any(r.value == record.value for r in self.gone)

    def note(self):
        """All changes so far, before some are deleted."""
        self.gone = self.changes()
        return self


def place(rows, topic, partition, offset):
    """ROWS without those of a partition of TOPIC below OFFSET."""
    return [r for r in rows if not (r.topic == topic and r.partition == partition and r.offset < offset)]


# ---- truncated ----------------------------------------------------------------------

@suite.row(14)
def an_input_truncated_below_what_is_in_no_user_record(world):
    mended = Mended(world, "cut-input")
    app = mended.app.kill()
    world.protocol.delete_records(app.inputs[0], 0, 5)
    app.is_refused(app.inputs[0], "partition 0", "truncated", "offset 0 ", "begins at 5", mend(0))
    mended.note()
    mended.is_mended("--partition", "0", "--accept-loss", says=[
        "lost: events of topic cut-input-a partition 0 from offset 0 to 4 that no user record has",
        "at most 5 records are lost", "0 entered and [1-9] exited would be put out, cause repair",
        "goes on at offset %d\n" % (FIRST + LATER)])
    mended.goes_on()
    mended.is_true_for(mended.rows())


@suite.row(14)
def an_input_truncated_below_what_was_never_read(world):
    mended = Mended(world, "cut-unread")
    app = mended.app.kill()
    end = FIRST + LATER
    app.feed(app.inputs[0], 6)
    world.protocol.delete_records(app.inputs[0], 0, end + 2)
    app.start()
    app.says({0: (app.inputs[0], "partition 0", "truncated", "offset 0 ", "begins at %d" % (end + 2), mend(0))})
    app.end()
    mended.note()
    mended.is_mended("--partition", "0", "--accept-loss", says=[
        "lost: 2 events of topic cut-unread-a partition 0 that were never read, from offset %d to %d" % (end, end + 1),
        "at most %d records are lost" % (end + 2), "goes on at offset %d\n" % (end + 2)])
    mended.goes_on()
    mended.is_true_for(mended.rows())


@suite.row(14)
def changes_truncated_before_they_were_flushed(world):
    mended = Mended(world, "cut-changes")
    app = mended.app.kill()
    world.protocol.delete_records("cut-changes.changes", 0, 2)
    app.start()
    app.says({0: ("cut-changes.changes", "partition 0", "truncated", "offset 0 ", "begins at 2", mend(0))})
    app.end()
    mended.is_mended("--partition", "0", "--accept-loss", says=[
        "lost: 2 records of topic cut-changes.changes partition 0, from offset 0 to 1",
        "changes would be increased by 2"])
    mended.goes_on()
    mended.is_true_for(mended.rows(), leaps=True)


@suite.row(14)
def triggers_truncated_before_they_were_flushed(world):
    mended = Mended(world, "cut-triggers")
    app = mended.app.kill()
    world.protocol.delete_records("cut-triggers.triggers", 0, 1)
    app.start()
    app.says({0: ("cut-triggers.triggers", "partition 0", "truncated", "offset 0 ", "begins at 1", mend(0))})
    app.end()
    fired = {json.loads(r.value)["messageId"] for r in world.topics.read("cut-triggers.triggers")}
    mended.is_mended("--partition", "0", "--accept-loss", says=["triggers would be increased by 1"])
    mended.goes_on()
    mended.is_true_for(mended.rows())
    suite.equal({json.loads(r.value)["messageId"] for r in world.topics.read("cut-triggers.triggers")}, fired)


# ---- made again ---------------------------------------------------------------------

@suite.row(14)
def an_input_made_again(world):
    """What the one before said is in the users' records."""
    mended = Mended(world, "new-input")
    app = mended.app.end()
    before, reached = mended.rows(), app.committed()
    world.make_again(app.inputs[0])
    app.feed(app.inputs[0], 4)
    app.both_are_refused(lambda p: (app.inputs[0] + " partition %d" % p, "no committed offset", mend(p)))
    mended.is_mended("--accept-loss", says=[
        "it is another topic, which is read from offset 0", "goes on at offset 0\n"])
    suite.equal(reached[app.inputs[0], 0], FIRST + LATER)
    mended.goes_on()
    seen = {(r.topic, r.partition, r.offset, r.timestamp_ms) for r in mended.rows()}
    old = [r for r in before if (r.topic, r.partition, r.offset, r.timestamp_ms) not in seen]
    mended.is_true_for(old + mended.rows())


@suite.row(14)
def an_input_made_again_whose_offsets_somebody_saved(world):
    mended = Mended(world, "saved")
    app = mended.app.end()
    before = mended.rows()
    reached, metadata = app.committed(), [app.metadata(p) for p in (0, 1)]
    world.make_again(app.inputs[0])
    app.feed(app.inputs[0], 3 * FIRST)
    for (topic, p), offset in reached.items():
        world.protocol.commit("saved", topic, p, offset, metadata[p])
    app.both_are_refused(lambda p: (app.inputs[0] + " partition %d" % p, "not the one it was", "is another", mend(p)))
    mended.is_mended("--accept-loss", says=["it is another topic, which is read from offset 0", "goes on at offset 0\n"])
    mended.goes_on()
    old = [r for r in before if r.topic == app.inputs[0]]
    mended.is_true_for(old + mended.rows())


@suite.row(14)
def changes_made_again(world):
    mended = Mended(world, "new-changes")
    app = mended.app.end()
    world.make_again("new-changes.changes")
    app.both_are_refused(lambda p: ("topic new-changes.changes partition %d" % p, "ends at 0", mend(p)))
    mended.is_mended("--accept-loss", says=["it is another topic", "increased by 1000000"])
    mended.goes_on()
    mended.is_true_for(mended.rows(), leaps=True)


@suite.row(14)
def state_made_again_and_empty(world):
    mended = Mended(world, "new-state")
    app = mended.app.end()
    world.make_again("new-state.state")
    app.both_are_refused(lambda p: ("new-state.state partition %d" % p, "no meta record", mend(p, "--rebuild")))
    told = mended.reset("--accept-loss", status=1)
    assert mend(0, "--rebuild") in told and mend(1, "--rebuild") in told, told
    mended.is_mended("--rebuild", says=["built anew from offset 0 to %d" % (FIRST + LATER - 1),
                                        "built anew from offset 0 to %d" % (SECOND - 1),
                                        "0 entered and 0 exited", "2 users would be written"])
    mended.goes_on()
    mended.equals_the_oracle()


# ---- committed offsets ----------------------------------------------------------------

@suite.row(14)
def an_offset_set_back_by_an_operator(world):
    mended = Mended(world, "set-back")
    app = mended.app.end()
    number = transaction(app.metadata())
    world.protocol.commit("set-back", app.inputs[0], 0, 3, "")
    app.is_refused(app.inputs[0], "partition 0", "offset 3 ", "not one of ours", "transaction %d)" % number, mend(0))
    told = mended.reset("--input", app.inputs[0], "--to", "earliest", status=1)
    assert "partition 0 cannot be mended so" in told and mend(0) in told and "partition 1:" in told, told
    mended.is_mended("--partition", "0", "--accept-loss", says=[
        "the committed offset 3 is not the one of transaction %d" % number, "goes on at offset %d" % (FIRST + LATER),
        "0 entered and 0 exited"])
    mended.goes_on()
    mended.equals_the_oracle()


@suite.row(14)
def all_offsets_set_back_by_an_operator(world):
    """As kafka-consumer-groups --reset-offsets --all-topics does."""
    mended = Mended(world, "all-back")
    app = mended.app.end()
    for topic, p in app.committed():
        world.protocol.commit("all-back", topic, p, 0, "")
    app.both_are_refused(lambda p: ("partition %d" % p, "offset 0 ", "not one of ours", mend(p)))
    mended.is_mended("--accept-loss", says=["the committed offset 0 is not", "goes on at offset %d" % (FIRST + LATER)])
    mended.goes_on()
    mended.equals_the_oracle()


@suite.row(14)
def an_offset_deleted_by_an_operator(world):
    mended = Mended(world, "deleted")
    app = mended.app.end()
    world.protocol.delete_offset("deleted", app.inputs[1], 0)
    app.is_refused(app.inputs[1], "partition 0", "no committed offset", app.inputs[0], FIRST + LATER, mend(0))
    mended.is_mended("--partition", "0", "--accept-loss", says=[
        "topic deleted-b partition 0 has no committed offset", "deleted-b partition 0 goes on at offset %d" % SECOND])
    mended.goes_on()
    mended.equals_the_oracle()


@suite.row(14)
def offsets_of_an_older_transaction_of_ours(world):
    mended = Mended(world, "older")
    app = mended.app.end()
    then, now = transaction(app.metadata_before), transaction(app.metadata())
    for topic in app.inputs:
        world.protocol.commit("older", topic, 0, app.before[topic, 0], app.metadata_before)
    app.is_refused("older.state", "partition 0", "of transaction %d " % now, "are of %d " % then, mend(0))
    mended.is_mended("--partition", "0", "--accept-loss", says=[
        "committed offsets are of transaction %d, the state is of %d" % (then, now),
        "goes on at offset %d" % (FIRST + LATER)])
    mended.goes_on()
    mended.equals_the_oracle()


# ---- an expired group -------------------------------------------------------------------

@suite.row(14)
def an_expired_group_with_nothing_after_the_meta_record(world):
    mended = Mended(world, "expired")
    app = mended.app.end()
    world.protocol.delete_group("expired")
    assert "partition 0: nothing is to be mended" in mended.reset("--accept-loss")
    mended.goes_on()
    mended.equals_the_oracle()


@suite.row(14)
def an_expired_group_with_more_put_out_than_flushed(world):
    mended = Mended(world, "forgotten")
    app = mended.app.kill()
    mended.wait_empty()
    world.protocol.delete_group("forgotten")
    app.both_are_refused(lambda p: ("offsets of partition %d are gone" % p, "forgotten.", "holds ", "knows 0", mend(p)))
    mended.wait_empty()
    mended.is_mended("--accept-loss", says=["topic forgotten-a partition 0 goes on at offset 0, where the meta record",
                                            "0 entered and 0 exited"])
    mended.goes_on()
    mended.equals_the_oracle()


# ---- the rest -----------------------------------------------------------------------------

@suite.row(14)
def a_change_that_somebody_else_wrote(world):
    mended = Mended(world, "foreign")
    app = mended.app.end()
    at = app.outputs(0)["changes"]
    world.topics.produce("foreign.changes", [(0, b"stranger", b"no change at all", 0)])
    app.is_refused("foreign.changes", "partition 0", "offset %d " % at, "cannot be used", mend(0))
    mended.is_mended("--partition", "0", "--accept-loss", says=[
        "foreign.changes partition 0: the record at offset %d cannot be read and is passed over" % at,
        "0 entered and 0 exited"])
    mended.goes_on()
    mended.is_true_for(mended.rows(), leaps=True)


@suite.row(14)
def other_numbers_of_partitions(world):
    mended = Mended(world, "counts")
    app = mended.app.end()
    world.topics.admin.create_partitions([NewPartitions("counts.changes", 3)])["counts.changes"].result(30)
    until(lambda: world.topics.partitions("counts.changes") == 3, "there are three")
    app.start()
    suite.equal(app.daemon.wait(30), 78)
    said = [line for line in app.daemon.log().splitlines() if "error: " in line][-1]
    print("         " + said.partition("reason=")[2])
    suite.equal([part in said for part in (
        "counts.changes has 3 partitions", "counts-a has 2", "segmentctl topics create --partitions 2",
        "segmentctl reset --accept-loss --yes")], [True] * 4, said)
    assert "counts.changes has 3 partitions" in mended.reset("--accept-loss", status=1)
    world.topics.delete("counts.changes")
    until(lambda: "counts.changes" not in world.topics.admin.list_topics(timeout=10).topics, "it is gone", 30)
    world.cluster.ctl("topics", "create", "--partitions", "2", "--conf", app.conf_path)
    until(lambda: not world.topics.admin.list_topics("counts.changes", timeout=10).topics["counts.changes"].error,
          "the broker knows it")
    mended.is_mended("--accept-loss", says=["it is another topic"])
    mended.goes_on()
    mended.is_true_for(mended.rows(), leaps=True)


@suite.row(14)
def an_input_is_moved(world):
    """Forth: what lies between is left out. Back: events count again, but for those
    whose message ids are remembered."""
    mended = Mended(world, "moved")
    app = mended.app.end()
    end = FIRST + LATER
    app.feed(app.inputs[0], 4, after_s=20)
    mended.is_mended("--input", app.inputs[0], "--to", "latest", says=[
        "goes on at offset %d instead of %d: 4 records are left out" % (end + 4, end), "topic moved-b goes on at offset"])
    skipped = lambda rows: [r for r in rows if not (r.topic == app.inputs[0] and end <= r.offset < end + 4)]
    mended.goes_on()
    mended.is_true_for(skipped(mended.rows()))
    # Back over events that have ids: nobody counts them twice.
    now = app.committed()[app.inputs[0], 1]
    mended.is_mended("--input", app.inputs[0], "--to", str(now - 3), "--partition", "1", says=[
        "goes on at offset %d instead of %d: 3 records are applied again" % (now - 3, now)])
    mended.goes_on()
    mended.is_true_for(skipped(mended.rows()))
    told = mended.reset("--input", app.inputs[0], "--to", "999", "--partition", "1", status=1)
    assert "goes from offset 0 to" in told and "999 is not in it" in told, told


@suite.row(14)
def events_without_ids_count_again_when_they_are_read_again(world):
    mended = Mended(world, "rebuilt")
    app = mended.app.end()
    app.start()
    app.daemon.wait_ready()
    app.feed(app.inputs[0], 4, ids=False)
    app.wait()
    app.end()
    # Whatever is not lost is found again.
    mended.is_mended("--rebuild", says=["0 entered and 0 exited", "2 users would be written"])
    mended.goes_on()
    mended.equals_the_oracle()
    at = FIRST + LATER
    rows = mended.rows()
    again = [r for r in rows if r.topic == app.inputs[0] and at <= r.offset]
    mended.is_mended("--input", app.inputs[0], "--to", records.text_ms(again[0].timestamp_ms))
    mended.goes_on()
    twice = [r._replace(offset=r.offset + 1000) for r in again if "messageId" not in r.value]
    suite.equal(len(twice), 8)
    mended.is_true_for(sorted(mended.rows() + twice, key=lambda r: r.timestamp_ms))


def nothing_is_done_while_segmentd_lives(world):
    mended = Mended(world, "alive")
    for how in (["--accept-loss"], ["--rebuild"], ["--input", "alive-a", "--to", "earliest"]):
        told = mended.reset(*how, "--yes", status=1)
        assert re.search("group alive has 1 live members, the first is .* at .*: stop segmentd first", told), told
        assert "Nothing was done" in told, told
    told = mended.reset("--accept-loss")
    assert "--yes will be refused" in told and "partition 1: nothing is to be mended" in told, told
    mended.app.end()
    for wrong in ([], ["--rebuild", "--accept-loss"], ["--input", "alive-a"], ["--input", "alive-a", "--to", "5"],
                  ["--input", "alive-a", "--to", "noon"], ["--rebuild", "--partition", "x"]):
        mended.reset(*wrong, status=2)
    assert "no such input" in mended.reset("--input", "other", "--to", "latest", status=1)


if __name__ == "__main__":
    test_program(judge.EXPECT)
    with Cluster() as here:
        sys.exit(suite.run_together(World(here, APPS), [
            an_input_truncated_below_what_is_in_no_user_record, an_input_truncated_below_what_was_never_read,
            changes_truncated_before_they_were_flushed, triggers_truncated_before_they_were_flushed,
            an_input_made_again, an_input_made_again_whose_offsets_somebody_saved, changes_made_again,
            state_made_again_and_empty, an_offset_set_back_by_an_operator, all_offsets_set_back_by_an_operator,
            an_offset_deleted_by_an_operator, offsets_of_an_older_transaction_of_ours,
            an_expired_group_with_nothing_after_the_meta_record, an_expired_group_with_more_put_out_than_flushed,
            a_change_that_somebody_else_wrote, other_numbers_of_partitions, an_input_is_moved,
            events_without_ids_count_again_when_they_are_read_again, nothing_is_done_while_segmentd_lives], at_once=3))
