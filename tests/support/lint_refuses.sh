#!/bin/sh
# lint_refuses.sh: proof that lint sees what it should refuse.  Builds a small
# tree in which every rule is broken and looks for each complaint; then mends it
# and wants silence.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d) && trap 'rm -rf "$tree"' EXIT
cd "$tree" || exit 2
mkdir -p lib/base lib/event daemon/base daemon/kafka daemon/ctl include/seg tests systemd
touch daemon/base/base.h daemon/kafka/broker.h README.md CONTRIBUTING.md CHANGELOG.md
cp "$root/Makefile" .
cp "$root/tests/lint.sh" tests/
unset B SANITIZE FAILPOINTS MAKEFLAGS MFLAGS MAKELEVEL CI

cat >include/seg/seg.h <<'END'
int seg_known(int x);
END
cat >lib/base/good.h <<'END'
int good_answer(int x);
END
cat >lib/base/good.c <<'END'
#include "lib/base/good.h"

int good_answer(int x)
{
    return x + 1;
}
END
cat >lib/event/event.h <<'END'
int event_twice(int x);
END
cat >lib/event/known.c <<'END'
#include "lib/base/good.h"
#include <seg/seg.h>

int seg_known(int x)
{
    return good_answer(x);
}
END
cat >daemon/base/user.c <<'END'
#include "lib/base/good.h"
#include <seg/seg.h>

int main(void)
{
    return good_answer(seg_known(1));
}
END

tests=0 failed=0
say() { # verdict, what
    tests=$((tests + 1))
    [ "$1" = ok ] || { failed=$((failed + 1)); echo "lint does not see: $2"; head -n 20 said; }
}

make -s lint >said 2>&1 && say ok silence || say bad "that this tree is good"

# Each: file | text put at its end | what lint must say.
while IFS='|' read -r file text complaint; do
    [ -e "$file" ] && cp "$file" kept || rm -f kept
    printf '%b\n' "$text" >>"$file"
    make -s lint >said 2>&1
    if [ $? != 0 ] && grep -q "^lint: .*$complaint" said; then say ok "$complaint"; else say bad "$complaint"; fi
    if [ -e kept ]; then mv kept "$file"; else rm "$file"; fi
done <<'END'
lib/base/good.c|#include "lib/event/event.h"|lib/event/event.h is above this file
lib/base/good.c|#include "good.h"|good.h is not there
lib/event/event.h|#include "daemon/base/base.h"|daemon/base/base.h is above this file
daemon/base/user.c|#include "lib/event/event.h"|is inside the library
daemon/base/user.c|#include "tests/lint.sh"|belongs to no layer
daemon/ctl/ctl.c|#include "daemon/kafka/broker.h"|is out of reach
daemon/ctl/ctl.c|#include "lib/event/event.h"|is out of reach
lib/event/known.c|#include <jansson.h>|<jansson.h> is not used here
lib/event/more.cc|#include <simdjson.h>|<simdjson.h> is not used here
daemon/base/user.c|#include <librdkafka/rdkafka.h>|<librdkafka/rdkafka.h> is not used here
daemon/base/user.c|#include <hiredis/hiredis.h>|<hiredis/hiredis.h> is not used here
daemon/base/user.c|#include <event2/event.h>|<event2/event.h> is not used here
lib/event/known.c|int seg_hidden(void);\nint seg_hidden(void)\n{\n    return 1;\n}|seg_hidden leaves libseg.a
lib/event/known.c|extern int mutable_count;\nint mutable_count = 1;|mutable_count is a mutable global
lib/event/known.c|static int mutable_zero;\nint *zero(void);\nint *zero(void)\n{\n    return &mutable_zero;\n}|mutable_zero is a mutable global
lib/event/known.c|#include <time.h>\nlong now(void);\nlong now(void)\n{\n    return time(0);\n}|libseg.a calls time
lib/event/known.c|#include <stdio.h>\nvoid shout(void);\nvoid shout(void)\n{\n    puts("x");\n}|libseg.a calls puts
lib/base/alone.h|size_t alone(void);|alone.h does not stand alone
lib/event/known.c|int no_prototype(void)\n{\n    return 1;\n}|no previous prototype
daemon/base/user.c|/* \0124ODO */|daemon/base/user.c:8:
lib/base/good.c|/* As DESIGN.\0155d says. */|lib/base/good.c:7: DESIGN[.]md is not in the tree
systemd/bare.service|[Service]\nExecStart=/bin/true|bare.service: .*exposure
END

{ echo 'int too_long(int x);'; echo 'int too_long(int x) {'; yes 'x++;' | head -n 68; echo 'return x; }'; } >daemon/base/long.c
make -s lint >said 2>&1 && say ok "70 lines" || say bad "that 70 lines are allowed"
sed -i 's/return x; }/x++; return\nx; }/' daemon/base/long.c
make -s lint >said 2>&1
grep -q 'too_long is 71 lines' said && say ok "71 lines" || say bad "a function of 71 lines"

echo "lint_refuses: $tests tests, $failed failed"
[ "$failed" = 0 ]
