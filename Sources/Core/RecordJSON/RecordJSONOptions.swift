/// How records are written; the names and defaults are those of ipfixcol's json plugin.
public struct RecordJSONOptions: Sendable, Equatable {
  /// How an absolute time is written.
  public enum Timestamp: Sendable, Equatable {
    /// A number since 1970, in the element's own unit.
    case plain
    /// Local time with milliseconds and no zone, as ipfixcol writes it.
    case formatted
    /// UTC with the element's own precision and a final `Z`.
    case iso8601
  }

  /// Adds ipfixcol's `metadata` object, with the values that it has when nothing fills it.
  public var metadata = false
  /// Adds the observation domain as `odid`.
  public var observationDomain = false
  /// Writes `tcpControlBits` as six letters such as `.AP.SF` instead of a number.
  public var formatsTCPFlags = false
  public var timestamp = Timestamp.plain
  /// Writes `protocolIdentifier` as a name such as `"TCP"` instead of a number.
  public var namesProtocols = true
  /// Leaves elements out that are in no element file.
  public var ignoresUnknown = true
  /// Escapes control characters in strings; otherwise they are dropped.
  public var escapesNonPrintable = true
  /// Adds packet length, export time, sequence number and template id of the record's message.
  public var detailedInfo = false
  /// Stands before every element's name.
  public var prefix = "ipfix."

  public init() {}
}
