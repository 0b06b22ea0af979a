/// Remembers what has been said, so that it is said once in a session; after a bounded number of things, nothing new is said.
struct NoticedOnce {
  private static let limit = 256
  private var firstTemplate = false
  private var firstRecord = false
  private var isSilent = false
  private var others: Set<DecoderNotice> = []

  /// Forgets what has been said, and says nothing more.
  mutating func silence() {
    others = []
    isSilent = true
  }

  var count: Int { others.count }

  mutating func isNew(_ notice: DecoderNotice) -> Bool {
    switch notice {
    case .firstTemplate:
      defer { firstTemplate = true }
      return !firstTemplate
    case .firstRecord:
      defer { firstRecord = true }
      return !firstRecord
    default:
      return !isSilent && others.count < Self.limit && others.insert(notice).inserted
    }
  }
}
