"""fault_points.py: the failpoints of daemon/base/fail_table.h: which there are, and
what it takes to come by each."""

import os
import re

from cluster import ROOT
from stand import RESTORE, SWEEP

with open(os.path.join(ROOT, "daemon", "base", "fail_table.h")) as table:
    ALL = re.findall(r'^ +X\([A-Z_]+, "([a-z_]+)",', table.read(), re.M)

# Where records are worked off, in order.
IN_TRANSACTION = ["advance", "emit", "dead_letter", "flush", "before_send_offsets", "after_send_offsets",
                  "before_commit", "during_commit"]
BETWEEN = ["begin", "after_commit", "after_ack", "view_before_apply", "view_after_apply"]
TROUBLED = ["abort", "resend", "init_transactions"]
RESTORING = ["restore_committed", "restore_state_half", "restore_state_end", "restore_changes", "restore_redo_half",
             "restore_redo_end", "seek"]
MOVING = ["assign", "revoke"]
EDITED = ["adopt_half", "sweep_half", "backfill_fold", "backfill_swap", "backfill_publish"]

# What makes a process come by (nemesis.PROVOKE), if it is alone and if it is not.
NEEDS = {
    "abort": ("an_abort", "an_abort"), "resend": ("an_abort", "an_abort"),
    "init_transactions": ("a_lost_answer", "a_lost_answer"),
    "assign": ("a_guest", "an_heir"), "revoke": ("a_guest", "an_heir"), "lost": ("a_pause", "a_pause"),
    "rebuild_half": ("an_empty_redis", "an_empty_redis"), "close": ("its_end", "its_end"),
    **{point: ("a_pause", "an_heir") for point in RESTORING},
}
PHASES = {**dict.fromkeys(RESTORING, RESTORE), **dict.fromkeys(EDITED + ["rebuild_half"], SWEEP)}
