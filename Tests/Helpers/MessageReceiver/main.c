// A ZeroMQ peer: `message-receiver sub|pull bind|connect ENDPOINT [TOPIC]` prints each message it gets as one line, its parts with a tab
// between them. Says "ready ENDPOINT" first.
#include <stdio.h>
#include <string.h>
#include <zmq.h>

static int fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  return 1;
}

int main(int count, char **arguments) {
  if (count < 4) {
    fprintf(stderr, "usage: message-receiver sub|pull bind|connect ENDPOINT [TOPIC]\n");
    return 2;
  }
  int subscribes = strcmp(arguments[1], "sub") == 0;
  void *socket = zmq_socket(zmq_ctx_new(), subscribes ? ZMQ_SUB : ZMQ_PULL);
  if (socket == NULL) return fail("socket");
  const char *topic = count > 4 ? arguments[4] : "";
  if (subscribes && zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic)) != 0) return fail("subscribe");
  int status = strcmp(arguments[2], "bind") == 0 ? zmq_bind(socket, arguments[3]) : zmq_connect(socket, arguments[3]);
  if (status != 0) return fail(arguments[3]);
  char endpoint[256];
  size_t length = sizeof endpoint;
  zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &length);
  printf("ready %s\n", endpoint);
  fflush(stdout);
  for (;;) {
    zmq_msg_t part;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, socket, 0) < 0) return fail("receive");
    fwrite(zmq_msg_data(&part), 1, zmq_msg_size(&part), stdout);
    putchar(zmq_msg_more(&part) ? '\t' : '\n');
    if (!zmq_msg_more(&part)) fflush(stdout);
    zmq_msg_close(&part);
  }
}
