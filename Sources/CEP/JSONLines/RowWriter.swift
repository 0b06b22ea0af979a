public import EventModel

/// Writes result rows as JSON lines, as the reference tool does: the columns, what the rule's annotations say, then `type` and `timestamp`.
public struct RowWriter {
  public init() {}

  /// Appends a row and a line end.
  ///
  /// - Parameters:
  ///   - type: the stream that the row was inserted into, else the statement's name.
  ///   - time: engine time in ms.
  ///   - ruleFields: further fields.
  public func write(_ row: Event, type: String, time: Int64, ruleFields: [(name: String, value: Value)] = [], to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "{"))
    for (index, property) in row.type.properties.enumerated() {
      JSONText.append(property.name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      JSONText.append(row[index], to: &bytes)
      bytes.append(UInt8(ascii: ","))
    }
    for field in ruleFields {
      JSONText.append(field.name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      JSONText.append(field.value, to: &bytes)
      bytes.append(UInt8(ascii: ","))
    }
    bytes += Array("\"type\":".utf8)
    JSONText.append(type, to: &bytes)
    bytes += Array(",\"timestamp\":\"\(JSONText.timestamp(time))\"}\n".utf8)
  }
}

/// JSON text of values.
public enum JSONText {
  /// `2018-04-12T15:23:41.646Z`; milliseconds only where there are some.
  public static func timestamp(_ milliseconds: Int64) -> String {
    var days = milliseconds / 86_400_000
    var rest = milliseconds % 86_400_000
    if rest < 0 {
      rest += 86_400_000
      days -= 1
    }
    let (year, month, day) = date(days)
    let seconds = rest / 1000
    let fraction = rest % 1000
    return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2)):\(pad(seconds % 60, 2))"
      + (fraction == 0 ? "" : ".\(pad(fraction, 3))") + "Z"
  }

  private static func pad(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return digits.utf8.count < width ? String(repeating: "0", count: width - digits.utf8.count) + digits : digits
  }

  /// The Gregorian date of a number of days since 1970-01-01, counted in eras of 400 years from 0000-03-01.
  private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  public static func append(_ value: Value, to bytes: inout [UInt8]) {
    switch value {
    case .null: bytes += Array("null".utf8)
    case .bool(let flag): bytes += Array((flag ? "true" : "false").utf8)
    case .int(let number): bytes += Array(String(number).utf8)
    case .double(let number):
      // JSON has no infinities; as text they keep their meaning.
      if number.isFinite { bytes += Array(Value.text(of: number).utf8) } else { append(Value.text(of: number), to: &bytes) }
    case .array(let array):
      bytes.append(UInt8(ascii: "["))
      for (index, element) in array.values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        append(element, to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .event(let event):
      appendObject(zip(event.type.properties.map(\.name), event.values), to: &bytes)
    case .map(let map): appendObject(map.entries.map { ($0.key, $0.value) }, to: &bytes)
    case .string(let text): append(text, to: &bytes)
    case .ip4, .mac, .octets: append(value.text ?? "", to: &bytes)
    }
  }

  private static func appendObject(_ entries: some Sequence<(String, Value)>, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "{"))
    var isFirst = true
    for (key, value) in entries {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      append(key, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      append(value, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  public static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 10: bytes += Array("\\n".utf8)
      case 13: bytes += Array("\\r".utf8)
      case 9: bytes += Array("\\t".utf8)
      case 0..<32: bytes += Array("\\u00".utf8) + [hexDigit(byte >> 4), hexDigit(byte & 15)]
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

  /// A value as JSON text.
  public static func text(_ value: Value) -> String {
    var bytes: [UInt8] = []
    append(value, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
