/// A point of time in UTC, by its fields; months count from 0, as the original counts them.
struct CivilTime {
  var year: Int64
  var month: Int64
  var day: Int64
  var hour: Int64
  var minute: Int64
  var second: Int64
  var millisecond: Int64

  static let dayLength: Int64 = 86_400_000

  /// - Parameter milliseconds: since 1970-01-01T00:00Z; clamped to some 200,000 years, so that no step can overflow.
  init(_ milliseconds: Int64) {
    let bounded = max(-6_000_000_000_000_000, min(6_000_000_000_000_000, milliseconds))
    var days = bounded / Self.dayLength
    var rest = bounded % Self.dayLength
    if rest < 0 {
      rest += Self.dayLength
      days -= 1
    }
    (year, month, day) = Self.date(days)
    hour = rest / 3_600_000
    minute = rest / 60_000 % 60
    second = rest / 1000 % 60
    millisecond = rest % 1000
  }

  /// Years run from March here, so that the leap day is the last of a year.
  private static func date(_ days: Int64) -> (Int64, Int64, Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    let month = march < 10 ? march + 2 : march - 10
    return (yearOfEra + era * 400 + (month <= 1 ? 1 : 0), month, dayOfYear - (153 * march + 2) / 5 + 1)
  }

  /// Days since 1970-01-01.
  static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let (carry, month) = (month >= 0 ? month / 12 : (month - 11) / 12, (month % 12 + 12) % 12)
    let shifted = year + carry - (month <= 1 ? 1 : 0)
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 1 ? month - 2 : month + 10) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  var milliseconds: Int64 {
    Self.days(year, month, day) * Self.dayLength + hour * 3_600_000 + minute * 60_000 + second * 1000 + millisecond
  }

  /// Monday 2 … Saturday 7, Sunday 1.
  var dayOfWeek: Int64 { (Self.days(year, month, day) % 7 + 11) % 7 + 1 }
  var dayOfYear: Int64 { Self.days(year, month, day) - Self.days(year, 0, 1) + 1 }
  /// Of weeks from Sunday to Saturday, the first of which holds the 1st of January.
  var weekOfYear: Int64 {
    let next = CivilTime(Self.days(year + 1, 0, 1) * Self.dayLength)
    if Self.days(year + 1, 0, 1) - Self.days(year, month, day) < next.dayOfWeek { return 1 }
    let first = CivilTime(Self.days(year, 0, 1) * Self.dayLength)
    return (dayOfYear + first.dayOfWeek - 2) / 7 + 1
  }
  /// The day of this time's weekday in another week of the year.
  private func date(inWeek week: Int64) -> CivilTime {
    let first = Self.days(year, 0, 1)
    let sunday = first - (CivilTime(first * Self.dayLength).dayOfWeek - 1)
    let moved = (sunday + 7 * (week - 1) + dayOfWeek - 1) - Self.days(year, month, day)
    return CivilTime(milliseconds + moved * Self.dayLength)
  }
  /// 53 where the 1st of January is a Saturday, or a Friday of a leap year.
  private var weeksInYear: Int64 {
    let weekday = CivilTime(Self.days(year, 0, 1) * Self.dayLength).dayOfWeek
    let isLeap = Self.days(year + 1, 0, 1) - Self.days(year, 0, 1) == 366
    return weekday == 7 || isLeap && weekday == 6 ? 53 : 52
  }

  /// `1/31/20 3:04 PM`, as the original's platform writes times by default.
  var shortText: String {
    let hours = hour % 12 == 0 ? 12 : hour % 12
    let two = { (number: Int64) in number < 10 ? "0\(number)" : "\(number)" }
    return "\(month + 1)/\(day)/\(two((year % 100 + 100) % 100)) \(hours):\(two(minute)) \(hour < 12 ? "AM" : "PM")"
  }

  var daysInMonth: Int64 { Self.days(year, month + 1, 1) - Self.days(year, month, 1) }

  /// The fields that methods name, from the finest; the week stands beside them.
  enum Field: Int {
    case millisecond, second, minute, hour, day, month, year, week

    init?(named name: String) {
      switch name.lowercased() {
      case "msec", "millisecond", "milliseconds": self = .millisecond
      case "sec", "second", "seconds": self = .second
      case "min", "minute", "minutes": self = .minute
      case "hour", "hours": self = .hour
      case "day", "days": self = .day
      case "month", "months": self = .month
      case "year", "years": self = .year
      case "week", "weeks": self = .week
      default: return nil
      }
    }
  }

  subscript(_ field: Field) -> Int64 {
    get {
      switch field {
      case .millisecond: millisecond
      case .second: second
      case .minute: minute
      case .hour: hour
      case .day: day
      case .month: month
      case .year: year
      case .week: weekOfYear
      }
    }
    set {
      switch field {
      case .millisecond: millisecond = newValue
      case .second: second = newValue
      case .minute: minute = newValue
      case .hour: hour = newValue
      case .day: day = newValue
      case .month: month = newValue
      case .year: year = newValue
      case .week: self = date(inWeek: newValue)
      }
    }
  }

  func smallest(_ field: Field) -> Int64 { [.day, .year, .week].contains(field) ? 1 : 0 }

  func largest(_ field: Field) -> Int64 {
    switch field {
    case .millisecond: 999
    case .second, .minute: 59
    case .hour: 23
    case .day: daysInMonth
    case .month: 11
    case .year: 292_278_994
    case .week: weeksInYear
    }
  }

  /// The start of the field's unit that this time lies in.
  func floor(_ field: Field) -> CivilTime {
    var result = self
    for finer in (0..<field.rawValue).compactMap(Field.init) { result[finer] = smallest(finer) }
    return result
  }

  func ceiling(_ field: Field) -> CivilTime {
    var result = floor(field)
    if result.milliseconds == milliseconds { return result }
    result[field] += 1
    return CivilTime(result.milliseconds)
  }
}
