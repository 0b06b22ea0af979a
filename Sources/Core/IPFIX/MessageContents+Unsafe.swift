/// What stands in a message, for people who look at one; the decoder has its own way.
public enum MessageContents {
  /// The templates that an IPFIX message defines or withdraws (those have no fields), in order; none where it is malformed.
  public static func templates(in message: UnsafeRawBufferPointer) -> [TemplateRecord] {
    guard let start = message.baseAddress, message.count >= Wire.messageHeader, load16(start, 0) == Wire.version else { return [] }
    var templates: [TemplateRecord] = []
    var place = Wire.messageHeader
    while place < message.count, let set = setBody(start, at: place, messageEnd: message.count) {
      if set.id == Wire.templateSet || set.id == Wire.optionsTemplateSet {
        guard walkTemplates(start, set, fieldLimit: Int(UInt16.max), { templates.append($0) }) else { break }
      }
      place = set.end
    }
    return templates
  }
}
