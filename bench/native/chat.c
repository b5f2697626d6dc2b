/* One sender and a number of listeners in a chat room. The sender keeps a bounded number of lines in flight; each
   listener must receive every line once and in order. Lines are "line N". */
#include "net.h"

/* Maximum number of lines in flight to the slowest listener. */
#define AHEAD 256

struct listener {
  int fd;
  long heard;
  int length;
  char line[512];
};

static long wrong;

/* A complete line: the sender's next one, or a notice of the room. */
static void hear(struct listener *listener) {
  listener->line[listener->length] = 0;
  char *said = strstr(listener->line, "line ");
  if (!said) return;
  if (atol(said + 5) != listener->heard) wrong++;
  listener->heard++;
}

static void drain(struct listener *listener) {
  char bytes[64 * 1024];
  ssize_t n = recv(listener->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN)) die("a listener was sent away");
  for (ssize_t i = 0; i < n; i++) {
    if (bytes[i] == '\n') {
      hear(listener);
      listener->length = 0;
    } else if (listener->length < (int)sizeof listener->line - 1) {
      listener->line[listener->length++] = bytes[i];
    }
  }
}

static long slowest(struct listener *all, int count) {
  long least = all[0].heard;
  for (int i = 1; i < count; i++) if (all[i].heard < least) least = all[i].heard;
  return least;
}

int main(int argc, char **argv) {
  need_arguments(3, argc, "chat PORT LISTENERS SECONDS");
  raise_descriptor_limit();
  int port = atoi(argv[1]), count = atoi(argv[2]);
  double limit = atof(argv[3]);
  struct listener *listeners = calloc(count, sizeof *listeners);
  int epoll = epoll_create1(0);
  struct epoll_event events[EVENTS];
  for (int i = 0; i < count; i++) {
    listeners[i].fd = dial(port);
    watch(epoll, listeners[i].fd, EPOLLIN, i);
  }
  int speaker = dial(port);
  /* Welcomes and notices of joins, until none arrive. */
  for (int ready; (ready = epoll_wait(epoll, events, EVENTS, 500)) > 0;) {
    for (int i = 0; i < ready; i++) drain(&listeners[events[i].data.u32]);
  }
  double start = now();
  long said = 0, least = 0;
  for (;;) {
    int saying = now() - start < limit;
    if (!saying && least == said) break;
    for (; saying && said < least + AHEAD; said++) {
      char line[32], ignored[4096];
      int length = snprintf(line, sizeof line, "line %ld\n", said);
      if (send(speaker, line, length, MSG_NOSIGNAL) != length) die("send");
      while (recv(speaker, ignored, sizeof ignored, MSG_DONTWAIT) > 0);
    }
    int ready = epoll_wait(epoll, events, EVENTS, 5000);
    if (ready == 0) {
      fprintf(stderr, "lost: a listener heard %ld of %ld lines\n", least, said);
      return 1;
    }
    for (int i = 0; i < ready; i++) drain(&listeners[events[i].data.u32]);
    least = slowest(listeners, count);
  }
  if (wrong > 0) {
    fprintf(stderr, "%ld lines came out of order\n", wrong);
    return 1;
  }
  report(said * count, now() - start, 0, NULL);
}
