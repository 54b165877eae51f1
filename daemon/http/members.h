/* members.h: GET /v1/segments/{key}/members, who is in a segment.
 *
 * A list is read page by page while changes go on, and then followed in the
 * change topic. What makes the two one is a rule of three sentences:
 *
 *   - the daemon: the position of a partition in the change topic is noted in
 *     the closure that reads its first users, at a moment when all that the
 *     engine knows is committed: position and state belong together;
 *   - the client: start from the list; read the change topic, committed records
 *     only, of each partition from its position on, in order;
 *   - of the changes of this segment take each as it is (entered: he is in
 *     since `entered_at`; exited: he is not), but skip those of a listed user
 *     whose `seq` is not above the one he was listed with.
 *
 * Why that is exact. Take a user, and let his changes after the position P be
 * c1, c2, ... in order of seq; the page that came by his place was made after
 * cj, and j may be 0. His membership then is what cj made of it. If he is
 * listed, c1 to cj are skipped, and what follows begins with his exit. If he is
 * not listed, he was not in after cj: the client plays c1 to cj from "not in"
 * (a first exit finds nobody and is nothing), which ends as it must, with him
 * out; then the rest. Either way the client's list after a change is the truth
 * at that change: nobody is missing, nobody enters twice. No page, and no order
 * of pages, needs to be of the same instant as another.
 *
 * A snapshot of the partition in one closure would spare the client the third
 * sentence, but hold the worker up for as long as a million users take, and
 * keep them in memory for a client that may never come back.
 *
 * A page costs a worker at most MEMBERS_LOOKS_MAX users looked at, so it may
 * hold few members, or none, and still have a next one. A cursor (cursor.h) is
 * good while its partition stays here; if that moved away, or was restored,
 * meanwhile, the answer is 410 and the list has to be read again from its
 * beginning. A partition that was read to its end may go where it likes: its
 * list and its position are facts of the topic.
 *
 * Only partitions that this process has restored are read, those that stand
 * still (no memory, bad records) too. The last page says which they were, with
 * their positions, and whether they are all there are. */
#ifndef HTTP_MEMBERS_H
#define HTTP_MEMBERS_H

#include "daemon/http/routes.h"

#define MEMBERS_LIMIT     1000 /* Of one page, if the client does not say. */
#define MEMBERS_LIMIT_MAX 10000
#define MEMBERS_LOOKS_MAX 50000 /* A millisecond of the worker, about. */

/* Pages under way. They wait for a commit: while there are no brokers they must
 * not pile up in the workers. */
#define MEMBERS_AT_ONCE 8

/* Answer REQUEST for a page of the segment named in its path. */
void members_answer(struct routes *routes, struct request *request);

#endif
