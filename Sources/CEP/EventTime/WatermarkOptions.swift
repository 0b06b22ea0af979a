/// How far the clock trusts what it is told. All times in ms.
public struct WatermarkOptions: Sendable {
  /// What becomes of an event that is older than the clock when it arrives.
  public enum LatePolicy: Sendable {
    /// Delivered at the current clock.
    case deliver
    case drop
  }

  /// How far the clock stays behind the largest time seen.
  public var lateness: Int64 = 30_000
  public var late = LatePolicy.deliver
  /// A time further ahead of the clock than this needs agreement; nil for input whose times are beyond doubt.
  public var maxSkew: Int64? = 600_000
  /// How many later messages of one session agree with it, where no other session can.
  public var agreement = 3
  /// After this long without a record the clock goes on with the wall's.
  public var idleAfter: Int64 = 30_000
  /// How many events may be held; with more of them the clock is pressed forward, so that memory stays bounded.
  public var maxHeld = 2_000_000

  public init() {}
}

/// What happened to the events: received = delivered + dropped + unwanted + held.
public struct WatermarkCounts: Sendable, Equatable {
  public var received: UInt64 = 0
  public var delivered: UInt64 = 0
  /// Older than the clock on arrival, whether delivered or dropped.
  public var late: UInt64 = 0
  /// Late ones that were dropped.
  public var dropped: UInt64 = 0
  /// Not held, for no statement wants them: only their times counted.
  public var unwanted: UInt64 = 0
  /// Not delivered at a time of their own, which lay ahead of all others' or of their message's export time.
  public var ahead: UInt64 = 0
  /// Handed out early because too many were held.
  public var pressed: UInt64 = 0

  public init() {}
}

/// Something about the clock that an operator is told once.
public enum ClockNotice: Sendable, Equatable {
  /// A session's times stay ahead of the others' by so many ms: it moves the clock no more.
  case sessionAhead(session: UInt32, milliseconds: Int64)
  /// A session that was ahead is back in range.
  case sessionBack(session: UInt32)
  /// The clock went further at once than the permitted skew, since enough messages agreed.
  case jumped(from: Int64, to: Int64)
}
