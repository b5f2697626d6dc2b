/* Opens connections one after the other, prints how long that took, and holds them until stdin ends. With `spoken`,
   each is used for one round trip, because servers mostly hold idle connections that have carried data. */
#include "net.h"

int main(int argc, char **argv) {
  need_arguments(3, argc, "hold PORT CONNECTIONS silent|spoken");
  raise_descriptor_limit();
  int port = atoi(argv[1]), count = atoi(argv[2]), spoken = strcmp(argv[3], "spoken") == 0;
  struct sockaddr_in to = loopback("127.0.0.1", port);
  struct latencies all = {0};
  double start = now();
  for (int made = 0; made < count; made++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    /* From several addresses, because each has only some 28,000 ephemeral ports. */
    char host[32];
    snprintf(host, sizeof host, "127.0.%d.1", 1 + made / 20000);
    struct sockaddr_in from = loopback(host, 0);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0) die("bind");
    double began = now();
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
    note(&all, now() - began);
    if (spoken && write(fd, "hello\n", 6) != 6) die("write");
  }
  report(count, now() - start, 0, &all);
  while (getchar() != EOF);
}
