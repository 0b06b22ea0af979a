import CLinux
import Glibc
import PluginHost
import Synchronization

/// What the stages tell the control thread: that one failed for good, that all have ended.
public final class RunState: Sendable {
  /// Readable when there is something to look at.
  public let descriptor: Int32
  private let running = Atomic<Int>(0)
  private let draining = Atomic<Bool>(false)
  private let failures = Mutex<[String]>([])

  public init() {
    descriptor = flowcep_event_descriptor()
  }

  deinit { close(descriptor) }

  /// True when every stage that was started has ended.
  public var isFinished: Bool { running.load(ordering: .acquiring) == 0 }

  /// True once the inputs are to take what has reached this machine, and end. Only then does the collector stop for plugins.
  public var isDraining: Bool { draining.load(ordering: .relaxed) }

  public func drainInputs() { draining.store(true, ordering: .relaxed) }

  /// Failures after which the configuration wants the collector to stop.
  public func takeFailures() -> [String] {
    failures.withLock { failures in
      defer { failures = [] }
      return failures
    }
  }

  func fail(_ message: String) {
    failures.withLock { $0.append(message) }
    wake()
  }

  func stageStarts() { running.add(1, ordering: .relaxed) }

  func stageEnded() {
    running.subtract(1, ordering: .acquiringAndReleasing)
    wake()
  }

  private func wake() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }
}

/// A thread of ours, which has a name and a stack for signal handlers. No async/await on the data path.
final class StageThread: @unchecked Sendable {
  private var thread = pthread_t()
  private var isJoined = false
  private var hasStarted = false

  private final class Body {
    let name: String
    let run: () -> Void
    init(_ name: String, _ run: @escaping () -> Void) {
      self.name = name
      self.run = run
    }
  }

  /// False where the system gives no thread.
  func start(_ name: String, _ run: @escaping () -> Void) -> Bool {
    let body = Unmanaged.passRetained(Body(name, run))
    let status = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
        flowcep_name_thread(body.name)
        flowcep_use_signal_stack()
        body.run()
        return nil
      }, body.toOpaque())
    if status != 0 { body.release() }
    hasStarted = status == 0
    return hasStarted
  }

  /// Waits for the end of a thread that has said that it ends.
  func join() {
    guard hasStarted, !isJoined else { return }
    isJoined = true
    pthread_join(thread, nil)
  }
}
