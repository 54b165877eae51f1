#!/usr/bin/python3
"""The alert rules and the dashboard under config/: every metric and label in them is
in daemon/base/metric_table.h, and every alert fires when it should and only then, as
promtool sees it. Each has a runbook, and a row in README.md."""

import json
import os
import re
import subprocess
import sys

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import suite
from cluster import ROOT, Cluster

RULES = os.path.join(ROOT, "config/prometheus/segmentd.rules.yml")
DASHBOARD = os.path.join(ROOT, "config/grafana/segmentd.json")
EVERYWHERE = {"instance", "job"}  # Prometheus puts them on every series.
SCOPES = {"PROCESS": set(), "PARTITION": {"partition"}, "INPUT": {"topic", "partition"}, "SEGMENT": {"segment"},
          "REASON": {"reason"}, "STATE": {"state"}, "WORKER": {"worker"}, "VIEW": set(),
          "BUILD": {"version", "librdkafka"}, "CATALOGUE": {"hash"}}
STATES = ("checking", "restoring", "waiting", "running", "refused")

# Series by name and labels; values as promtool writes them, one per minute: aXn is
# a, n times more.  When to look, and the labels of the alert that must fire then;
# None: none may.
A = 'instance="a"'
TESTS = [
    ("SegmentdDown", {'up{job="segmentd",%s}' % A: "1 0 0 0"}, "3m", {"instance": "a", "job": "segmentd"}),
    ("SegmentdDown", {'up{job="segmentd",%s}' % A: "1 0 0 1"}, "3m", None),
    ("SegmentdDown", {'up{job="other",%s}' % A: "0x9"}, "9m", None),
    ("SegmentdRestarts", {"segmentd_uptime_seconds{%s}" % A: "60 120 5 65 3 63 2 62"}, "7m", {"instance": "a"}),
    ("SegmentdRestarts", {"segmentd_uptime_seconds{%s}" % A: "60 120 5 65 3 63 123 183"}, "7m", None),
    ("SegmentdWorkerHangs", {"segmentd_hung_workers{%s}" % A: "0 1"}, "1m", {"instance": "a"}),
    ("SegmentdWorkerHangs", {"segmentd_hung_workers{%s}" % A: "1 0"}, "1m", None),
    ("SegmentdRefused", {'segmentd_partitions{state="refused",%s}' % A: "0 1"}, "1m", {"instance": "a"}),
    ("SegmentdRefused", {'segmentd_partitions{state="%s",%s}' % (s, A): "3x9" for s in STATES[:-1]}, "9m", None),
    *[("SegmentdNotRunning", {'segmentd_partitions{state="%s",%s}' % (s, A): "0 2x20"}, "16m",
       {"instance": "a", "state": s}) for s in STATES[:3]],
    ("SegmentdNotRunning", {'segmentd_partitions{state="restoring",%s}' % A: "0 2x13 0x9"}, "16m", None),
    ("SegmentdNotRunning", {'segmentd_partitions{state="%s",%s}' % (s, A): "2x20" for s in STATES[3:]}, "16m", None),
    ("SegmentdInputPaused", {'segmentd_input_paused{topic="t",partition="3",%s}' % A: "0 1"}, "1m",
     {"instance": "a", "topic": "t"}),
    ("SegmentdInputPaused", {'segmentd_input_paused{topic="t",partition="3",%s}' % A: "1 0"}, "1m", None),
    ("SegmentdMemoryFull", {"segmentd_memory_paused{%s}" % A: "0 1 1"}, "2m", {"instance": "a"}),
    ("SegmentdMemoryFull", {"segmentd_memory_paused{%s}" % A: "0 1 0"}, "2m", None),
    ("SegmentdTransactionStuck", {'segmentd_transaction_age_seconds{worker="1",%s}' % A: "0 61 121"}, "2m",
     {"instance": "a"}),
    ("SegmentdTransactionStuck", {'segmentd_transaction_age_seconds{worker="1",%s}' % A: "0 60 60"}, "2m", None),
    ("SegmentdBehind", {'segmentd_input_lag_seconds{topic="t",partition="3",%s}' % A: "301x10"}, "10m",
     {"instance": "a", "topic": "t"}),
    ("SegmentdBehind", {'segmentd_input_lag_seconds{topic="t",partition="3",%s}' % A: "300x10"}, "10m", None),
    ("SegmentdTimersLate", {'segmentd_timer_late_seconds{partition="3",%s}' % A: "121x5"}, "5m", {"instance": "a"}),
    ("SegmentdTimersLate", {'segmentd_timer_late_seconds{partition="3",%s}' % A: "121x3 0 0"}, "5m", None),
    ("SegmentdMergeStalled", {'segmentd_merge_stalled_seconds{partition="3",%s}' % A: "121x5"}, "5m",
     {"instance": "a"}),
    ("SegmentdMergeStalled", {'segmentd_merge_stalled_seconds{partition="3",%s}' % A: "120x5"}, "5m", None),
    ("SegmentdRepairs", {"segmentd_restore_repairs_total{%s}" % A: "0 1"}, "1m", {"instance": "a"}),
    ("SegmentdRepairs", {"segmentd_restore_repairs_total{%s}" % A: "0 0"}, "1m", None),
    ("SegmentdBadRecords", {'segmentd_input_bad_records_total{topic="t",partition="3",%s}' % A: "0+11x40",
                            'segmentd_input_records_total{topic="t",partition="3",%s}' % A: "0+1000x40"}, "35m",
     {"instance": "a", "topic": "t"}),
    ("SegmentdBadRecords", {'segmentd_input_bad_records_total{topic="t",partition="3",%s}' % A: "0+9x40",
                            'segmentd_input_records_total{topic="t",partition="3",%s}' % A: "0+1000x40"}, "35m", None),
    ("SegmentdErrors", {"segmentd_log_errors_total{%s}" % A: "7 7 8"}, "2m", {"instance": "a"}),
    ("SegmentdErrors", {"segmentd_log_errors_total{%s}" % A: "7x9"}, "9m", None),
    ("SegmentdThrownOut", {"segmentd_losses_total{%s}" % A: "0 0 1"}, "2m", {"instance": "a"}),
    ("SegmentdThrownOut", {"segmentd_losses_total{%s}" % A: "1x9"}, "9m", None),
    ("SegmentdRebalances", {"segmentd_assignments_total{%s}" % A: "0+1x40"}, "40m", {"instance": "a"}),
    ("SegmentdRebalances", {"segmentd_assignments_total{%s}" % A: "2 2 2 2 4x40"}, "40m", None),
    ("SegmentdReloadRefused", {"segmentd_last_reload_failed{%s}" % A: "0 1"}, "1m", {"instance": "a"}),
    ("SegmentdReloadRefused", {"segmentd_last_reload_failed{%s}" % A: "1 0"}, "1m", None),
    ("SegmentdCatalogueDiffers", {'segmentd_catalogue_info{hash="x",instance="a"}': "1x20",
                                  'segmentd_catalogue_info{hash="y",instance="b"}': "1x20"}, "15m", {}),
    ("SegmentdCatalogueDiffers", {'segmentd_catalogue_info{hash="x",instance="a"}': "1x20",
                                  'segmentd_catalogue_info{hash="x",instance="b"}': "1x20"}, "15m", None),
    ("SegmentdClockSet", {"segmentd_wall_step_seconds{%s}" % A: "0 -3x9"}, "6m", {"instance": "a"}),
    ("SegmentdClockSet", {"segmentd_wall_step_seconds{%s}" % A: "0.9x9"}, "6m", None),
    ("SegmentdFlushBehind", {'segmentd_dirty_age_seconds{partition="3",%s}' % A: "601x10"}, "10m", {"instance": "a"}),
    ("SegmentdFlushBehind", {'segmentd_dirty_age_seconds{partition="3",%s}' % A: "30x10"}, "10m", None),
    ("SegmentdMemoryNearlyFull", {'segmentd_user_bytes{partition="1",%s}' % A: "46x20",
                                  'segmentd_user_bytes{partition="2",%s}' % A: "45x20",
                                  "segmentd_memory_max_bytes{%s}" % A: "100x20"}, "15m", {"instance": "a"}),
    ("SegmentdMemoryNearlyFull", {'segmentd_user_bytes{partition="1",%s}' % A: "89x20",
                                  "segmentd_memory_max_bytes{%s}" % A: "100x20"}, "15m", None),
    ("SegmentdMemoryNearlyFull", {'segmentd_user_bytes{partition="1",%s}' % A: "89x20",
                                  "segmentd_memory_max_bytes{%s}" % A: "0x20"}, "15m", None),
    ("SegmentdRedisAway", {"segmentd_redis_up{%s}" % A: "1 0x5"}, "6m", {"instance": "a"}),
    ("SegmentdRedisAway", {"segmentd_redis_up{%s}" % A: "1 0 0 1 0 0 0"}, "6m", None),
    ("SegmentdRedisBehind", {"segmentd_redis_lag_seconds{%s}" % A: "61x5"}, "5m", {"instance": "a"}),
    ("SegmentdRedisBehind", {"segmentd_redis_lag_seconds{%s}" % A: "60x5"}, "5m", None),
]


