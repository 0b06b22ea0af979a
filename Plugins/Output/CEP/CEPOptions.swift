import PluginKit

/// The option table; help, documentation and error messages come from these rows.
enum CEPOptions {
  static let table: [Option] = [
    .path(
      "module", required: true, repeated: true, mustExist: true,
      help: "A file of EPL statements; each module is a namespace of its own."),
    .text(
      "statement", repeated: true,
      help: "A statement whose rows are detections; none named: those that no other statement reads."),
    .process("exportTo", required: true, repeated: true, help: "The exporting process that the detections go to."),
    .choice(
      "clock", ["watermark", "compat", "system"], default: "watermark",
      help: "What time is: watermark never goes back and waits for late records; compat follows each record; system is the wall clock."),
    .duration("lateness", default: "30 s", unit: "s", help: "How long records are waited for, in event time (watermark)."),
    .duration("maxSkew", default: "10 min", unit: "s", help: "A time so far ahead of the clock needs a second witness (watermark)."),
    .duration(
      "idleAfter", default: "30 s", unit: "s", help: "After so long without records the clock follows the wall's pace (watermark)."),
    .choice("late", ["deliver", "drop"], default: "deliver", help: "What becomes of records older than the clock (watermark)."),
    .choice(
      "atEnd", ["keep", "flush"], default: "keep",
      help: "At the end of the input: keep open windows open, or advance the clock once to the last pending timer."),
    .bytes(
      "stateLimit",
      help: "What one statement may keep before it gives up the oldest of it; half of the memory in equal shares where none is named."),
    .path(
      "stateFile",
      help:
        "Where the statements' state outlives the collector: written when it stops and every checkpointInterval, taken up when it starts."),
    .duration(
      "checkpointInterval", default: "60 s", unit: "s", range: "1..86400",
      help: "How often the state is written: what a killed collector loses at most."),
  ]
}
