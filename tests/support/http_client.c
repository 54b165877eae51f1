/* http_client.c: bytes to a server on loopback, and its answer. */
#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

int http_send(int port, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 60};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    for (size_t len = strlen(text), sent = 0; sent < len;) {
        ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break; /* It refuses to read on; what it says comes next. */
        sent += (size_t)n;
    }
    return fd;
}

void http_read(int socket, struct http_answer *answer)
{
    static char text[HTTP_BYTES_MAX];
    size_t len = 0;
    ssize_t n;
    while (len < sizeof(text) - 1 &&
           (n = recv(socket, text + len, sizeof(text) - 1 - len, 0)) > 0)
        len += (size_t)n;
    close(socket);
    text[len] = 0;
    memset(answer, 0, sizeof(*answer));
    char *body = strstr(text, "\r\n\r\n");
    if (sscanf(text, "HTTP/1.%*d %d", &answer->status) != 1 || !body)
        return;
    snprintf(answer->head, sizeof(answer->head), "%.*s", (int)(body - text),
             text);
    snprintf(answer->body, sizeof(answer->body), "%s", body + 4);
}

void http_ask(int port, const char *method, const char *path,
              const char *headers, struct http_answer *answer)
{
    char text[8192];
    snprintf(text, sizeof(text),
             "%s %s HTTP/1.1\r\nHost: localhost\r\n%sConnection: close\r\n\r\n",
             method, path, headers);
    http_read(http_send(port, text), answer);
}
