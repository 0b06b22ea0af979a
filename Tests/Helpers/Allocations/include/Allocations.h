// Counts what a thread takes from the heap. For benchmarks and tests: whoever links this has a malloc that counts.
#ifndef FLOWCEP_ALLOCATIONS_H
#define FLOWCEP_ALLOCATIONS_H
#include <stdint.h>

/// How often the calling thread has taken memory: malloc, calloc, realloc and the aligned ones. -1 where a sanitizer has a malloc of
/// its own.
int64_t flowcep_allocations(void);

#endif
