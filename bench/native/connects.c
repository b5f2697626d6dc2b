/* Connects, sends six bytes, reads them back, closes; a number of connections at a time. */
#include "net.h"

static const char WORD[] = "hello\n";
#define LENGTH ((ssize_t)sizeof WORD - 1)

static int epoll;
static double *began;
static struct sockaddr_in to;

static void begin(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  /* Closed by reset, so that ports do not run out in TIME_WAIT. */
  struct linger none = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  began[fd] = now();
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) die("connect");
  watch(epoll, fd, EPOLLOUT, fd);
}

static int is_connected(int fd) {
  int error = 0;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
  return error == 0;
}

int main(int argc, char **argv) {
  need_arguments(3, argc, "connects PORT IN_FLIGHT SECONDS");
  raise_descriptor_limit();
  int in_flight = atoi(argv[2]);
  double limit = atof(argv[3]);
  to = loopback("127.0.0.1", atoi(argv[1]));
  epoll = epoll_create1(0);
  began = calloc(in_flight + 64, sizeof *began);
  struct latencies all = {0};
  long failures = 0;
  double start = now();
  for (int i = 0; i < in_flight; i++) begin();
  while (now() - start < limit) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, 1000);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.u32;
      if (events[i].events & EPOLLOUT) {
        struct epoll_event next = {.events = EPOLLIN, .data.u32 = fd};
        epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &next);
        if (is_connected(fd) && send(fd, WORD, LENGTH, MSG_NOSIGNAL) == LENGTH) continue;
        failures++;
      } else {
        char answer[64];
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        if (n == LENGTH && memcmp(answer, WORD, n) == 0) note(&all, now() - began[fd]);
        else failures++;
      }
      close(fd);
      begin();
    }
  }
  double seconds = now() - start;
  if (failures > all.count / 100) {
    fprintf(stderr, "%ld of %ld failed\n", failures, all.count + failures);
    return 1;
  }
  report(all.count, seconds, (double)all.count * LENGTH, &all);
}
