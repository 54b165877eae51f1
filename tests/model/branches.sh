#!/bin/sh
# branches.sh PROGRAM [ARGUMENT]...: runs PROGRAM, a model test, and tells how
# many branches of the oracle's own code the run has taken.
#
# What only a mutant takes (MUTATED) and what must never be (assert) is left out.
# Without the notes of gcc's --coverage beside the objects (a sanitizer's build,
# another compiler) it only runs PROGRAM.  Fails as PROGRAM does, or below LEAST
# percent.
set -u
least=${LEAST:-90}
folder=$(dirname "$1")
rm -f "$folder"/*.gcda
"$@" || exit
ls "$folder"/oracle*.gcda >/dev/null 2>&1 || exit 0
command -v gcov >/dev/null || { echo "branches: there is no gcov" >&2; exit 1; }

gcov -b -c -t -o "$folder" "$folder"/oracle*.gcda "$folder"/naive*.gcda 2>/dev/null | awk -v least="$least" '
    $1 == "-:" && $2 ~ /^0:Source:/ {
        file = $0
        sub(/.*Source:/, "", file)
        next
    }
    /^ *[-#=0-9*]+: *[0-9]+:/ {
        text = $0
        sub(/^ *[-#=0-9*]+: *[0-9]+:/, "", text)
        number = $0
        sub(/^[^:]*: */, "", number)
        sub(/:.*/, "", number)
        left_out = text ~ /MUTATED\(|assert\(/
        next
    }
    /^branch / && !left_out && file ~ /^tests\/model\/(oracle|naive)[a-z_]*[.][ch]$/ {
        all++
        if (/taken [1-9]/) {
            taken++
            next
        }
        place = file ":" number
        if (place != last && shown++ < 40) {
            sub(/^ */, "", text)
            print "never on one side: " place ": " text
        }
        last = place
    }
    END {
        percent = all ? 100 * taken / all : 0
        printf "%.1f %% of the %d branches of the oracle were taken\n", percent, all
        exit percent < least
    }'
