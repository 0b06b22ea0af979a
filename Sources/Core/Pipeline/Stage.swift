import PluginHost
public import RecordBatch
import Synchronization
import Telemetry
import Threads

/// What the stages with a queue have in common: one thread that takes batches in order, says once a second what time it is, and
/// lets the plugin flush when nothing waits.
public class QueueStage: BatchTarget, @unchecked Sendable {
  let services: HostServices
  let state: RunState
  private let queue: BatchQueue
  private let thread = NamedThread()
  private let name: String
  private let hasEnded = Atomic<Bool>(false)
  // Of records: offered to this stage, not taken into the queue, and left in it when time was up.
  let offered = Atomic<UInt64>(0)
  private let full = Atomic<UInt64>(0)
  private let stopped = Atomic<UInt64>(0)

  init(name: String, services: HostServices, state: RunState, policy: BatchQueue.Policy, bytes: Int) {
    self.name = name
    self.services = services
    self.state = state
    queue = BatchQueue(policy: policy, maximumBytes: bytes, stop: services.stop)
  }

  // MARK: Any thread

  public func take(_ batch: consuming BatchStorage) {
    let records = UInt64(batch.recordCount)
    offered.wrappingAdd(records, ordering: .relaxed)
    switch queue.push(batch) {
    case .taken: break
    case .full: full.wrappingAdd(records, ordering: .relaxed)
    case .stopped: stopped.wrappingAdd(records, ordering: .relaxed)
    }
  }

  public func end() { _ = queue.push(BatchStorage(kind: .end)) }

  /// Records that the stage's queue did not take, or did not give before time was up.
  var queueDrops: [Ledger.Entry] {
    [.init("queue-full", full.load(ordering: .relaxed)), .init("stopping", stopped.load(ordering: .relaxed))]
  }

  /// How much waits before the stage.
  public var queueLoad: (bytes: Int, batches: Int) { queue.load }

  /// How full the queue before the stage is, in thousandths, where what finds it full is lost.
  public var pressure: Int { queue.pressure }

  /// False while the thread runs. What it then works on is in nobody's count yet.
  public var isEnded: Bool { hasEnded.load(ordering: .acquiring) }

  // MARK: Control thread

  public func start() -> Bool {
    state.stageStarts()
    let status = thread.start(name) { [self] in
      run()
      hasEnded.store(true, ordering: .releasing)
      state.stageEnded()
    }
    if status != 0 { state.stageEnded() }
    return status == 0
  }

  public func join() { thread.join() }

  // MARK: The stage's thread

  private func run() {
    var nextTick = Clock.monotonic() + Self.tick
    var worked = false
    while true {
      if let batch = queue.pop(until: worked ? 0 : nextTick) {
        let kind = batch.kind
        if kind == .records, services.stop.nanosecondsLeft == 0 {
          stopped.wrappingAdd(UInt64(batch.recordCount), ordering: .relaxed)
        } else {
          if batch.timeNanoseconds == 0 { batch.timeNanoseconds = Clock.wall() }
          // The only reference goes along: who writes to a batch that others hold works on a copy.
          handle(consume batch)
        }
        if kind == .end { return }
        worked = true
      } else if worked {
        idle()
        worked = false
      }
      let now = Clock.monotonic()
      if now >= nextTick {
        nextTick = now + Self.tick
        let tick = BatchStorage(kind: .tick)
        tick.timeNanoseconds = Clock.wall()
        handle(tick)
      }
    }
  }

  private static let tick: UInt64 = 1_000_000_000

  func handle(_ batch: consuming BatchStorage) {}
  func idle() {}
}

/// Says a stage's failures in the log without flooding it, and stops the collector where the configuration wants that.
struct FailureReport {
  private let services: HostServices
  private let state: RunState
  private let stops: Bool
  private var silentUntil: UInt64 = 0
  private var unsaid = 0

  init(_ services: HostServices, _ state: RunState, stops: Bool) {
    self.services = services
    self.state = state
    self.stops = stops
  }

  mutating func add(_ failure: PluginFailure, _ name: InstanceName) {
    if stops { state.fail(failure.description) }
    let now = Clock.monotonic()
    guard now >= silentUntil else {
      unsaid += 1
      return
    }
    let more = unsaid > 0 ? " (and \(unsaid) more like it before)" : ""
    services.log(.error, name, failure.description + more)
    silentUntil = now + 10_000_000_000
    unsaid = 0
  }
}