def read(path):
    with open(os.path.join(ROOT, path)) as source:
        return source.read()


def table():
    """{name: (labels, type)} of metric_table.h."""
    rows = re.findall(r'^    ([A-Z]+)\((\w+), "([a-z_]+)",\s*\\?\s*([A-Z]+),', read("daemon/base/metric_table.h"), re.M)
    found = {"segmentd_" + name: (SCOPES[scope], kind) for scope, _, name, kind in rows}
    suite.equal(len(found) > 50, True, found)
    return found


def alerts():
    return [rule for group in yaml.safe_load(read(RULES))["groups"] for rule in group["rules"]]


def panels():
    return [p for p in json.loads(read(DASHBOARD))["panels"] if p["type"] != "row"]


def expressions():
    """(where, expression, texts that name labels as {{x}}) of all that ask Prometheus."""
    for rule in alerts():
        yield rule["alert"], rule["expr"], " ".join(rule["annotations"].values())
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]
    for variable in json.loads(read(DASHBOARD))["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"], ""


def complaints(where, expression, text, metrics):
    """What is wrong with one expression."""
    labels = set(EVERYWHERE)
    for name, inside in re.findall(r"(segmentd_\w+)(?:\{([^}]*)\})?", expression):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        histogram = base != name and metrics.get(base, ("", ""))[1] == "HISTOGRAM"
        base = base if histogram else name
        if base not in metrics:
            yield "%s: there is no metric %s" % (where, name)
            continue
        own, kind = metrics[base]
        labels |= own | ({"le"} if histogram else set())
        if kind == "HISTOGRAM" and not histogram:
            yield "%s: %s is a histogram" % (where, name)
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside):
            if label not in own | EVERYWHERE:
                yield "%s: %s has no label %s" % (where, name, label)
        if re.search(r"(rate|increase)\(" + name, expression) and kind == "GAUGE":
            yield "%s: %s is no counter" % (where, name)
    named = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression)
    named += re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", text)
    for label in re.findall(r"\w+", " ".join(named)):
        if label not in labels:
            yield "%s: no metric in it has a label %s" % (where, label)


