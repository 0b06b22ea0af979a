public import PluginABI
public import PluginHost
public import RecordBatch
import Synchronization
public import Telemetry

/// One output, on a thread of its own behind a bounded queue.
public final class OutputStage: QueueStage, InstanceSink, @unchecked Sendable {
  public let instance: PluginInstance
  private var exports: [String: Junction] = [:]
  private var failures: FailureReport
  private let processed = Atomic<UInt64>(0)
  private let failed = Atomic<UInt64>(0)
  private let emitted = Atomic<UInt64>(0)

  public init(
    instance: PluginInstance, policy: BatchQueue.Policy, bytes: Int, stopsOnError: Bool, services: HostServices, state: RunState
  ) {
    self.instance = instance
    failures = FailureReport(services, state, stops: stopsOnError)
    super.init(name: instance.name.name, services: services, state: state, policy: policy, bytes: bytes)
    instance.context.sink = self
  }

  /// Before anything starts: an exporting process that the output may emit to.
  public func export(to junction: Junction) {
    guard exports[junction.name] == nil else { return }
    exports[junction.name] = junction
    junction.addProducer()
  }

  /// Records that this output emitted to exporting processes.
  public var emittedRecords: UInt64 { emitted.load(ordering: .relaxed) }

  override func handle(_ batch: consuming BatchStorage) {
    let records = UInt64(batch.recordCount)
    let kind = batch.kind
    do throws(PluginFailure) {
      _ = try instance.process(batch)
      processed.wrappingAdd(records, ordering: .relaxed)
    } catch {
      failed.wrappingAdd(records, ordering: .relaxed)
      failures.add(error, instance.name)
    }
    if kind == .end { exports.values.forEach { $0.end() } }
  }

  override func idle() {
    do throws(PluginFailure) { _ = try instance.idle() } catch { failures.add(error, instance.name) }
  }

  // MARK: What the plugin emits, on this stage's thread

  public func take(_ batch: BatchStorage, for process: String) -> flowcep_status {
    guard let junction = exports[process] else {
      instance.context.refuse("it emits to the exporting process \"\(process)\", which its options do not name")
      return flowcep_status(FLOWCEP_FAILED)
    }
    emitted.wrappingAdd(UInt64(batch.recordCount), ordering: .relaxed)
    junction.take(batch)
    return flowcep_status(FLOWCEP_OK)
  }

  public func take(_ packets: UnsafeBufferPointer<flowcep_packet>, in buffer: Buffer, used: Int) -> flowcep_status {
    flowcep_status(FLOWCEP_FAILED)
  }
  public func opened(_ session: Session) {}
  public func closed(_ session: Session, reason: String?) {}

  /// received = delivered + each drop. What a plugin counts as delivered holds; of one that does not count, what it processed.
  public var account: Ledger.Account {
    let counters = services.counters.counters(of: instance.name).filter { $0.label == nil }
    let delivered = counters.filter { $0.kind == .delivered }
    let own = services.counters.drops(of: instance.name)
    let done = processed.load(ordering: .relaxed)
    let ownDrops = own.reduce(0) { $0 + $1.amount }
    var account = Ledger.Account(
      instance.name, received: 0,
      delivered: delivered.isEmpty ? (done > ownDrops ? done - ownDrops : 0) : delivered.reduce(0) { $0 + $1.value },
      dropped: queueDrops + own)
    // Last, for while the stage runs more comes and more is delivered.
    account.received = offered.load(ordering: .relaxed)
    account.noted = counters.filter { $0.kind == .information }.map { .init($0.name, $0.value) }
    let rest = account.unaccounted
    guard rest > 0 else { return account }
    // Of a batch whose process failed the plugin may have delivered a part.
    let lost = min(UInt64(rest), failed.load(ordering: .relaxed))
    account.dropped.append(.init("failed", lost))
    if !isEnded { account.dropped.append(.init(Ledger.Account.unfinished, UInt64(rest) - lost)) }
    return account
  }

  /// Of an output with several destinations, an account of each: all of them get what the instance has processed.
  public var destinationAccounts: [Ledger.Account] {
    let counters = services.counters.counters(of: instance.name).filter { $0.label?.name == "destination" }
    var names: [String] = []
    for name in counters.compactMap(\.label?.value) where !names.contains(name) { names.append(name) }
    let done = processed.load(ordering: .relaxed)
    return names.map { name in
      let own = counters.filter { $0.label?.value == name }
      func entries(_ kind: Counter.Kind) -> [Ledger.Entry] { own.filter { $0.kind == kind }.map { .init($0.name, $0.value) } }
      var account = Ledger.Account(
        instance.name, received: done, delivered: entries(.delivered).reduce(0) { $0 + $1.amount }, dropped: entries(.dropped))
      // While a batch is in process, a part of it may be delivered.
      if account.unaccounted < 0, !isEnded { account.received &-= UInt64(bitPattern: account.unaccounted) }
      account.destination = name
      account.noted = entries(.information)
      if !isEnded, account.unaccounted > 0 { account.dropped.append(.init(Ledger.Account.unfinished, UInt64(account.unaccounted))) }
      return account
    }
  }
}
