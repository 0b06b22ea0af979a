public import PluginHost
import RecordBatch
public import Telemetry
import Synchronization

/// Intermediates in series, on one thread.
public final class ChainStage: QueueStage, @unchecked Sendable {
  public struct Link {
    public var instance: PluginInstance
    public var stopsOnError: Bool

    public init(instance: PluginInstance, stopsOnError: Bool) {
      self.instance = instance
      self.stopsOnError = stopsOnError
    }
  }

  private final class Tally: Sendable {
    let received = Atomic<UInt64>(0)
    let passed = Atomic<UInt64>(0)
    let failed = Atomic<UInt64>(0)
  }

  private let links: [Link]
  private let tallies: [Tally]
  private var failures: [FailureReport]
  private let next: any BatchTarget

  /// - Parameter next: gets what comes out of the last link.
  public init(name: String, links: [Link], next: any BatchTarget, services: HostServices, state: RunState) {
    self.links = links
    self.next = next
    tallies = links.map { _ in Tally() }
    failures = links.map { FailureReport(services, state, stops: $0.stopsOnError) }
    super.init(name: name, services: services, state: state, policy: .block, bytes: 4 << 20)
  }

  override func handle(_ batch: consuming BatchStorage) {
    let kind = batch.kind
    feed(consume batch, to: 0)
    if kind == .end { next.end() }
  }

  override func idle() {
    for i in links.indices {
      do throws(PluginFailure) { passOn(try links[i].instance.idle(), from: i) } catch { failures[i].add(error, links[i].instance.name) }
    }
  }

  private func feed(_ batch: consuming BatchStorage, to index: Int) {
    let kind = batch.kind
    guard index < links.count else {
      // Ticks are every stage's own, and the end is said once the batch is through.
      if kind == .records || kind == .sessionOpened || kind == .sessionClosed { next.take(batch) }
      return
    }
    let records = UInt64(batch.recordCount)
    let goesOn = kind == .records ? nil : batch
    tallies[index].received.wrappingAdd(records, ordering: .relaxed)
    do throws(PluginFailure) {
      passOn(try links[index].instance.process(consume batch), from: index)
    } catch {
      tallies[index].failed.wrappingAdd(records, ordering: .relaxed)
      failures[index].add(error, links[index].instance.name)
    }
    if let goesOn { feed(goesOn, to: index + 1) }
  }

  private func passOn(_ emitted: [BatchStorage], from index: Int) {
    // Each is given away by the only reference to it, so that the next link may write to the same memory.
    var waiting = emitted
    waiting.reverse()
    while let batch = waiting.popLast() {
      tallies[index].passed.wrappingAdd(UInt64(batch.recordCount), ordering: .relaxed)
      feed(consume batch, to: index + 1)
    }
  }

  /// An account for each link; the first one also answers for the queue.
  public var accounts: [Ledger.Account] {
    links.indices.map { i in
      let passed = tallies[i].passed.load(ordering: .relaxed)
      let taken = tallies[i].received.load(ordering: .relaxed)
      let failed = tallies[i].failed.load(ordering: .relaxed)
      let name = links[i].instance.name
      var account = Ledger.Account(name, received: i == 0 ? offered.load(ordering: .relaxed) : taken, delivered: passed)
      account.dropped = (i == 0 ? queueDrops : []) + services.counters.drops(of: name) + [.init("failed", failed)]
      let rest = account.unaccounted
      if rest > 0 { account.dropped.append(.init(isEnded ? "not-passed" : Ledger.Account.unfinished, UInt64(rest))) }
      if rest < 0 { account.added = UInt64(-rest) }
      return account
    }
  }
}

extension CounterRegistry {
  /// What an instance itself says that it dropped, by reason.
  func drops(of name: InstanceName) -> [Ledger.Entry] {
    counters(of: name).filter { $0.kind == .dropped && $0.label == nil }.map { Ledger.Entry($0.name, $0.value) }
  }
}
