#include "CMicroHTTPD.h"
#include <dlfcn.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

// What a client may take: this many connections, each with so much memory (a longer request is refused), and closed when nothing
// has moved on it for so many seconds.
enum { CONNECTIONS = 256, CONNECTION_BYTES = 16 * 1024, CONNECTION_SECONDS = 10 };

struct flowcep_page_server {
  struct MHD_Daemon *daemon;
  flowcep_page_maker make;
  void *context;
};

static __typeof__(&MHD_start_daemon) start_daemon;
static __typeof__(&MHD_stop_daemon) stop_daemon;
static __typeof__(&MHD_create_response_from_buffer) create_response;
static __typeof__(&MHD_add_response_header) add_header;
static __typeof__(&MHD_queue_response) queue_response;
static __typeof__(&MHD_destroy_response) destroy_response;

static int load(void) {
  void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return 0;
  start_daemon = dlsym(library, "MHD_start_daemon");
  stop_daemon = dlsym(library, "MHD_stop_daemon");
  create_response = dlsym(library, "MHD_create_response_from_buffer");
  add_header = dlsym(library, "MHD_add_response_header");
  queue_response = dlsym(library, "MHD_queue_response");
  destroy_response = dlsym(library, "MHD_destroy_response");
  return start_daemon && stop_daemon && create_response && add_header && queue_response && destroy_response;
}

static enum MHD_Result respond(struct MHD_Connection *connection, flowcep_page page) {
  struct MHD_Response *response = create_response(page.length, page.text, MHD_RESPMEM_MUST_FREE);
  if (response == NULL) {
    free(page.text);
    return MHD_NO;
  }
  add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page.type);
  if (page.status == MHD_HTTP_METHOD_NOT_ALLOWED) add_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  const enum MHD_Result result = queue_response(connection, page.status, response);
  destroy_response(response);
  return result;
}

static enum MHD_Result answer(
    void *context, struct MHD_Connection *connection, const char *path, const char *method, const char *version, const char *body,
    size_t *body_length, void **state) {
  (void)version;
  (void)body;
  (void)body_length;
  struct flowcep_page_server *server = context;
  if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
    // Answered before its body is read, which nobody wants.
    const flowcep_page page = {MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", strdup("only GET\n"), strlen("only GET\n")};
    return respond(connection, page);
  }
  // The first call only says that the headers have come.
  static char seen;
  if (*state == NULL) {
    *state = &seen;
    return MHD_YES;
  }
  return respond(connection, server->make(server->context, path));
}

flowcep_page_server *flowcep_page_server_start(int descriptor, flowcep_page_maker make, void *context, const char **reason) {
  if (!load()) {
    *reason = "libmicrohttpd is not to be had (Debian's package libmicrohttpd12)";
    return NULL;
  }
  struct flowcep_page_server *server = malloc(sizeof *server);
  if (server == NULL) return NULL;
  server->make = make;
  server->context = context;
  server->daemon = start_daemon(
      MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, server, MHD_OPTION_LISTEN_SOCKET, descriptor,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)CONNECTION_SECONDS,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
  if (server->daemon != NULL) return server;
  free(server);
  *reason = "libmicrohttpd could not start a thread";
  return NULL;
}

void flowcep_page_server_stop(flowcep_page_server *server) {
  stop_daemon(server->daemon);
  free(server);
}
