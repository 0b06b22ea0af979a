import Logging
import Pipeline
import PluginHost
import Telemetry

/// Once a minute: how it goes, and which inputs are quiet.
struct Watch {
  private static let interval: UInt64 = 60_000_000_000
  private var next = Clock.monotonic() + interval
  private var lastRecords: UInt64 = 0
  private var quiet: Set<InstanceName> = []

  var millisecondsLeft: Int32 {
    let now = Clock.monotonic()
    return next > now ? Int32((next - now) / 1_000_000 + 1) : 0
  }

  mutating func look(at assembly: Assembly, _ counters: CounterRegistry, _ logger: Logger) {
    guard Clock.monotonic() >= next else { return }
    next += Self.interval
    let records = assembly.inputs.reduce(0) { $0 + $1.receivedRecords }
    let exporters = assembly.inputs.reduce(0) { $0 + $1.openSessions }
    let late = counters.all.filter { $0.name == "late" }.reduce(0) { $0 + $1.value }
    let dropped = assembly.ledger.accounts.flatMap(\.dropped).reduce(0) { $0 + $1.amount }
    let alerts = assembly.outputs.reduce(0) { $0 + $1.emittedRecords }
    let rate = (records - lastRecords) / 60
    logger.info("exporters=\(exporters) records/s=\(rate) records=\(records) late=\(late) dropped=\(dropped) alerts=\(alerts)")
    lastRecords = records
    for input in assembly.inputs {
      let name = input.instance.name
      guard input.quietNanoseconds >= Self.interval else {
        quiet.remove(name)
        continue
      }
      if quiet.insert(name).inserted { logger.warning("\(name): nothing has come for 60 s") }
    }
  }
}
