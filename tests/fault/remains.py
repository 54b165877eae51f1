"""remains.py: what a scenario that failed leaves behind, for whoever has to find out.

A folder beside the logs of the checks: what happened, told in one paragraph with the
first difference; the log of each process; each topic as NDJSON, read uncommitted,
with the offsets up to which it is committed; what Redis shows."""

import json
import os
import re
import shutil
import signal

import report
import suite
from facts import OUTPUTS

TOLD = "told.txt"


def keep(stand, scenario, step, seed, error):
    """Make the folder; the paragraph."""
    name = re.sub(r"[^a-z0-9]+", "-", ("row %s %s" % (scenario.rows[0], scenario.says)).lower()).strip("-")[:70]
    folder = os.path.join(report.folder(), "fault-" + name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    told = paragraph(stand, scenario, step, seed, error, folder)
    with open(os.path.join(folder, TOLD), "w") as out:
        out.write(told + "\n")
    if stand is not None:
        _logs(stand, folder)
        for daemon in stand.daemons.values():
            daemon.signal(signal.SIGCONT)
            daemon.kill()
        _topics(stand, folder)
        _redis(stand, folder)
    return told


def paragraph(stand, scenario, step, seed, error, folder):
    lines = str(error).splitlines() or [type(error).__name__]
    died = ""
    if stand is not None and stand.kills:
        died = " Before that %d processes had died, the last ones at %s; %d verdicts were good." % (
            len(stand.kills), ", ".join("%s@%d" % kill[:2] for kill in stand.kills[-3:]), stand.judged)
    return ("%s. It failed at \"%s\": %s%s.%s Again: SEED=%d tests/fault/faults.py full %d --only '%s'."
            " All there is lies in %s") % (
        scenario, step, lines[0], "".join("\n" + line for line in lines[1:30]), died, seed, scenario.rows[0],
        scenario.says, folder)


def _logs(stand, folder):
    for name, daemon in stand.daemons.items():
        shutil.copy(daemon.log_path, os.path.join(folder, name + ".log"))
        shutil.copy(daemon.conf_path, os.path.join(folder, name + ".conf"))


def _topics(stand, folder):
    for topic in stand.inputs + [stand.facts.name(output) for output in OUTPUTS]:
        try:
            committed = {(r.partition, r.offset) for r in stand.topics.read(topic, timeout=15)}
        except Exception:  # A transaction is open.
            committed = None
        try:
            records = stand.topics.read(topic, committed=False, timeout=15)
        except Exception as error:
            records = []
            suite.sys.stdout.write("         %s cannot be read: %s\n" % (topic, error))
        with open(os.path.join(folder, topic + ".ndjson"), "w") as out:
            for record in records:
                is_committed = None if committed is None else (record.partition, record.offset) in committed
                out.write(json.dumps({
                    "partition": record.partition, "offset": record.offset, "timestamp": record.timestamp_ms,
                    "committed": is_committed, "key": _text(record.key), "value": _text(record.value),
                    "headers": {k: _text(v) for k, v in record.headers.items()}}) + "\n")


def _redis(stand, folder):
    client = stand.redis.client()
    with open(os.path.join(folder, "redis.ndjson"), "w") as out:
        for key in sorted(client.scan_iter(stand.app + ":*", count=1000)):
            value = client.hgetall(key) if client.type(key) == "hash" else client.get(key)
            out.write(json.dumps({"key": key, "value": value}) + "\n")


def _text(value):
    """Text as it is; what is none as hex digits."""
    if value is None:
        return None
    try:
        text = value.decode()
        return text if text.isprintable() else {"hex": value.hex()}
    except UnicodeDecodeError:
        return {"hex": value.hex()}
