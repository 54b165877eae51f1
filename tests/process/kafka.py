#!/usr/bin/python3
"""daemon/kafka against a real broker: runs tests/process/check_kafka with one."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import cluster


def main():
    program = cluster.test_program("tests/process/check_kafka")
    with cluster.Cluster() as servers:
        # Tests stop it for seconds; it must still be the one that leads when it goes on.
        kafka = servers.kafka(broker_session_timeout_ms=60000)
        return subprocess.call([program], env={**os.environ, "KAFKA": kafka.address, "KAFKA_PID": str(kafka.pid),
                                               "CK_DEFAULT_TIMEOUT": "180"})


if __name__ == "__main__":
    sys.exit(main())
