/// The members of a JSON object in one line, as its writer put them: names, and values as JSON text.
///
/// Reads what `RecordJSONWriter` writes, so that values look the same wherever they are shown.
func jsonMembers(_ line: String) -> [(name: String, value: String)] {
  var members: [(name: String, value: String)] = []
  var (depth, inText, escaped) = (0, false, false)
  var part: [UInt8] = []
  func close() {
    guard let colon = endOfName(part) else { return }
    let name = String(decoding: part[..<colon].dropLast().drop { $0 != UInt8(ascii: "\"") }.dropFirst(), as: UTF8.self)
    let value = part[colon...].dropFirst().drop { $0 == UInt8(ascii: " ") }
    members.append((name, String(decoding: value, as: UTF8.self)))
    part = []
  }
  for byte in line.utf8.dropFirst() {
    if inText {
      inText = escaped || byte != UInt8(ascii: "\"")
      escaped = !escaped && byte == UInt8(ascii: "\\")
    } else {
      switch byte {
      case UInt8(ascii: "\""): inText = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}") where depth == 0:
        close()
        return members
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ",") where depth == 0:
        close()
        continue
      default: break
      }
    }
    part.append(byte)
  }
  return members
}

/// Where the colon behind a member's name stands.
private func endOfName(_ member: [UInt8]) -> Int? {
  guard let open = member.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
  var escaped = false
  for index in (open + 1)..<member.count {
    if !escaped && member[index] == UInt8(ascii: "\"") { return index + 1 }
    escaped = !escaped && member[index] == UInt8(ascii: "\\")
  }
  return nil
}
