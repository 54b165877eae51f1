#!/usr/bin/python3
"""The simulated broker against a real one: the same scripts, the same answers (check_scripts.c).

    scripts.py               as many as fit into a check
    scripts.py FROM COUNT    so many; the whole set is 1 1000
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import cluster
import records

CHECKED = ["1", "30"]


def main():
    program = cluster.test_program("tests/process/check_scripts")
    with cluster.Cluster() as servers:
        kafka = servers.kafka(transaction_abort_timed_out_transaction_cleanup_interval_ms=200)
        records.Topics(kafka.address).create("scripts.in")
        return subprocess.call([program] + (sys.argv[1:] or CHECKED), env={**os.environ, "KAFKA": kafka.address})


if __name__ == "__main__":
    sys.exit(main())
