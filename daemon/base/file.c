/* file.c: whole files into memory. */
#include "daemon/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Read FD to its end. Its size is not asked for: pipes have none, and a file
 * may grow meanwhile. Returns 0, or a negative errno. */
static int read_all(int fd, struct buf *buf, size_t bytes_max)
{
    for (;;) {
        char *room = buf_reserve(buf, 65536);
        if (!room)
            return -ENOMEM;
        ssize_t n = read(fd, room, 65536);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return 0;
        buf->len += n > 0 ? (size_t)n : 0;
        if (buf->len > bytes_max)
            return -EFBIG;
    }
}

int file_read(struct arena *arena, const char *path, size_t bytes_max,
              struct seg_text *text, struct buf *errors)
{
    struct buf buf;
    buf_init(&buf);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 ? -errno : read_all(fd, &buf, bytes_max);
    if (fd >= 0)
        close(fd);
    struct seg_text copy = {NULL, 0};
    if (!err)
        copy = arena_text(arena, (struct seg_text){buf.bytes, buf.len});
    buf_done(&buf);
    if (copy.bytes) {
        *text = copy;
        return 0;
    }
    if (!err || err == -ENOMEM)
        return SEG_ERR_NOMEM;
    if (err == -EFBIG)
        buf_printf(errors, "%s: larger than %zu bytes\n", path, bytes_max);
    else
        buf_printf(errors, "%s: %s\n", path, strerror(-err));
    return err == -EFBIG ? SEG_ERR_LIMIT : SEG_ERR_NOT_FOUND;
}
