#!/usr/bin/python3
"""archive.py: keeps the classes of Kafka next to its jars as the JVM maps them at
its start (class data sharing), so that a broker starts in half the time.

The JVM writes the archive when a broker ends by itself; here one is run for that.
Made anew if this JVM does not take it; without it brokers start all the same."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from cluster import Cluster, Kafka  # noqa: E402


def is_taken(archive, jars):
    return subprocess.run(["java", *Kafka.jvm, "-Xshare:on", "-XX:SharedArchiveFile=" + archive, "-cp", jars + "/*",
                           "kafka.Kafka", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          ).returncode == 0


def main():
    jars = subprocess.run([os.path.join(HERE, "fetch.sh")], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()
    archive = Kafka.archive(jars)
    if os.path.exists(archive) and is_taken(archive, jars):
        return
    print("kafka: archiving its classes in %s" % archive, file=sys.stderr)
    part = "%s.%d" % (archive, os.getpid())
    if os.path.exists(archive):
        os.remove(archive)
    Kafka.jvm = [*Kafka.jvm, "-XX:ArchiveClassesAtExit=" + part]
    with Cluster() as cluster:
        cluster.kafka().terminate(60)
    os.replace(part, archive)


if __name__ == "__main__":
    main()
