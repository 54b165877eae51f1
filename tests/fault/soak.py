"""soak.py: the verb of row 24: whatever can happen to processes and their networks
happens, in no order, for as long as one likes, and is judged now and then.

The choices come from the seed of the scenario. One process is never killed: what it
holds (threads, files, memory) is told at the start, in the middle and at the end."""

import collections
import functools
import time

import suite
from fault_points import BETWEEN, IN_TRANSACTION, MOVING, RESTORING, TROUBLED
from nemesis import killed_at, killed_at_random
from network import BOTH, broken, one_way, refused
from pauses import zombie_at
from scenario import verb
from stand import resources

JUDGED_S = 25
ENOUGH = 1500  # Records that one of the acts may need.
# Whether they come by so often depends on what was before.
perhaps_at = functools.partial(killed_at, perhaps=True)
OPEN = ["emit", "before_send_offsets", "before_commit"]

# How often, and what, with RANDOM; WHO may be killed.
ACTS = (
    (4, lambda random, who: killed_at_random(who=who)),
    (4, lambda random, who: perhaps_at(random.choice(IN_TRANSACTION + BETWEEN), random.randint(1, 5), who=who)),
    (2, lambda random, who: perhaps_at(random.choice(OPEN), 1, held=True, who=who)),
    (2, lambda random, who: perhaps_at(random.choice(RESTORING + MOVING), random.randint(1, 2), by="a_pause", who=who)),
    (1, lambda random, who: perhaps_at(random.choice(TROUBLED + ["lost", "rebuild_half", "close"]), 1, who=who)),
    (2, lambda random, who: zombie_at(random.choice(OPEN + ["after_send_offsets"]))),
    (2, lambda random, who: broken(random.choice(["cut", "reset"]), random.randint(1, 3))),
    (1, lambda random, who: refused(round(random.uniform(0.5, 3), 1))),
    (1, lambda random, who: one_way(random.choice(BOTH), round(random.uniform(0.5, 3), 1))),
)


def an_act(stand):
    weights, makers = zip(*ACTS)
    return stand.random.choices(makers, weights)[0](stand.random, stand.random.choice(stand.names[1:]))


@verb
def anything(stand, seconds):
    began = judged = time.monotonic()
    kinds, steady = collections.Counter(), [held_by_the_first(stand)]
    while time.monotonic() < began + seconds and stand.load.left() > ENOUGH:
        act = an_act(stand)
        act.call(stand)
        kinds[" ".join(act.text.split()[:2])] += 1
        if time.monotonic() > judged + JUDGED_S:
            stand.judge()
            judged = time.monotonic()
        if len(steady) == 1 and time.monotonic() > began + seconds / 2:
            steady.append(held_by_the_first(stand))
    stand.judge()
    steady.append(held_by_the_first(stand))
    suite.equal(sum(kinds.values()) > 0, True, "something happened")
    stand.say("%d records, %.0f s: %s" % (stand.load.fed, time.monotonic() - began, ", ".join(
        "%s %d" % pair for pair in kinds.most_common())))
    stand.say("the one that lives on holds (threads, files, MiB) %s" % ", then ".join(map(str, steady)))


def held_by_the_first(stand):
    """What it holds when all are calm: threads, files, MiB."""
    daemon = stand.calm()[0]
    stand.own_all(*stand.names)
    return *resources(daemon), round(daemon.metric("segmentd_resident_memory_bytes") / 2 ** 20, 1)
