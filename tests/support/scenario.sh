#!/bin/sh
# scenario.sh SEGMENTCTL PATH...: the test blocks of segment files, which must
# also check and stand in their one spelling.  Closes like our other tests.
set -u
segmentctl=$1
shift
report=$(mktemp) && trap 'rm -f "$report"' EXIT

"$segmentctl" check "$@" && checked=0 || checked=1
"$segmentctl" test --junit "$report" "$@" && tested=0 || tested=1
count() { grep -o "<$1[ >/]" "$report" | wc -l; }
failures=$(count failure) errors=$(count error)
failed=$((failures + errors + checked))
[ "$tested" = 0 ] || [ "$failed" != 0 ] || failed=1
echo "scenario: $(($(count testcase) + 1)) tests, $failed failed"
[ "$failed" = 0 ] && [ "$(count testcase)" -gt 0 ]
