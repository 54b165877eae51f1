#!/usr/bin/python3
"""What is installed cannot be told to die, nor what time it is: of the failpoints and
of the clock of tests no word is left in a release build."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import suite
from cluster import ROOT, binary


VARIABLES = ["SEGMENTD_FAILPOINTS", "SEGMENTD_BARRIERS", "SEGMENTD_CLOCK"]


def names():
    """Of the failpoints, those that are no plain words and name nothing else."""
    with open(os.path.join(ROOT, "daemon", "base", "fail_table.h")) as table:
        found = re.findall(r'X\(\w+,[\s\\]*"(\w+)"', table.read())
    return [name for name in found if "_" in name and name != "init_transactions"]


def words_in(path):
    """Which of their words stand in the program PATH."""
    with open(path, "rb") as program:
        content = program.read()
    return [word for word in names() + VARIABLES if b"\0%s\0" % word.encode() in content]


def a_build_for_tests_has_them(nothing):
    suite.equal(len(names()) > 10, True, names())
    suite.equal(words_in(binary("segmentd", failpoints=True)), names() + VARIABLES)


def a_release_has_none(nothing):
    for name in "segmentd", "segmentctl":
        suite.equal(words_in(binary(name)), [], name)


if __name__ == "__main__":
    sys.exit(suite.run(None, [a_build_for_tests_has_them, a_release_has_none]))
