// SPDX-License-Identifier: Apache-2.0
// Functions for EPL in C, against the headers alone: what names tell about those who ask for them, and a mean that outliers do not rule.
//
//     cc -shared -fPIC -O2 -I Sources/PluginABI/include -o libflowcep-functions-text.so Plugins/Functions/Text/text.c -lm
#include <flowcep/flowcep_functions.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// charEntropy(text): the entropy of the bytes of a text, in bits. Names that a program has made up have more than names of people.
static flowcep_status char_entropy(flowcep_call *call, const flowcep_value *arguments, size_t count, flowcep_value *result) {
  (void)call, (void)count;
  if (arguments[0].kind == FLOWCEP_VALUE_NULL || arguments[0].length == 0) return FLOWCEP_OK;
  uint32_t seen[256] = {0};
  for (uint32_t i = 0; i < arguments[0].length; i++) seen[(uint8_t)arguments[0].as.text[i]]++;
  double bits = 0;
  for (int byte = 0; byte < 256; byte++) {
    if (seen[byte] == 0) continue;
    double share = (double)seen[byte] / arguments[0].length;
    bits -= share * log2(share);
  }
  result->kind = FLOWCEP_VALUE_REAL;
  result->as.real = bits;
  return FLOWCEP_OK;
}

// lastLabels(text, n): the last n labels of a host name (2 where n is not given), in lower case.
static flowcep_status last_labels(flowcep_call *call, const flowcep_value *arguments, size_t count, flowcep_value *result) {
  if (arguments[0].kind == FLOWCEP_VALUE_NULL) return FLOWCEP_OK;
  int64_t wanted = count > 1 && arguments[1].kind != FLOWCEP_VALUE_NULL ? arguments[1].as.integer : 2;
  if (wanted < 1) {
    snprintf(call->error, call->error_capacity, "a number of labels is at least 1, not %lld", (long long)wanted);
    return FLOWCEP_FAILED;
  }
  const char *text = arguments[0].as.text;
  uint32_t end = arguments[0].length;
  if (end > 0 && text[end - 1] == '.') end--;
  uint32_t start = end;
  while (start > 0 && (text[start - 1] != '.' || --wanted > 0)) start--;
  if (end - start > call->capacity) return FLOWCEP_OK;
  for (uint32_t i = start; i < end; i++) call->buffer[i - start] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 32 : text[i]);
  result->kind = FLOWCEP_VALUE_TEXT;
  result->as.text = call->buffer;
  result->length = end - start;
  return FLOWCEP_OK;
}

// geometricMean(number): of the numbers above 0 in the window.
typedef struct {
  int64_t count;
  double logarithms;
} mean;

static void *mean_open(void) { return calloc(1, sizeof(mean)); }
static void mean_close(void *state) { free(state); }
static void mean_clear(void *state) { memset(state, 0, sizeof(mean)); }

static void mean_change(mean *state, const flowcep_value *number, int step) {
  if (number->kind == FLOWCEP_VALUE_NULL || !(number->as.real > 0)) return;
  state->count += step;
  state->logarithms += step * log(number->as.real);
}

static void mean_enter(void *state, flowcep_call *call, const flowcep_value *arguments, size_t count) {
  (void)call, (void)count;
  mean_change(state, arguments, 1);
}

static void mean_leave(void *state, flowcep_call *call, const flowcep_value *arguments, size_t count) {
  (void)call, (void)count;
  mean_change(state, arguments, -1);
}

static void mean_value(void *state, flowcep_call *call, flowcep_value *result) {
  (void)call;
  const mean *self = state;
  if (self->count <= 0) return;
  result->kind = FLOWCEP_VALUE_REAL;
  result->as.real = exp(self->logarithms / (double)self->count);
}

static size_t mean_save(const void *state, uint8_t *bytes, size_t capacity) {
  if (capacity >= sizeof(mean)) memcpy(bytes, state, sizeof(mean));
  return sizeof(mean);
}

static flowcep_status mean_restore(void *state, const uint8_t *bytes, size_t count) {
  if (count != sizeof(mean)) return FLOWCEP_FAILED;
  memcpy(state, bytes, count);
  return FLOWCEP_OK;
}

static const uint32_t a_text[] = {FLOWCEP_VALUE_TEXT};
static const uint32_t a_text_and_a_number[] = {FLOWCEP_VALUE_TEXT, FLOWCEP_VALUE_INTEGER};
static const uint32_t a_real[] = {FLOWCEP_VALUE_REAL};

static const flowcep_function functions[] = {
    {.struct_size = sizeof(flowcep_function), .name = "charEntropy", .help = "the entropy of a text's bytes, in bits",
     .result = FLOWCEP_VALUE_REAL, .arguments = a_text, .argument_count = 1, .required_count = 1, .call = char_entropy},
    {.struct_size = sizeof(flowcep_function), .name = "lastLabels", .help = "the last labels of a host name, two unless said otherwise",
     .result = FLOWCEP_VALUE_TEXT, .arguments = a_text_and_a_number, .argument_count = 2, .required_count = 1, .call = last_labels},
    {.struct_size = sizeof(flowcep_function), .name = "geometricMean", .help = "the geometric mean of the numbers above 0",
     .result = FLOWCEP_VALUE_REAL, .arguments = a_real, .argument_count = 1, .required_count = 1, .open = mean_open, .close = mean_close,
     .enter = mean_enter, .leave = mean_leave, .clear = mean_clear, .value = mean_value, .save = mean_save, .restore = mean_restore}};

static const flowcep_function_library library = {
    .struct_size = sizeof library, .abi_version = FLOWCEP_ABI_VERSION, .name = "text", .version = "1.0",
    .summary = "What names tell about those who ask for them, and a mean.", .functions = functions,
    .function_count = sizeof functions / sizeof *functions, .function_stride = sizeof(flowcep_function)};

FLOWCEP_EXPORT const flowcep_function_library *flowcep_functions_entry(uint32_t host_abi_version) {
  return host_abi_version >= FLOWCEP_ABI_VERSION ? &library : NULL;
}
