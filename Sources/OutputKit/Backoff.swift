/// When to try again: a second after the last try, then twice as long each time, up to half a minute.
public struct Backoff {
  public static let first: UInt64 = 1_000_000_000
  public static let longest: UInt64 = 30_000_000_000

  private var delay: UInt64 = 0
  private var lastTry: UInt64 = 0

  public init() {}

  /// The earliest moment for the next try, on the monotonic clock.
  public var next: UInt64 { lastTry + delay }

  /// A try begins.
  public mutating func tried(at now: UInt64) {
    lastTry = now
    delay = delay == 0 ? Self.first : min(delay * 2, Self.longest)
  }

  /// The try succeeded: the next one may come a second after it.
  public mutating func succeeded() { delay = Self.first }
}
