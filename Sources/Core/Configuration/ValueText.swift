import Glibc

/// The texts of typed values: durations, sizes, addresses, ranges.
enum ValueText {
  /// `yes`/`no`, `true`/`false`, `1`/`0`, in any case.
  static func boolean(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "yes", "true", "1": true
    case "no", "false", "0": false
    default: nil
    }
  }

  /// Nanoseconds of `10 s`, `500 ms`, `1.5 min`; a bare number counts in `unit`.
  static func duration(_ text: String, unit: String?) -> Int64? {
    guard let (number, suffix) = split(text), let scale = nanoseconds[suffix.isEmpty ? unit ?? "" : suffix] else { return nil }
    return whole(number * scale)
  }

  private static let nanoseconds: [String: Double] = [
    "ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "sec": 1e9, "second": 1e9, "seconds": 1e9, "m": 60e9, "min": 60e9,
    "minute": 60e9, "minutes": 60e9, "h": 3600e9, "hour": 3600e9, "hours": 3600e9, "d": 86400e9, "day": 86400e9, "days": 86400e9,
  ]

  /// Bytes of `4096`, `64K`, `8 MiB`; K, M and G count in 1024.
  static func bytes(_ text: String) -> Int64? {
    guard let (number, suffix) = split(text), let scale = byteUnits[suffix.lowercased()] else { return nil }
    return whole(number * scale)
  }

  private static let byteUnits: [String: Double] = [
    "": 1, "b": 1, "k": 1024, "kb": 1024, "kib": 1024, "m": 1_048_576, "mb": 1_048_576, "mib": 1_048_576, "g": 1_073_741_824,
    "gb": 1_073_741_824, "gib": 1_073_741_824,
  ]

  /// True for an IPv4 or IPv6 address.
  static func isAddress(_ text: String) -> Bool { addressBits(text) != nil }

  /// True for an address, or one with a prefix length that fits it.
  static func isPrefix(_ text: String) -> Bool {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let bits = addressBits(String(parts[0])) else { return false }
    guard parts.count == 2 else { return true }
    guard let length = Int(parts[1]), parts[1].allSatisfy(\.isNumber) else { return false }
    return length <= bits
  }

  private static func addressBits(_ text: String) -> Int? {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 { return 32 }
    var six = in6_addr()
    let bare = text.split(separator: "%", maxSplits: 1).first.map(String.init) ?? text
    return inet_pton(AF_INET6, bare, &six) == 1 ? 128 : nil
  }

  /// Whether a value lies in a range such as `1..65535`, `0..` or `..10 s`; `parse` reads its ends.
  static func isInside(_ value: Double, _ range: String, parse: (String) -> Double?) -> Bool {
    guard let (low, high) = ends(of: range) else { return true }
    if let low = parse(low), value < low { return false }
    if let high = parse(high), value > high { return false }
    return true
  }

  private static func ends(of range: String) -> (String, String)? {
    var at = range.startIndex
    while let dot = range[at...].firstIndex(of: ".") {
      let next = range.index(after: dot)
      if next < range.endIndex, range[next] == "." {
        return (trimmed(range[..<dot]), trimmed(range[range.index(after: next)...]))
      }
      at = next
    }
    return nil
  }

  /// A number and the letters behind it.
  private static func split(_ text: String) -> (Double, String)? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
    guard let number = Double(digits), number >= 0 else { return nil }
    return (number, trimmed(text[digits.endIndex...]))
  }

  private static func whole(_ value: Double) -> Int64? { value < 9.2e18 ? Int64(value) : nil }
}
