import EventModel
import Plan

/// ISO 8601 as `timer:schedule` takes it: `R3/2012-10-01T05:52:00Z/PT2S`, each part by itself or with others.
struct ISOSchedule {
  private(set) var repetitions: Int64?
  private(set) var date: Int64?
  private(set) var period: TimePeriod?

  init?(_ text: String) {
    for part in text.split(separator: "/", omittingEmptySubsequences: false) {
      if part.hasPrefix("R") {
        if part.count == 1 {
          repetitions = -1
        } else {
          guard let count = Int64(part.dropFirst()) else { return nil }
          repetitions = count
        }
      } else if part.hasPrefix("P") {
        guard let span = ISOTime.period(part) else { return nil }
        period = span
      } else {
        guard let time = ISOTime.milliseconds(part) else { return nil }
        date = time
      }
    }
  }
}

enum ISOTime {
  /// `2012-10-01T05:52:00.250Z` as milliseconds since 1970; without a zone in UTC. Nil for what is no time.
  static func milliseconds(_ text: some StringProtocol) -> Int64? {
    let halves = text.split(separator: "T", omittingEmptySubsequences: false)
    let days = halves[0].split(separator: "-").compactMap { Int64($0) }
    guard halves.count <= 2, days.count == 3, (1...12).contains(days[1]), (1...31).contains(days[2]), (0...9999).contains(days[0]) else {
      return nil
    }
    let date = day(days[0], days[1], days[2]) * 86_400_000
    guard halves.count == 2 else { return date }
    var clock = halves[1]
    var shift: Int64 = 0
    if clock.hasSuffix("Z") {
      clock = clock.dropLast()
    } else if let sign = clock.lastIndex(where: { $0 == "+" || $0 == "-" }) {
      let zone = String(clock[clock.index(after: sign)...].filter { $0 != ":" })
      guard let number = Int64(zone) else { return nil }
      let minutes = zone.count > 2 ? number / 100 * 60 + number % 100 : number * 60
      shift = (clock[sign] == "+" ? -1 : 1) * minutes * 60_000
      clock = clock[..<sign]
    }
    let parts = clock.split(separator: ":").map { Double($0) }
    guard (2...3).contains(parts.count), let hour = parts[0], let minute = parts[1] else { return nil }
    guard let second = parts.count == 3 ? parts[2] : 0, (0...24).contains(hour), (0..<60).contains(minute), (0..<61).contains(second) else {
      return nil
    }
    return date + Int64(hour) * 3_600_000 + Int64(minute) * 60_000 + Int64((second * 1000).rounded()) + shift
  }

  /// Days since 1970-01-01 (years run from March, so that the leap day is the last of a year).
  private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let yearOfEra = year % 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// `P1Y2M10DT2H30M5.5S`.
  static func period(_ text: some StringProtocol) -> TimePeriod? {
    var parts: [TimePeriod.Part] = []
    var number = ""
    var isTime = false
    for character in text.dropFirst() {
      if character == "T" {
        isTime = true
      } else if character.isNumber || character == "." {
        number.append(character)
      } else {
        let unit: TimePeriod.Unit? =
          switch (character, isTime) {
          case ("Y", false): .year
          case ("M", false): .month
          case ("W", false): .week
          case ("D", false): .day
          case ("H", true): .hour
          case ("M", true): .minute
          case ("S", true): .second
          default: nil
          }
        guard let unit, let count = Double(number) else { return nil }
        let isWhole = count == count.rounded()
        parts.append(TimePeriod.Part(Expression(.constant(isWhole ? .int(Int64(count)) : .double(count)), isWhole ? .long : .double), unit))
        number = ""
      }
    }
    return parts.isEmpty || !number.isEmpty ? nil : TimePeriod(parts)
  }
}
