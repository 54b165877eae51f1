"""schema.py: records read back, held against the schemas of config/schemas.

records.py does this with all that anybody reads from a topic of segmentd; a
failure names the record and what of it does not fit.

jsonschema takes milliseconds for a record, and there are hundreds of thousands.
So it sees one of each *shape*.  The shape of a value is its answers to all that a
schema can ask: the names and shapes of its members, the shapes among its items,
the type of a scalar, which constants and patterns of the schema a text fits, which
of its limits a text or number is below.  Two values of one shape cannot be judged
differently: 41 and 42 have one, 0 and 1 where there is a `minimum: 1` have not.  A
keyword of which this is not known is an error."""

import functools
import json
import os
import re

import jsonschema

from cluster import ROOT

# Keywords that ask about names, types and parts alone, and those that hold schemas.
PLAIN = {"$schema", "$ref", "title", "description", "type", "required"}
PARTS, NAMED_PARTS = {"if", "then", "else", "items", "additionalProperties"}, {"properties", "$defs"}
KINDS = {"changes": "change", "triggers": "trigger", "traits": "traits"}


class Schema:
    """One schema, what it asks, and the shapes that were found to fit."""

    def __init__(self, name):
        with open(os.path.join(ROOT, "config", "schemas", name + ".json")) as source:
            schema = json.load(source)
        jsonschema.Draft202012Validator.check_schema(schema)
        self.name, self.validator = name, jsonschema.Draft202012Validator(schema)
        self.constants, self.patterns, self.lengths, self.minima = set(), set(), set(), set()
        self._learn(schema)
        self.patterns = [re.compile(pattern) for pattern in sorted(self.patterns)]
        self.fitting = set()

    def must_fit(self, what, row):
        shape = self.shape(what)
        if shape not in self.fitting:
            wrong = next(self.validator.iter_errors(what), None)
            if wrong is not None:
                raise AssertionError("%s: no %s: %s at %s" % (row, self.name, wrong.message, list(wrong.absolute_path)))
            self.fitting.add(shape)

    def shape(self, what):
        kind = type(what)
        if kind is str:
            return self._text(what)
        if kind is dict:
            return tuple([(name, self.shape(part)) for name, part in what.items()])
        if kind is list:
            return frozenset([self.shape(item) for item in what])
        if kind is bool or what is None:
            return what, kind
        return kind, what % 1 == 0, tuple([what < limit for limit in self.minima])

    def _text(self, text):
        if text in self.constants:
            return text
        return (str, *[fits.search(text) is not None for fits in self.patterns],
                *[len(text) < limit for limit in self.lengths])

    def _learn(self, schema):
        if isinstance(schema, bool):
            return
        for keyword, says in schema.items():
            if keyword in PARTS:
                self._learn(says)
            elif keyword in NAMED_PARTS:
                for part in says.values():
                    self._learn(part)
            elif keyword in ("const", "enum"):
                self._learn_constants(says if keyword == "enum" else [says])
            elif keyword in ("pattern", "minLength", "minimum"):
                {"pattern": self.patterns, "minLength": self.lengths, "minimum": self.minima}[keyword].add(says)
            elif keyword not in PLAIN:
                raise AssertionError("%s.json: what may %s ask?" % (self.name, keyword))

    def _learn_constants(self, constants):
        for constant in constants:
            if isinstance(constant, str):
                self.constants.add(constant)
            elif not isinstance(constant, bool):  # That is its own shape.
                raise AssertionError("%s.json: a constant %r?" % (self.name, constant))


@functools.lru_cache
def schema(name):
    return Schema(name)


def value(text):
    """TEXT is the value of a change, of a trigger or of traits, as `segmentctl
    replay` prints them; the JSON of it."""
    read = json.loads(text)
    kind = "traits" if read.get("type") == "identify" else \
        "trigger" if read.get("event") == "Message Triggered" else "change"
    schema(kind).must_fit(read, text)
    return read


def record(what):
    """WHAT, a Record, fits if its topic is one of segmentd's outputs; their names
    end alike whatever the application is called."""
    output = what.topic.rpartition(".")[2]
    if output in KINDS:
        _output(what, schema(KINDS[output]))
    elif output == "dead-letters":
        schema("dead-letter-headers").must_fit(_headers(what), _row(what))


def _output(what, kind):
    row, headers = _row(what), _headers(what)
    read = json.loads(what.value)
    kind.must_fit(read, row)
    schema("cloudevent-headers").must_fit(headers, row)
    for header, member in ("ce_id", "messageId"), ("ce_subject", "userId"), ("ce_time", "timestamp"):
        if headers[header] != read[member]:
            raise AssertionError("%s: %s is %s, %s is %s" % (row, header, headers[header], member, read[member]))
    if what.key.decode() != read["userId"]:
        raise AssertionError("%s: the key is not the user" % row)


def _headers(what):
    return {name: value.decode() for name, value in what.headers.items()}


def _row(what):
    return "%s[%d]@%d" % (what.topic, what.partition, what.offset)
