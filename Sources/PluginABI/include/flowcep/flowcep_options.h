// SPDX-License-Identifier: Apache-2.0
// A plugin's options as a table. The host reads the configuration, checks it against the table and hands over typed values;
// a plugin never sees XML. Help, documentation and error messages are derived from the same rows.
#ifndef FLOWCEP_OPTIONS_H
#define FLOWCEP_OPTIONS_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  FLOWCEP_OPTION_TEXT = 1,
  FLOWCEP_OPTION_BOOLEAN = 2,  // yes/no, true/false, 1/0
  FLOWCEP_OPTION_INTEGER = 3,
  FLOWCEP_OPTION_REAL = 4,
  FLOWCEP_OPTION_DURATION = 5, // "10 s", "500 ms", "5 min"; a bare number counts in the unit named by `unit`; handed over in nanoseconds
  FLOWCEP_OPTION_BYTES = 6,    // "64K", "8 MiB"; handed over in bytes
  FLOWCEP_OPTION_ADDRESS = 7,  // an IP address, or empty for all
  FLOWCEP_OPTION_PREFIX = 8,   // an IP prefix, or an address
  FLOWCEP_OPTION_CHOICE = 9,   // one of `range`: "tcp|udp"; compared without case
  FLOWCEP_OPTION_PATH = 10,    // handed over absolute, relative to the folder of the file that names it
  FLOWCEP_OPTION_PROCESS = 11, // the name of an exporting process
  FLOWCEP_OPTION_GROUP = 12    // has `members`
};

enum {
  FLOWCEP_OPTION_REQUIRED = 1u << 0,
  FLOWCEP_OPTION_REPEATED = 1u << 1,
  FLOWCEP_OPTION_SECRET = 1u << 2,    // never printed
  FLOWCEP_OPTION_MUST_EXIST = 1u << 3, // of a path: a file that is missing is an error
  // Of an integer of an input: the host makes so many instances, all with the same values, each polled by a thread of its own.
  // None is polled before all have started.
  FLOWCEP_OPTION_INSTANCES = 1u << 4
};

typedef struct flowcep_option {
  const char *name; // as in the configuration: "localPort"; NULL ends a list of members
  uint32_t type;    // FLOWCEP_OPTION_TEXT …
  uint32_t flags;
  const char *default_text; // NULL: none
  const char *range;        // "1..65535"; of a choice "tcp|udp", also "raw|formatted=formated": `formated` is taken with a warning
  const char *unit;         // of a duration without one: "s", "ms", "min"; else NULL
  const char *help;         // one sentence
  const struct flowcep_option *members; // of a group, ends with a row whose name is NULL
} flowcep_option;

// One instance's values, or those of one group; read through the host's value functions.
typedef struct flowcep_values flowcep_values;

// Where a value stands in the configuration.
typedef struct flowcep_place {
  const char *file; // NULL where the value is a default
  uint32_t line;    // from 1
  uint32_t column;  // from 1
} flowcep_place;

#ifdef __cplusplus
}
#endif
#endif
