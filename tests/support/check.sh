#!/bin/sh
# check.sh [PART | PART/NAME]...: runs the tests, all of them without arguments.
#
# A part is there when its files are: nothing absent counts as passed.  After a
# failure the rest still runs.  Closes with what failed and why, the time of each
# part and the one line `N passed, N failed`; exit 1 unless something passed and
# nothing failed.
#
#   build     segmentd, segmentctl, libseg.a
#   lint      tests/lint.sh, and proof that it sees what it should refuse
#   unit      tests/unit/check_*, tests/example/*, and how many instructions each
#             construct of the language takes (tests/bench/counts.py)
#   scenario  the test blocks of config/segments and tests/scenario; check_*
#   model     tests/model/check_*, tests/mutant/check_* (the protocol, broken)
#   fuzz      tests/fuzz/fuzz_*: so many inputs, always the same ones; for
#             FUZZ_SECONDS each, others every time
#   asan      unit, scenario and model under AddressSanitizer and UBSan
#   tsan      tests/process/tsan_*.py with a daemon built for ThreadSanitizer
#   process   the other tests/process/*.py, on a real broker
#   fault     the fault matrix on a real broker (tests/fault); FAULTS=full: all of
#             it, and the process tests that prove rows of it
#
# What proves rows of the fault matrix is told at the end and in faults.json.
# Environment: B (build folder), MAKE, CI (warnings are errors).
# shellcheck disable=SC3043 -- every sh in use knows local
set -u
cd "$(dirname "$0")/../.." || exit 2

B=${B:-build}
MAKE=${MAKE:-make}
FUZZ_SECONDS=${FUZZ_SECONDS:-}
export B PYTHONDONTWRITEBYTECODE=1
logs=$B/check
mkdir -p "$logs"
passed=0 failed=0 LIVE=
trap 'exit 130' INT TERM

now() { date +%s.%N; }
since() { echo "$1 $(now)" | awk '{ printf "%.1f", $2 - $1 }'; }
have() { ls "$@" >/dev/null 2>&1; }
make_it() { "$MAKE" -s --no-print-directory "$@"; }

# The variant of the build that programs come from, see the Makefile.
variant() { # SANITIZE, label
    SANITIZE=${1:-} label=${2:-} out=$B${1:+/$1}
    export SANITIZE
}

# Tests and failures that a log tells of: Check's summary or the closing line of
# our own programs; else the program itself is the test.
tally() { # exit status, log
    awk -v status="$1" '
        /^[0-9]+%: Checks: / { gsub(/[:,]/, ""); tests = $3; failed = $5 + $7 }
        /^[a-z_0-9]+: [0-9]+ tests, [0-9]+ failed$/ { tests = $2; failed = $4 }
        END {
            if (tests == "") { tests = 1; failed = status != 0 }
            if (status != 0 && failed == 0) { tests++; failed = 1 }
            print tests - failed, failed
        }' "$2"
}

# What failed in a log, for the end of everything, where it is not lost among the
# lines of others: Check's `FILE:LINE:F:...`, the tests of our own programs and
# what they raised; else the end of the log.
note() { # name, log
    local pattern='^[^ ]*:[0-9]+:[FE]:|^  FAILED |^  (got|want) |^not ok'
    pattern="$pattern|^([A-Za-z_]+[.])*[A-Za-z]*(Error|Exception|Expired)(:|\$)"
    {
        echo "$1"
        case $1 in
        fuzz/*) finding "$2" ;;
        *) { grep -aE "$pattern" "$2" || tail -n 3 "$2"; } | tail -n 20 ;;
        esac | cut -c1-400 | sed 's/^ */    /'
    } >>"$logs/failures"
}

# What libFuzzer found, without its progress: what did not hold, what a sanitizer
# says, the stack, and where the bytes are kept.
finding() { # log
    local told='does not hold|Assertion|ERROR: |runtime error|^ +#[0-9]+ 0x|^SUMMARY|unit written to'
    { grep -aE "$told" "$1" || tail -n 3 "$1"; } | grep -avE ' in (fuzzer::|__libc|__sanitizer|main |_start)' | head -n 30
}

