/// A record of a capture, read with nothing but the capture's own templates.
public struct ReadRecord {
  public var template: UInt16
  public var domain: UInt32
  public var exportTime: UInt64
  /// Values by element number (enterprise elements by number + 100,000 · enterprise).
  public var values: [Int: [UInt8]] = [:]

  public func number(_ element: Int) -> UInt64 { (values[element] ?? []).reduce(0) { $0 << 8 | UInt64($1) } }
  public var source: [UInt8] { values[8] ?? values[27] ?? [] }
  public var destination: [UInt8] { values[12] ?? values[28] ?? [] }
  public var url: String { String(decoding: (values[39499 * 100_000 + 2] ?? []).prefix { $0 != 0 }, as: UTF8.self) }
  public var end: UInt64 { number(153) }
}

/// A plain reader of IPFIX messages of fixed-length fields, independent of what the program reads and writes them with: any
/// irregularity is a note in `faults`. Sequence numbers are to count the records from 0.
public struct ReadBack {
  public private(set) var records: [ReadRecord] = []
  public private(set) var messageLengths: [Int] = []
  public private(set) var faults: [String] = []
  private var templates: [UInt16: [(key: Int, length: Int)]] = [:]

  public init(_ bytes: [UInt8]) {
    func be(_ at: Int, _ count: Int) -> Int { bytes[at..<at + count].reduce(0) { $0 << 8 | Int($1) } }
    var at = 0
    while at < bytes.count {
      let end = at + be(at + 2, 2)
      messageLengths.append(end - at)
      if be(at, 2) != 10 { faults.append("version at \(at)") }
      if be(at + 8, 4) != records.count { faults.append("sequence at \(at)") }
      var set = at + 16
      while set < end {
        let id = UInt16(be(set, 2)), stop = set + be(set + 2, 2)
        var p = set + 4
        if id == 2 {
          while p < stop {
            let template = UInt16(be(p, 2)), count = be(p + 2, 2)
            p += 4
            templates[template] = (0..<count).map { _ in
              let enterprise = bytes[p] & 0x80 != 0
              let element = be(p, 2) & 0x7FFF, length = be(p + 2, 2)
              let key = enterprise ? be(p + 4, 4) * 100_000 + element : element
              p += enterprise ? 8 : 4
              return (key, length)
            }
          }
        } else if let fields = templates[id] {
          let length = fields.reduce(0) { $0 + $1.length }
          while p + length <= stop {
            var record = ReadRecord(template: id, domain: UInt32(be(at + 12, 4)), exportTime: UInt64(be(at + 4, 4)))
            for field in fields {
              record.values[field.key] = Array(bytes[p..<p + field.length])
              p += field.length
            }
            records.append(record)
          }
          if stop - p > 3 || bytes[p..<stop].contains(where: { $0 != 0 }) { faults.append("padding at \(p)") }
        } else {
          faults.append("set \(id) at \(set)")
        }
        set = stop
      }
      if set != end { faults.append("message at \(at)") }
      at = end
    }
  }
}
