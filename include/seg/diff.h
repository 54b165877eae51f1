/* diff.h: what another catalogue changes, before it is in force.
 *
 * Everything that a catalogue is made of has a name in its part: segments,
 * scores, traits and lists their key, a trigger its segment, side and name, a
 * feature or attribute its canonical text. What has the same name in both is
 * compared by meaning: spelling, the order of conditions, titles and tests
 * change nothing.
 *
 *   ADDED    only the new one has it
 *   REMOVED  only the old one has it
 *   CHANGED  the words say something else
 *   THROUGH  the words are the same, but something that they name is not
 *   SAME     neither
 *
 * Features and attributes are what is kept of each user. One that is ADDED is
 * not known of users who were there before: the conditions that read it are
 * unknown, and change nobody's membership, until it is *decided*. */
#ifndef SEG_DIFF_H
#define SEG_DIFF_H

#include <stdint.h>

#include <seg/catalogue.h>

#ifdef __cplusplus
extern "C" {
#endif

enum seg_diff_part {
    SEG_DIFF_LIST,
    SEG_DIFF_SCORE,
    SEG_DIFF_TRAIT,
    SEG_DIFF_SEGMENT,
    SEG_DIFF_TRIGGER,
    SEG_DIFF_FEATURE,
    SEG_DIFF_ATTRIBUTE,
    SEG_DIFF_PARTS
};

enum seg_diff_kind {
    SEG_DIFF_SAME,
    SEG_DIFF_ADDED,
    SEG_DIFF_REMOVED,
    SEG_DIFF_CHANGED,
    SEG_DIFF_THROUGH
};

/* One thing of one catalogue, or of both. */
struct seg_difference {
    int part; /* enum seg_diff_part. */
    int kind; /* enum seg_diff_kind. */
    const char *name;
    /* What it says, if it is ADDED or REMOVED, and what of that is CHANGED:
     * "when", "until", "cooldown"; in canonical spelling, "" for nothing. */
    int field_count;
    const struct seg_diff_field {
        const char *name, *before, *after;
    } * fields;
    /* What it names that is not the same: "score engagement". */
    int through_count;
    const char *const *through;
    /* Of features and attributes: keys of the segments that read it, of the old
     * catalogue if it is REMOVED. */
    int segment_count;
    const char *const *segments;
    /* Of features that are ADDED, or CHANGED because more of them is kept: when
     * every user's is decided at the latest; SEG_DIFF_NEVER: by what users still
     * do, or never. An attribute is decided where it is kept already, else when
     * it is set again. */
    int64_t decides_ms;
};

#define SEG_DIFF_NEVER INT64_MAX

struct seg_diff;

/* Compare BEFORE and AFTER, which is to come into force at AT_MS. *RET has texts
 * of its own. Returns 0 or SEG_ERR_NOMEM. */
int seg_catalogue_diff(struct seg_diff **ret,
                       const struct seg_catalogue *before,
                       const struct seg_catalogue *after, int64_t at_ms);
void seg_diff_free(struct seg_diff *diff);

/* Part after part; in each of them in the order of the new catalogue, then what
 * is REMOVED. INDEX is below the count. */
int seg_diff_count(const struct seg_diff *diff);
const struct seg_difference *seg_diff_at(const struct seg_diff *diff,
                                         int index);

#ifdef __cplusplus
}
#endif
#endif
