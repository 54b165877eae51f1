#!/bin/sh
# scenario.sh SEGMENTCTL PATH...: the test blocks of segment files, each file a
# catalogue of its own, which must also check and stand in its one spelling; those
# that are shipped must see each condition true and false, and read as one
# catalogue without a warning too.  Closes like our other tests.
set -u
segmentctl=$1
shift
report=$(mktemp) && trap 'rm -f "$report" "$report.said"' EXIT
count() { grep -o "<$1[ >/]" "$report" | wc -l; }
tests=0 failed=0

# Runs COMMAND as one test; what it says is shown if it fails.
passes() { # what, command...
    what=$1
    shift
    tests=$((tests + 1))
    "$@" >"$report.said" 2>&1 && return
    failed=$((failed + 1))
    cat "$report.said"
    echo "not ok $what"
}

blocks() { # file
    coverage=0 known=$failed
    case $1 in config/*) coverage=100 ;; esac
    : >"$report"
    passes "$1: its tests" "$segmentctl" test --coverage-min "$coverage" --junit "$report" "$1"
    tests=$((tests + $(count testcase)))
    [ "$(count testcase)" -gt 0 ] || passes "$1: it has tests" false
    bad=$(($(count failure) + $(count error)))
    # A failed run is told by the blocks that failed, if any did.
    [ "$bad" = 0 ] || failed=$((known + bad))
}

for path; do
    case $path in config/*)
        passes "$path: one catalogue, nothing to warn of" "$segmentctl" check --strict "$path"
        ;;
    esac
    for file in "$path"/*.seg; do
        passes "$file: checked" "$segmentctl" check "$file"
        passes "$file: its spelling" "$segmentctl" fmt --check "$file"
        blocks "$file"
    done
done
echo "scenario: $tests tests, $failed failed"
[ "$failed" = 0 ] && [ "$tests" -gt 0 ]
