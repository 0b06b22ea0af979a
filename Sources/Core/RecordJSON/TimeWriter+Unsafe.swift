import Glibc

/// Writes dates, and long numbers. Keeps what changes rarely: the last day's text, the last quarter of an hour's distance from UTC, a number's
/// upper digits.
struct TimeWriter {
  private var day = Int64.min
  private var dayText = SIMD16<UInt8>(repeating: 0)
  private var dayLength = 0
  private var quarter = Int64.min
  private var offset: Int64 = 0
  /// What stands above the last eight digits of a number, and its text: of milliseconds since 1970 it changes once a day.
  private var upper: UInt64 = 0
  private var upperText: UInt64 = 0
  private var upperLength = 0

  /// A number of more than eight digits: most likely a time in milliseconds.
  mutating func number(_ value: UInt64, _ out: Out) -> Out {
    let high = value / 100_000_000
    if high != upper { return numberOfOtherUpper(value, out) }
    out.store(upperText)
    return ValueWriter.full(UInt32(truncatingIfNeeded: value &- high &* 100_000_000), out + upperLength)
  }

  @inline(never)
  private mutating func numberOfOtherUpper(_ value: UInt64, _ out: Out) -> Out {
    let high = value / 100_000_000
    if high < 100_000_000 {
      upper = high
      withUnsafeMutableBytes(of: &upperText) { text in
        guard let start = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        upperLength = ValueWriter.decimal(high, start) - start
      }
    }
    return ValueWriter.decimal(value, out)
  }

  /// "2018-04-12T15:22:40.338Z". `digits`: 3, 6 or 9 digits of `fraction`, of a second.
  mutating func iso8601(seconds: Int64, fraction: UInt32, digits: Int, _ out: Out) -> Out {
    let end = dateTime(seconds, fraction: fraction, digits: digits, out)
    end[0] = 90
    return end + 1
  }

  /// Local time: "2018-04-12T17:22:40.338".
  mutating func local(seconds: Int64, milliseconds: UInt32, _ out: Out) -> Out {
    // Every zone's distance from UTC changes on a quarter of an hour.
    let current = seconds / 900
    if current != quarter {
      var parts = tm()
      var moment = time_t(seconds)
      offset = localtime_r(&moment, &parts) == nil ? 0 : Int64(parts.tm_gmtoff)
      quarter = current
    }
    return dateTime(seconds + offset, fraction: milliseconds, digits: 3, out)
  }

  @inline(__always)
  private mutating func dateTime(_ seconds: Int64, fraction: UInt32, digits: Int, _ out: Out) -> Out {
    var (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
    if rest < 0 { (days, rest) = (days - 1, rest + 86_400) }
    if days != day { setDay(days) }
    out.store(dayText)
    var end = out + dayLength
    let second = UInt32(truncatingIfNeeded: rest)
    end[0] = 84
    end = ValueWriter.pair(second / 3600, end + 1)
    end[0] = 58
    end = ValueWriter.pair(second / 60 % 60, end + 1)
    end[0] = 58
    end = ValueWriter.pair(second % 60, end + 1)
    end[0] = 46
    end += 1
    if digits <= 8 { return ValueWriter.padded(fraction, digits, end) }
    return ValueWriter.padded(fraction % 1000, 3, ValueWriter.padded(fraction / 1000, 6, end))
  }

  /// Years beyond 9999 get a sign, as ISO 8601 has it.
  private mutating func setDay(_ days: Int64) {
    let (year, month, date) = Self.civil(days)
    let month2 = "\(month + 100)".dropFirst(), date2 = "\(date + 100)".dropFirst()
    let text = "\(year > 9999 ? "+" : "")\(year)-\(month2)-\(date2)"
    dayText = SIMD16(repeating: 0)
    for (index, byte) in text.utf8.prefix(16).enumerated() { dayText[index] = byte }
    (day, dayLength) = (days, min(16, text.utf8.count))
  }

  /// Year, month and day of a day since 1970 in the Gregorian calendar, counted in eras of 400 years that begin in March.
  static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  /// An NTP time (seconds since 1900 in the upper half) in units of 1/`perSecond` s since 1970, rounded.
  /// Times before 1970 are taken for the era that begins in 2036. Of microseconds, the fraction's lowest 11 bits do not count
  /// (RFC 7011 §6.1.9).
  @inline(__always) static func unix(ntp: UInt64, perSecond: UInt64) -> UInt64 {
    let (seconds, fraction) = (ntp >> 32, ntp & (perSecond == 1_000_000 ? 0xffff_f800 : 0xffff_ffff))
    let distance: UInt64 = 2_208_988_800
    let since = seconds >= distance ? seconds &- distance : seconds &+ 1 << 32 &- distance
    return since &* perSecond &+ (fraction &* perSecond &+ 1 << 31) >> 32
  }
}
