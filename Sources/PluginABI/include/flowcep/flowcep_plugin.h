// SPDX-License-Identifier: Apache-2.0
// The contract between FlowCEP and a plugin library. Nothing else crosses a `.so`. A complete output plugin:
//
//     #include <flowcep/flowcep_plugin.h>
//     #include <stdio.h>
//     #include <stdlib.h>
//
//     typedef struct { flowcep_instance base; const flowcep_host *host; unsigned long long records; } lines;
//
//     static flowcep_status process(flowcep_instance *base, const flowcep_batch *batch) {
//       lines *self = (lines *)base;
//       if (batch->kind == FLOWCEP_BATCH_RECORDS) self->records += batch->record_count;
//       if (batch->kind == FLOWCEP_BATCH_END) printf("%llu records\n", self->records);
//       return FLOWCEP_OK;
//     }
//
//     static void destroy(flowcep_instance *base) { free(base); }
//
//     static flowcep_instance *create(const flowcep_host *host, const flowcep_values *values) {
//       lines *self = calloc(1, sizeof *self);
//       if (self == NULL) { host->set_error(host, "out of memory"); return NULL; }
//       self->host = host;
//       self->base.struct_size = sizeof self->base;
//       self->base.destroy = destroy;
//       self->base.process = process;
//       return &self->base;
//     }
//
//     static const flowcep_plugin plugin = {
//       .struct_size = sizeof plugin, .abi_version = FLOWCEP_ABI_VERSION, .kind = FLOWCEP_KIND_OUTPUT,
//       .name = "lines", .version = "1.0", .summary = "Counts records and prints the number at the end.", .create = create };
//
//     const flowcep_plugin *flowcep_plugin_entry(uint32_t host_abi_version) {
//       return host_abi_version >= FLOWCEP_ABI_VERSION ? &plugin : NULL;
//     }
//
//     cc -shared -fPIC -o libflowcep-output-lines.so lines.c
//
// Put the file into a folder of $FLOWCEP_PLUGIN_PATH; <destination><name>n</name><lines/></destination> in startup.xml uses it.
//
// Each function below says what it does; which thread calls it; how long its pointers live.
//   [main]  the control thread, one call at a time.
//   [stage] the thread that owns this instance: never two calls at once for one instance.
//   [any]   any thread, also several at once.
// Unless a comment says more, a pointer argument is valid until the call returns. Texts are UTF-8 and end with NUL.
// Structs never change within ABI 1 (struct_size is a check). New powers come as extensions, found by a versioned id.
#ifndef FLOWCEP_PLUGIN_H
#define FLOWCEP_PLUGIN_H
#include "flowcep_batch.h"
#include "flowcep_options.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FLOWCEP_ABI_VERSION 1u
#define FLOWCEP_EXPORT __attribute__((visibility("default")))

enum { FLOWCEP_KIND_INPUT = 1, FLOWCEP_KIND_INTERMEDIATE = 2, FLOWCEP_KIND_OUTPUT = 3 };

typedef int32_t flowcep_status;
enum {
  FLOWCEP_OK = 0,
  FLOWCEP_END = 1,     // of poll: this input will give nothing more
  FLOWCEP_FAILED = -1, // the message was left by set_error
  FLOWCEP_STOPPED = -2 // of a host function: the collector is stopping, give up
};

enum { FLOWCEP_LOG_ERROR = 0, FLOWCEP_LOG_WARNING = 1, FLOWCEP_LOG_INFO = 2, FLOWCEP_LOG_DEBUG = 3 };
enum { FLOWCEP_SEVERITY_ERROR = 0, FLOWCEP_SEVERITY_WARNING = 1, FLOWCEP_SEVERITY_NOTE = 2 };

typedef struct flowcep_diagnostic {
  uint32_t struct_size;
  uint32_t severity; // FLOWCEP_SEVERITY_…
  const char *file;  // NULL: none
  uint32_t line;     // from 1; 0: none
  uint32_t column;   // from 1
  uint32_t end_line; // 0: none
  uint32_t end_column;
  const char *message;
  const char *suggestion; // NULL: none; else as in `did you mean "port"?`
  const char *excerpt;    // NULL: none; else the line of the source
} flowcep_diagnostic;

// What a counter counts. The host adds up, for every output: records received = delivered + each drop.
enum {
  FLOWCEP_COUNT_INFORMATION = 0,
  FLOWCEP_COUNT_DELIVERED = 1, // records that reached their destination
  FLOWCEP_COUNT_DROPPED = 2,   // records that did not; the counter's name is the reason: "peer-away"
  FLOWCEP_COUNT_LOST = 3,      // of an input: datagrams or messages lost before they became records; the name is the reason
  FLOWCEP_COUNT_GAUGE = 4      // a number that goes up and down, by counter_set
};
typedef struct flowcep_counter flowcep_counter;

