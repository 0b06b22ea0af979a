// What runs when a signal says that memory is broken: async-signal-safe code only.
#define _GNU_SOURCE 1
#include "CLinux.h"
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

// In systemlog.c.
void flowcep_append(char *line, size_t size, size_t *used, const char *text);

static _Thread_local const char *current_plugin;

const char *flowcep_enter_plugin(const char *label) {
  const char *previous = current_plugin;
  current_plugin = label;
  return previous;
}

void flowcep_leave_plugin(const char *previous) { current_plugin = previous; }

static const char *signal_name(int number) {
  switch (number) {
  case SIGSEGV: return "SIGSEGV";
  case SIGBUS: return "SIGBUS";
  case SIGABRT: return "SIGABRT";
  case SIGILL: return "SIGILL";
  case SIGFPE: return "SIGFPE";
  case SIGTRAP: return "SIGTRAP";
  default: return "a signal";
  }
}

static atomic_bool is_crashing;

void flowcep_write_error(const void *bytes, size_t count) {
  while (atomic_load(&is_crashing)) pause();
  ssize_t written = write(STDERR_FILENO, bytes, count);
  (void)written;
}

static void report(int number) {
  // The line below is to be the last one: who writes just now ends, and nobody begins.
  const struct timespec moment = {.tv_nsec = 1000000};
  if (!atomic_exchange(&is_crashing, 1)) nanosleep(&moment, NULL);
  char line[1024];
  size_t used = 0;
  flowcep_append(line, sizeof line, &used, "\nflowcep: fatal ");
  const size_t start = used - strlen("fatal ");
  flowcep_append(line, sizeof line, &used, signal_name(number));
  flowcep_append(line, sizeof line, &used, current_plugin != NULL ? " in " : " in the collector itself");
  if (current_plugin != NULL) flowcep_append(line, sizeof line - 1, &used, current_plugin);
  line[used++] = '\n';
  ssize_t written = write(STDERR_FILENO, line, used);
  (void)written;
  line[used - 1] = 0;
  flowcep_system_log(LOG_CRIT, line + start);
  // SA_RESETHAND gave the default action back: what called the handler happens again, or is raised again.
  raise(number);
}

void flowcep_report_crashes(void) {
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = report;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sigaction(numbers[i], &action, NULL);
  flowcep_use_signal_stack();
}

void flowcep_use_signal_stack(void) {
  const size_t size = 64 * 1024;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack = {.ss_sp = memory, .ss_size = size};
  if (sigaltstack(&stack, NULL) != 0) munmap(memory, size);
}
