/* An output outside the tree, against the header alone: counts records and prints the number and a sum over the first field. */
#include <flowcep/flowcep_plugin.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  flowcep_instance base;
  const flowcep_host *host;
  const char *word;
  flowcep_counter *delivered;
  unsigned long long records, sum, sessions, ends;
} tally;

static flowcep_status process(flowcep_instance *base, const flowcep_batch *batch) {
  tally *self = (tally *)base;
  if (batch->kind == FLOWCEP_BATCH_SESSION_OPENED) self->sessions++;
  if (batch->kind == FLOWCEP_BATCH_SESSION_CLOSED) self->ends++;
  for (uint32_t i = 0; i < batch->record_count; i++) {
    const flowcep_record *record = (const flowcep_record *)((const char *)batch->records + (size_t)i * batch->record_stride);
    const uint8_t *bytes = batch->bytes + record->offset;
    for (uint32_t b = 0; b < 8 && b < record->length; b++) self->sum += bytes[b];
    self->records++;
  }
  self->host->counter_add(self->delivered, batch->record_count);
  if (batch->kind == FLOWCEP_BATCH_END) {
    printf("%s: %llu records, sum %llu, sessions %llu/%llu\n", self->word, self->records, self->sum, self->sessions, self->ends);
    fflush(stdout);
  }
  return FLOWCEP_OK;
}

static void destroy(flowcep_instance *base) { free(base); }

static flowcep_instance *create(const flowcep_host *host, const flowcep_values *values) {
  tally *self = calloc(1, sizeof *self);
  if (self == NULL) {
    host->set_error(host, "out of memory");
    return NULL;
  }
  self->host = host;
  self->word = host->value_text(host, values, "word", 0);
  self->delivered = host->counter(host, "delivered", FLOWCEP_COUNT_DELIVERED, "Records counted.");
  self->base.struct_size = sizeof self->base;
  self->base.destroy = destroy;
  self->base.process = process;
  return &self->base;
}

static const flowcep_option options[] = {
    {.name = "word", .type = FLOWCEP_OPTION_TEXT, .default_text = "tally", .help = "What the line begins with."}};

static const flowcep_plugin plugin = {.struct_size = sizeof plugin,
                                      .abi_version = FLOWCEP_ABI_VERSION,
                                      .kind = FLOWCEP_KIND_OUTPUT,
                                      .name = "tally",
                                      .version = "1.0",
                                      .summary = "Counts records and prints the number at the end.",
                                      .options = options,
                                      .option_count = 1,
                                      .option_stride = sizeof options[0],
                                      .create = create};

FLOWCEP_EXPORT const flowcep_plugin *flowcep_plugin_entry(uint32_t host_abi_version) {
  return host_abi_version >= FLOWCEP_ABI_VERSION ? &plugin : NULL;
}
