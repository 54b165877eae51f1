#!/bin/sh
# lint.sh BUILD LIB_LAYER... -- DAEMON_LAYER...: the rules a compiler does not
# know, and the budget of CONTRIBUTING.md in numbers.  BUILD holds libseg.a and libseg.o.
# Every rule is looked at; what is broken is named with file and line, exit 1.
build=$1
shift
layers=$(echo "$@" | sed 's/ -- / /')
bad=$(mktemp) && trap 'rm -f "$bad" "$bad".*' EXIT
refuse() { sed 's/^/lint: /' | tee -a "$bad" >&2; }

sources=$(find lib daemon -name '*.c' -o -name '*.cc')
headers=$(find include lib daemon -name '*.h')
all="$sources $headers"

# 1. Includes go down, never up, and name a file from the root.
includes=$bad.includes
# shellcheck disable=SC2086 -- one word per file
grep -nE '^#[ ]*include' $all /dev/null |
    sed -n 's/^\([^:]*\):\([0-9]*\):#[ ]*include[ ]*\(["<]\)\([^">]*\).*/\1 \2 \3 \4/p' >"$includes"
awk -v layers="$layers" '
    BEGIN { count = split(layers, layer, " ") }
    # The place of the longest layer that holds PATH; 0 outside all of them.
    function rank(path,    i, best) {
        for (i = 1; i <= count; i++)
            if (index(path, layer[i] "/") == 1 && length(layer[i]) > length(layer[best])) best = i
        return best + 0
    }
    function say(text) { print $1 ":" $2 ": " $4 " " text }
    $3 == "<" { next }
    system("test -f " $4) != 0 { say("is not there; an include names its file from the root"); next }
    $1 ~ /^daemon\/ctl\// {
        if ($4 !~ /^(daemon\/ctl|daemon\/base|lib\/base)\// && $4 !~ /^daemon\/(protocol\/(record|meta|partitioner)|kafka\/(client|admin|scan|sender|topics))\.h$/)
            if ($1 !~ /^daemon\/ctl\/reset/ || $4 !~ /^daemon\/(protocol|kafka)\//) # It restores.
                say("is out of reach; segmentctl stands apart from segmentd")
        next
    }
    $4 ~ /^daemon\/ctl\// || rank($4) > rank($1) { say("is above this file"); next }
    rank($4) == 0 { say("belongs to no layer"); next }
    $1 ~ /^daemon\// && $4 ~ /^lib\// && $4 !~ /^lib\/base\// { say("is inside the library; use <seg/...>") }
' "$includes" | refuse

# 2. A library is known to the files that need it, and to no other.
confine() { # regular expression of the header, then of the files
    awk -v header="^$1" -v files="^($2)\$" '
        $3 == "<" && $4 ~ header && $1 !~ files { print $1 ":" $2 ": <" $4 "> is not used here" }' "$includes" | refuse
}
confine 'jansson\.h'  'lib/segment/segment_json[a-z_]*\.[ch]|daemon/base/as_json\.[ch]|daemon/protocol/record[a-z_]*\.c|daemon/http/render\.c|daemon/redis/traits\.c|daemon/ctl/.*\.[ch]'
confine 'simdjson\.h' 'lib/event/event_json\.cc'
confine 're2/'        'lib/segment/regex\.cc'
confine 'utf8proc\.h' 'lib/base/text\.c'
confine 'xxhash\.h'   'lib/base/hash\.c'
confine 'hiredis/'    'daemon/redis/connection\.[ch]'
confine 'librdkafka/' 'daemon/kafka/.*\.[ch]'
confine 'event2/'     'daemon/base/loop\.c|daemon/http/(server|guests)\.c|daemon/ctl/(ask|explain)\.c'
confine 'check\.h'    ''

# 3. Only what the public headers declare leaves the library; nothing in it can
# be written to, and it calls nothing that knows a clock, a file or a thread.
if [ -e "$build/libseg.o" ]; then
    nm -g --defined-only "$build/libseg.o" | awk 'NF == 3 { print $3 }' | while read -r name; do
        case $name in seg_*) ;; *) echo "$name leaves libseg.a, a name without seg_"; continue ;; esac
        grep -qw "$name" include/seg/*.h || echo "$name leaves libseg.a, but no public header has it"
    done | refuse
    objdump -t "$build/libseg.o" | awk '
        NF > 3 && $(NF - 2) ~ /^\.(data|bss|tdata|tbss)/ && $(NF - 2) !~ /^\.data\.rel\.ro/ && $(NF - 1) !~ /^0+$/ {
            print $NF " is a mutable global in libseg.a" }' | refuse
    nm -u "$build/libseg.o" | awk '
        $2 ~ /^(time|clock|clock_gettime|gettimeofday|nanosleep|usleep|sleep|getenv|secure_getenv|random|rand|srand|exit|_exit|system|signal|sigaction)$/ ||
        $2 ~ /^(open|openat|read|write|close|fopen|fopen64|fdopen|fread|fwrite|fputs|fputc|puts|putchar|printf|vprintf|fprintf|vfprintf|perror|syslog|stdout|stderr|stdin)$/ ||
        $2 ~ /^__(printf|vprintf|fprintf|vfprintf)_chk$/ || $2 ~ /^(pthread_|thrd_|mtx_|socket$|connect$|localtime|strftime$|setlocale$)/ {
            print "libseg.a calls " $2 "; the library is pure" }' | refuse
fi

# 4. Functions of 70 lines at most.
functions=$bad.functions
# shellcheck disable=SC2086
ctags --languages=C,C++ --kinds-C=f --kinds-C++=f --fields=+ne --sort=no -f - $sources 2>/dev/null |
    sed -n 's/^\([^\t]*\)\t\([^\t]*\).*line:\([0-9]*\).*end:\([0-9]*\).*/\1 \2 \3 \4/p' |
    awk '{ print $4 - $3 + 1, $2 ":" $3, $1 }' | sort -n >"$functions"
