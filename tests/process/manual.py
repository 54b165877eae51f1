#!/usr/bin/python3
"""The manual pages and the shell completions, as they are made and installed: whole,
clean in the eyes of mandoc, groff and man, and true: what stands in seg(5) checks and
its tests pass, and a shell completes what segmentctl knows."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import suite
from cluster import ROOT, Cluster, binary

BUILD = os.path.join(ROOT, os.environ.get("B", "build"))
PAGES = "segmentctl.1", "segmentd.conf.5", "seg.5", "segmentd.8"


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, **options)
    return done.returncode, done.stdout


def path(name):
    return os.path.join(BUILD, "config", "manual", name)


def read(name):
    with open(name) as source:
        return source.read()


def text_of(page):
    """What people read, on one line."""
    status, text = run("mandoc", "-T", "utf8", "-O", "width=200", path(page))
    suite.equal(status, 0, text)
    return re.sub(r"\s+", " ", re.sub(".\b", "", text)).replace("\u2010", "-")


def words(text):
    return re.sub(r"\s+", " ", text)


def strings(rows):
    """The C strings of a row, joined where they stand beside each other."""
    joined = re.sub(r'"\s*\\?\s*\n?\s*"', "", rows)
    return [s.replace('\\"', '"').replace("\\n", "\n") for s in re.findall(r'"((?:[^"\\]|\\.)*)"', joined)]


def rows_of(table):
    """Each row of a table: its scope and its strings."""
    text = read(os.path.join(ROOT, table))
    body = text[text.index("_TABLE(", text.index("#define", text.index("#define") + 1)):].replace("\\\n", "\n")
    starts = [m.start() for m in re.finditer(r"(?m)^    [A-Z]+\(", body)] + [len(body)]
    return [strings(body[a:b]) for a, b in zip(starts, starts[1:])]


def there_is_nothing_to_say_about_them(_):
    suite.equal(run(os.environ.get("MAKE", "make"), "-s", "-C", ROOT, "B=" + os.environ.get("B", "build"),
                    *map(path, (*PAGES, "segmentctl.bash", "segmentctl.zsh")),
                    env={**os.environ, "SANITIZE": "", "FAILPOINTS": ""})[0], 0)
    for page in PAGES:
        suite.equal(run("mandoc", "-T", "lint", path(page)), (0, ""), page)
        suite.equal(run("groff", "-ww", "-man", "-Tutf8", "-z", path(page)), (0, ""), page)


def every_row_of_every_table_is_in_its_page(_):
    found = 0
    for table, page, which in (("daemon/base/conf_table.h", "segmentd.conf.5", (0, -1)),
                               ("daemon/base/metric_table.h", "segmentd.8", (0, -1)),
                               ("daemon/http/route_table.h", "segmentd.8", (1, -1)),
                               ("daemon/ctl/verb_table.h", "segmentctl.1", (0, 1, -1))):
        text = text_of(page)
        for row in rows_of(table):
            for at in which:
                part = words(row[at]).strip()
                part = part.split(".", 1)[1] if at == 0 and "conf" in table and "." in part else part
                suite.equal(part in text, True, "%s: %s" % (page, part))
            found += 1
    suite.equal(found > 100, True, found)


def examples(page):
    """What stands between .nf and .fi, as it is typed."""
    for block in re.findall(r"(?ms)^\.nf\n(.*?)^\.fi$", read(path(page))):
        yield re.sub(r"\\(.)", r"\1", block)


def what_seg_5_shows_is_true(cluster):
    *shown, file = examples("seg.5")
    file = cluster.path("page.seg", file)
    suite.equal(run(binary("segmentctl"), "check", file)[0], 0, run(binary("segmentctl"), "check", file)[1])
    status, said = run(binary("segmentctl"), "test", file)
    suite.equal((status, "1 passed" in said or "1 test" in said), (0, True), said)
    lines = [line for block in shown for line in block.strip().splitlines()]
    suite.equal(len(lines), 5)
    for n, line in enumerate(lines):
        shown = cluster.path("line%d.seg" % n, "segment s%d { when %s }\n" % (n, line))
        suite.equal(run(binary("segmentctl"), "check", shown)[0], 0, line)
    # Each test it lists is one of the language, with an operand of its kind.
    operands = {"VALUE": "5", "VALUE and VALUE": "5 and 6", "VALUES": '("a", "b")', "TEXT": '"1.2.3"', "DURATION": "7d",
                "DATE": "2026-01-31", "where CONDITION": "where a = 5", "": ""}
    listed = re.findall(r'^\.BR "([^"]+)"(?: " \\fI([^\\]*)\\fP")?(?: "( ago)")?$', read(path("seg.5")), re.M)
    suite.equal(len(listed) > 20, True, listed)
    for n, (test, operand, ago) in enumerate(listed):
        line = "segment t%d { when user.x %s %s%s }\n" % (n, test, operands[operand], ago)
        suite.equal(run(binary("segmentctl"), "check", cluster.path("test%d.seg" % n, line))[0], 0, line)


def the_shares_that_seg_5_names_are_so(cluster):
    """Others work out who is in which share by the numbers that stand there."""
    shown = re.search(r"For the text \S+ the user .*?\.(?= [A-Z])", text_of("seg.5"))
    suite.equal(shown is not None, True, text_of("seg.5"))
    found = 0
    for part in shown.group().split(";"):
        salt, *named = re.findall(r'"([^"]+)"', part)
        numbers = [int(number) for number in re.findall(r"has (\d+)|\" (\d{4})", part) for number in number if number]
        suite.equal(len(numbers), len(named), part)
        for user, number in zip(named, numbers):
            for hundredths, want in (number, []), (number + 1, [user]):
                segments = cluster.path("share.seg", 'segment s { when user in %d.%02d%% by "%s" }\n' % (
                    hundredths // 100, hundredths % 100, salt))
                event = cluster.path("share.ndjson", json.dumps({
                    "type": "track", "event": "A", "userId": user, "timestamp": "2026-01-01T00:00:00Z"}) + "\n")
                status, told = run(binary("segmentctl"), "replay", "--segments", segments, event)
                suite.equal(status, 0, told)
                suite.equal([line["userId"] for line in map(json.loads, (
                    line for line in told.splitlines() if line.startswith("{")))], want, (salt, user, hundredths))
            found += 1
    suite.equal(found, 4)


# What is typed, and what must be among what is offered.
COMPLETIONS = [
    ("segmentctl che", "check"), ("segmentctl help rep", "replay"), ("segmentctl topics cr", "create"),
    ("segmentctl replay --unt", "--until"), ("segmentctl check --st", "--strict"), ("segmentctl test --ju", "--junit"),
    ("segmentctl dead-l", "dead-letters"),
]


def bash_completes(_):
    script = read(path("segmentctl.bash"))
    for typed, want in COMPLETIONS:
        offered = run("bash", "-c", script + """
            read -ra COMP_WORDS <<<"$1"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _segmentctl
            printf '%s\\n' "${COMPREPLY[@]}" """, "bash", typed)[1].split()
        suite.equal(offered, [want], typed)
    # After an option that takes a value bash offers files.
    offered = run("bash", "-c", script + "\nCOMP_WORDS=(segmentctl replay --until ''); COMP_CWORD=3; _segmentctl\n"
                  "echo ${#COMPREPLY[@]}")[1]
    suite.equal(offered, "0\n")


class Zsh:
    """An interactive zsh on a terminal of its own."""

    def __init__(self, functions):
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.chdir("/")
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb", "PS1": "> "})
        self.seen = ""
        self.send("unsetopt zle_bracketed_paste; fpath=(%s $fpath); autoload -Uz compinit; compinit -u -D; "
                  "echo RE''ADY\n" % functions)
        self.until("READY")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def until(self, text, timeout=20):
        """Until TEXT is on the terminal."""
        deadline = time.monotonic() + timeout
        while text not in self.seen:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("zsh does not show %s: %r" % (text, self.seen))
            self.seen += os.read(self.terminal, 4096).decode(errors="replace")

    def completes(self, typed, want):
        self.seen = ""
        self.send(typed + "\t")
        self.until(want)
        self.send("\x15")  # Ctrl-U

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def zsh_completes(cluster):
    functions = cluster.path("functions")
    os.mkdir(functions)
    with open(os.path.join(functions, "_segmentctl"), "w") as out:
        out.write(read(path("segmentctl.zsh")))
    suite.equal(run("zsh", "-n", os.path.join(functions, "_segmentctl")), (0, ""))
    zsh = Zsh(functions)
    try:
        for typed, want in COMPLETIONS:
            zsh.completes(typed, want)
    finally:
        zsh.close()


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(here, [
            there_is_nothing_to_say_about_them, every_row_of_every_table_is_in_its_page, what_seg_5_shows_is_true,
            the_shares_that_seg_5_names_are_so, bash_completes, zsh_completes]))
