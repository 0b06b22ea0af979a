// A small HTTP server on libmicrohttpd, for pages that are asked for with GET. The library is loaded when a server starts, so that
// a collector without metrics needs it not; its functions take variable arguments, which Swift cannot call.
#ifndef FLOWCEP_CMICROHTTPD_H
#define FLOWCEP_CMICROHTTPD_H
#include <stddef.h>

/// A page: the HTTP status, and a text that was allocated with malloc.
typedef struct flowcep_page {
  unsigned int status;
  const char *type;
  char *text;
  size_t length;
} flowcep_page;

typedef flowcep_page (*flowcep_page_maker)(void *context, const char *path);
typedef struct flowcep_page_server flowcep_page_server;

/// Serves pages from a listening socket, which is the server's from then on, on a thread of its own. NULL: `reason` tells why not.
flowcep_page_server *flowcep_page_server_start(int descriptor, flowcep_page_maker make, void *context, const char **reason);
void flowcep_page_server_stop(flowcep_page_server *server);

#endif