// What the host offers to one instance. Valid until the instance's destroy has returned.
typedef struct flowcep_host {
  uint32_t struct_size;
  uint32_t abi_version;
  void *host_data;           // the host's
  const char *instance_name; // as in the configuration, for messages

  // --- messages [any] ---
  void (*log)(const struct flowcep_host *host, int32_t level, const char *text);
  // Leaves the reason of a failure that is about to be returned.
  void (*set_error)(const struct flowcep_host *host, const char *text);
  // Hands over a mistake in what the user wrote, with its place. From validate and create.
  void (*report)(const struct flowcep_host *host, const flowcep_diagnostic *diagnostic);

  // --- option values [main], also later [any] ---
  // How many values the option has; a default counts as one.
  size_t (*value_count)(const struct flowcep_host *host, const flowcep_values *values, const char *option);
  // A value as text (text, address, prefix, choice, path, process); NULL where there is none. Lives as long as the host struct.
  const char *(*value_text)(const struct flowcep_host *host, const flowcep_values *values, const char *option, size_t index);
  // A value as integer (integer, boolean, duration in ns, bytes); 0 where there is none.
  int64_t (*value_integer)(const struct flowcep_host *host, const flowcep_values *values, const char *option, size_t index);
  double (*value_real)(const struct flowcep_host *host, const flowcep_values *values, const char *option, size_t index);
  // The values of a group; NULL where there is none. Live as long as the host struct.
  const flowcep_values *(*value_group)(const struct flowcep_host *host, const flowcep_values *values, const char *option, size_t index);
  flowcep_place (*value_place)(const struct flowcep_host *host, const flowcep_values *values, const char *option, size_t index);

  // --- clock [any] ---
  uint64_t (*wall_ns)(const struct flowcep_host *host);      // since 1970
  uint64_t (*monotonic_ns)(const struct flowcep_host *host);
  // Nanoseconds left for draining once the collector is stopping; UINT64_MAX while it is not. A plugin that waits asks often.
  uint64_t (*stop_ns_left)(const struct flowcep_host *host);
  // A descriptor that becomes readable when the collector stops; for poll sets. Never read from it.
  int (*stop_descriptor)(const struct flowcep_host *host);

  // --- counters ---
  // [main] A counter of this instance; the same name gives the same counter. Lives as long as the host struct.
  flowcep_counter *(*counter)(const struct flowcep_host *host, const char *name, uint32_t kind, const char *help);
  void (*counter_add)(flowcep_counter *counter, uint64_t amount); // [any]
  void (*counter_set)(flowcep_counter *counter, uint64_t value);  // [any] of a gauge, or of a count that the kernel keeps

  // --- inputs [stage] ---
  // A session that begins; fields id, struct_size and name are the host's to fill (name: NULL, or the plugin's wish).
  // Lives until session_close, and as long as a batch refers to it.
  const flowcep_session *(*session_open)(const struct flowcep_host *host, const flowcep_session *description);
  // reason: NULL for an orderly end.
  void (*session_close)(const struct flowcep_host *host, const flowcep_session *session, const char *reason);
  // Memory to receive into; bytes is NULL when the collector stops. Ends with emit_packets or buffer_release.
  flowcep_buffer (*buffer_new)(const struct flowcep_host *host, size_t capacity);
  void (*buffer_release)(const struct flowcep_host *host, flowcep_buffer buffer);
  // Hands a buffer over, with the messages in it in the order of arrival. The buffer is the host's from then on, whatever is
  // returned. Waits while a queue that blocks is full. A message that cannot be decoded is counted, and its session's place
  // in `packets` does not matter to others. FLOWCEP_STOPPED: what was not taken is counted as dropped.
  flowcep_status (*emit_packets)(const struct flowcep_host *host, flowcep_buffer buffer, const flowcep_packet *packets, size_t count);

  // --- intermediates and outputs [stage] ---
  // Passes a batch of records on to what comes next. Of an intermediate: from process, the batch it was given, one from
  // make_writable, with_records or batch_new. Batches of other kinds pass on by themselves.
  flowcep_status (*emit)(const struct flowcep_host *host, const flowcep_batch *batch);
  // Passes a batch on to an exporting process that the configuration names in an option of type PROCESS.
  flowcep_status (*emit_to)(const struct flowcep_host *host, const char *process, const flowcep_batch *batch);
  // The batch with bytes and messages that may be changed: the same memory where nobody else holds it, else a copy. Lives until
  // process returns.
  flowcep_batch *(*make_writable)(const struct flowcep_host *host, const flowcep_batch *batch);
  // The batch with other records, which must lie in its bytes and use its templates and messages. Lives until process returns.
  const flowcep_batch *(*with_records)(const struct flowcep_host *host, const flowcep_batch *batch, const flowcep_record *records, size_t count);
  // A template of one's own. The host copies names and fields and fills in serial, offsets and lengths. Lives until template_release,
  // and as long as a batch refers to it. NULL: set_error tells why.
  const flowcep_template *(*template_new)(const struct flowcep_host *host, const flowcep_template *description);
  void (*template_release)(const struct flowcep_host *host, const flowcep_template *layout);
  // A batch of records of one's own: bytes, templates, messages and records are copied out of the description, and each record is
  // checked against its template. Lives until process (poll) returns. NULL: set_error tells why.
  const flowcep_batch *(*batch_new)(const struct flowcep_host *host, const flowcep_batch *description);
  // Keeps a batch beyond the call that gave it; ends with batch_release. [any]
  void (*batch_retain)(const struct flowcep_host *host, const flowcep_batch *batch);
  void (*batch_release)(const struct flowcep_host *host, const flowcep_batch *batch);

  // --- lookup [any] ---
  // The first field with that name or alias, with or without a prefix such as "iana:"; -1 where there is none. Once per template.
  int32_t (*field_index)(const struct flowcep_host *host, const flowcep_template *layout, const char *name);

  // An extension such as "flowcep.elements/1"; NULL where this host has none of that name. [any]
  const void *(*extension)(const struct flowcep_host *host, const char *id);
} flowcep_host;

