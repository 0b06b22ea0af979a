#define _GNU_SOURCE 1
#include "CLinux.h"
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

int flowcep_enable_drop_count(int fd) {
  int on = 1;
  return setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
}

int64_t flowcep_drop_count(const struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR((struct msghdr *)message, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      uint32_t count;
      memcpy(&count, CMSG_DATA(c), sizeof count);
      return count;
    }
  }
  return -1;
}
