/// What one step writes behind its lead.
enum StepKind: UInt8 {
  case unsigned8, unsigned16, unsigned32, unsigned64
  /// Of any other length that fits.
  case unsigned, signed
  case float32, float64
  case boolean
  case ipv4, ipv6, mac
  case string
  /// "0x…", with its quotes, or null where it is empty.
  case hex
  /// Bytes of length 1, 2, 4 or 8, as a number in quotes.
  case decimalText
  /// Text that is JSON already: an array or a row of a detection.
  case json
  case tcpFlags, protocolName
  /// NTP times as numbers of micro- and nanoseconds since 1970.
  case microseconds, nanoseconds
  /// The four time types, local and UTC.
  case localTime, utcTime
  /// Structured data; written ahead, for nobody knows how long it gets.
  case list
  // Of the record's message.
  case observationDomain, packetLength, exportTime, sequence
}

/// One value of a record and the bytes that stand before it.
struct JSONStep {
  var kind: StepKind
  /// A time's abstract data type.
  var type: UInt16 = 0
  /// In bytes, in the plan's leads.
  var leadOffset: UInt32 = 0
  var leadLength: UInt32 = 0
  /// From the record's first byte; in a plan whose fields move, set for each record.
  var offset: UInt32 = 0
  var length: UInt32 = 0
  /// The field's index in the template.
  var field: UInt32 = 0

  /// Whether the value stands in quotes; quotes belong to the leads around it.
  var isQuoted: Bool {
    switch kind {
    case .ipv4, .ipv6, .mac, .string, .tcpFlags, .protocolName, .localTime, .utcTime, .decimalText: true
    default: false
    }
  }

  /// The most bytes that a value takes, besides six for each byte of a string.
  static var longestValue: Int { 48 }
}
