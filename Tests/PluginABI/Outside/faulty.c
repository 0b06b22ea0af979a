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
#define BATCH_OF_OTHER_SIZE 21
#define OWN_RECORD_OUTSIDE 22
#define FOREIGN_TEMPLATE 23
#define UNKNOWN_FIELD_TYPE 24
#define OTHER_STRIDE 25
#define LENGTH_THAT_LIES 26
#define RELEASES_WHAT_IT_DOES_NOT_HOLD 27
#define EMITS_FROM_OUTPUT 28
#define UNNAMED_PROCESS 29
#define NO_FAULT 30

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

/* Emits one record of its own: a string of variable length. FAULT says what is wrong with it. */
static flowcep_status emit_own(const flowcep_host *host) {
  static const uint8_t bytes[] = {2, 'o', 'k', 200, 'x'};
  flowcep_field field = {.element = 82, .length = FLOWCEP_VARIABLE_LENGTH, .type = FLOWCEP_STRING, .name = "interfaceName"};
  if (FAULT == UNKNOWN_FIELD_TYPE) field.type = 99;
  flowcep_template described = {.struct_size = sizeof described, .id = 300, .kind = FLOWCEP_TEMPLATE_FLOW,
                                .fields = &field, .field_stride = sizeof field, .field_count = 1};
  const flowcep_template *layout = host->template_new(host, &described);
  if (layout == NULL) return FLOWCEP_FAILED;
  flowcep_record record = {.offset = 0, .length = 3};
  if (FAULT == OWN_RECORD_OUTSIDE) record.offset = 4;
  if (FAULT == LENGTH_THAT_LIES) record.offset = 3, record.length = 2;
  const flowcep_template *layouts[] = {FAULT == FOREIGN_TEMPLATE ? &described : layout};
  flowcep_batch batch = {.struct_size = sizeof batch, .kind = FLOWCEP_BATCH_RECORDS, .bytes = bytes, .byte_count = sizeof bytes,
                         .templates = layouts, .template_count = 1, .records = &record, .record_count = 1,
                         .record_stride = sizeof record, .message_stride = sizeof(flowcep_message)};
  if (FAULT == BATCH_OF_OTHER_SIZE) batch.struct_size = 3;
  if (FAULT == OTHER_STRIDE) batch.record_stride = 5;
  const flowcep_batch *made = host->batch_new(host, &batch);
  if (made == NULL) return FLOWCEP_FAILED;
  if (FAULT == EMITS_FROM_OUTPUT) return host->emit(host, made);
  if (FAULT == UNNAMED_PROCESS) return host->emit_to(host, "somewhere", made);
  flowcep_status status = host->emit(host, made);
  host->template_release(host, layout);
  return status;
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
  case RELEASES_WHAT_IT_DOES_NOT_HOLD: host->batch_release(host, batch); return FLOWCEP_OK;
  case BATCH_OF_OTHER_SIZE:
  case OWN_RECORD_OUTSIDE:
  case FOREIGN_TEMPLATE:
  case UNKNOWN_FIELD_TYPE:
  case OTHER_STRIDE:
  case LENGTH_THAT_LIES:
  case EMITS_FROM_OUTPUT:
  case UNNAMED_PROCESS:
  case NO_FAULT: return emit_own(host);
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
