#!/bin/sh
# demo.sh: segmentd at work, for `make demo`; ends with Ctrl-C, and then nothing
# is left of it.
#
#     generator -> broker -> segmentd -> broker -> watch (this terminal)
#                                     -> redis-server
#
# The broker is the one inside segmentd --embedded, or with BROKER=kafka a real
# Apache Kafka.  All is on loopback, on ports chosen at run time, with its data
# in one temporary folder.
#
# Environment: B (build folder), BROKER, and for tests DEMO_SECONDS.
set -u
cd "$(dirname "$0")/../.." || exit 1

B=${B:-build}
BROKER=${BROKER:-embedded}
PARTITIONS=4
segments=config/segments/demo.seg

case $BROKER in
embedded | kafka) ;;
*) echo "demo: BROKER is embedded or kafka, not $BROKER" >&2; exit 2 ;;
esac

folder=$(mktemp -d "${TMPDIR:-/tmp}/segmentd-demo-XXXXXX") || exit 1
pids='' status=0

# The youngest first, each by its own id.
finish() {
    trap '' INT TERM HUP PIPE
    trap - EXIT
    for pid in $pids; do
        kill -TERM "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    rm -rf "$folder"
    echo "demo: ended, nothing is left of it"
    exit "$status"
}
trap finish EXIT
trap 'exit 0' INT TERM HUP PIPE

# Starts a program with its log in the folder.  In a session of its own, so that
# Ctrl-C reaches only us; the kernel ends it should we be killed.
start() { # name, command...
    name=$1
    shift
    setsid setpriv --pdeathsig TERM "$@" >"$folder/$name.log" 2>&1 </dev/null &
    pids="$! $pids"
    eval "${name}_pid=$!"
}

fail() {
    echo "demo: $1" >&2
    tail -n 20 "$folder"/*.log >&2
    status=1
    exit 1
}

# Waits until COMMAND succeeds while PID lives.
await() { # what, pid, command...
    what=$1 pid=$2 tries=0
    shift 2
    until "$@" >/dev/null 2>&1; do
        kill -0 "$pid" 2>/dev/null || fail "$what: it ended"
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || fail "$what: not within a minute"
        sleep 0.1
    done
}

listens() {
    port=$(sed -n 's/.*listening for HTTP.* port=\([0-9]*\).*/\1/p' "$folder/segmentd.log")
    [ -n "$port" ]
}

# A real broker, by the tests' own means; both kinds tell their address in a file.
kafka=
if [ "$BROKER" = kafka ]; then
    # shellcheck disable=SC2016 -- for the inner shell
    start kafka tests/support/cluster.py run -- sh -c \
        'echo "$KAFKA" >"$0.part" && mv "$0.part" "$0" && exec sleep 2147483647' "$folder/broker"
    echo "demo: starting Apache Kafka"
    await "Apache Kafka" "$kafka_pid" test -s "$folder/broker"
    KAFKA=$(cat "$folder/broker")
    kafka="kafka { bootstrap.servers = \"$KAFKA\" }"
fi

cat >"$folder/segmentd.conf" <<END
app             "demo"
process         "demo"
clock           wall
flush_interval  5s
run_directory   "$folder"
segments        ["$PWD/$segments"]
input "product-events" { partitioner murmur2  start earliest }
redis { address "$folder/redis" }
http  { address "127.0.0.1:0" }
$kafka
END

start redis redis-server --port 0 --unixsocket "$folder/redis" --dir "$folder" --save ''
if [ "$BROKER" = kafka ]; then
    "$B/tests/demo/generator" "$KAFKA" product-events $PARTITIONS &&
        "$B/segmentctl" topics create --conf "$folder/segmentd.conf" >"$folder/topics.log" 2>&1 ||
        fail "the topics could not be created"
    start segmentd "$B/segmentd" -f "$folder/segmentd.conf"
else
    start segmentd "$B/segmentd" -f "$folder/segmentd.conf" --embedded
    await "the embedded broker" "$segmentd_pid" test -s "$folder/broker"
    KAFKA=$(cat "$folder/broker")
fi
await "segmentd" "$segmentd_pid" listens
start generator "$B/tests/demo/generator" "$KAFKA" product-events
await "redis-server" "$redis_pid" test -S "$folder/redis"

url=http://127.0.0.1:$port
cat <<END

  segmentd demo: people use the product of a software company; a month of theirs
  is about a minute. Ctrl-C ends it.

    segments, with sizes   $url/v1/segments
    one person             $url/v1/users/ID      (take an ID from below)
    why                    $B/segmentctl explain --url $url ID
    the same in Redis      redis-cli -s $folder/redis hgetall demo:user:ID
    metrics                $url/metrics
    the segments' text     $segments
    broker                 $KAFKA ($BROKER)
END
[ "$BROKER" = kafka ] || echo "
  The embedded broker is good to look at; nothing here proves exactly-once."
echo "
  Entries, exits and triggers, read back from demo.changes and demo.triggers:
"

"$B/tests/demo/watch" "$KAFKA" demo "$segments" &
watch_pid=$!
pids="$watch_pid $pids"
seconds=0
while [ "$seconds" -lt "${DEMO_SECONDS:-1000000000}" ]; do
    for pid in $pids; do
        kill -0 "$pid" 2>/dev/null || fail "something ended by itself"
    done
    sleep 1
    seconds=$((seconds + 1))
done
