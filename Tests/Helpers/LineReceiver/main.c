// A receiver of lines that tests suspend, kill and start again: `line-receiver PORT FILE` listens on loopback (port 0: the system
// chooses), says which port, and appends to the file whatever it reads, before it reads on.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what) {
  perror(what);
  return 1;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: line-receiver PORT FILE\n");
    return 2;
  }
  int file = open(arguments[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file < 0) return fail(arguments[2]);
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) != 0) return fail("bind");
  if (listen(listener, 8) != 0) return fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  static char buffer[1 << 16];
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    if (connection < 0) return fail("accept");
    ssize_t got;
    while ((got = read(connection, buffer, sizeof buffer)) > 0) {
      if (write(file, buffer, (size_t)got) != got) return fail("write");
    }
    close(connection);
  }
}
