import Engine
import Glibc
import PluginABI
import PluginKit

/// What each statement takes, gives, spends and keeps, as the host's counters; and the bound on what it keeps.
struct StatementGauges {
  private struct Row {
    let number: Int
    let eventsIn: Counter
    let rowsOut: Counter
    let time: Counter
    let entries: Counter
    let bytes: Counter
    let shed: Counter
  }
  private let host: Host
  private let rows: [Row]
  private var next: UInt64 = 0

  init(_ host: Host, _ engine: Engine) {
    self.host = host
    rows = engine.statements.filter { $0.rowType != nil }.map { statement in
      func counter(_ name: String, _ kind: Int, _ help: String) -> Counter {
        host.counter(name, kind: UInt32(kind), label: "statement", value: statement.label, help: help)
      }
      return Row(
        number: statement.number,
        eventsIn: counter("events-in", FLOWCEP_COUNT_INFORMATION, "Events that passed the filters of the statement's FROM clause."),
        rowsOut: counter("rows-out", FLOWCEP_COUNT_INFORMATION, "Rows that the statement gave."),
        time: counter("cpu-milliseconds", FLOWCEP_COUNT_INFORMATION, "CPU time of the statement."),
        entries: counter("state-entries", FLOWCEP_COUNT_GAUGE, "Rows, groups, partial matches that the statement keeps."),
        bytes: counter("state-bytes", FLOWCEP_COUNT_GAUGE, "About how many bytes they take."),
        shed: counter("shed-entries", FLOWCEP_COUNT_INFORMATION, "Entries given up since the statement kept more than stateLimit."))
    }
  }

  /// Once a second: counts, and has statements that keep too much give up the oldest.
  mutating func check(_ engine: Engine) {
    let now = host.monotonicNanoseconds
    guard now >= next else { return }
    next = now + 1_000_000_000
    for (statement, entries) in engine.checkState(at: Int64(now / 1_000_000)) {
      host.log(
        .warning,
        "statement \(statement.label) keeps more than stateLimit allows: \(entries) of the oldest entries are given up; its rows are marked incomplete"
      )
    }
    let counts = engine.statementCounts
    for row in rows {
      let count = counts[row.number]
      row.eventsIn.set(count.eventsIn)
      row.rowsOut.set(count.rowsOut)
      row.time.set(count.nanoseconds / 1_000_000)
      row.entries.set(UInt64(count.entries))
      row.bytes.set(UInt64(count.bytes))
      row.shed.set(count.shed)
    }
  }

  /// What a statement may keep where the configuration does not say: half of the memory there is, in equal shares.
  static func defaultLimit(statements: Int) -> Int {
    var memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    // A container's bound, where there is one.
    if let file = fopen("/sys/fs/cgroup/memory.max", "r") {
      var text = [CChar](repeating: 0, count: 32)
      fgets(&text, 32, file)
      fclose(file)
      let digits = text.prefix { (48...57).contains($0) }.map { UInt8(bitPattern: $0) }
      if let bound = Int(String(decoding: digits, as: UTF8.self)), bound > 0 { memory = min(memory, bound) }
    }
    return max(memory / 2 / max(statements, 1), 16 << 20)
  }
}
