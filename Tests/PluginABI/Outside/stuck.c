/* An output that waits in its first batch: for ever, or (polite) until the collector stops. */
#include <flowcep/flowcep_plugin.h>
#include <poll.h>
#include <stdlib.h>

typedef struct {
  flowcep_instance base;
  const flowcep_host *host;
  int polite, waited;
} stuck;

static flowcep_status process(flowcep_instance *base, const flowcep_batch *batch) {
  stuck *self = (stuck *)base;
  if (batch->kind != FLOWCEP_BATCH_RECORDS || self->waited) return FLOWCEP_OK;
  self->waited = 1;
  self->host->log(self->host, FLOWCEP_LOG_INFO, "waiting");
  struct pollfd entry = {.fd = self->host->stop_descriptor(self->host), .events = POLLIN};
  while (poll(self->polite ? &entry : NULL, self->polite ? 1 : 0, -1) < 1) {
  }
  return FLOWCEP_OK;
}

static void destroy(flowcep_instance *base) { free(base); }

static flowcep_instance *create(const flowcep_host *host, const flowcep_values *values) {
  stuck *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  self->host = host;
  self->polite = (int)host->value_integer(host, values, "polite", 0);
  self->base.struct_size = sizeof self->base;
  self->base.destroy = destroy;
  self->base.process = process;
  return &self->base;
}

static const flowcep_option options[] = {
    {.name = "polite", .type = FLOWCEP_OPTION_BOOLEAN, .default_text = "no", .help = "Waits until the collector stops."}};

static const flowcep_plugin plugin = {.struct_size = sizeof plugin,
                                      .abi_version = FLOWCEP_ABI_VERSION,
                                      .kind = FLOWCEP_KIND_OUTPUT,
                                      .name = "stuck",
                                      .version = "1.0",
                                      .summary = "Waits.",
                                      .options = options,
                                      .option_count = 1,
                                      .option_stride = sizeof options[0],
                                      .create = create};

FLOWCEP_EXPORT const flowcep_plugin *flowcep_plugin_entry(uint32_t host_abi_version) {
  return host_abi_version >= FLOWCEP_ABI_VERSION ? &plugin : NULL;
}
