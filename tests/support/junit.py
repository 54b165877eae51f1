"""junit.py: what a reader of JUnit XML wants: Jenkins, GitLab and others agree on
the elements and attributes below, in this order, and add numbers up."""

import re
import xml.etree.ElementTree

import suite

# Element: attributes it must have, those it may have, children in order.
FORM = {
    "testsuites": ({"tests", "failures"}, {"errors", "skipped", "name", "time"}, ["testsuite"]),
    "testsuite": ({"name", "tests", "failures"}, {"errors", "skipped", "time", "timestamp", "hostname"},
                  ["properties", "testcase", "system-out", "system-err"]),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": ({"classname", "name"}, {"time", "file", "line"}, ["skipped", "error", "failure", "system-out", "system-err"]),
    "skipped": (set(), {"message"}, []),
    "failure": (set(), {"message", "type"}, []),
    "error": (set(), {"message", "type"}, []),
    "system-out": (set(), set(), []),
    "system-err": (set(), set(), []),
}
MANY = {"testsuite", "testcase", "property"}
TEXT = {"failure", "error", "skipped", "system-out", "system-err"}


def _check(element):
    must, may, children = FORM[element.tag]
    have = set(element.attrib)
    suite.equal(must <= have <= must | may, True, "%s has %s" % (element.tag, sorted(have)))
    places = [children.index(child.tag) for child in element]
    suite.equal(places, sorted(places), "order in %s" % element.tag)
    for tag in set(child.tag for child in element) - MANY:
        suite.equal(len(element.findall(tag)), 1, "%s in %s" % (tag, element.tag))
    if element.tag not in TEXT:
        suite.equal((element.text or "").strip() + "".join((child.tail or "").strip() for child in element), "",
                    "text in %s" % element.tag)
    for child in element:
        _check(child)


def _count(cases, tag):
    return sum(case.find(tag) is not None for case in cases)


def read(path):
    """The root of the report at PATH, which is as it must be."""
    with open(path, "rb") as file:
        text = file.read().decode("utf-8")
    suite.equal(text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n'), True, text[:60])
    suite.equal(re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", text), None)
    root = xml.etree.ElementTree.fromstring(text)
    suite.equal(root.tag, "testsuites")
    _check(root)
    total = [0, 0]
    for one in root:
        cases = one.findall("testcase")
        names = [(case.get("classname"), case.get("name"), case.get("line")) for case in cases]
        suite.equal(len(set(names)), len(names), "cases of one name")
        suite.equal([int(one.get(name, 0)) for name in ("tests", "failures", "skipped")],
                    [len(cases), _count(cases, "failure"), _count(cases, "skipped")], one.get("name"))
        total[0] += len(cases)
        total[1] += _count(cases, "failure")
    suite.equal([int(root.get("tests")), int(root.get("failures"))], total)
    return root
