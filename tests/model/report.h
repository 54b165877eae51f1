/* report.h: what a run of the model test has proved, and whether it is enough.
 */
#ifndef MODEL_REPORT_H
#define MODEL_REPORT_H

#include "tests/model/drive.h"

/* Print STATS to stdout. Returns how many floors are not reached; with less
 * than REPORT_CASES_MIN cases none is asked for. */
int report(const struct drive_stats *stats);

#define REPORT_CASES_MIN 4000

#endif
