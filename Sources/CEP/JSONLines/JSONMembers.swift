/// Where the members of a JSON object stand in its text.
public struct JSONMembers {
  private var ranges: [(name: String, value: Range<Int>)] = []
  /// Behind the last member's value.
  public private(set) var end = 0

  public init(_ bytes: [UInt8]) throws(JSONError) {
    let read = bytes.withUnsafeBufferPointer { buffer -> Result<[(name: String, value: Range<Int>)], JSONError> in
      do throws(JSONError) { return .success(try JSONMembers.read(buffer)) } catch { return .failure(error) }
    }
    ranges = try read.get()
    guard let last = ranges.last else { throw JSONError(offset: 0, reason: "the object is empty") }
    end = last.value.upperBound
  }

  private static func read(_ buffer: UnsafeBufferPointer<UInt8>) throws(JSONError) -> [(name: String, value: Range<Int>)] {
    var reader = JSONReader(buffer)
    var ranges: [(name: String, value: Range<Int>)] = []
    try reader.expect(UInt8(ascii: "{"))
    if reader.take(UInt8(ascii: "}")) { return [] }
    repeat {
      guard reader.peek() == UInt8(ascii: "\"") else { throw reader.error("expected a name") }
      let name = try reader.string()
      try reader.expect(UInt8(ascii: ":"))
      reader.skipSpace()
      let start = reader.position
      _ = try reader.value(depth: 0)
      ranges.append((name, start..<reader.position))
    } while reader.take(UInt8(ascii: ","))
    try reader.expect(UInt8(ascii: "}"))
    try reader.end()
    return ranges
  }

  /// The bytes of a member's value; nil where there is no such member.
  public func range(of name: String) -> Range<Int>? { ranges.first { $0.name == name }?.value }
}
