#!/bin/sh
# fetch.sh: puts Apache Kafka (the versions of pom.xml) into a cache folder
# outside the tree, through Maven, and prints that folder.
#
# The folder appears whole or not at all, with a file `complete` in it; a second
# run finds that and fetches nothing.  Two at once: one waits for the other.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n '/kafka_2.13/,/version/s/.*<version>\(.*\)<.*/\1/p' "$here/pom.xml")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/segmentd
jars=$cache/kafka-$version

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

if [ ! -e "$jars/complete" ]; then
    echo "kafka: fetching Apache Kafka $version (45 jars, 43 MB) into $jars" >&2
    log=$cache/kafka-$version.log
    rm -rf "$jars" "$jars.part"
    : >"$log"
    (
        mvn -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies \
            -DincludeScope=runtime -DoutputDirectory="$jars.part" 9>&- ||
            echo "fetch: mvn answered $?"
    ) 2>&1 | awk -v log_file="$log" '
        { print > log_file }
        /Downloaded from/ && ++files % 50 == 0 { printf "kafka: %d files\n", files; fflush() }' >&2
    if grep -q '^fetch: mvn answered' "$log" || ! ls "$jars.part"/kafka_*.jar >/dev/null 2>&1; then
        rm -rf "$jars.part"
        cat >&2 <<END
kafka: Apache Kafka $version cannot be had through Maven; its log is $log:
$(grep -m 1 -E "ERROR|not found" "$log" | cut -c 1-1000)
kafka: The tests on a real broker need it, everything else runs without (make check T=unit).
kafka: A mirror or a proxy is named in ~/.m2/settings.xml; or copy the jars to $jars
kafka: by hand and make a file "complete" there.
END
        exit 1
    fi
    date >"$jars.part/complete"
    mv "$jars.part" "$jars"
    rm -f "$log"
fi
echo "$jars"
