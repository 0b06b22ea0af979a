// The system's log. syslog(3) locks, so a signal handler may not call it; this does the same with one system call.
#define _GNU_SOURCE 1
#include "CLinux.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

static int log_socket = -1;
static struct sockaddr_un log_address = {.sun_family = AF_UNIX};
static char log_tag[48];

// Appends as much of a text as there is room for.
void flowcep_append(char *line, size_t size, size_t *used, const char *text) {
  while (*text != 0 && *used + 1 < size) line[(*used)++] = *text++;
}

static void append_number(char *line, size_t size, size_t *used, unsigned number) {
  char digits[12];
  size_t place = sizeof digits;
  digits[--place] = 0;
  do digits[--place] = (char)('0' + number % 10); while ((number /= 10) != 0);
  flowcep_append(line, size, used, digits + place);
}

int flowcep_open_system_log(const char *path) {
  if (path == NULL) path = "/dev/log";
  if (strlen(path) >= sizeof log_address.sun_path) return ENAMETOOLONG;
  strcpy(log_address.sun_path, path);
  size_t used = 0;
  flowcep_append(log_tag, sizeof log_tag, &used, "flowcep[");
  append_number(log_tag, sizeof log_tag, &used, (unsigned)getpid());
  flowcep_append(log_tag, sizeof log_tag, &used, "]: ");
  log_tag[used] = 0;
  if (log_socket < 0) log_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (log_socket < 0) return errno;
  // Whether anybody listens there; what is sent is addressed each time, so that a daemon may come and go.
  const int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return errno;
  const int status = connect(probe, (struct sockaddr *)&log_address, sizeof log_address) == 0 ? 0 : errno;
  close(probe);
  return status;
}

int flowcep_system_log(int priority, const char *text) {
  if (log_socket < 0) return ENOTCONN;
  char line[2048];
  size_t used = 0;
  flowcep_append(line, sizeof line, &used, "<");
  append_number(line, sizeof line, &used, (unsigned)(LOG_DAEMON | priority));
  flowcep_append(line, sizeof line, &used, ">");
  flowcep_append(line, sizeof line, &used, log_tag);
  flowcep_append(line, sizeof line, &used, text);
  const ssize_t sent =
      sendto(log_socket, line, used, MSG_NOSIGNAL, (struct sockaddr *)&log_address, sizeof log_address);
  return sent < 0 ? errno : 0;
}
