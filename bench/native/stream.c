/* One connection that writes as fast as possible, reads everything back, and compares each byte. */
#include "net.h"

#define BLOCK (64 * 1024)
/* The bytes repeat with a prime period, so that a lost, duplicated or moved block is detected. */
#define PERIOD 65521

int main(int argc, char **argv) {
  need_arguments(2, argc, "stream PORT SECONDS");
  double limit = atof(argv[2]);
  static char pattern[PERIOD + 16 * BLOCK], answer[16 * BLOCK];
  unsigned state = 1;
  for (int i = 0; i < PERIOD; i++) pattern[i] = (state = state * 1103515245 + 12345) >> 16;
  for (size_t i = PERIOD; i < sizeof pattern; i++) pattern[i] = pattern[i - PERIOD];
  int fd = dial(atoi(argv[1])), epoll = epoll_create1(0);
  watch(epoll, fd, EPOLLIN | EPOLLOUT, 0);
  double sent = 0, received = 0, start = now();
  long out = 0, in = 0;
  while (now() - start < limit) {
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, 1000) <= 0) continue;
    if (event.events & EPOLLIN) {
      ssize_t n = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
      if (n == 0) die("the stream ended early");
      if (n > 0 && memcmp(answer, pattern + in, n) != 0) {
        fprintf(stderr, "other bytes than what was sent, after %.0f\n", received);
        return 1;
      }
      if (n > 0) received += n, in = (in + n) % PERIOD;
    }
    if (event.events & EPOLLOUT) {
      ssize_t n = send(fd, pattern + out, BLOCK, MSG_DONTWAIT);
      if (n > 0) sent += n, out = (out + n) % PERIOD;
    }
  }
  report((long)(received / BLOCK), now() - start, received, NULL);
}