def all_metrics_and_labels_exist(_):
    metrics = table()
    asked = list(expressions())
    suite.equal(len(asked) > 40, True, len(asked))
    suite.equal([c for row in asked for c in complaints(*row, metrics)], [])
    # And it sees what it should.
    for wrong in ("segmentd_nothing", 'segmentd_users{topic="x"}', "rate(segmentd_users[5m])", "segmentd_nothing_bucket",
                  "sum by (topic) (segmentd_users)", "segmentd_commit_duration_seconds"):
        suite.equal(len(list(complaints("", wrong, "", metrics))), 1, wrong)
    suite.equal(len(list(complaints("", "segmentd_users", "{{ $labels.topic }}", metrics))), 1)


def the_dashboard_is_whole(_):
    rows = panels()
    suite.equal(len({p["id"] for p in json.loads(read(DASHBOARD))["panels"]}), len(json.loads(read(DASHBOARD))["panels"]))
    for panel in rows:
        suite.equal((panel["title"] != "", panel["description"][-1:], len(panel["targets"]) > 0), (True, ".", True), panel)
    taken = set()
    for panel in json.loads(read(DASHBOARD))["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        suite.equal((cells & taken, at["x"] + at["w"] <= 24), (set(), True), panel["title"])
        taken |= cells


def every_alert_says_what_it_means_what_to_look_at_and_what_to_do(_):
    metrics, readme = table(), read("README.md")
    source = "".join(read(os.path.join(folder, name)) for folder, _, names in os.walk(os.path.join(ROOT, "daemon"))
                     for name in names if name.endswith(".c"))
    for rule in alerts():
        name, runbook = rule["alert"], rule["annotations"]["runbook"]
        suite.equal(re.match(r"Means: .+\. Look at: .+[.?] Do: .+\.$", runbook) is not None, True, name + ": " + runbook)
        suite.equal(rule["labels"]["severity"] in ("page", "ticket"), True, name)
        for metric in re.findall(r"segmentd_\w+", runbook):
            suite.equal(metric in metrics, True, name + ": " + metric)
        for line in re.findall(r'line "([^"]+)"', runbook):
            suite.equal('"%s' % line in source, True, "%s: nobody logs %s" % (name, line))
        suite.equal(readme.count("`%s`" % name), 1, "%s in README.md" % name)
    named = set(re.findall(r"`(Segmentd[A-Z]\w+)`", readme))
    suite.equal(named - {rule["alert"] for rule in alerts()}, set())


def unit_test(rule, series, at, labels):
    """One test as promtool reads it."""
    summary = rule["annotations"]["summary"]
    for label, value in (labels or {}).items():
        summary = summary.replace("{{ $labels.%s }}" % label, value)
    alert = {"eval_time": at, "alertname": rule["alert"], "exp_alerts": [] if labels is None else [{
        "exp_labels": {**labels, **rule["labels"]},
        "exp_annotations": {"summary": summary, "runbook": rule["annotations"]["runbook"]}}]}
    return {"interval": "1m", "input_series": [{"series": s, "values": v} for s, v in series.items()],
            "alert_rule_test": [alert]}


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    suite.equal(done.returncode, 0, done.stdout)
    return done.stdout


def promtool_sees_each_alert_fire_and_be_quiet(cluster):
    rules = {rule["alert"]: rule for rule in alerts()}
    suite.equal("%d rules found" % len(rules) in promtool("check", "rules", RULES), True)
    suite.equal(sorted({name for name, _, _, labels in TESTS if labels is not None}), sorted(rules))
    suite.equal(sorted({name for name, _, _, labels in TESTS if labels is None}), sorted(rules))
    tests = [unit_test(rules[name], *rest) for name, *rest in TESTS]
    promtool("test", "rules", cluster.path("rules.test.json", json.dumps({"rule_files": [RULES], "tests": tests})))


TEXT = r'"(?:[^"\\]|\\.)*"'
CALL = re.compile(r'\blog_(?:error|warn|info|debug)\(\s*(%s(?:\s*%s)*)\s*(?:,((?:\s*%s|\s*PRI\w+)+))?\s*[,)]' % (TEXT, TEXT, TEXT))
OURS = {"time", "level", "message", "suppressed", "truncated"}  # Of log_format json.


def every_line_of_the_log_is_a_message_and_pairs(_):
    """As log_format json has it: names that are words, each once, none of ours."""
    found = 0
    for folder, _, names in os.walk(os.path.join(ROOT, "daemon")):
        for name in (n for n in names if n.endswith(".c")):
            for message, pairs in CALL.findall(read(os.path.join(folder, name))):
                pairs = re.sub(r"PRI\w+", '"d"', pairs)
                text = re.sub(r'\\(.)', r"\1", re.sub(r'(?<!\\)"\s*"', "", pairs.strip())[1:-1])
                where = "%s: %s" % (name, text)
                suite.equal(re.match(r'^((^| )[\w.]+=("[^"]*"|[^ "]+))*$', text) is not None, True, where)
                keys = re.findall(r'(?:^| )([\w.]+)=', re.sub(r'"[^"]*"', "", text))
                suite.equal((len(keys), set(keys) & OURS), (len(set(keys)), set()), where)
                found += 1
    suite.equal(found > 60, True, found)


if __name__ == "__main__":
    with Cluster() as here:
        sys.exit(suite.run(here, [
            all_metrics_and_labels_exist, the_dashboard_is_whole,
            every_alert_says_what_it_means_what_to_look_at_and_what_to_do,
            promtool_sees_each_alert_fire_and_be_quiet, every_line_of_the_log_is_a_message_and_pairs]))
