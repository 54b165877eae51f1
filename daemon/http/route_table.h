/* route_table.h: what can be asked over HTTP.
 *
 *   X(name, method, path, help)
 *   name    the function is route_<name> in routes.c
 *   method  GET answers HEAD too, POST changes something
 *   path    {…} stands for any one part, decoded
 *   help    one sentence */
#ifndef HTTP_ROUTE_TABLE_H
#define HTTP_ROUTE_TABLE_H

#define ROUTE_TABLE(X)                                                         \
    X(metrics, "GET", "/metrics", "All metrics, for Prometheus.")              \
    X(healthz, "GET", "/healthz",                                              \
      "200 as long as the process works, 503 when a worker hangs.")            \
    X(readyz, "GET", "/readyz",                                                \
      "200 when every partition here is running, else 503 with the reasons.")  \
    X(segments, "GET", "/v1/segments",                                         \
      "All segments of the catalogue with their sizes in this process, and "   \
      "which others have the rest.")                                           \
    X(events, "GET", "/v1/events",                                             \
      "The names of the events that came in here since the start, for "        \
      "`segmentctl check --url`.")                                             \
    X(members, "GET", "/v1/segments/{key}/members",                            \
      "Who is in a segment, page by page (?after=NEXT&limit=N), with where to "\
      "follow on in the change topic at the end.")                             \
    X(user, "GET", "/v1/users/{id}",                                           \
      "Memberships and attributes of one user; 307 to the process that has "   \
      "him, if it is another.")                                                \
    X(explain, "GET", "/v1/users/{id}/explain",                                \
      "Why a user is, or is not, in a segment (?segment=KEY) or in all of "    \
      "them; as text if text/plain is accepted.")                              \
    X(reload, "POST", "/-/reload",                                             \
      "Read the segment files anew; 422 with what is wrong with them, and the "\
      "catalogue before stays.")                                               \
    X(resume, "POST", "/-/resume",                                             \
      "Let inputs go on that are paused because most records were bad.")

#endif
