"""conf.py: the one place in the tests that writes segmentd.conf."""

import cluster


def text(segments, inputs, kafka, redis=None, http=None, partitioner="murmur2", start="earliest",
         properties=None, **settings):
    """The text of a segmentd.conf.

    SEGMENTS is a list of paths, INPUTS a list of topic names, PARTITIONER that
    of all of them, or a dictionary by their names, KAFKA and REDIS
    are host:port (without REDIS there is no view), HTTP too (default: a free
    port).  PROPERTIES go to librdkafka, SETTINGS are written as they are:
    app="x", workers=2, clock="records", flush_interval="1s".
    """
    quoted = {"app", "group", "process", "instance_id"}
    lines = ["%s %s" % (k, _quote(v) if k in quoted else v) for k, v in settings.items()]
    lines.append("segments [%s]" % ", ".join(_quote(s) for s in segments))
    kinds = partitioner if isinstance(partitioner, dict) else dict.fromkeys(inputs, partitioner)
    lines += ["input %s { partitioner %s  start %s }" % (_quote(i), kinds[i], start) for i in inputs]
    lines.append("kafka { bootstrap.servers = %s }" % ", ".join(
        [_quote(kafka)] + ["%s = %s" % (k, _quote(v)) for k, v in (properties or {}).items()]))
    if redis:
        lines.append("redis { address = %s }" % _quote(redis))
    lines.append("http { address = %s }" % _quote(http or "%s:%d" % (cluster.HOST, cluster.free_port())))
    return "\n".join(lines) + "\n"


def _quote(value):
    return '"%s"' % str(value).replace("\\", "\\\\").replace('"', '\\"')
