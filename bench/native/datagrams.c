/* Every socket sends a datagram of SIZE bytes and waits until the same has come back, over and over.
   One that does not come back in 100 ms is sent again, and is no operation. */
#include "net.h"

#define PATIENCE 0.1

struct client {
  int fd;
  unsigned round;
  double asked;
};

static void ask(struct client *client, char *datagram, int size) {
  memcpy(datagram, &client->round, sizeof client->round);
  client->asked = now();
  if (send(client->fd, datagram, size, 0) != size && errno != ECONNREFUSED) die("send");
}

int main(int argc, char **argv) {
  need_arguments(4, argc, "datagrams PORT SOCKETS SIZE SECONDS");
  raise_descriptor_limit();
  int port = atoi(argv[1]), count = atoi(argv[2]), size = atoi(argv[3]);
  double limit = atof(argv[4]);
  struct client *clients = calloc(count, sizeof *clients);
  char *datagram = malloc(size), *answer = malloc(size + 1);
  struct sockaddr_in to = loopback("127.0.0.1", port);
  struct latencies all = {0};
  int epoll = epoll_create1(0);
  memset(datagram, 'a', size);
  for (int i = 0; i < count; i++) {
    clients[i].fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(clients[i].fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
    watch(epoll, clients[i].fd, EPOLLIN, i);
  }
  double start = now(), at = start;
  for (int i = 0; i < count; i++) ask(&clients[i], datagram, size);
  while ((at = now()) - start < limit) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, 50);
    for (int i = 0; i < ready; i++) {
      struct client *client = &clients[events[i].data.u32];
      ssize_t n = recv(client->fd, answer, size + 1, MSG_DONTWAIT);
      if (n != size || memcmp(answer, &client->round, sizeof client->round) != 0) continue;
      note(&all, now() - client->asked);
      client->round++;
      ask(client, datagram, size);
    }
    if (ready > 0) continue;
    for (int i = 0; i < count; i++)
      if (at - clients[i].asked > PATIENCE) ask(&clients[i], datagram, size);
  }
  report(all.count, at - start, (double)all.count * size, &all);
}
