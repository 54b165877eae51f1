#!/usr/bin/python3
"""segmentctl convert: segment files as JSON and back, and the JSON held against
config/schemas/segments.json by a validator that knows nothing of segmentd.

The JSON comes from the files we ship and from random trees of all that segment
files can say.  What the schema refuses must be refused, too: a member that is
misspelt or missing would be a mistake that nobody sees."""

import copy
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile

import jsonschema

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import suite
from cluster import ROOT, binary, test_program

SEGMENTCTL = binary("segmentctl")
SHIPPED = sorted(glob.glob(os.path.join(ROOT, "config", "segments", "**", "*.seg"), recursive=True) +
                 glob.glob(os.path.join(ROOT, "tests", "scenario", "*.seg")) +
                 glob.glob(os.path.join(ROOT, "tests", "data", "*.seg")))
REFUSED_LEAST = 300

with open(os.path.join(ROOT, "config", "schemas", "segments.json")) as source:
    SCHEMA = json.load(source)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def run(*arguments, stdin=""):
    """(exit status, standard output, standard error)."""
    done = subprocess.run([SEGMENTCTL, *arguments], input=stdin.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def why(tree):
    """What of TREE does not fit the schema, or None."""
    wrong = next(VALIDATOR.iter_errors(tree), None)
    while wrong is not None and wrong.context:
        wrong = max(wrong.context, key=lambda part: len(part.absolute_path))
    return wrong and "%s at %s" % (wrong.message[:300], list(wrong.absolute_path))


def plain(text):
    """A segment file without its comments and empty lines."""
    lines = [re.sub(r"\s+#[^\"]*$|^#.*$", "", line) for line in text.splitlines()]
    return [line for line in lines if line.strip()]


def random_trees():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "random.json")
        subprocess.run([test_program("tests/unit/check_segment_json")], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "RANDOM_JSON": path})
        with open(path) as lines:
            return [json.loads(line) for line in lines]


# ---- tests ------------------------------------------------------------------

def the_schema_is_one(_):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def what_we_ship_fits_the_schema_and_comes_back(_):
    suite.equal(len(SHIPPED) >= 4, True, SHIPPED)
    for path in SHIPPED:
        with open(path) as file:
            want = run("fmt", "-", stdin=file.read())[1]
        code, out, err = run("convert", "--to", "json", path)
        suite.equal((code, err), (0, ""), path)
        suite.equal(why(json.loads(out)), None, path)
        code, back, err = run("convert", "--to", "seg", "-", stdin=out)
        suite.equal((code, err), (0, ""), path)
        suite.equal(sorted(plain(back)) if "# " in want else plain(back),
                    sorted(plain(want)) if "# " in want else plain(want), path)


def random_trees_fit_the_schema(_):
    trees = random_trees()
    suite.equal(len(trees), 150)
    for index, tree in enumerate(trees):
        suite.equal(why(tree), None, "tree %d" % index)


def places(tree, path=()):
    """The path of every object and list inside TREE."""
    if isinstance(tree, (dict, list)):
        yield path
        for name, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from places(part, path + (name,))


def spoil(tree, dice):
    """TREE with one thing changed."""
    tree = copy.deepcopy(tree)
    at = tree
    for name in dice.choice(list(places(tree))):
        at = at[name]
    if isinstance(at, list):
        at.insert(dice.randrange(len(at) + 1), dice.choice([None, 5, {}, [], {"all": 1}]))
    elif at and dice.random() < 0.4:
        del at[dice.choice(list(at))]
    elif at and dice.random() < 0.7:
        at[dice.choice(list(at))] = dice.choice([None, -1, "x y", {}, [], True])
    else:
        at[dice.choice(["when", "names", "any", "value", "was", "x", "in"])] = dice.choice([1, "a", {}, []])
    return tree


def what_the_schema_refuses_is_refused(_):
    dice, trees, refused = random.Random(8), random_trees(), 0
    while refused < REFUSED_LEAST:
        tree = spoil(dice.choice(trees), dice)
        wrong = why(tree)
        if wrong is None:
            continue
        refused += 1
        code, out, err = run("convert", "--to", "seg", "-", stdin=json.dumps(tree))
        suite.equal((code, out, "error: " in err), (1, "", True), "%s\n%s\n%s" % (wrong, err, json.dumps(tree)))


def a_mistake_is_told_with_its_place(_):
    tree = {"definitions": [{"segment": "a", "when": {"all": [{"everyone": True}, {"did": {"name": ["A"]}}]}}]}
    code, out, err = run("convert", "--to", "seg", "-", stdin=json.dumps(tree))
    suite.equal((code, out), (1, ""))
    suite.equal("In definitions[0].when.all[1].did: the member `name` is not known here." in err, True, err)
    code, out, err = run("convert", "--to", "json", "-", stdin="segment a { when evryone }")
    suite.equal((code, out, "did you mean `everyone`?" in err), (1, "", True), err)


def a_wrong_command_line_says_how_it_goes(_):
    for arguments in (), ("--to", "xml", "-"), ("--to", "json"), ("--to", "json", "a", "b"), ("-",):
        code, out, err = run("convert", *arguments)
        suite.equal((code, out, "usage: segmentctl convert" in err), (2, "", True), err)
    code, out, err = run("convert", "--to", "json", "/nowhere/a.seg")
    suite.equal((code, out, "/nowhere/a.seg: cannot be read" in err), (1, "", True), err)


sys.exit(suite.run(None, [
    the_schema_is_one,
    what_we_ship_fits_the_schema_and_comes_back,
    random_trees_fit_the_schema,
    what_the_schema_refuses_is_refused,
    a_mistake_is_told_with_its_place,
    a_wrong_command_line_says_how_it_goes,
]))
