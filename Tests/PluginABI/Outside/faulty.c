/* One faulty plugin for each value of FAULT (a number), under the name "faulty". KIND: 2 intermediate, 3 output. */
#include <flowcep/flowcep_plugin.h>
#include <stdlib.h>
#include <string.h>

#define ABI_VERSION 1
#define NO_ENTRY_FOR_US 2
#define OTHER_TOOLCHAIN 3
#define SMALL_DESCRIPTOR 4
#define OTHER_NAME 5
#define FAILS_IN_CREATE 6
#define SILENT_IN_CREATE 7
#define NONSENSE_INSTANCE 8
#define FAILS_IN_PROCESS 9
#define UNKNOWN_STATUS 10
#define FAILS_IN_DESTROY 11
#define CRASHES 12
#define ABORTS 13
#define FOREIGN_BATCH 14
#define RECORD_OUTSIDE 15
#define CHANGES_HEADER 16
#define BAD_OPTION_TYPE 17
#define FAILS_IN_START 18
#define BAD_TEMPLATE_INDEX 19
#define OVERFLOWS_STACK 20

typedef struct {
  flowcep_instance base;
  const flowcep_host *host;
} faulty;

static volatile int depth;

static int recurse(volatile char *before) {
  volatile char room[4096];
  memset((void *)room, before == NULL ? 1 : before[0], sizeof room);
  return depth < 1 ? recurse(room) + room[17] : 0;
}

static flowcep_status process(flowcep_instance *base, const flowcep_batch *batch) {
  const flowcep_host *host = ((faulty *)base)->host;
  if (batch->kind != FLOWCEP_BATCH_RECORDS) return FLOWCEP_OK;
  flowcep_record record;
  memset(&record, 0, sizeof record);
  switch (FAULT) {
  case FAILS_IN_PROCESS: host->set_error(host, "the disk is full"); return FLOWCEP_FAILED;
  case UNKNOWN_STATUS: return 42;
  case CRASHES: *(volatile int *)8 = 1; return FLOWCEP_OK;
  case ABORTS: abort();
  case OVERFLOWS_STACK: return recurse(NULL);
  case FOREIGN_BATCH: {
    flowcep_batch own;
    memset(&own, 0, sizeof own);
    return host->emit(host, &own);
  }
  case RECORD_OUTSIDE:
    record.offset = 4000000000u;
    record.length = 100;
    return host->with_records(host, batch, &record, 1) == NULL ? FLOWCEP_FAILED : FLOWCEP_OK;
  case BAD_TEMPLATE_INDEX:
    record.template_index = 77;
    return host->with_records(host, batch, &record, 1) == NULL ? FLOWCEP_FAILED : FLOWCEP_OK;
  case CHANGES_HEADER: {
    flowcep_batch *changed = host->make_writable(host, batch);
    changed->record_count += 1000000;
    return host->emit(host, changed);
  }
  default: return FLOWCEP_OK;
  }
}

static void destroy(flowcep_instance *base) {
  const flowcep_host *host = ((faulty *)base)->host;
  if (FAULT == FAILS_IN_DESTROY) host->set_error(host, "the file could not be closed");
  free(base);
}

static flowcep_status start(flowcep_instance *base) {
  const flowcep_host *host = ((faulty *)base)->host;
  if (FAULT != FAILS_IN_START) return FLOWCEP_OK;
  host->set_error(host, "the port is in use");
  return FLOWCEP_FAILED;
}

static flowcep_instance *create(const flowcep_host *host, const flowcep_values *values) {
  (void)values;
  if (FAULT == SILENT_IN_CREATE) return NULL;
  if (FAULT == FAILS_IN_CREATE) {
    host->set_error(host, "the licence has run out");
    return NULL;
  }
  faulty *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  self->host = host;
  self->base.struct_size = FAULT == NONSENSE_INSTANCE ? 3 : sizeof self->base;
  self->base.destroy = destroy;
  self->base.process = process;
  self->base.start = start;
  return &self->base;
}

static const flowcep_option options[] = {{.name = "x", .type = FAULT == BAD_OPTION_TYPE ? 99 : FLOWCEP_OPTION_TEXT}};

static const flowcep_plugin plugin = {.struct_size = FAULT == SMALL_DESCRIPTOR ? 16 : sizeof plugin,
                                      .abi_version = FAULT == ABI_VERSION ? 7 : FLOWCEP_ABI_VERSION,
                                      .kind = KIND,
                                      .name = FAULT == OTHER_NAME ? "other" : "faulty",
                                      .version = "1.0",
                                      .summary = "Does something wrong.",
                                      .toolchain = FAULT == OTHER_TOOLCHAIN ? "Swift 5.9 of long ago" : NULL,
                                      .options = options,
                                      .option_count = 1,
                                      .option_stride = sizeof options[0],
                                      .create = create};

FLOWCEP_EXPORT const flowcep_plugin *flowcep_plugin_entry(uint32_t host_abi_version) {
  return FAULT == NO_ENTRY_FOR_US || host_abi_version < FLOWCEP_ABI_VERSION ? NULL : &plugin;
}
