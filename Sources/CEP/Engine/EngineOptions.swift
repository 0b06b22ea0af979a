public import Builtins
internal import EventTime

/// How an engine keeps time and what it may do on the way to its answers.
public struct EngineOptions: Sendable {
  /// See `docs/guides/time.md`.
  public enum ClockMode: String, Sendable, CaseIterable {
    /// Events are held and delivered in time order; the clock never goes back.
    case watermark
    /// The clock is set to each event's time before it is delivered, also backwards.
    case compat
    /// The wall clock; the embedder advances it.
    case system
  }
  /// What becomes of an event that is older than the clock when it arrives.
  public enum LatePolicy: String, Sendable, CaseIterable { case deliver, drop }

  public var clock: ClockMode = .watermark
  /// How far the watermark stays behind the largest time seen, in ms.
  public var lateness: Int64 = 30_000
  /// A time further ahead of the clock than this, in ms, does not move it on its own.
  public var maxSkew: Int64 = 600_000
  /// Without a record for this long, in ms of wall time, the clock goes on by itself.
  public var idleAfter: Int64 = 30_000
  public var late: LatePolicy = .deliver
  /// The seed of the hash tables; random by default, fixed in tests.
  public var seed: UInt64? = nil
  /// Whether statements are rewritten for speed; the answers are the same.
  public var rewrites = true
  /// Whether statements can be asked for their current rows; else those over sliding windows need keep no events (``Engine/currentRows(of:)``).
  public var keepsCurrentRows = true
  /// How many bytes one statement may keep, about; nil for no limit. Not in compat mode, whose answers must be the original's.
  public var stateLimit: Int?
  /// `@Priority` and `@Drop` are honoured.
  public var honoursPriorities = false
  /// The functions and aggregates that modules may use.
  public var catalog = FunctionCatalog.builtIn
  /// Engine time at deployment, in ms, in compat and system mode.
  public var start: Int64 = 0

  public init() {}

  var watermark: WatermarkOptions {
    var watermark = WatermarkOptions()
    watermark.lateness = lateness
    watermark.maxSkew = maxSkew
    watermark.idleAfter = idleAfter
    watermark.late = late == .drop ? .drop : .deliver
    return watermark
  }
}
