#include "airflow/service_manager.h"

#include "base/file.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

void service_manager_tell(const char *socket_path, const char *lines)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = socket_path ? strlen(socket_path) : 0;
    auto_fd int fd = -1;

    if (!length || length > sizeof address.sun_path)
        return;
    memcpy(address.sun_path, socket_path, length);
    if (address.sun_path[0] == '@') /* one that is not in the file system */
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        sendto(fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}
