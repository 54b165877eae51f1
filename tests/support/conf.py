"""conf.py: the one place in the tests that writes segmentd.conf."""

import cluster


def text(segments, inputs, kafka, redis=None, http=None, partitioner="murmur2", start="earliest",
         properties=None, advertise=False, **settings):
    """The text of a segmentd.conf.

    SEGMENTS is a list of paths, INPUTS a list of topic names, PARTITIONER and
    START those of all of them, or dictionaries by their names, KAFKA and REDIS
    are host:port (without REDIS there is no view), HTTP too (default: a free
    port), which others are told with ADVERTISE.  PROPERTIES go to librdkafka, SETTINGS are written as they are:
    app="x", workers=2, clock="records", flush_interval="1s". Unless it is asked
    for there is no backfill.
    """
    settings.setdefault("backfill", "off")  # What warms stays warming.
    quoted = {"app", "group", "process", "instance_id"}
    lines = ["%s %s" % (k, _quote(v) if k in quoted else v) for k, v in settings.items()]
    lines.append("segments [%s]" % ", ".join(_quote(s) for s in segments))
    kinds, starts = (x if isinstance(x, dict) else dict.fromkeys(inputs, x) for x in (partitioner, start))
    lines += ["input %s { partitioner %s  start %s }" % (_quote(i), kinds[i], starts[i]) for i in inputs]
    lines.append("kafka { bootstrap.servers = %s }" % ", ".join(
        [_quote(kafka)] + ["%s = %s" % (k, _quote(v)) for k, v in (properties or {}).items()]))
    if redis:
        lines.append("redis { address = %s }" % _quote(redis))
    address = _quote(http or "%s:%d" % (cluster.HOST, cluster.free_port()))
    lines.append("http { address = %s%s }" % (address, "  advertise = " + address if advertise else ""))
    return "\n".join(lines) + "\n"


def _quote(value):
    return '"%s"' % str(value).replace("\\", "\\\\").replace('"', '\\"')
