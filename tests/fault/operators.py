"""operators.py: the verbs of people who do things to a group while it is at work: a member
is removed, offsets are committed by somebody else."""

from confluent_kafka import TopicPartition

from cluster import until
from pauses import in_state, one_of_them, total, wait_there
from proxy import HEARTBEAT
from scenario import verb
from stand import OURS
from wire import Protocol


@verb
def removed(stand, point, heard=True):
    """An operator removes a worker from the group while it is at POINT: it is thrown out,
    and its transaction is as good as any. HEARD: it goes on when it knows."""
    name, rest, daemon = one_of_them(stand)
    losses = total(daemon, "losses")
    stand.order(name, point, "barrier@1")
    wait_there(stand, name, point, False)
    broker = Protocol(stand.kafka.address)
    for client, member in broker.members(stand.app).items():
        if client.startswith("%s-%s-" % (stand.app, name)):
            broker.remove_member(stand.app, member)
    answered = stand.proxy.answers[HEARTBEAT]
    if rest:  # What it had in its hands is done by others.
        stand.own_all(*rest)
        stand.load.feed()
        until(lambda: stand.facts.committed() == stand.facts.ends(*stand.inputs), "all is committed", 30, 0.01)
    # Everybody asks equally often; the answer to it is that it is no member, and its last.
    until(lambda: not heard or stand.proxy.answers[HEARTBEAT] > answered + 2 * len(rest), "it has heard of it", 10)
    stand.let_go(name, point)
    daemon.wait_metric("segmentd_losses_total", lambda n: n > losses, 30)
    stand.own_all(*stand.names)


@verb
def offsets_reset_in_restore(stand):
    """Somebody commits offsets for the group while partitions are restored by them: that
    is noticed, at the latest when a restore is over, and goes on when it is mended."""
    name, = stand.names
    stand.works(name)
    stand.load.feed(120)  # Of each partition something has to be read again.
    stand.calm()
    broker, topic, good = Protocol(stand.kafka.address), stand.inputs[0], stand.facts.committed()
    before = stand.metadata()
    stand.daemons[name].kill()
    stand.died(name, OURS, 0, by_itself=False)
    daemon = stand.start(name, "restore_redo_half=barrier@1")
    until(lambda: stand.waits(name, "restore_redo_half"), "it restores", 30)
    stranger = stand.topics.producer(transactional_id="stranger-" + stand.app)
    stranger.init_transactions(30)
    stranger.begin_transaction()
    stranger.send_offsets_to_transaction([TopicPartition(topic, p, good[topic, p]) for p in before],
                                         stand.facts.as_nobody(), 30)
    stranger.commit_transaction(30)
    done = stand.partitions - in_state(daemon, "restoring")
    stand.let_go(name, "restore_redo_half")
    until(lambda: done + in_state(daemon, "refused") == stand.partitions,
          lambda: "none of what was being restored goes on: %s" % daemon.metrics(), 20)
    daemon.kill()
    for member in broker.members(stand.app).values():
        broker.remove_member(stand.app, member)
    for partition, metadata in before.items():
        broker.commit(stand.app, topic, partition, good[topic, partition], metadata)
    stand.start(name)
    stand.own_all(name)
