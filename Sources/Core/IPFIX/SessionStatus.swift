/// What a session knows at a moment, for people and for metrics.
public struct SessionStatus: Sendable {
  public struct Template: Sendable {
    public var id: UInt16
    public var isOptions: Bool
    public var fields: Int
    /// When it was defined last, in nanoseconds since 1970.
    public var definedAt: UInt64
    /// From an earlier session of the exporter, and not confirmed yet.
    public var isRestored: Bool
  }

  public struct Domain: Sendable {
    /// The protocol's version: 5, 9 or 10.
    public var version: UInt16
    public var id: UInt32
    public var templateCount: Int
    /// Empty where they were not asked for.
    public var templates: [Template]
    public var facts: ExporterFacts
  }

  /// By version and id.
  public var domains: [Domain] = []
  public var counts = DecodeCounts()
  public var templateCount = 0
  public var waitingSets = 0
  public var waitingBytes = 0
  /// When the last message arrived, in nanoseconds since 1970; 0 where none has.
  public var lastMessageAt: UInt64 = 0

  public init() {}

  /// Why a session that is open has given no flow records; nil where it has.
  public var whyNothing: String? {
    if counts.records > 0 { return nil }
    if counts.messages == 0 { return "no whole message has come" }
    if counts.takenMessages == 0 {
      let reasons = Undecodable.allCases.filter { counts[$0] > 0 }.map { "\($0.explanation) (\(counts[$0]))" }
      return "all messages are discarded: " + reasons.joined(separator: ", ")
    }
    if waitingSets > 0 || counts[.unknownTemplate] > 0 {
      let given = counts[.unknownTemplate] > 0 ? ", \(counts[.unknownTemplate]) were given up" : ""
      return templateCount == 0
        ? "no template has come yet: \(waitingSets) data sets wait\(given)"
        : "its data sets are of other templates than those that have come: \(waitingSets) wait\(given)"
    }
    let left = [Undecodable.tooManyTemplates, .tooManyFields].filter { counts[$0] > 0 }
    if !left.isEmpty { return "its templates are refused: " + left.map(\.explanation).joined(separator: ", ") }
    if counts.optionsRecords > 0 { return "only options records have come" }
    if templateCount > 0 { return "only templates have come" }
    return "its messages hold no records"
  }
}

extension Undecodable {
  /// The reason in words.
  public var explanation: String {
    switch self {
    case .badVersion: "wrong version, neither IPFIX (10) nor NetFlow 9 or 5"
    case .shortMessage: "shorter than a message's header"
    case .badMessageLength: "the length in the header is wrong"
    case .badSetLength: "a set's length is wrong"
    case .badTemplate: "a template is malformed"
    case .badRecord: "a record runs over its set's end"
    case .tooManyDomains: "of more observation domains than a session may have"
    case .unknownTemplate: "data whose template did not come in time"
    case .badWaitingSet: "data that does not fit the template it waited for"
    case .reservedSet: "a set with a reserved id"
    case .tooManyTemplates: "more templates, or fields of them, than a session may have"
    case .tooManyFields: "more fields than a template may have"
    }
  }
}

extension SessionDecoder {
  /// - Parameter withTemplates: whether each template is listed.
  public func status(withTemplates: Bool) -> SessionStatus {
    var status = SessionStatus()
    status.counts = counts
    status.counts += pending
    (status.templateCount, status.waitingSets, status.waitingBytes, status.lastMessageAt) = (templateCount, waitingCount, waitingBytes, now)
    status.domains = domains.values.sorted { ($0.key.version, $0.id) < ($1.key.version, $1.id) }.map { domain in
      let slots = withTemplates ? domain.templates.all : []
      return SessionStatus.Domain(
        version: domain.key.version, id: domain.id, templateCount: domain.templates.count,
        templates: slots.map { slot in
          SessionStatus.Template(
            id: slot.pointee.definition.id, isOptions: slot.pointee.isOptions, fields: slot.pointee.definition.fields.count,
            definedAt: slot.pointee.definedAt, isRestored: slot.pointee.isRestored)
        }, facts: domain.facts)
    }
    return status
  }
}
