internal import Builtins
internal import EventModel
internal import Plan

/// An interval at evaluation: months by the calendar, the rest in ms.
struct PeriodEvaluator {
  private var months: [Evaluator] = []
  private var monthFactors: [Int64] = []
  private var parts: [(Evaluator, Double)] = []
  /// Whether it is the same whenever it is looked at.
  let isConstant: Bool

  init(_ period: TimePeriod, _ compiler: ExpressionCompiler) throws(DeploymentError) {
    isConstant = period.parts.allSatisfy { if case .constant = $0.count.node { true } else { false } }
    for part in period.parts {
      let count = try compiler.compile(part.count)
      if let factor = part.unit.milliseconds {
        parts.append((count, factor))
      } else {
        months.append(count)
        monthFactors.append(part.unit == .year ? 12 : 1)
      }
    }
  }

  var isCalendar: Bool { !months.isEmpty }

  func milliseconds(_ frame: Frame) throws(EvaluationError) -> Int64 {
    var sum = 0.0
    for (count, factor) in parts {
      guard let number = try count(frame).number else { throw EvaluationError("an interval is null") }
      sum += number * factor
    }
    return sum.isNaN ? 0 : TimeBounds.clamped(Value.double(sum.rounded()).integer ?? 0)
  }

  func seconds(_ frame: Frame) throws(EvaluationError) -> Value {
    var sum = Double(try milliseconds(frame))
    for (count, factor) in zip(months, monthFactors) { sum += (try count(frame).number ?? 0) * Double(factor) * 30 * 86_400_000 }
    return .double(sum / 1000)
  }

  /// The interval with its counts fixed.
  func interval(_ frame: Frame) throws(EvaluationError) -> Interval {
    var count: Int64 = 0
    for (months, factor) in zip(months, monthFactors) {
      count += TimeBounds.clampedMonths(try months(frame).integer ?? 0) * factor
    }
    return Interval(months: TimeBounds.clampedMonths(count), milliseconds: try milliseconds(frame))
  }

  /// The interval of a window, which is found when it is deployed.
  func fixed(_ frame: Frame) throws(DeploymentError) -> Interval {
    do throws(EvaluationError) { return try interval(frame) } catch { throw DeploymentError(error.description) }
  }
}

/// Times and spans come from events and variables: those beyond these bounds (36 million years) are taken for them, so that sums of a few stay
/// in range.
enum TimeBounds {
  static let largest: Int64 = 1 << 60
  private static let mostMonths: Int64 = 12_000_000

  static func clamped(_ time: Int64) -> Int64 { min(max(time, -largest), largest) }
  static func clampedMonths(_ months: Int64) -> Int64 { min(max(months, -mostMonths), mostMonths) }
  /// As they are, but for times that nobody means.
  static func clamped(_ times: [Int64]) -> [Int64] {
    times.contains { $0 > largest || $0 < -largest } ? times.map { clamped($0) } : times
  }
}

/// A span of time: calendar months (in UTC) and milliseconds.
struct Interval: Equatable {
  var months: Int64
  var milliseconds: Int64

  func after(_ time: Int64) -> Int64 { shifted(time, by: months) + milliseconds }
  func before(_ time: Int64) -> Int64 { shifted(time, by: -months) - milliseconds }

  /// The first of the instants `start + n intervals` (n ≥ 0) that is later than a time.
  func first(after time: Int64, from start: Int64) -> Int64 {
    if months <= 0 {
      let size = max(milliseconds, 1)
      if start > time { return start }
      return start + ((time - start) / size + 1) * size
    }
    var next = start
    // Whole cycles of the calendar (400 years) first, should the time be very far off.
    if time - start > 4 * Interval.cycle { next += (time - start) / Interval.cycle * Interval.cycle }
    while next <= time { next = step.after(next) }
    return next
  }

  /// How many intervals lie between an instant and a later one of the same grid.
  func steps(from start: Int64, to end: Int64) -> Int64 {
    if months <= 0 { return (end - start) / max(milliseconds, 1) }
    var (count, next): (Int64, Int64) = (0, start)
    if end - start > 4 * Interval.cycle {
      let cycles = (end - start) / Interval.cycle
      next += cycles * Interval.cycle
      count = cycles * 4800 / months
    }
    while next < end {
      next = step.after(next)
      count += 1
    }
    return count
  }

  /// As a step of a grid, which always goes on.
  private var step: Interval { Interval(months: months, milliseconds: max(milliseconds, 0)) }
  private static let cycle: Int64 = 146_097 * 86_400_000

  private func shifted(_ time: Int64, by months: Int64) -> Int64 {
    if months == 0 { return time }
    var date = CalendarDate(milliseconds: time)
    let total = Int64(date.year) * 12 + Int64(date.month - 1) + months
    date.year = Int((Double(total) / 12).rounded(.down))
    date.month = Int(total - Int64(date.year) * 12) + 1
    date.day = min(date.day, CalendarDate.days(inMonth: date.month, ofYear: date.year))
    return date.milliseconds
  }
}

/// A date and time of the proleptic Gregorian calendar in UTC.
struct CalendarDate: Equatable {
  var year: Int
  var month: Int
  var day: Int
  var hour: Int
  var minute: Int
  var second: Int
  var millisecond: Int
  /// 0 is Sunday.
  var weekday: Int { Int(((days % 7) + 11) % 7) }

  init(milliseconds time: Int64) {
    var days = time / 86_400_000
    var rest = Int(time % 86_400_000)
    if rest < 0 {
      rest += 86_400_000
      days -= 1
    }
    // Days since 0000-03-01, in eras of 400 years.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    hour = rest / 3_600_000
    minute = rest / 60_000 % 60
    second = rest / 1000 % 60
    millisecond = rest % 1000
  }

  /// Days since 1970-01-01.
  private var days: Int64 {
    let year = Int64(month <= 2 ? self.year - 1 : self.year)
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let shiftedMonth = Int64(month > 2 ? month - 3 : month + 9)
    let dayOfYear = (153 * shiftedMonth + 2) / 5 + Int64(day) - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  var milliseconds: Int64 {
    days * 86_400_000 + Int64(hour) * 3_600_000 + Int64(minute) * 60_000 + Int64(second) * 1000 + Int64(millisecond)
  }

  static func days(inMonth month: Int, ofYear year: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }
}