# Runs COMMAND as test NAME; its output is shown as it comes when LIVE is set,
# else only its end and only if it failed.
run() { # name, limit in seconds, command...
    local name=$1 limit=$2 log began status word
    shift 2
    log=$logs/$(echo "$name" | tr / -).log
    began=$(now)
    if [ -n "$LIVE" ]; then
        echo "  run    $name"
        { timeout --foreground -k 30 "$limit" "$@"; echo $? >"$log.status"; } 2>&1 </dev/null | tee "$log"
        status=$(cat "$log.status") && rm -f "$log.status"
    else
        timeout --foreground -k 30 "$limit" "$@" >"$log" 2>&1 </dev/null
        status=$?
    fi
    # shellcheck disable=SC2046 -- two numbers
    set -- $(tally "$status" "$log")
    passed=$((passed + $1)) failed=$((failed + $2))
    word=ok
    [ "$2" = 0 ] || word=FAILED
    printf '  %-6s %6s s  %s (%d)\n' $word "$(since "$began")" "$name" $(($1 + $2))
    if [ "$2" != 0 ] && [ -z "$LIVE" ]; then
        case $name in fuzz/*) finding "$log" ;; *) tail -n 60 "$log" ;; esac
    fi
    [ "$2" = 0 ] || note "$name" "$log"
    if [ "$status" = 124 ]; then echo "  $name: ended after its limit of $limit s"; fi
}

# As `run`, for a process of its own, see `pool`.
one() { # name, limit in seconds, command...
    run "$@"
    echo "$passed $failed" >>"$logs/tally"
}

# Runs the tests of $logs/queue, a line with the arguments of `run` each, as many
# at a time as there are processors, or AT_ONCE.
pool() { # [at once]
    local more wrong
    : >"$logs/tally"
    xargs -r -L 1 -P "${1:-$(nproc)}" -a "$logs/queue" tests/support/check.sh --one
    while read -r more wrong; do
        passed=$((passed + more)) failed=$((failed + wrong))
    done <"$logs/tally"
}

part() { # name: runs part_NAME and notes its time
    local before=$((passed + failed)) wrong=$failed began
    began=$(now)
    echo "== $1"
    "part_$1"
    printf '%-9s %8s s  %5d tests  %d failed\n' "$1" "$(since "$began")" \
        $((passed + failed - before)) $((failed - wrong)) >>"$logs/times"
}

# Is NAME of a part asked for?  With an argument PART/NAME only that one.
wanted() { # name
    [ -z "$only" ] || [ "$only" = "$1" ]
}

# Builds, then runs the C programs of FOLDERs; what does not compile fails alone.
programs() { # folder...
    local sources='' folder source program limit around
    for folder; do
        for source in tests/"$folder"/check_*.c; do
            [ -e "$source" ] && wanted "$(basename "$source" .c)" && sources="$sources ${source%.c}"
        done
    done
    # shellcheck disable=SC2086,SC2046 -- one word per program
    [ -z "$sources" ] || make_it -k $(printf "$out/%s " $sources) || remove_stale $sources
    for program in $sources; do
        # The model test and the mutants use all processors by themselves.
        case $program in tests/model/*|tests/mutant/*) continue ;; esac
        echo "$label${program#tests/} 300 $out/$program"
    done >"$logs/queue"
    pool
    for program in $sources; do
        around=
        case $program in
        tests/model/*) LIVE=1 limit=900 ;;
        tests/mutant/*) limit=300 ;;
        *) continue ;;
        esac
        [ "$program" = tests/model/check_model ] && around=tests/model/branches.sh
        run "$label${program#tests/}" $limit ${around:+"$around"} "$out/$program"
        LIVE=
    done
}

# After a build that failed: an older program must not be taken for the new one.
remove_stale() { # program...
    local program
    for program; do make_it -q "$out/$program" 2>/dev/null || rm -f "$out/$program"; done
}

examples() {
    local source
    for source in tests/example/*.c; do
        [ -e "$source" ] && wanted "$(basename "$source" .c)" || continue
        make_it "$out/${source%.c}" || remove_stale "${source%.c}"
        run "${label}example/$(basename "$source" .c)" 60 "$out/${source%.c}"
    done
}

scenarios() {
    local paths=
    have config/segments/*.seg && paths=config/segments
    have tests/scenario/*.seg && paths="$paths tests/scenario"
    if [ -n "$paths" ] && wanted test_blocks; then
        make_it "$out/segmentctl" || remove_stale segmentctl
        # shellcheck disable=SC2086
        run "${label}scenario/test_blocks" 120 tests/support/scenario.sh "$out/segmentctl" $paths
    fi
    programs scenario
}

# Those that keep all processors busy have them to themselves.
ALONE=' exact git_history tsan_load '
# Those that watch the clock, and sleep for the most part.
WATCH=' scale wall service '
# The others mostly wait, three for two processors; these take longest and begin.
LONG=' killed reload kafka redis_lost reload_killed demo reset daemon '

# Which of them FILE is.
kind() { # file
    case "$ALONE" in *" $(basename "$1" .py) "*) echo alone && return ;; esac
    case "$WATCH" in *" $(basename "$1" .py) "*) echo watch && return ;; esac
    case "$LONG" in *" $(basename "$1" .py) "*) echo long && return ;; esac
    echo short
}

# Those of KIND among FILEs that are wanted, as lines for `pool`.
queue() { # kind, file...
    local of=$1 source
    shift
    for source; do
        wanted "$(basename "$source" .py)" && [ "$(kind "$source")" = "$of" ] || continue
        echo "$label$(basename "$source" .py) 1200 /usr/bin/python3 $source"
    done
}

processes() { # file...
    local name limit command
    { queue long "$@"; queue short "$@"; } >"$logs/queue"
    pool $(($(nproc) * 3 / 2))
    queue watch "$@" >"$logs/queue"
    pool
    queue alone "$@" >"$logs/alone"
    while read -r name limit command; do
        # shellcheck disable=SC2086 -- words
        LIVE=1 run "$name" "$limit" $command
        LIVE=
    done <"$logs/alone"
}

part_lint() {
    run lint/rules 300 "$MAKE" --no-print-directory lint
    grep '^lint: [0-9]' "$logs/lint-rules.log"
    run lint/refuses 120 tests/support/lint_refuses.sh
}

counts() {
    have tests/bench/counts.txt && wanted counts || return 0
    make_it "$out/tests/bench/bench_construct" || remove_stale tests/bench/bench_construct
    run unit/counts 120 /usr/bin/python3 tests/bench/counts.py
}

part_unit() {
    programs unit
    examples
    counts
}

part_scenario() { scenarios; }

part_model() { programs model mutant; }

part_asan() {
    variant address asan/
    programs unit model
    examples
    scenarios
    variant
}

part_tsan() {
    variant thread tsan/
    build "$out/segmentd" || remove_stale segmentd
    export SEGMENTD="$out/segmentd" TSAN_OPTIONS="exitcode=66 ${TSAN_OPTIONS:-}"
    processes tests/process/tsan_*.py
    unset SEGMENTD
    variant
}

# How many inputs a fuzz program tries in a check: a quarter of a minute's work. A
# find must not be a matter of luck there: they are the same ones at every run.
inputs_of() { # name
    case $1 in
    fuzz_conf) echo 30000 ;;
    fuzz_event) echo 200000 ;;
    fuzz_http) echo 20000 ;;
    fuzz_record) echo 250000 ;;
    fuzz_redis) echo 25000 ;;
    fuzz_segment_json) echo 30000 ;;
    fuzz_user_record) echo 2000 ;;
    *) echo 5000 ;;
    esac
}

# libFuzzer's arguments for a program. What it finds new stays in the build folder,
# the seeds are in the tree. Without FUZZ_SECONDS it begins with these alone.
fuzz_arguments() { # name
    local new=$out/corpus/$1 seeds=tests/fuzz/corpus/$1
    [ -d "$seeds" ] || seeds=
    if [ -n "$FUZZ_SECONDS" ]; then
        mkdir -p "$new"
        echo "-max_total_time=$FUZZ_SECONDS -print_final_stats=1 -artifact_prefix=$out/$1- $new $seeds"
        return
    fi
    new=$out/corpus/check/$1
    rm -rf "$new" && mkdir -p "$new"
    echo "-seed=1 -runs=$(inputs_of "$1") -reload=0 -max_total_time=120" \
        "-print_final_stats=1 -artifact_prefix=$out/$1- $new $seeds"
}

part_fuzz() {
    local source name fixed=
    # What libFuzzer learns from comparisons depends on addresses.
    [ -z "$FUZZ_SECONDS" ] && setarch -R true 2>/dev/null && fixed='setarch -R '
    variant fuzzer fuzz/
    make_it -k fuzz-programs || remove_stale $(ls tests/fuzz/fuzz_*.c | sed 's/\.c$//')
    for source in tests/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        wanted "$name" || continue
        echo "fuzz/$name $((${FUZZ_SECONDS:-120} + 120)) $fixed$out/${source%.c} $(fuzz_arguments "$name")"
    done >"$logs/queue"
    pool
    for source in tests/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        wanted "$name" || continue
        sed -n "s|^stat::number_of_executed_units: *|         $name: inputs tried: |p" "$logs/fuzz-$name.log"
    done
    variant
}

# What builds is no test passed, but what does not build is one failed.
build() { # make's arguments
    make_it "$@" || { failed=$((failed + 1)); echo "  FAILED to build $*" | tee -a "$logs/failures"; return 1; }
}

part_build() { build all; }

part_process() {
    build all || remove_stale segmentd segmentctl
    if grep -qs 'failpoints=True' tests/process/*.py; then
        build FAILPOINTS=1 all || rm -f "$out/failpoints/segmentd"
    fi
    if wanted versions && have tests/process/versions.py; then
        build STATE_VERSION=3 "$out/state3/segmentd" || rm -f "$out/state3/segmentd"
    fi
    label=process/
    # shellcheck disable=SC2046
    processes $(ls tests/process/*.py | grep -v '/tsan_')
    label=
}

# The tests of the other programs that prove rows run with the whole matrix only:
# the part `process` has them.
part_fault() {
    local limit
    build all || remove_stale segmentd segmentctl
    build FAILPOINTS=1 all || rm -f "$out/failpoints/segmentd"
    if [ "${FAULTS:-quick}" = full ] && [ -z "$only" ]; then
        # shellcheck disable=SC2046
        label=process/ processes $(grep -l '^@suite.row' tests/process/*.py)
        label=
    fi
    case ${FAULTS:-quick} in quick) limit=900 ;; full) limit=10800 ;; *) limit=90000 ;; esac
    # shellcheck disable=SC2086 -- a word, or a word and its options
    LIVE=1 run fault/faults $limit /usr/bin/python3 tests/fault/faults.py ${FAULTS:-quick} ${only:+"$only"}
    if [ "${FAULTS:-quick}" = full ] && [ -z "$only" ]; then
        build FAILPOINTS=1 MUTATIONS=1 "$out/failpoints/mutations/segmentd"
        run fault/mutants 10800 /usr/bin/python3 tests/fault/mutants.py
    fi
    LIVE=
}

exists() { # part
    case $1 in
    build) true ;;
    lint) have tests/lint.sh ;;
    unit) have tests/unit/check_*.c || have tests/example/*.c ;;
    scenario) have config/segments/*.seg || have tests/scenario/*.seg || have tests/scenario/check_*.c ;;
    model) have tests/model/check_*.c ;;
    fuzz) have tests/fuzz/fuzz_*.c ;;
    asan) exists unit || exists scenario || exists model ;;
    tsan) have tests/process/tsan_*.py ;;
    process) ls tests/process/*.py 2>/dev/null | grep -qv '/tsan_' ;;
    fault) have tests/fault/faults.py ;;
    *) echo "check: there is no part $1" >&2; exit 2 ;;
    esac
}

if [ "${1:-}" = --one ]; then
    shift
    one "$@"
    exit 0
fi
: >"$logs/times"
: >"$logs/failures"
variant
began=$(now)
echo "== fetch"
tests/support/deps.sh install build kafka check bench || exit 1
case " ${*:-process} " in *process*|*tsan*|*fault*)
    tests/support/kafka/archive.py || echo "check: no broker, its tests will fail"
    tests/support/librdkafka/fetch.sh >/dev/null || echo "check: no second librdkafka, process/secure will fail" ;;
esac
echo "fetch     $(printf %8s "$(since "$began")") s  downloads, not counted" >>"$logs/times"

if [ $# = 0 ] || [ "$*" = fault ]; then tests/support/report.py clear; fi
[ $# -gt 0 ] || set -- build lint unit scenario model asan fuzz tsan process fault
began=$(now)
for argument; do
    name=${argument%%/*} only=
    [ "$name" = "$argument" ] || only=${argument#*/}
    exists "$name" || continue
    part "$name"
done

if [ -s "$logs/faults.lines" ]; then
    echo "== fault matrix"
    tests/support/report.py
fi
if [ -s "$logs/failures" ]; then
    echo "== failed"
    cat "$logs/failures"
fi
echo "== times"
cat "$logs/times"
echo "total     $(printf %8s "$(since "$began")") s"
echo "$passed passed, $failed failed"
[ "$passed" -gt 0 ] && [ "$failed" = 0 ]
