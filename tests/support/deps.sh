#!/bin/sh
# deps.sh list|install GROUP...: what the project needs beyond make and a shell,
# how to see whether it is there, and why it is needed.  GROUP is build (the
# programs and the demo), kafka (the real broker for demo, bench and tests), bench
# (what bench needs beside it) or check (the other tests).
#
# Quiet when nothing is missing.  Installs with apt, as root or through sudo,
# starts no service and enables none.
set -eu

table() {
    cat <<'END'
# group | package | how to see it | why
build | gcc                      | command -v gcc                               | compiles the C
build | g++                      | command -v g++                               | compiles the C++ files (simdjson, RE2)
build | make                     | command -v make                              | runs the build
build | pkg-config               | command -v pkg-config                        | finds the libraries below
build | libevent-dev             | pkg-config --exists libevent                 | event loop, HTTP
build | librdkafka-dev           | pkg-config --exists rdkafka                  | Kafka client
build | libjansson-dev           | pkg-config --exists jansson                  | reads and writes JSON
build | libhiredis-dev           | pkg-config --exists hiredis                  | Redis client
build | libsimdjson-dev          | test -e /usr/include/simdjson.h              | reads events
build | libre2-dev               | test -e /usr/include/re2/re2.h               | regular expressions
build | libutf8proc-dev          | pkg-config --exists libutf8proc              | ignoring case
build | libxxhash-dev            | pkg-config --exists libxxhash                | hashes
build | redis-server             | command -v redis-server                      | the demo and the tests run a private one
kafka | openjdk-17-jdk-headless  | java_is_17                                   | runs Apache Kafka, the broker of the tests
kafka | maven                    | command -v mvn                               | fetches Apache Kafka
kafka | python3                  | test -x /usr/bin/python3                     | process tests
kafka | python3-confluent-kafka  | /usr/bin/python3 -c "import confluent_kafka" | independent client that reads our topics
kafka | python3-jsonschema       | /usr/bin/python3 -c "import jsonschema"      | holds what it reads against the shipped schemas
check | check                    | pkg-config --exists check                    | unit tests
check | clang                    | command -v clang                             | second compiler, fuzzing
check | libclang-rt-14-dev       | clang_has_fuzzer                             | libFuzzer and the sanitizers of clang
check | clang-format             | command -v clang-format                      | make format
check | universal-ctags          | ctags --version 2>&1 | grep -q Universal     | lint: length of functions
check | prometheus               | command -v promtool                          | checks /metrics
check | systemd                  | command -v systemd-analyze                   | checks the unit
check | procps                   | test -x /bin/kill                            | reloads as the unit does
check | python3-seccomp          | /usr/bin/python3 -c "import seccomp"         | shuts the service in as its unit says
check | openssl                  | command -v openssl                           | makes certificates
check | python3-pip              | /usr/bin/python3 -m pip --version            | fetches a second librdkafka
check | mandoc                   | command -v mandoc                            | reads the manual pages strictly
check | groff-base               | command -v groff                             | sets them
check | zsh                      | command -v zsh                               | completes in zsh
check | sqlite3                  | command -v sqlite3                           | looks into what the independent computation kept
bench | valgrind                 | command -v valgrind                          | counts instructions
check | python3-yaml             | /usr/bin/python3 -c "import yaml"            | reads the alert rules
check | perl                     | perl -MTAP::Parser -e 1                      | reads TAP as everybody does
check | python3-redis            | /usr/bin/python3 -c "import redis"           | independent client that reads our view
END
}

clang_has_fuzzer() {
    command -v clang && test -e "$(clang -print-file-name=libclang_rt.fuzzer-"$(uname -m)".a)"
}

java_is_17() {
    java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | grep -qE '^(1[7-9]|[2-9][0-9])$'
}

# Prints "package | why" of every missing row of the groups.
missing() {
    table | while IFS='|' read -r group package rest; do
        case " $* " in *" ${group% } "*) ;; *) continue ;; esac
        # The way to see it may hold a pipe, the reason does not.
        see=${rest%|*} why=${rest##*|}
        (eval "$see") >/dev/null 2>&1 </dev/null || echo "$package|$why"
    done
}

# One line per tenth from apt's status lines (status:package:percent:text).
progress() {
    awk -F: '$1 == "dlstatus" || $1 == "pmstatus" {
        phase = $1 == "dlstatus" ? "download" : "install"
        if (phase != last || int($3 / 10) > step) {
            last = phase; step = int($3 / 10)
            printf "  %-8s %3d %%\n", phase, $3; fflush()
        }
    }'
}

# What root has to do; runs in a shell of its own so that sudo can run it.
# policy-rc.d tells maintainer scripts to start nothing.
as_root='
    export DEBIAN_FRONTEND=noninteractive
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf "#!/bin/sh\nexit 101\n" > $policy && chmod 755 $policy
        trap "rm -f $policy" EXIT
        trap "exit 1" INT TERM
    fi
    apt-get update -qq >&2 || echo "deps: apt-get update failed, trying with what is known" >&2
    apt-get install -y -q --no-install-recommends -o APT::Status-Fd=3 "$@" 3>&1 >&2 || exit
    [ -d /run/systemd/system ] || exit 0
    for unit in redis-server prometheus; do
        case " $* " in *" $unit "*) systemctl disable -q $unit >&2 ;; esac
    done
'

install() {
    want=$(missing "$@")
    [ -n "$want" ] || exit 0
    echo "deps: missing:"
    echo "$want" | awk -F'|' '{ printf "  %-26s %s\n", $1, $2 }'
    packages=$(echo "$want" | cut -d'|' -f1 | xargs)
    if ! command -v apt-get >/dev/null; then
        echo "deps: no apt-get here; install these by the means of this system." >&2
        exit 1
    fi
    sudo=
    if [ "$(id -u)" != 0 ]; then
        sudo=$(command -v sudo) || {
            echo "deps: not root and no sudo; as root: apt-get install --no-install-recommends $packages" >&2
            exit 1
        }
    fi
    echo "deps: apt-get install --no-install-recommends"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # shellcheck disable=SC2086 -- words on purpose
    { $sudo sh -c "$as_root" deps $packages 2>"$log" || echo "failed" >>"$log.failed"; } | progress
    if [ -e "$log.failed" ] || [ -n "$(missing "$@")" ]; then
        rm -f "$log.failed"
        tail -n 20 "$log" >&2
        echo "deps: still missing: $(missing "$@" | cut -d'|' -f1 | xargs)" >&2
        exit 1
    fi
    echo "deps: done"
}

verb=${1:-}
[ $# -gt 1 ] && shift || verb=
case $verb in
list) missing "$@" ;;
install) install "$@" ;;
*) echo "usage: deps.sh list|install build|kafka|bench|check..." >&2; exit 2 ;;
esac
