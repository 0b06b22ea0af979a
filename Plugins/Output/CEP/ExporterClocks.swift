import Engine
import EventTime
import PluginABI
import PluginKit
import RecordBatch

/// Tells the operator what the engine finds out about the exporters' clocks, with the sessions' names.
struct ExporterClocks {
  private let host: Host
  private var names: [UInt32: String] = [:]

  init(_ host: Host) { self.host = host }

  mutating func opened(_ event: Batch) {
    guard let session = event.session else { return }
    names[UInt32(truncatingIfNeeded: session.pointee.id)] = session.pointee.name.map { String(cString: $0) }
  }

  mutating func closed(_ event: Batch, _ engine: Engine) {
    guard let session = event.session else { return }
    let number = UInt32(truncatingIfNeeded: session.pointee.id)
    names[number] = nil
    engine.endSession(number)
  }

  func report(_ engine: Engine) {
    for notice in engine.takeClockNotices() {
      switch notice {
      case .sessionAhead(let session, let milliseconds):
        host.log(
          .warning,
          "the clock of \(name(session)) is \(milliseconds / 1000) s ahead of the others: it moves the engine's time no more, and its "
            + "records count as of now")
      case .sessionBack(let session): host.log(.info, "the clock of \(name(session)) agrees with the others again")
      case .jumped(let from, let to): host.log(.info, "the records' time has moved on by \((to - from) / 1000) s at once")
      }
    }
  }

  private func name(_ session: UInt32) -> String { names[session].map { "exporter \($0)" } ?? "session \(session)" }
}