awk '$1 > 70 { print $2 ": " $3 " is " $1 " lines, limit 70" }' "$functions" | refuse

# 5. Every header stands alone (a *_table.h is a list for others to expand),
# and clang has nothing to say either.
parallel() { xargs -r -P "$(nproc)" -n "$1" sh -c "$2" lint; }
export CC WARN
echo "$headers" | grep -v '_table\.h$' | parallel 1 '
    echo "#include \"$1\"" | ${CC:-cc} -std=c11 -D_GNU_SOURCE -I. -Iinclude -fsyntax-only -x c - 2>&1 |
        grep -m 1 error: | sed "s|^|$1 does not stand alone: |"' | refuse
if command -v clang >/dev/null; then
    # shellcheck disable=SC2086
    ls $sources $(find tests config/manual -name '*.c' 2>/dev/null) 2>/dev/null | parallel 8 '
        for f; do case $f in
            */regex.cc) clang++ -std=c++17 -fno-rtti -D_GNU_SOURCE -I. -Iinclude $(echo "$WARN" | sed "s/-W[a-z-]*-prototypes//g") -fsyntax-only "$f" ;;
            *.cc) clang++ -std=c++17 -fno-exceptions -fno-rtti -D_GNU_SOURCE -I. -Iinclude $(echo "$WARN" | sed "s/-W[a-z-]*-prototypes//g") -fsyntax-only "$f" ;;
            *) clang -std=c11 -D_GNU_SOURCE -I. -Iinclude $WARN -fsyntax-only "$f" ;;
        esac 2>&1 | grep -E "(warning|error):"; done; true' | refuse
fi

# 6. Nothing is left open in the source.
# shellcheck disable=SC2086
grep -nwE 'TODO|FIXME|XXX|HACK' $all $(find tests -name '*.[ch]' -o -name '*.py') /dev/null | refuse

# Nor is a document named that is not there for the reader.
# shellcheck disable=SC2086
grep -noE '[A-Z_]+\.md' $all $(find tests config systemd -type f ! -path 'tests/data/*' 2>/dev/null) \
    $(ls Makefile README.md CONTRIBUTING.md CHANGELOG.md 2>/dev/null) /dev/null |
    while IFS=: read -r file line name; do
        [ -e "$name" ] || echo "$file:$line: $name is not in the tree"
    done | refuse

# 7. The unit shuts the daemon in.  (Budget: exposure 2.0 of 10.)
if command -v systemd-analyze >/dev/null; then
    for unit in systemd/*.service; do
        [ -e "$unit" ] || continue
        sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$unit" >"$bad.service"
        systemd-analyze verify --man=no "$bad.service" 2>&1 | sed "s|^.*tmp[^:]*|$unit|" | refuse
        systemd-analyze security --offline=yes --threshold=20 --no-pager "$unit" >"$bad.unit" 2>&1 ||
            tail -n 1 "$bad.unit" | sed "s|^|$unit: |" | refuse
    done
fi

# The budget, for reading; a file over 600 lines wants to be split along meaning.
# shellcheck disable=SC2086
wc -l $all $(find tests -name '*.[ch]' -o -name '*.py') /dev/null |
    awk '$2 != "total" && $1 > 600 { print "lint: note: " $2 " is " $1 " lines, over 600" }'
awk '{ length_of[NR] = $1; name = $3 } END {
    if (NR) printf "lint: %d functions, median %d lines, longest %d (%s)\n", NR, length_of[int((NR + 1) / 2)], length_of[NR], name
}' "$functions"
broken=$(wc -l <"$bad")
echo "lint: $broken rules broken in $(echo "$all" | wc -w) files"
[ "$broken" = 0 ]
