import PluginABI
public import RecordBatch
import Synchronization
public import Telemetry

/// An exporting process's destinations, by observation domain: one that names a domain gets that domain's records, one that
/// names none those of all domains that no other names.
public final class DomainRouter: BatchTarget, @unchecked Sendable {
  public struct Route {
    public var domain: UInt32?
    public var target: any BatchTarget

    public init(domain: UInt32?, target: any BatchTarget) {
      self.domain = domain
      self.target = target
    }
  }

  private let process: String
  private let routes: [Route]
  private let named: Set<UInt32>
  private let all: Fan
  private let received = Atomic<UInt64>(0)
  private let unrouted = Atomic<UInt64>(0)

  public init(process: String, routes: [Route]) {
    self.process = process
    self.routes = routes
    named = Set(routes.compactMap(\.domain))
    all = Fan(routes.map(\.target))
  }

  public func take(_ batch: consuming BatchStorage) {
    received.wrappingAdd(UInt64(batch.recordCount), ordering: .relaxed)
    if named.isEmpty || batch.kind != .records {
      all.take(batch)
    } else {
      split(batch)
    }
  }

  public func end() { all.end() }

  private func split(_ batch: BatchStorage) {
    let view = batch.view
    if let domain = view.messages.first?.observation_domain, view.messages.allSatisfy({ $0.observation_domain == domain }) {
      let fitting = routes.filter { takes($0, domain) }
      if fitting.isEmpty { unrouted.wrappingAdd(UInt64(batch.recordCount), ordering: .relaxed) }
      fitting.forEach { $0.target.take(batch) }
      return
    }
    func domain(_ record: flowcep_record) -> UInt32 { view.messages[Int(record.message_index)].observation_domain }
    for route in routes {
      let chosen = view.records.filter { takes(route, domain($0)) }
      guard !chosen.isEmpty else { continue }
      chosen.withUnsafeBufferPointer { route.target.take(batch.copy(records: $0)) }
    }
    let lost = view.records.filter { record in !routes.contains { takes($0, domain(record)) } }.count
    unrouted.wrappingAdd(UInt64(lost), ordering: .relaxed)
  }

  private func takes(_ route: Route, _ domain: UInt32) -> Bool {
    route.domain.map { $0 == domain } ?? !named.contains(domain)
  }

  /// Records that came in, and that no destination was for.
  public var account: Ledger.Account {
    let (total, lost) = (received.load(ordering: .relaxed), unrouted.load(ordering: .relaxed))
    return Ledger.Account(
      InstanceName(.process, process), received: total, delivered: total - lost, dropped: [.init("no-destination", lost)])
  }
}
