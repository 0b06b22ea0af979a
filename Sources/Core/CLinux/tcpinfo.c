// Apart from linux.c: <linux/tcp.h> and <netinet/tcp.h> do not go together, and only the former knows the peer's window.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

int64_t flowcep_peer_window(int fd);

int64_t flowcep_peer_window(int fd) {
  struct tcp_info info;
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return -1;
  if (length < offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof info.tcpi_snd_wnd) return -1;
  return info.tcpi_snd_wnd;
}
