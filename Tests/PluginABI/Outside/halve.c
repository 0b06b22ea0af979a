/* An intermediate outside the tree: passes every second record on, with 1 added to the first byte of its first field. */
#include <flowcep/flowcep_plugin.h>
#include <stdlib.h>

typedef struct {
  flowcep_instance base;
  const flowcep_host *host;
  flowcep_counter *dropped;
} halve;

static flowcep_status process(flowcep_instance *base, const flowcep_batch *batch) {
  halve *self = (halve *)base;
  const flowcep_host *host = self->host;
  if (batch->kind != FLOWCEP_BATCH_RECORDS) return FLOWCEP_OK;
  flowcep_batch *changed = host->make_writable(host, batch);
  if (changed == NULL) return FLOWCEP_FAILED;
  flowcep_record *kept = calloc(changed->record_count, sizeof *kept);
  if (kept == NULL) return FLOWCEP_FAILED;
  uint32_t count = 0;
  for (uint32_t i = 0; i < changed->record_count; i += 2) {
    ((uint8_t *)changed->bytes)[changed->records[i].offset]++;
    kept[count++] = changed->records[i];
  }
  host->counter_add(self->dropped, changed->record_count - count);
  const flowcep_batch *result = host->with_records(host, changed, kept, count);
  free(kept);
  return result == NULL ? FLOWCEP_FAILED : host->emit(host, result);
}

static void destroy(flowcep_instance *base) { free(base); }

static flowcep_instance *create(const flowcep_host *host, const flowcep_values *values) {
  halve *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  (void)values;
  self->host = host;
  self->dropped = host->counter(host, "odd", FLOWCEP_COUNT_DROPPED, "Records left out.");
  self->base.struct_size = sizeof self->base;
  self->base.destroy = destroy;
  self->base.process = process;
  return &self->base;
}

static const flowcep_plugin plugin = {.struct_size = sizeof plugin,
                                      .abi_version = FLOWCEP_ABI_VERSION,
                                      .kind = FLOWCEP_KIND_INTERMEDIATE,
                                      .name = "halve",
                                      .version = "1.0",
                                      .summary = "Passes every second record on.",
                                      .create = create};

FLOWCEP_EXPORT const flowcep_plugin *flowcep_plugin_entry(uint32_t host_abi_version) {
  return host_abi_version >= FLOWCEP_ABI_VERSION ? &plugin : NULL;
}
