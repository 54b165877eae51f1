#!/bin/sh
# fetch.sh: puts a librdkafka newer than the system's into a cache folder outside
# the tree and prints that folder: LD_LIBRARY_PATH for the programs that are to run
# with it (cluster.py does so with LIBRDKAFKA=current).
#
# It is what the wheel of Python's confluent-kafka (wheel.txt) carries: a library
# that needs nothing but libc.  The folder appears whole or not at all; a second run
# finds it and fetches nothing.  Two at once: one waits for the other.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^confluent-kafka==\([^ ]*\).*/\1/p' "$here/wheel.txt")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/segmentd
folder=$cache/librdkafka-$version

mkdir -p "$cache"
exec 9>"$cache/librdkafka.lock"
flock 9

if [ ! -e "$folder/librdkafka.so.1" ]; then
    echo "librdkafka: fetching $version (5 MB) into $folder" >&2
    rm -rf "$folder" "$folder.part"
    mkdir "$folder.part"
    if ! /usr/bin/python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: \
        --implementation cp --abi cp311 --python-version 3.11 --platform "manylinux_2_28_$(uname -m)" \
        --require-hashes -r "$here/wheel.txt" -d "$folder.part" >&2; then
        rm -rf "$folder.part"
        echo "librdkafka: confluent-kafka $version cannot be had through pip; or put a librdkafka.so.1 into" >&2
        echo "librdkafka: $folder by hand" >&2
        exit 1
    fi
    /usr/bin/python3 - "$folder.part" <<'END'
import glob, os, sys, zipfile
with zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]) as wheel:
    library = next(n for n in wheel.namelist() if "/librdkafka-" in n)
    with open(os.path.join(sys.argv[1], "librdkafka.so.1"), "wb") as out:
        out.write(wheel.read(library))
END
    rm "$folder.part"/*.whl
    mv "$folder.part" "$folder"
fi
echo "$folder"
