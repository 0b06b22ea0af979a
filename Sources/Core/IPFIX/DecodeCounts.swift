/// Why something that arrived could not be decoded. The raw value is the name in counters and logs.
public enum Undecodable: String, Sendable, CaseIterable {
  /// Messages discarded whole.
  case badVersion = "bad-version"
  case shortMessage = "short-message"
  case badMessageLength = "bad-message-length"
  case badSetLength = "bad-set-length"
  case badTemplate = "bad-template"
  /// A record of variable length that runs over its set's end.
  case badRecord = "bad-record"
  case tooManyDomains = "too-many-domains"
  /// Sets or templates left out; the rest of the message was taken.
  /// Data sets whose template did not come in time.
  case unknownTemplate = "unknown-template"
  /// Data sets that do not fit the template that they have waited for.
  case badWaitingSet = "bad-waiting-set"
  case reservedSet = "reserved-set"
  case tooManyTemplates = "too-many-templates"
  case tooManyFields = "too-many-fields"

  /// Whether a whole message is discarded for that reason.
  public var discardsMessage: Bool {
    switch self {
    case .badVersion, .shortMessage, .badMessageLength, .badSetLength, .badTemplate, .badRecord, .tooManyDomains: true
    case .unknownTemplate, .badWaitingSet, .reservedSet, .tooManyTemplates, .tooManyFields: false
    }
  }

  var index: Int { Self.indices[self] ?? 0 }
  private static let indices = Dictionary(uniqueKeysWithValues: zip(allCases, 0...))
}

/// What a decoder has counted. Sums: use `+=`.
public struct DecodeCounts: Sendable, Equatable {
  public internal(set) var messages: UInt64 = 0
  /// Those of the messages that were not discarded: messages = taken + each reason that discards a message.
  public internal(set) var takenMessages: UInt64 = 0
  public internal(set) var bytes: UInt64 = 0
  /// Records of flow templates.
  public internal(set) var records: UInt64 = 0
  /// Records of options templates.
  public internal(set) var optionsRecords: UInt64 = 0
  /// Definitions that were new or changed, of both kinds.
  public internal(set) var templates: UInt64 = 0
  /// Definitions that replaced a different one; over TCP and in files a fault of the exporter.
  public internal(set) var redefinitions: UInt64 = 0
  public internal(set) var withdrawals: UInt64 = 0
  /// Withdrawals that had no effect: over UDP, or of a template that is not there.
  public internal(set) var ignoredWithdrawals: UInt64 = 0
  /// Times that a sequence number was ahead of the expected one.
  public internal(set) var sequenceGaps: UInt64 = 0
  /// Data records missing by sequence number (RFC 7011 §10.1).
  public internal(set) var lostRecords: UInt64 = 0
  /// Those of the missing that came later after all.
  public internal(set) var recoveredRecords: UInt64 = 0
  /// Messages missing by sequence number, of an exporter that counts them (NetFlow 9).
  public internal(set) var lostMessages: UInt64 = 0
  /// Those of the missing that came later after all.
  public internal(set) var recoveredMessages: UInt64 = 0
  /// Messages that came again.
  public internal(set) var repeatedMessages: UInt64 = 0
  /// Data records that were received in sets of unknown templates, by sequence number.
  public internal(set) var undecodedRecords: UInt64 = 0
  /// Records that were decoded when their template had come after them; also in `records` and `optionsRecords`.
  public internal(set) var lateRecords: UInt64 = 0
  /// Records that were decoded with templates of an earlier session of the exporter.
  public internal(set) var restoredRecords: UInt64 = 0
  /// Data sets that were set aside because their template had not come: those decoded late, those given up, those that wait.
  public internal(set) var waitedSets: UInt64 = 0
  /// Those of them that were decoded.
  public internal(set) var lateSets: UInt64 = 0
  /// Definitions dropped because they had not been repeated in time (RFC 7011 §8.4), or to make room for new ones.
  public internal(set) var expiredTemplates: UInt64 = 0
  public internal(set) var evictedTemplates: UInt64 = 0
  /// Elements that exporters described (RFC 5610).
  public internal(set) var describedElements: UInt64 = 0
  /// Structured data that lies about its lengths, nests too deep or refers to templates that are not there; shown as bytes.
  public internal(set) var unreadableLists: UInt64 = 0
  /// Messages that came after a later one.
  public internal(set) var reorderedMessages: UInt64 = 0
  /// Times that a sequence number went back for good: the exporter began anew.
  public internal(set) var sequenceRestarts: UInt64 = 0
  private var undecodable: [UInt64] = []

  public init() {}

  /// Whether every message, and every set that waited, is accounted for.
  ///
  /// - Parameter waitingSets: those that wait now; nil where that is not known.
  public func closes(waitingSets: Int?) -> Bool {
    let discarded = Undecodable.allCases.filter(\.discardsMessage).reduce(takenMessages) { $0 + self[$1] }
    let waited = lateSets + self[.unknownTemplate] + self[.badWaitingSet]
    return discarded == messages && (waitingSets.map { waited + UInt64($0) == waitedSets } ?? (waited <= waitedSets))
  }

  /// How often that happened.
  public subscript(reason: Undecodable) -> UInt64 { undecodable.isEmpty ? 0 : undecodable[reason.index] }

  mutating func count(_ reason: Undecodable) {
    if undecodable.isEmpty { undecodable = Array(repeating: 0, count: Undecodable.allCases.count) }
    undecodable[reason.index] += 1
  }

  public static func += (a: inout Self, b: Self) {
    a.messages += b.messages
    a.takenMessages += b.takenMessages
    a.bytes += b.bytes
    a.records += b.records
    a.optionsRecords += b.optionsRecords
    a.templates += b.templates
    a.redefinitions += b.redefinitions
    a.withdrawals += b.withdrawals
    a.ignoredWithdrawals += b.ignoredWithdrawals
    a.sequenceGaps += b.sequenceGaps
    a.lostRecords += b.lostRecords
    a.recoveredRecords += b.recoveredRecords
    a.lostMessages += b.lostMessages
    a.recoveredMessages += b.recoveredMessages
    a.repeatedMessages += b.repeatedMessages
    a.undecodedRecords += b.undecodedRecords
    a.lateRecords += b.lateRecords
    a.restoredRecords += b.restoredRecords
    a.waitedSets += b.waitedSets
    a.lateSets += b.lateSets
    a.expiredTemplates += b.expiredTemplates
    a.evictedTemplates += b.evictedTemplates
    a.describedElements += b.describedElements
    a.unreadableLists += b.unreadableLists
    a.reorderedMessages += b.reorderedMessages
    a.sequenceRestarts += b.sequenceRestarts
    guard !b.undecodable.isEmpty else { return }
    if a.undecodable.isEmpty {
      a.undecodable = b.undecodable
    } else {
      for i in b.undecodable.indices { a.undecodable[i] += b.undecodable[i] }
    }
  }
}
