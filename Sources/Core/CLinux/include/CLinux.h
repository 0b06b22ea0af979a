// Linux calls and constants that Swift's Glibc module leaves out, under their own names.
// Nothing here holds state or logic: a function exists only where a macro or _GNU_SOURCE hides the call from Swift.
#ifndef FLOWCEP_CLINUX_H
#define FLOWCEP_CLINUX_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

/// Mirrors `struct mmsghdr`, which the Glibc module does not export.
struct flowcep_mmsghdr {
  struct msghdr msg_hdr;
  unsigned int msg_len;
};

int flowcep_recvmmsg(int fd, struct flowcep_mmsghdr *messages, unsigned int count, int flags);
int flowcep_sendmmsg(int fd, struct flowcep_mmsghdr *messages, unsigned int count, int flags);

/// Names the calling thread (at most 15 characters are kept).
void flowcep_name_thread(const char *name);
/// Bytes in the socket's send queue that the peer has not acknowledged (SIOCOUTQ), or -1.
int flowcep_unacknowledged(int fd);
/// Bytes in the socket's send queue that have not been sent yet (SIOCOUTQNSD), or -1.
int flowcep_unsent(int fd);
/// Makes the kernel attach its drop count to each datagram (SO_RXQ_OVFL). 0 or -1.
int flowcep_enable_drop_count(int fd);
/// The kernel's drop count in a received message's control data, or -1 where there is none.
int64_t flowcep_drop_count(const struct msghdr *message);

#endif
