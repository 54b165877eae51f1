"""schema.py: records read back, held against the schemas of config/schemas.

A failure names the record and what of it does not fit."""

import functools
import json
import os

import jsonschema

from cluster import ROOT


@functools.lru_cache
def _validator(name):
    with open(os.path.join(ROOT, "config", "schemas", name + ".json")) as source:
        schema = json.load(source)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _must_fit(name, what, row):
    wrong = next(_validator(name).iter_errors(what), None)
    if wrong is not None:
        raise AssertionError("%s: no %s: %s at %s" % (row, name, wrong.message, list(wrong.absolute_path)))


def value(text, row=""):
    """TEXT is the value of a change or of a trigger."""
    read = json.loads(text)
    _must_fit("trigger" if read.get("event") == "Message Triggered" else "change", read, row)


def output(record):
    """RECORD is one of the changes or of the triggers."""
    headers = {k: v.decode() for k, v in record.headers.items()}
    row = "%s[%d]@%d" % (record.topic, record.partition, record.offset)
    value(record.value, row)
    _must_fit("cloudevent-headers", headers, row)
    read = json.loads(record.value)
    same = [("ce_id", "messageId"), ("ce_subject", "userId"), ("ce_time", "timestamp")]
    for header, member in same:
        if headers[header] != read[member]:
            raise AssertionError("%s: %s is %s, %s is %s" % (row, header, headers[header], member, read[member]))
    if record.key.decode() != read["userId"]:
        raise AssertionError("%s: the key is not the user" % row)


def letter(record):
    """RECORD is one of the dead letters."""
    headers = {k: v.decode() for k, v in record.headers.items()}
    _must_fit("dead-letter-headers", headers, "%s[%d]@%d" % (record.topic, record.partition, record.offset))
