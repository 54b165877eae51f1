/* http_client.h: bytes to a server on loopback, and its answer. */
#ifndef TESTS_SUPPORT_HTTP_CLIENT_H
#define TESTS_SUPPORT_HTTP_CLIENT_H

#define HTTP_BYTES_MAX 65536

struct http_answer {
    int status; /* 0: the connection was closed without an answer. */
    char head[4096];
    char body[HTTP_BYTES_MAX];
};

/* Connect to PORT and send TEXT. Returns the socket; fails the test if not. */
int http_send(int port, const char *text);

/* Read from SOCKET until it is closed, and close it; a minute at most. */
void http_read(int socket, struct http_answer *answer);

/* METHOD PATH with HEADERS ("Name: value\r\n"..., or ""), and the answer. */
void http_ask(int port, const char *method, const char *path,
              const char *headers, struct http_answer *answer);

#endif
