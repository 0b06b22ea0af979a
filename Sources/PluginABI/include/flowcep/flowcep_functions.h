// SPDX-License-Identifier: Apache-2.0
// Functions and aggregates for EPL, from a library of their own: "flowcep.functions/1". A complete one:
//
//     #include <flowcep/flowcep_functions.h>
//
//     static flowcep_status last_octet(flowcep_call *call, const flowcep_value *arguments, size_t count, flowcep_value *result) {
//       (void)call, (void)count;
//       if (arguments[0].kind == FLOWCEP_VALUE_NULL) return FLOWCEP_OK;   // the result is null already
//       result->kind = FLOWCEP_VALUE_INTEGER;
//       result->as.integer = arguments[0].as.address[arguments[0].length - 1];
//       return FLOWCEP_OK;
//     }
//
//     static const uint32_t address[] = {FLOWCEP_VALUE_ADDRESS};
//     static const flowcep_function functions[] = {
//         {.struct_size = sizeof(flowcep_function), .name = "lastOctet", .help = "the last byte of an address",
//          .result = FLOWCEP_VALUE_INTEGER, .arguments = address, .argument_count = 1, .required_count = 1, .call = last_octet}};
//
//     static const flowcep_function_library library = {
//         .struct_size = sizeof library, .abi_version = FLOWCEP_ABI_VERSION, .name = "octets", .version = "1.0",
//         .summary = "Looks into addresses.", .functions = functions, .function_count = 1, .function_stride = sizeof(flowcep_function)};
//
//     FLOWCEP_EXPORT const flowcep_function_library *flowcep_functions_entry(uint32_t host_abi_version) {
//       return host_abi_version >= FLOWCEP_ABI_VERSION ? &library : NULL;
//     }
//
//     cc -shared -fPIC -o libflowcep-functions-octets.so octets.c
//
// Put the file into a folder of plugins; `select lastOctet(ipfix.sourceIPv4Address) …` uses it. The types are checked when the module is read.
//
// Threads: several engines may call one function at once; one state of an aggregate is used by one thread at a time.
#ifndef FLOWCEP_FUNCTIONS_H
#define FLOWCEP_FUNCTIONS_H
#include "flowcep_plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

// What a value is, and as what a function declares its arguments and its result.
enum {
  FLOWCEP_VALUE_NULL = 0,    // of a value: null. Declared as an argument: any of those below
  FLOWCEP_VALUE_BOOLEAN = 1, // as.integer is 0 or 1
  FLOWCEP_VALUE_INTEGER = 2, // EPL's byte, short, int, long
  FLOWCEP_VALUE_REAL = 3,    // EPL's float, double; an integer argument arrives as one
  FLOWCEP_VALUE_TEXT = 4,    // as.text, `length` bytes of UTF-8, no NUL at the end; other values beside addresses and texts are no text
  FLOWCEP_VALUE_ADDRESS = 5  // as.address, `length` is 4 or 16; a string argument arrives as the address that it holds, else as null
};

typedef struct flowcep_value {
  uint32_t kind; // FLOWCEP_VALUE_…
  uint32_t length;
  union {
    int64_t integer;
    double real;
    const char *text;
    uint8_t address[16];
  } as;
} flowcep_value;

// What a call may use besides its arguments. Lives until the function returns.
typedef struct flowcep_call {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t time_ms; // the engine's time since 1970; of a scalar function 0
  char *buffer;    // room for a text that is the result
  size_t capacity; // of it: at least 4096 bytes
  char *error;     // room for the reason of a failure, with NUL; empty when the function is called
  size_t error_capacity;
} flowcep_call;

// A scalar function (with call) or an aggregate (with open, close, enter, clear, value). A value that is text points into the call's buffer,
// an argument, the state, or static storage; it is copied when the function has returned.
typedef struct flowcep_function {
  uint32_t struct_size;
  uint32_t reserved;
  const char *name; // a letter, then letters, digits and underscores; none that EPL has already
  const char *help; // one line
  uint32_t result;  // FLOWCEP_VALUE_…, not NULL
  uint32_t argument_count;
  uint32_t required_count;   // how many of them must be given; those that are not given do not arrive
  uint32_t reserved2;
  const uint32_t *arguments; // argument_count types; of an aggregate at least one

  // --- scalar ---
  // The result is null unless it is set. FLOWCEP_FAILED: the event fails, with the reason in call->error.
  flowcep_status (*call)(flowcep_call *call, const flowcep_value *arguments, size_t count, flowcep_value *result);

  // --- aggregate ---
  // The empty state of a group; NULL: no memory.
  void *(*open)(void);
  void (*close)(void *state);
  void (*enter)(void *state, flowcep_call *call, const flowcep_value *arguments, size_t count);
  // A value leaves the window, with the arguments with which it came. NULL: the aggregate cannot forget, and needs a batch window.
  void (*leave)(void *state, flowcep_call *call, const flowcep_value *arguments, size_t count);
  void (*clear)(void *state);
  // The result is null unless it is set.
  void (*value)(void *state, flowcep_call *call, flowcep_value *result);
  // --- optional: to be kept across a restart ---
  // Writes the state where it fits into `capacity` bytes; returns how many it needs.
  size_t (*save)(const void *state, uint8_t *bytes, size_t capacity);
  // Puts what save wrote into an empty state. FLOWCEP_FAILED where it makes no sense.
  flowcep_status (*restore)(void *state, const uint8_t *bytes, size_t count);
} flowcep_function;

// A library's only answer, static.
typedef struct flowcep_function_library {
  uint32_t struct_size;
  uint32_t abi_version; // FLOWCEP_ABI_VERSION
  const char *name;     // "octets": the library's file name is libflowcep-functions-<name>.so
  const char *version;
  const char *summary; // one sentence
  const flowcep_function *functions;
  uint32_t function_count;
  uint32_t function_stride; // sizeof(flowcep_function)
} flowcep_function_library;

// [main] The one function that a library of functions exports. NULL where it cannot serve a host of that version.
FLOWCEP_EXPORT const flowcep_function_library *flowcep_functions_entry(uint32_t host_abi_version);

// Host extension: the libraries of functions that were found in the folders of plugins, each checked.
#define FLOWCEP_FUNCTIONS_EXTENSION "flowcep.functions/1"
typedef struct flowcep_function_libraries {
  uint32_t struct_size;
  uint32_t reserved;
  size_t library_count;
  const flowcep_function_library *const *libraries; // as long as the host struct lives
} flowcep_function_libraries;

#ifdef __cplusplus
}
#endif
#endif
