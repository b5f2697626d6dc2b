/* A minimal echo server: one thread, epoll, a read and a write. */
#include "net.h"
#include <poll.h>

static int take(int welcome) { return accept4(welcome, NULL, NULL, SOCK_NONBLOCK); }

/* Sends everything back; blocks for a client that does not read. */
static int send_all(int fd, const char *bytes, ssize_t length) {
  for (ssize_t sent = 0; sent < length;) {
    ssize_t n = send(fd, bytes + sent, length - sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return -1;
    if (n > 0) sent += n;
    else poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
  }
  return 0;
}

int main(int argc, char **argv) {
  need_arguments(1, argc, "echo PORT");
  raise_descriptor_limit();
  static char bytes[64 * 1024];
  int welcome = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(welcome, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in address = loopback("127.0.0.1", atoi(argv[1]));
  if (bind(welcome, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
  if (listen(welcome, 4096) != 0) die("listen");
  int epoll = epoll_create1(0);
  watch(epoll, welcome, EPOLLIN, welcome);
  for (;;) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.u32;
      if (fd == welcome) {
        for (int client; (client = take(welcome)) >= 0;) {
          send_at_once(client);
          watch(epoll, client, EPOLLIN, client);
        }
        continue;
      }
      ssize_t n = read(fd, bytes, sizeof bytes);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0 || send_all(fd, bytes, n) != 0) close(fd);
    }
  }
}
