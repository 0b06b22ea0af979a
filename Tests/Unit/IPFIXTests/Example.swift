import IPFIX

/// Messages that the tests take apart.
enum Example {
  static let fixed = TemplateRecord(
    id: 256, fields: [.init(element: 8, length: 4), .init(element: 2, length: 3), .init(element: 4, length: 1)])
  static let variable = TemplateRecord(
    id: 300,
    fields: [
      .init(element: 8, length: 4), .init(enterprise: 39499, element: 2, length: Wire.variableLength), .init(element: 11, length: 2),
      .init(element: 82, length: Wire.variableLength),
    ])
  static let options = TemplateRecord(
    id: 400, fields: [.init(element: 149, length: 4), .init(element: 41, length: 8)], scopeCount: 1)

  static let fixedRecord: [UInt8] = [192, 0, 2, 1, 1, 0, 2, 6]

  static func variableRecord(_ url: String, _ interface: String) -> [UInt8] {
    [192, 0, 2, 9] + counted(url) + [0x1f, 0x90] + counted(interface)
  }

  /// A value of variable length with its length before it.
  static func counted(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    if bytes.count < 255 { return [UInt8(bytes.count)] + bytes }
    return [255, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
  }

  static let optionsRecord: [UInt8] = [0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 0]

  /// Three templates and six records, in one message.
  static func message(domain: UInt32 = 7, sequence: UInt32 = 0) -> [UInt8] {
    var encoder = MessageEncoder(observationDomain: domain, maximumLength: 4000, sequence: sequence)
    for template in [fixed, variable, options] { encoder.add(template) }
    for _ in 0..<3 { encoder.addRecord(template: 256, fixedRecord) }
    encoder.addRecord(template: 300, variableRecord("/wp-login.php", ""))
    encoder.addRecord(template: 300, variableRecord(String(repeating: "x", count: 300), "eth0"))
    encoder.addRecord(template: 400, optionsRecord)
    return encoder.finish(exportTime: 1_523_546_564)
  }

  /// A message of data records alone.
  static func data(_ count: Int, sequence: UInt32, exportTime: UInt32 = 100, domain: UInt32 = 7) -> [UInt8] {
    var encoder = MessageEncoder(observationDomain: domain, maximumLength: 65535, sequence: sequence)
    for _ in 0..<count { encoder.addRecord(template: 256, fixedRecord) }
    return encoder.finish(exportTime: exportTime)
  }

  static func template(_ template: TemplateRecord, sequence: UInt32 = 0, domain: UInt32 = 7) -> [UInt8] {
    var encoder = MessageEncoder(observationDomain: domain, maximumLength: 65535, sequence: sequence)
    encoder.add(template)
    return encoder.finish(exportTime: 100)
  }
}
