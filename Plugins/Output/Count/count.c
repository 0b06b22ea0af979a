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

typedef struct {
  flowcep_instance base;
  const flowcep_host *host;
  const char *field; // what the checksum sums, or NULL
  flowcep_counter *delivered;
  uint64_t records[KINDS];
  uint64_t bytes[KINDS];
  uint64_t checksum;
  // Where the field lies in the templates of the last batches, by serial: a slot is overwritten when another serial falls on it.
  struct {
    uint64_t serial; // 0: empty
    int32_t index;   // -1: the template has no such field
  } known[64];
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

// The bytes of a field behind others of variable length; the host has checked that they lie inside the record.
static const uint8_t *walk(const flowcep_template *layout, int32_t index, const uint8_t *place, size_t *length) {
  for (int32_t i = 0;; i++) {
    *length = field_at(layout, i)->length;
    if (*length == FLOWCEP_VARIABLE_LENGTH) {
      *length = *place++;
      if (*length == 255) {
        *length = (size_t)place[0] << 8 | place[1];
        place += 2;
      }
    }
    if (i == index) return place;
    place += *length;
  }
}

// An unsigned number in network order; of more than eight bytes, the last eight count.
static inline uint64_t number(const uint8_t *place, size_t length) {
  uint64_t value = 0;
  if (length == 8) {
    memcpy(&value, place, 8);
    return be64toh(value);
  }
  for (size_t i = 0; i < length; i++) value = value << 8 | place[i];
  return value;
}

// What a run of records with one template adds up to.
typedef struct {
  uint64_t bytes, checksum;
} sums;

// From `first` up to the next record of another template; gives that record's index.
static uint32_t add_run(counter *self, const flowcep_batch *batch, uint32_t first, sums *run) {
  const char *at = (const char *)batch->records + (size_t)first * batch->record_stride;
  const uint32_t current = ((const flowcep_record *)at)->template_index;
  const flowcep_template *layout = batch->templates[current];
  const int32_t index = self->field != NULL ? find(self, layout) : -1;
  const flowcep_field *field = index >= 0 ? field_at(layout, index) : NULL;
  const bool is_fixed = field != NULL && field->offset != FLOWCEP_NO_OFFSET && field->length != FLOWCEP_VARIABLE_LENGTH;
  const size_t offset = is_fixed ? field->offset : 0, length = is_fixed ? field->length : 0;
  uint64_t bytes = 0, checksum = 0;
  uint32_t next = first;
  for (; next < batch->record_count; next++, at += batch->record_stride) {
    const flowcep_record *record = (const flowcep_record *)at;
    if (record->template_index != current) break;
    bytes += record->length;
    const uint8_t *place = batch->bytes + record->offset;
    if (is_fixed) {
      checksum += number(place + offset, length);
    } else if (field != NULL) {
      size_t found;
      place = walk(layout, index, place, &found);
      checksum += number(place, found);
    }
  }
  *run = (sums){.bytes = bytes, .checksum = checksum};
  return next;
}

static void count(counter *self, const flowcep_batch *batch) {
  for (uint32_t first = 0, next; first < batch->record_count; first = next) {
    const flowcep_record *record = (const flowcep_record *)((const char *)batch->records + (size_t)first * batch->record_stride);
    const unsigned kind = batch->templates[record->template_index]->kind;
    sums run;
    next = add_run(self, batch, first, &run);
    self->records[kind < KINDS ? kind : 0] += next - first;
    self->bytes[kind < KINDS ? kind : 0] += run.bytes;
    self->checksum += run.checksum;
  }
  self->host->counter_add(self->delivered, batch->record_count);
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
  if (batch->kind == FLOWCEP_BATCH_RECORDS) count(self, batch);
  if (batch->kind == FLOWCEP_BATCH_END) print(self);
  return FLOWCEP_OK;
}

static void destroy(flowcep_instance *base) { free(base); }

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
