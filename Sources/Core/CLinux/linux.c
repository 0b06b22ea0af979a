#define _GNU_SOURCE 1
#include "CLinux.h"
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

_Static_assert(sizeof(struct flowcep_mmsghdr) == sizeof(struct mmsghdr), "flowcep_mmsghdr mirrors mmsghdr");

int flowcep_recvmmsg(int fd, struct flowcep_mmsghdr *messages, unsigned int count, int flags) {
  return recvmmsg(fd, (struct mmsghdr *)messages, count, flags, NULL);
}

int flowcep_sendmmsg(int fd, struct flowcep_mmsghdr *messages, unsigned int count, int flags) {
  return sendmmsg(fd, (struct mmsghdr *)messages, count, flags);
}

void flowcep_name_thread(const char *name) {
  char kept[16];
  strncpy(kept, name, sizeof kept - 1);
  kept[sizeof kept - 1] = 0;
  pthread_setname_np(pthread_self(), kept);
}

int flowcep_unacknowledged(int fd) {
  int bytes = 0;
  return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : -1;
}

int flowcep_unsent(int fd) {
  int bytes = 0;
  return ioctl(fd, SIOCOUTQNSD, &bytes) == 0 ? bytes : -1;
}

int64_t flowcep_socket_drops(int fd) {
  uint32_t values[SK_MEMINFO_VARS] = {0};
  socklen_t length = sizeof values;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values, &length) != 0 || length <= SK_MEMINFO_DROPS * sizeof values[0]) return -1;
  return values[SK_MEMINFO_DROPS];
}
