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
