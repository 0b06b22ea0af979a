/// What a session's first steps are, and what it sends that nobody knows: each said once, for the log.
public enum DecoderNotice: Sendable, Hashable {
  case firstTemplate(domain: UInt32, id: UInt16)
  case firstRecord(domain: UInt32, template: UInt16)
  case unknownElement(enterprise: UInt32, id: UInt16)
  case unknownTemplate(domain: UInt32, id: UInt16)
  /// A definition that differs from the one in force, where the transport forbids that.
  case redefinition(domain: UInt32, id: UInt16)
  /// So many templates of an earlier session are used until the exporter defines its own.
  case restored(templates: Int)
  /// So are templates that other ports of its address defined.
  case restoredOfAddress
  case undecodable(Undecodable)
}
