import CLinux
import Glibc

/// A thread of ours: it has a name, and a stack for signal handlers. No async/await on the data path.
public final class NamedThread: @unchecked Sendable {
  private var thread = pthread_t()
  private var isRunning = false

  private final class Body {
    let name: String
    let run: () -> Void
    init(_ name: String, _ run: @escaping () -> Void) {
      self.name = name
      self.run = run
    }
  }

  public init() {}

  /// Runs `body` on a thread of its own; once.
  ///
  /// - Parameter name: for people who look at the process; 15 characters are kept.
  /// - Returns: 0, or the errno for which the system gives no thread.
  public func start(_ name: String, _ body: @escaping () -> Void) -> Int32 {
    let body = Unmanaged.passRetained(Body(name, body))
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
    isRunning = status == 0
    return status
  }

  /// Waits until the body has ended; at once where there is no thread, or none any more.
  public func join() {
    if isRunning { pthread_join(thread, nil) }
    isRunning = false
  }
}
