import Logging
import Pipeline
import PluginHost
import Telemetry

/// Once a minute, or as configured: how it goes, and which inputs are quiet.
struct Watch {
  /// In nanoseconds.
  private let interval: UInt64
  private var last = Clock.monotonic()
  private var next: UInt64
  private var lastRecords: UInt64 = 0
  private var quiet: Set<InstanceName> = []

  init(interval: UInt64) {
    self.interval = interval
    next = last + interval
  }

  var millisecondsLeft: Int32 {
    let now = Clock.monotonic()
    return next > now ? Int32((next - now) / 1_000_000 + 1) : 0
  }

  mutating func look(at assembly: Assembly, _ counters: CounterRegistry, _ logger: Logger) {
    let now = Clock.monotonic()
    guard now >= next else { return }
    next = now + interval
    let records = assembly.inputs.reduce(0) { $0 + $1.receivedRecords }
    let exporters = assembly.inputs.reduce(0) { $0 + $1.openSessions }
    let late = counters.all.filter { $0.name == "late" }.reduce(0) { $0 + $1.value }
    let dropped = assembly.stages.ledgerOfNow.accounts.flatMap(\.dropped).reduce(0) { $0 + $1.amount }
    let alerts = assembly.outputs.reduce(0) { $0 + $1.emittedRecords }
    let rate = UInt64(Double(records - lastRecords) * 1e9 / Double(now - last))
    last = now
    logger.info("exporters=\(exporters) records/s=\(rate) records=\(records) late=\(late) dropped=\(dropped) alerts=\(alerts)")
    lastRecords = records
    for input in assembly.inputs {
      let name = input.instance.name
      guard input.quietNanoseconds >= interval else {
        quiet.remove(name)
        continue
      }
      if quiet.insert(name).inserted { logger.warning("\(name): nothing has come for \(interval / 1_000_000_000) s") }
    }
  }
}
