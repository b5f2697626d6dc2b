/* Connects, sends a line, reads the first byte of the answer, closes with a RST; a number of connections at a time, until
 * stdin ends. Failures and answers after more than half a second are counted by kind. */
#include "net.h"
#include <poll.h>

#define LATE 0.5

static int epoll;
static double *began;
static struct sockaddr_in to;
static long refused, reset, ended, late, other, answered;

static void begin(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) die("socket");
  struct linger none = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  began[fd] = now();
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) die("connect");
  watch(epoll, fd, EPOLLOUT, fd);
}

static void count(int error) {
  if (error == ECONNREFUSED) refused++;
  else if (error == ECONNRESET || error == EPIPE) reset++;
  else other++;
}

static void handle(int fd, unsigned events) {
  int error = 0;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
  if (error) {
    count(error);
  } else if (events & EPOLLOUT) {
    struct epoll_event next = {.events = EPOLLIN, .data.u32 = fd};
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &next);
    if (send(fd, "hello\n", 6, MSG_NOSIGNAL) == 6) return;
    count(errno);
  } else {
    char answer[256];
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    if (n < 0) count(errno);
    else if (n == 0) ended++;
    else answered++;
    if (n > 0 && now() - began[fd] > LATE) late++;
  }
  close(fd);
  begin();
}

int main(int argc, char **argv) {
  need_arguments(2, argc, "reconnects PORT IN_FLIGHT");
  raise_descriptor_limit();
  int in_flight = atoi(argv[2]);
  to = loopback("127.0.0.1", atoi(argv[1]));
  epoll = epoll_create1(0);
  began = calloc(in_flight + 64, sizeof *began);
  for (int i = 0; i < in_flight; i++) begin();
  struct pollfd stdin_end = {.fd = 0, .events = POLLIN};
  while (poll(&stdin_end, 1, 0) == 0) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, 100);
    for (int i = 0; i < ready; i++) handle(events[i].data.u32, events[i].events);
  }
  printf("{\"answered\":%ld,\"late\":%ld,\"refused\":%ld,\"reset\":%ld,\"ended\":%ld,\"other\":%ld}\n",
         answered, late, refused, reset, ended, other);
}
