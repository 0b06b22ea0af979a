// SPDX-License-Identifier: Apache-2.0
// Counts what it gets and prints one line at the end. Written against the header alone: the living proof of the contract.
#include <endian.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flowcep/flowcep_plugin.h"

enum { KINDS = 4 }; // by FLOWCEP_TEMPLATE_…; 0 for kinds to come

// What is counted in the records of one template of a batch.
typedef struct {
  const flowcep_template *layout;
  uint32_t kind;
  int32_t index;      // of the field, -1: there is none
  uint32_t offset;    // of the field, where all records have it in the same place
  uint16_t length;    // and its length there; 0: it is looked for in each record
} place;

typedef struct {
  flowcep_instance base;
  const flowcep_host *host;
  const char *field; // what the checksum sums, or NULL
  flowcep_counter *delivered;
  uint64_t records[KINDS];
  uint64_t bytes[KINDS];
  uint64_t checksum;
  // The field's index in the templates of the last batches, by serial: a slot is overwritten when another serial falls on it.
  struct {
    uint64_t serial; // 0: empty
    int32_t index;
  } known[64];
  place *places; // of the batch at hand, by template
  size_t room;
} counter;

static int32_t find(counter *self, const flowcep_template *layout) {
  size_t slot = layout->serial % (sizeof self->known / sizeof *self->known);
  if (self->known[slot].serial != layout->serial) {
    self->known[slot].serial = layout->serial;
    self->known[slot].index = self->host->field_index(self->host, layout, self->field);
  }
  return self->known[slot].index;
}

static const flowcep_field *field_at(const flowcep_template *layout, int32_t index) {
  return (const flowcep_field *)((const char *)layout->fields + (size_t)index * layout->field_stride);
}

static place place_in(counter *self, const flowcep_template *layout) {
  place found = {.layout = layout, .kind = layout->kind < KINDS ? layout->kind : 0, .index = -1};
  if (self->field != NULL) found.index = find(self, layout);
  if (found.index < 0) return found;
  const flowcep_field *field = field_at(layout, found.index);
  if (field->offset == FLOWCEP_NO_OFFSET || field->length == FLOWCEP_VARIABLE_LENGTH) return found;
  found.offset = field->offset;
  found.length = field->length;
  return found;
}

static bool find_places(counter *self, const flowcep_batch *batch) {
  if (batch->template_count > self->room) {
    place *more = realloc(self->places, batch->template_count * sizeof *more);
    if (more == NULL) return false;
    self->places = more;
    self->room = batch->template_count;
  }
  for (uint32_t i = 0; i < batch->template_count; i++) self->places[i] = place_in(self, batch->templates[i]);
  return true;
}

// The bytes of a field behind others of variable length; the host has checked that they lie inside the record.
static const uint8_t *walk(const flowcep_template *layout, int32_t index, const uint8_t *at, size_t *length) {
  for (int32_t i = 0;; i++) {
    *length = field_at(layout, i)->length;
    if (*length == FLOWCEP_VARIABLE_LENGTH) {
      *length = *at++;
      if (*length == 255) {
        *length = (size_t)at[0] << 8 | at[1];
        at += 2;
      }
    }
    if (i == index) return at;
    at += *length;
  }
}

// An unsigned number in network order; of more than eight bytes, the last eight count.
static inline uint64_t number(const uint8_t *at, size_t length) {
  uint64_t value = 0;
  if (length == 8) {
    memcpy(&value, at, 8);
    return be64toh(value);
  }
  for (size_t i = 0; i < length; i++) value = value << 8 | at[i];
  return value;
}

static bool count(counter *self, const flowcep_batch *batch) {
  if (!find_places(self, batch)) return false;
  uint64_t checksum = 0;
  const char *at = (const char *)batch->records;
  for (uint32_t i = 0; i < batch->record_count; i++, at += batch->record_stride) {
    const flowcep_record *record = (const flowcep_record *)at;
    const place *known = &self->places[record->template_index];
    self->records[known->kind] += 1;
    self->bytes[known->kind] += record->length;
    if (known->index < 0) continue;
    const uint8_t *start = batch->bytes + record->offset;
    size_t length = known->length;
    const uint8_t *field = length > 0 ? start + known->offset : walk(known->layout, known->index, start, &length);
    checksum += number(field, length);
  }
  self->checksum += checksum;
  self->host->counter_add(self->delivered, batch->record_count);
  return true;
}

static void print(const counter *self) {
  static const char *const names[KINDS] = {"other", "flow", "options", "detection"};
  uint64_t records = 0, bytes = 0;
  for (int i = 0; i < KINDS; i++) {
    records += self->records[i];
    bytes += self->bytes[i];
  }
  printf("%s: %" PRIu64 " records, %" PRIu64 " bytes", self->host->instance_name, records, bytes);
  for (int i = 0; i < KINDS; i++) {
    if (self->records[i] > 0) printf(", %s %" PRIu64, names[i], self->records[i]);
  }
  if (self->field != NULL) printf(", checksum %" PRIu64, self->checksum);
  printf("\n");
  fflush(stdout);
}

static flowcep_status process(flowcep_instance *base, const flowcep_batch *batch) {
  counter *self = (counter *)base;
  if (batch->kind == FLOWCEP_BATCH_RECORDS && !count(self, batch)) {
    self->host->set_error(self->host, "out of memory");
    return FLOWCEP_FAILED;
  }
  if (batch->kind == FLOWCEP_BATCH_END) print(self);
  return FLOWCEP_OK;
}

static void destroy(flowcep_instance *base) {
  free(((counter *)base)->places);
  free(base);
}

static flowcep_instance *create(const flowcep_host *host, const flowcep_values *values) {
  counter *self = calloc(1, sizeof *self);
  if (self == NULL) {
    host->set_error(host, "out of memory");
    return NULL;
  }
  self->base.struct_size = sizeof self->base;
  self->base.destroy = destroy;
  self->base.process = process;
  self->host = host;
  self->field = host->value_text(host, values, "checksum", 0);
  self->delivered = host->counter(host, "delivered", FLOWCEP_COUNT_DELIVERED, "Records counted.");
  return &self->base;
}

static const flowcep_option options[] = {
    {.name = "checksum", .type = FLOWCEP_OPTION_TEXT, .help = "The name of a field whose values are summed as unsigned integers."},
};

static const flowcep_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_version = FLOWCEP_ABI_VERSION,
    .kind = FLOWCEP_KIND_OUTPUT,
    .option_count = sizeof options / sizeof *options,
    .name = "count",
    .version = "1.0.0",
    .summary = "Counts records and bytes and prints one line at the end.",
    .options = options,
    .option_stride = sizeof *options,
    .create = create,
};

FLOWCEP_EXPORT const flowcep_plugin *flowcep_plugin_entry(uint32_t host_abi_version) {
  return host_abi_version >= FLOWCEP_ABI_VERSION ? &plugin : NULL;
}
