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
    X(healthz, "GET", "/healthz", "200 as long as the process works.")         \
    X(readyz, "GET", "/readyz",                                                \
      "200 when every partition here is running, else 503 with the reasons.")  \
    X(segments, "GET", "/v1/segments",                                         \
      "All segments of the catalogue with their sizes here.")                  \
    X(user, "GET", "/v1/users/{id}",                                           \
      "Memberships and attributes of one user.")                               \
    X(explain, "GET", "/v1/users/{id}/explain",                                \
      "Why a user is, or is not, in a segment (?segment=KEY) or in all of "    \
      "them; as text if text/plain is accepted.")                              \
    X(resume, "POST", "/-/resume",                                             \
      "Let inputs go on that are paused because most records were bad.")

#endif
