import Glibc

/// Times and numbers as people read them.
enum TimeText {
  /// `2026-11-23T22:10:14.123Z`, of nanoseconds since 1970.
  static func utc(_ nanoseconds: UInt64) -> String {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let date = [digits(Int(parts.tm_year) + 1900, 4), digits(Int(parts.tm_mon) + 1, 2), digits(Int(parts.tm_mday), 2)]
    let clock = [digits(Int(parts.tm_hour), 2), digits(Int(parts.tm_min), 2), digits(Int(parts.tm_sec), 2)]
    let rest = Int(nanoseconds / 1_000_000 % 1000)
    return "\(date.joined(separator: "-"))T\(clock.joined(separator: ":")).\(digits(rest, 3))Z"
  }

  private static func digits(_ value: Int, _ count: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }

  /// `3 min 20 s`, of nanoseconds.
  static func span(_ nanoseconds: UInt64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    if seconds < 86400 { return "\(seconds / 3600) h \(seconds % 3600 / 60) min" }
    return "\(seconds / 86400) d \(seconds % 86400 / 3600) h"
  }

  /// `1 session`, `2 sessions`.
  static func count(_ number: some BinaryInteger, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
