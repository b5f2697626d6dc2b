/* Opens connections as fast as it can, tells how long that took, and holds them until stdin ends. Each is used
   once, with `spoken`: a connection that has carried something and is idle is what servers hold. */
#include "net.h"

int main(int argc, char **argv) {
  need_arguments(3, argc, "hold PORT CONNECTIONS silent|spoken");
  raise_descriptor_limit();
  int port = atoi(argv[1]), count = atoi(argv[2]), spoken = strcmp(argv[3], "spoken") == 0;
  int epoll = epoll_create1(0), open = 0, in_flight = 0;
  struct latencies all = {0};
  double *began = calloc(count + 64, sizeof *began), start = now();
  for (int made = 0; open < count;) {
    for (; made < count; made++, in_flight++) {
      int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      /* From several addresses, for each has only some 28,000 ports. */
      char host[32];
      snprintf(host, sizeof host, "127.0.%d.1", 1 + made / 20000);
      struct sockaddr_in from = loopback(host, 0), to = loopback("127.0.0.1", port);
      setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
      if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0) die("bind");
      began[made] = now();
      if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) die("connect");
      struct epoll_event event = {.events = EPOLLOUT, .data.u64 = (unsigned long)made << 32 | fd};
      epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, 10000);
    if (ready <= 0) die("no connection in ten seconds");
    for (int i = 0; i < ready; i++) {
      int fd = (int)events[i].data.u64, error = 0;
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
      if (error != 0) {
        fprintf(stderr, "connect: %s\n", strerror(error));
        return 1;
      }
      epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
      note(&all, now() - began[events[i].data.u64 >> 32]);
      if (spoken && write(fd, "hello\n", 6) != 6) die("write");
      open++;
    }
  }
  report(open, now() - start, 0, &all);
  while (getchar() != EOF);
}
