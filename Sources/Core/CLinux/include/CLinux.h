// Linux calls and constants that Swift's Glibc module leaves out, under their own names.
// Nothing here holds state or logic: a function exists only where a macro or _GNU_SOURCE hides the call from Swift.
// The header itself asks for no _GNU_SOURCE: structs that depend on it would differ from those of the Glibc module.
#ifndef FLOWCEP_CLINUX_H
#define FLOWCEP_CLINUX_H
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/// Mirrors `struct mmsghdr`, which the Glibc module does not export.
struct flowcep_mmsghdr {
  struct msghdr msg_hdr;
  unsigned int msg_len;
};

int flowcep_recvmmsg(int fd, struct flowcep_mmsghdr *messages, unsigned int count, int flags);
int flowcep_sendmmsg(int fd, struct flowcep_mmsghdr *messages, unsigned int count, int flags);
/// Sends bytes as datagrams of `size` bytes, the last of what is left, in one walk through the kernel (UDP_SEGMENT, Linux 4.18); as one
/// where `size` is 0. Gives what sendmsg gives: all of them are sent, or none and errno says why.
ssize_t flowcep_send_segments(int fd, const void *bytes, size_t count, uint16_t size);

/// Begins to write a range of a file to its disk and does not wait for the end (sync_file_range). Only a hint: nothing fails.
void flowcep_begin_writing(int fd, off_t from, off_t count);

/// Makes malloc give freed memory back to the system as soon as there is a MiB of it. Left alone it raises that bound by itself, so that what a
/// burst took stays with the process.
void flowcep_return_freed_memory(void);
/// How many processors the process may run on; at least 1.
int flowcep_processors(void);
/// Names the calling thread (at most 15 characters are kept).
void flowcep_name_thread(const char *name);
/// Bytes in the socket's send queue that the peer has not acknowledged (SIOCOUTQ), or -1.
int flowcep_unacknowledged(int fd);
/// Bytes in the socket's send queue that have not been sent yet (SIOCOUTQNSD), or -1.
int flowcep_unsent(int fd);
/// The receive window that a TCP socket's peer advertised last, in bytes, or -1 (TCP_INFO, Linux 5.4).
int64_t flowcep_peer_window(int fd);
/// How many datagrams the kernel has dropped at this socket since it was made (SO_MEMINFO, modulo 2^32), or -1.
int64_t flowcep_socket_drops(int fd);
/// Lets nothing come to a socket any more (SO_ATTACH_FILTER with a filter that takes no packet), or everything again. 0, or -1.
int flowcep_close_gate(int fd);
int flowcep_open_gate(int fd);

/// Says which plugin the calling thread is in from now on (NULL: none), and returns what was said before. The text must live on.
const char *flowcep_enter_plugin(const char *label);
/// Back to what was said before.
void flowcep_leave_plugin(const char *previous);
/// Makes a fatal signal (SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP) name that plugin as the last line of standard error.
void flowcep_report_crashes(void);
/// Writes to standard error, and never behind that line.
void flowcep_write_error(const void *bytes, size_t count);
/// Opens the way to the system's log, a daemon's socket (NULL: /dev/log); from then on that line goes there too. 0, or an errno.
int flowcep_open_system_log(const char *path);
/// Sends a line to the system's log; priority is one of LOG_ERR … LOG_DEBUG. Safe in a signal handler. 0, or an errno.
int flowcep_system_log(int priority, const char *text);
/// Gives the calling thread a stack for signal handlers, so that an overflow of its own is reported too.
void flowcep_use_signal_stack(void);

/// A descriptor that becomes readable when it is written to (eventfd), close-on-exec and non-blocking; or -1.
int flowcep_event_descriptor(void);
/// A descriptor that gives SIGINT and SIGTERM, which the calling thread and those it makes then block; or -1.
int flowcep_signal_descriptor(void);
/// The next signal's number from that descriptor; 0 where there is none.
int flowcep_next_signal(int fd);

/// Asks the processor to have the line at that address in its caches soon; any address will do.
static inline void flowcep_prefetch(const void *address) { __builtin_prefetch(address); }

/// The flag that gives a spawned process a session of its own (POSIX_SPAWN_SETSID).
int16_t flowcep_spawn_session(void);

#endif
