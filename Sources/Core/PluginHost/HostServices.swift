import CLinux
import Glibc
public import InformationElements
import PluginABI
public import RecordBatch
import Synchronization
public import Telemetry

/// What all instances share: counters, the clock of stopping, memory, the log, the known elements.
public final class HostServices: @unchecked Sendable {
  public enum LogLevel: Int32, Sendable { case error = 0, warning, info, debug }

  public let counters: CounterRegistry
  public let stop: StopState
  public let buffers: BufferPool
  public let registry: ElementRegistry
  public let log: @Sendable (LogLevel, InstanceName, String) -> Void
  let elements: ElementList
  private let finder: PluginFinder?
  private let functionList = Mutex<FunctionList?>(nil)
  let metrics = HostFunctions.makeMetrics()
  let queue = HostFunctions.makeQueue()

  /// - Parameters:
  ///   - functions: where libraries of functions are looked for, nil: nowhere.
  ///   - log: takes a line of an instance; called from any thread.
  public init(
    counters: CounterRegistry, stop: StopState, registry: ElementRegistry, functions: PluginFinder? = nil,
    log: @escaping @Sendable (LogLevel, InstanceName, String) -> Void
  ) {
    self.counters = counters
    self.stop = stop
    self.registry = registry
    self.log = log
    buffers = BufferPool()
    elements = ElementList(registry)
    finder = functions
  }

  /// The libraries of functions, loaded when first asked for; what is wrong with others is told in the name of who asks.
  func functions(for instance: InstanceName) -> FunctionList? {
    guard let finder else { return nil }
    return functionList.withLock { known in
      if let known { return known }
      let list = FunctionList(finder)
      for fault in list.faults { log(.warning, instance, "functions that cannot be used: \(fault)") }
      known = list
      return list
    }
  }
}

/// Whether the collector is stopping, and how long it may still take. Readable by any thread, and by a poll set.
public final class StopState: Sendable {
  /// Readable once the collector stops.
  public let descriptor: Int32
  private let deadline = Atomic<UInt64>(.max)

  public init() {
    descriptor = flowcep_event_descriptor()
  }

  deinit { close(descriptor) }

  /// Begins to stop; the first call's time holds.
  public func begin(timeoutNanoseconds: UInt64) {
    let end = Clock.monotonic() &+ timeoutNanoseconds
    guard deadline.compareExchange(expected: .max, desired: end, ordering: .sequentiallyConsistent).exchanged else { return }
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  public var isStopping: Bool { deadline.load(ordering: .relaxed) != .max }

  /// Nanoseconds left for draining; `UInt64.max` while nothing stops.
  public var nanosecondsLeft: UInt64 {
    let end = deadline.load(ordering: .relaxed)
    guard end != .max else { return .max }
    let now = Clock.monotonic()
    return end > now ? end - now : 0
  }
}

/// The two clocks, in nanoseconds.
public enum Clock {
  /// Since 1970.
  public static func wall() -> UInt64 { read(CLOCK_REALTIME) }
  public static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