// One running instance: the plugin's own, often the first member of a larger struct. Required functions first; those under
// "optional" may be NULL.
typedef struct flowcep_instance {
  uint32_t struct_size;
  uint32_t reserved;
  void *instance_data; // the plugin's
  // [main] After stop: releases everything, the struct too. No other thread is inside the instance.
  void (*destroy)(struct flowcep_instance *instance);
  // [stage] Intermediate and output: one batch. A failure is logged and counted; the flow goes on or the collector stops, by
  // configuration.
  flowcep_status (*process)(struct flowcep_instance *instance, const flowcep_batch *batch);
  // [stage] Input: waits at most timeout_ms, receives, emits. FLOWCEP_END: nothing more will come.
  flowcep_status (*poll)(struct flowcep_instance *instance, uint32_t timeout_ms);
  // --- optional ---
  // [main] Opens files and sockets; an input listens when it returns.
  flowcep_status (*start)(struct flowcep_instance *instance);
  // [stage] Intermediate and output: no batch is waiting; a moment to flush.
  flowcep_status (*idle)(struct flowcep_instance *instance);
  // [main] The stage's thread has ended; only destroy follows. Closes files and sockets, counts what is left as dropped.
  void (*stop)(struct flowcep_instance *instance);
  // [any] What the instance offers beyond this struct.
  const void *(*extension)(struct flowcep_instance *instance, const char *id);
} flowcep_instance;

// The library's only answer. Static storage: asking for it opens and starts nothing.
typedef struct flowcep_plugin {
  uint32_t struct_size;
  uint32_t abi_version; // FLOWCEP_ABI_VERSION
  uint32_t kind;        // FLOWCEP_KIND_…
  uint32_t option_count;
  const char *name;      // "json": the library's file name is libflowcep-<kind>-<name>.so
  const char *version;   // the plugin's own
  const char *summary;   // one sentence
  const char *toolchain; // NULL; of a plugin in Swift its compiler (flowcep_toolchain()): Swift's runtime must be the host's
  const flowcep_option *options;
  uint32_t option_stride; // sizeof(flowcep_option); 0 where there are no options
  uint32_t reserved;
  // [main] A new instance, or NULL after set_error or report. Opens no socket and starts no thread.
  flowcep_instance *(*create)(const flowcep_host *host, const flowcep_values *values);
  // --- optional ---
  // [main] Checks what the table cannot say, by report. Opens no socket, starts no thread; may read files.
  flowcep_status (*validate)(const flowcep_host *host, const flowcep_values *values);
} flowcep_plugin;

// [main] The one function that a plugin library exports. NULL where it cannot serve a host of that version.
FLOWCEP_EXPORT const flowcep_plugin *flowcep_plugin_entry(uint32_t host_abi_version);

// Host extension: the information elements that the collector knows, from its element files.
#define FLOWCEP_ELEMENTS_EXTENSION "flowcep.elements/1"
typedef struct flowcep_elements {
  uint32_t struct_size;
  uint32_t element_stride; // sizeof(flowcep_field)
  size_t element_count;
  const flowcep_field *elements; // length 0, no offset; as long as the host struct lives
} flowcep_elements;

// Host extension: counters of a part of an instance, such as one of its statements or destinations.
#define FLOWCEP_METRICS_EXTENSION "flowcep.metrics/1"
typedef struct flowcep_metrics {
  uint32_t struct_size;
  uint32_t reserved;
  // [any] As the host's counter, of the part that a label names: ("statement", "PortScan"). Where parts with the label
  // "destination" count what they delivered and dropped, each has an account of its own, of all that the instance processed.
  flowcep_counter *(*counter)(
      const flowcep_host *host, const char *name, uint32_t kind, const char *label, const char *value, const char *help);
} flowcep_metrics;

// Host extension: how full the queue before an output is.
#define FLOWCEP_QUEUE_EXTENSION "flowcep.queue/1"
typedef struct flowcep_queue {
  uint32_t struct_size;
  uint32_t reserved;
  // [stage] How much of the queue's room is taken, in thousandths, where records that find it full are lost: dropped by its policy, or by
  // the system before a UDP input that waits. 0 where whoever sends them can wait, and in what is no output.
  uint32_t (*pressure)(const flowcep_host *host);
} flowcep_queue;

// The compiler that this header was read by; of the Swift compiler, the clang inside it, which is of one build with it.
__attribute__((unused)) static inline const char *flowcep_toolchain(void) { return __VERSION__; }

#ifdef __cplusplus
}
#endif
#endif
