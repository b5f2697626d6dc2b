/* Each connection repeatedly sends SIZE bytes and waits until they are echoed. */
#include "net.h"

struct client {
  int fd;
  long rounds, got;
  double asked;
};

/* A message that differs from those of other rounds. */
static void compose(char *message, int size, unsigned client, long round) {
  for (int i = 0; i < size - 1; i++) message[i] = 'a' + (client + round + i) % 26;
  message[size - 1] = '\n';
}

static void ask(struct client *client, char *message, int size, unsigned number) {
  compose(message, size, number, client->rounds);
  client->got = 0;
  client->asked = now();
  if (send(client->fd, message, size, 0) != size) die("send");
}

int main(int argc, char **argv) {
  need_arguments(4, argc, "round_trips PORT CONNECTIONS SIZE SECONDS");
  raise_descriptor_limit();
  int port = atoi(argv[1]), count = atoi(argv[2]), size = atoi(argv[3]);
  double limit = atof(argv[4]);
  struct client *clients = calloc(count, sizeof *clients);
  char *message = malloc(size), *answer = malloc(size);
  struct latencies all = {0};
  int epoll = epoll_create1(0);
  for (int i = 0; i < count; i++) {
    clients[i].fd = dial(port);
    watch(epoll, clients[i].fd, EPOLLIN, i);
  }
  double start = now(), at = start;
  for (int i = 0; i < count; i++) ask(&clients[i], message, size, i);
  while ((at = now()) - start < limit) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, 1000);
    for (int i = 0; i < ready; i++) {
      unsigned number = events[i].data.u32;
      struct client *client = &clients[number];
      ssize_t n = recv(client->fd, answer, size - client->got, MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0) die("the answer ended early");
      compose(message, size, number, client->rounds);
      if (memcmp(answer, message + client->got, n) != 0) {
        fprintf(stderr, "another answer than what was sent\n");
        return 1;
      }
      client->got += n;
      if (client->got < size) continue;
      note(&all, now() - client->asked);
      client->rounds++;
      ask(client, message, size, number);
    }
  }
  report(all.count, at - start, (double)all.count * size, &all);
}
