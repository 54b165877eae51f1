/* plan.c: segmentctl plan. See plan.h for who does what. */
#include "daemon/ctl/plan.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/ctl/ctl.h"
#include "daemon/ctl/files.h"
#include "lib/base/instant.h"

struct options {
    struct ask_options ask;
    int state;
    int json;
};

const char *plan_part_name(int part)
{
    static const char *const names[] = {
        [SEG_DIFF_LIST] = "list",           [SEG_DIFF_SCORE] = "score",
        [SEG_DIFF_TRAIT] = "trait",         [SEG_DIFF_SEGMENT] = "segment",
        [SEG_DIFF_TRIGGER] = "trigger",     [SEG_DIFF_FEATURE] = "feature",
        [SEG_DIFF_ATTRIBUTE] = "attribute",
    };
    return names[part];
}

const char *plan_kind_name(int kind)
{
    static const char *const names[] = {
        [SEG_DIFF_SAME] = "same",       [SEG_DIFF_ADDED] = "added",
        [SEG_DIFF_REMOVED] = "removed", [SEG_DIFF_CHANGED] = "changed",
        [SEG_DIFF_THROUGH] = "through",
    };
    return names[kind];
}

int plan_find_segment(const struct plan *plan, const char *key)
{
    uint32_t found =
        intern_find(&plan->keys, (struct seg_text){key, strlen(key)});
    return found == INTERN_NONE ? -1 : (int)found;
}

int plan_find_changed(const struct plan *plan, const struct seg_output *output)
{
    uint32_t found = output->kind == SEG_OUTPUT_CHANGE
                         ? intern_find(&plan->keys, output->segment_key)
                         : INTERN_NONE;
    if (found == INTERN_NONE)
        return -1;
    const struct plan_segment *of = &plan->segments[found];
    return output->shadow && !(of->was_shadow && of->is_shadow) &&
                   of->difference->kind != SEG_DIFF_ADDED
               ? -1
               : (int)found;
}

int plan_is_turned(const struct plan_segment *of)
{
    int kind = of->difference->kind;
    return kind != SEG_DIFF_ADDED && kind != SEG_DIFF_REMOVED &&
           of->was_shadow != of->is_shadow;
}

/* Whether CATALOGUE has KEY as a shadow. */
static int is_shadow(const struct seg_catalogue *catalogue, const char *key)
{
    struct seg_segment_info info;
    int index = seg_catalogue_segment_index(catalogue, key);
    if (index < 0)
        return 0;
    seg_catalogue_segment(catalogue, index, &info);
    return info.shadow;
}

static int find_segments(struct plan *plan)
{
    int count = seg_diff_count(plan->diff), ret = 0;
    uint32_t number;
    plan->segments = calloc((size_t)count + 1, sizeof(*plan->segments));
    for (int i = 0; plan->segments && ret >= 0 && i < count; i++) {
        const struct seg_difference *of = seg_diff_at(plan->diff, i);
        const struct seg_text key = {of->name, strlen(of->name)};
        if (of->part != SEG_DIFF_SEGMENT)
            continue;
        ret = intern_add(&plan->keys, key, &number);
        plan->segments[plan->segment_count++] = (struct plan_segment){
            .difference = of,
            .was_shadow = is_shadow(plan->old_catalogue, of->name),
            .is_shadow = is_shadow(plan->new_catalogue, of->name),
            .now = PLAN_UNKNOWN};
    }
    return plan->segments && ret >= 0
               ? CTL_GOOD
               : ctl_fail("%s", seg_error_sentence(SEG_ERR_NOMEM));
}

static int compile(struct seg_catalogue **ret, const char *path)
{
    struct segment_files files;
    char *const paths[] = {(char *)path};
    int status = files_read(&files, paths, 1);
    if (status == CTL_GOOD)
        status = files_compile(ret, &files);
    segment_files_done(&files);
    return status;
}

static int compare(struct plan *plan)
{
    int status = compile(&plan->old_catalogue, plan->old_path);
    if (status == CTL_GOOD)
        status = compile(&plan->new_catalogue, plan->new_path);
    if (status != CTL_GOOD)
        return status;
    int ret = seg_catalogue_diff(&plan->diff, plan->old_catalogue,
                                 plan->new_catalogue, plan->at_ms);
    return ret < 0 ? ctl_fail("%s", seg_error_sentence(ret))
                   : find_segments(plan);
}

static int run(struct plan *plan, const struct options *options)
{
    int status = compare(plan);
    if (status == CTL_GOOD && plan->users.path)
        status = plan_run_events(plan);
    if (status == CTL_GOOD && options->state)
        status = plan_read_state(plan, options->ask.conf);
    if (status == CTL_GOOD &&
        (options->ask.url || (options->ask.conf && !options->state)))
        status = plan_ask_now(plan, &options->ask);
    if (status != CTL_GOOD)
        return status;
    if (options->json)
        return plan_print_json(plan);
    plan_print_text(plan);
    return CTL_GOOD;
}

static int read_instant(const char *option, int64_t *at_ms)
{
    struct seg_text text = {optarg, strlen(optarg)};
    return instant_parse(text, at_ms) == 0
               ? CTL_GOOD
               : ctl_usage("plan",
                           "%s: %s is no instant such as 2026-01-31T12:00Z",
                           option, optarg);
}

/* Take the option FOUND. */
static int take(struct plan *plan, struct options *options, int found)
{
    if (ask_take(&options->ask, found))
        return CTL_GOOD;
    options->state |= found == 's';
    if (found == 'e')
        plan->users.path = optarg;
    options->json |= found == 'j';
    if (found == 'n')
        return read_instant("--until", &plan->users.until_ms);
    if (found == 'a')
        return read_instant("--at", &plan->at_ms);
    return found == '?' ? CTL_USAGE : CTL_GOOD;
}

static int read_options(struct plan *plan, struct options *options, int argc,
                        char **argv)
{
    static const struct option known[] = {
        {"events", required_argument, NULL, 'e'},
        {"until", required_argument, NULL, 'n'},
        {"at", required_argument, NULL, 'a'},
        {"state", no_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        ASK_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    for (int found; (found = ctl_option(argc, argv, known)) != -1;)
        if (take(plan, options, found) != CTL_GOOD)
            return CTL_USAGE;
    if (argc - optind != 2)
        return ctl_usage("plan", "two files or folders: the old and the new");
    if (plan->users.until_ms != SEG_NEVER && !plan->users.path)
        return ctl_usage("plan", "--until is for --events");
    plan->old_path = argv[optind];
    plan->new_path = argv[optind + 1];
    return CTL_GOOD;
}

int ctl_plan(int argc, char **argv)
{
    struct options options = {.ask = {.verb = "plan"}};
    clock_open();
    struct plan plan = {.at_ms = clock_wall_ms(),
                        .users = {.until_ms = SEG_NEVER}};
    if (read_options(&plan, &options, argc, argv) != CTL_GOOD)
        return CTL_USAGE;
    intern_init(&plan.keys);
    int status = run(&plan, &options);
    intern_done(&plan.keys);
    free(plan.segments);
    seg_diff_free(plan.diff);
    seg_catalogue_free(plan.old_catalogue);
    seg_catalogue_free(plan.new_catalogue);
    return status;
}
