/* Shared by all load generators: a clock, sockets, latencies, and the result as one line of JSON. */
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline void die(const char *what) {
  perror(what);
  exit(1);
}

static inline void need_arguments(int count, int argc, const char *usage) {
  if (argc == count + 1) return;
  fprintf(stderr, "usage: %s\n", usage);
  exit(2);
}

/* Raises the descriptor limit to its maximum. */
static inline void raise_descriptor_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static inline struct sockaddr_in loopback(const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

static inline void send_at_once(int fd) {
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

/* A connection to a port of this machine. */
static inline int dial(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = loopback("127.0.0.1", port);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
  send_at_once(fd);
  return fd;
}

static inline void watch(int epoll, int fd, unsigned events, unsigned data) {
  struct epoll_event event = {.events = events, .data.u32 = data};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

/* All latencies, so that percentiles are exact. */
struct latencies {
  float *micros;
  long count, room;
};

static inline void note(struct latencies *all, double seconds) {
  if (all->count == all->room) {
    all->room = all->room ? all->room * 2 : 1 << 18;
    all->micros = realloc(all->micros, all->room * sizeof *all->micros);
    if (!all->micros) die("realloc");
  }
  all->micros[all->count++] = seconds * 1e6;
}

static int by_size(const void *one, const void *other) {
  float a = *(const float *)one, b = *(const float *)other;
  return (a > b) - (a < b);
}

/* Prints the result: operations, seconds, bytes, and latencies if there are any. */
static inline void report(long operations, double seconds, double bytes, struct latencies *all) {
  double p50 = 0, p99 = 0;
  if (all && all->count > 0) {
    qsort(all->micros, all->count, sizeof *all->micros, by_size);
    p50 = all->micros[all->count / 2];
    p99 = all->micros[(long)(all->count * 0.99)];
  }
  printf("{\"operations\":%ld,\"seconds\":%.6f,\"bytes\":%.0f,\"p50\":%.1f,\"p99\":%.1f}\n",
         operations, seconds, bytes, p50, p99);
  fflush(stdout);
}
