/// What a session knows of one observation domain. Each protocol version has domains of its own: their template ids have nothing
/// to do with each other.
final class Domain {
  struct Key: Hashable {
    let version: UInt16
    /// IPFIX's observation domain id, NetFlow 9's source id, NetFlow 5's engine type and id.
    let id: UInt32
  }

  let key: Key
  var id: UInt32 { key.id }
  var templates = TemplateTable()
  var sequence: SequenceTracker
  var facts = ExporterFacts()
  /// Some of its templates are from an earlier session, or were.
  var hasRestored = false
  /// The exporter has begun anew in this session.
  var hasBegunAnew = false
  /// Ids whose templates were kept of other ports and have been put back: once is enough.
  var putBackBefore: Set<UInt16> = []

  init(_ key: Key) {
    self.key = key
    sequence = SequenceTracker(key.version == Wire.version9 ? .messages : .records)
  }
}
