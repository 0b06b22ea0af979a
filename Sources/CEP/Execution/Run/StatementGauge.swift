internal import EventModel
internal import Glibc

/// What a statement has taken, given, spent and keeps.
public struct StatementGauge: Sendable, Equatable {
  /// Events that passed the filters of its FROM clause.
  public var eventsIn: UInt64 = 0
  public var rowsOut: UInt64 = 0
  /// CPU time; of single events one in ``StatementTimes/sampling`` is measured and stands for the others.
  public var nanoseconds: UInt64 = 0
  /// Rows, groups, partial matches and the like, as last measured, and about how many bytes they take.
  public var entries = 0
  public var bytes = 0
  /// Entries given up because the statement kept more than it may.
  public var shed: UInt64 = 0

  public init() {}
}

/// CPU time of the engine's thread, shared out among the statements.
struct StatementTimes {
  /// Reading the thread's clock costs as much as many a statement's work on an event.
  static let sampling: UInt64 = 128
  private var count: UInt64 = 0

  /// Whether this event is measured.
  mutating func isSampled() -> Bool {
    count &+= 1
    return count % Self.sampling == 0
  }

  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

extension StatementRuntime {
  /// Counts the time of a sampled event for all that it stands for; the time now.
  func note(since start: UInt64) -> UInt64 {
    let now = StatementTimes.now()
    gauge.nanoseconds += (now - start) * StatementTimes.sampling
    return now
  }
}

extension Runtime {
  /// What a statement has done and keeps.
  public func gauge(of number: Int) -> StatementGauge { statements[number].gauge }

  /// Counts what a statement keeps; a few of many things alike stand for the others.
  public func measure(_ number: Int) {
    let archive = StateArchive.measuring()
    statements[number].exchange(archive)
    statements[number].gauge.entries = archive.entries
    statements[number].gauge.bytes = archive.size
  }
}
