import Foundation

/// The shared capture as the JSON lines that the reference tool was given: its four templates have fixed lengths and are known.
enum Capture {
  static let shared: String = {
    if let folder = ProcessInfo.processInfo.environment["FLOWCEP_SHARED"] { return folder }
    let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return repository.deletingLastPathComponent().appendingPathComponent("shared").path
  }()

  /// Element name, length and kind of each field, by template.
  private enum Kind { case number, address, text, skipped }
  private static let common: [(String, Int, Kind)] = [
    ("octetDeltaCount", 8, .number), ("packetDeltaCount", 8, .number), ("protocolIdentifier", 1, .number),
  ]
  private static let ends: [(String, Int, Kind)] = [
    ("ipVersion", 1, .number), ("flowStartMilliseconds", 8, .number), ("flowEndMilliseconds", 8, .number),
  ]
  private static let source: (String, Int, Kind) = ("sourceIPv4Address", 4, .address)
  private static let destination: (String, Int, Kind) = ("destinationIPv4Address", 4, .address)
  private static let ports: [(String, Int, Kind)] = [
    ("sourceTransportPort", 2, .number), source, ("destinationTransportPort", 2, .number), destination,
  ]
  private static let tcp = common + [("tcpControlBits", 1, .skipped)] + ports + ends
  private static let templates: [UInt16: [(String, Int, Kind)]] = [
    256: common + [source, destination, ("icmpTypeCodeIPv4", 2, .number)] + ends,
    257: common + ports + ends,
    258: tcp,
    259: tcp + [("HTTPRequestURL", 64, .text)],
  ]

  /// One JSON object for each record, in file order; nil where the capture is not there.
  static func lines() -> [String]? {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: shared + "/data/http-attack.ipfix")) else { return nil }
    let bytes = [UInt8](data)
    func number(_ start: Int, _ length: Int) -> UInt64 { bytes[start..<(start + length)].reduce(0) { $0 << 8 | UInt64($1) } }
    var lines: [String] = []
    var message = 0
    while message + 16 <= bytes.count {
      let end = message + Int(number(message + 2, 2))
      var set = message + 16
      while set + 4 <= end {
        let length = Int(number(set + 2, 2))
        if let fields = templates[UInt16(number(set, 2))] {
          let size = fields.reduce(0) { $0 + $1.1 }
          var record = set + 4
          while record + size <= set + length {
            lines.append(line(fields, record, bytes, number))
            record += size
          }
        }
        set += max(length, 4)
      }
      message = end
    }
    return lines
  }

  private static func line(_ fields: [(String, Int, Kind)], _ start: Int, _ bytes: [UInt8], _ number: (Int, Int) -> UInt64) -> String {
    var place = start
    var members: [String] = []
    for (name, length, kind) in fields {
      let value = bytes[place..<(place + length)]
      switch kind {
      case .number: members.append("\"ipfix.\(name)\":\(number(place, length))")
      case .address: members.append("\"ipfix.\(name)\":\"\(value.map(String.init).joined(separator: "."))\"")
      case .text: members.append("\"ipfix.\(name)\":\"\(String(decoding: value.prefix { $0 != 0 }, as: UTF8.self))\"")
      case .skipped: break
      }
      place += length
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  /// The lines of a later loop: its times are moved so that loop 0 begins at 1600000000 and each is 383 s long.
  static func shifted(_ line: String, loop: Int64) -> String {
    let shift = (1_600_000_000 + 383 * loop - 1_523_546_564) * 1000
    var line = line
    for name in ["flowStartMilliseconds", "flowEndMilliseconds"] {
      guard let range = line.range(of: "\"ipfix.\(name)\":") else { continue }
      let digits = line[range.upperBound...].prefix { $0.isNumber }
      guard let time = Int64(digits) else { continue }
      line.replaceSubrange(digits.startIndex..<digits.endIndex, with: String(time + shift))
    }
    return line
  }
}
