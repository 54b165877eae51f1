/* elsewhere.h: what other processes have: the answer to a question for a user
 * who is not known here.
 *
 * His partition follows from his id, and who has it from the group (owners.h):
 *
 *     looked through   404   no message of him was ever seen
 *     being restored   503   likewise while the group moves partitions
 *     another's        307   Location: the same question there
 *                      421   if that one tells no address, or if with
 *                            `partitioner trust` it can be any of several
 *
 * With a body for those who do not follow: {"error", "partition", "owner",
 * "owners": [URL]}. */
#ifndef HTTP_ELSEWHERE_H
#define HTTP_ELSEWHERE_H

#include "daemon/http/routes.h"

/* The partition of the user ID, -1 if it cannot be told. */
int elsewhere_partition(const struct routes *routes, struct seg_text id);

/* Answer REQUEST, which asks for a user of PARTITION (-1: not known) who was
 * not found here; LOOKED: his partition was looked through. REQUEST is taken. */
void elsewhere_answer(struct routes *routes, struct request *request,
                      int partition, int looked);

struct owners_question;
typedef void elsewhere_then(void *arg, const struct owners_question *answer);

/* Ask the group who has PARTITION (below 0: who else there is); THEN is called
 * with the answer, which it borrows, once, in the loop. Returns 0; or a
 * negative error, and it never will be. */
int elsewhere_ask(struct routes *routes, int partition, elsewhere_then *then,
                  void *arg);

#endif
