internal import Builtins
internal import EventModel
internal import Plan

/// A crontab with its numbers fixed.
struct CronSchedule {
  private let minutes: Set<Int>
  private let hours: Set<Int>
  private let days: Set<Int>?
  private let months: Set<Int>
  private let weekdays: Set<Int>?
  private let seconds: Set<Int>
  private let isLastDay: Bool
  private let lastWeekday: Int?

  init(_ plan: CronPlan, _ compiler: ExpressionCompiler, _ frame: Frame) throws(EvaluationError) {
    let reader = FieldReader(compiler: compiler, frame: frame)
    minutes = try reader.values(plan.minutes, 0...59)
    hours = try reader.values(plan.hours, 0...23)
    months = try reader.values(plan.months, 1...12)
    seconds = try plan.seconds.map { field throws(EvaluationError) in try reader.values(field, 0...59) } ?? [0]
    if case .last = plan.daysOfMonth { isLastDay = true } else { isLastDay = false }
    days = isLastDay ? nil : try reader.restricted(plan.daysOfMonth, 1...31)
    if case .lastOf(let weekday) = plan.daysOfWeek {
      lastWeekday = try reader.number(weekday)
      weekdays = nil
    } else if case .last = plan.daysOfWeek {
      lastWeekday = nil
      weekdays = [6]
    } else {
      lastWeekday = nil
      weekdays = try reader.restricted(plan.daysOfWeek, 0...6)
    }
  }

  /// The next instant after a time; nil where none comes within eight years.
  func next(after time: Int64) -> Int64? {
    let time = TimeBounds.clamped(time)
    var date = CalendarDate(milliseconds: time - (((time % 1000) + 1000) % 1000) + 1000)
    let limit = date.year + 8
    while date.year <= limit {
      if !months.contains(date.month) {
        date = CalendarDate(year: date.month == 12 ? date.year + 1 : date.year, month: date.month % 12 + 1)
      } else if !matchesDay(date) {
        date = CalendarDate(milliseconds: date.startOfDay + 86_400_000)
      } else if !hours.contains(date.hour) {
        date = CalendarDate(milliseconds: date.startOfHour + 3_600_000)
      } else if !minutes.contains(date.minute) {
        date = CalendarDate(milliseconds: date.startOfMinute + 60_000)
      } else if !seconds.contains(date.second) {
        date = CalendarDate(milliseconds: date.milliseconds + 1000)
      } else {
        return date.milliseconds
      }
    }
    return nil
  }

  private func matchesDay(_ date: CalendarDate) -> Bool {
    let daysInMonth = CalendarDate.days(inMonth: date.month, ofYear: date.year)
    if isLastDay, date.day != daysInMonth { return false }
    if let lastWeekday, date.weekday != lastWeekday || date.day + 7 <= daysInMonth { return false }
    switch (days, weekdays) {
    case (nil, nil): return true
    case (let days?, nil): return days.contains(date.day)
    case (nil, let weekdays?): return weekdays.contains(date.weekday)
    // As in crontab, a day of the month or a day of the week.
    case (let days?, let weekdays?): return days.contains(date.day) || weekdays.contains(date.weekday)
    }
  }
}

private struct FieldReader {
  let compiler: ExpressionCompiler
  let frame: Frame

  func number(_ expression: Expression) throws(EvaluationError) -> Int {
    do throws(DeploymentError) {
      let evaluator = try compiler.compile(expression)
      do throws(EvaluationError) {
        if let number = try evaluator(frame).integer { return Int(number) }
      } catch { throw DeploymentError(error.description) }
    } catch { throw EvaluationError(error.description) }
    throw EvaluationError("a crontab field is null")
  }

  /// Nil for a field that allows everything.
  func restricted(_ field: CronPlan.Field, _ range: ClosedRange<Int>) throws(EvaluationError) -> Set<Int>? {
    if case .any = field { return nil }
    return try values(field, range)
  }

  func values(_ field: CronPlan.Field, _ range: ClosedRange<Int>) throws(EvaluationError) -> Set<Int> {
    switch field {
    case .any: return Set(range)
    case .every(let step):
      let step = max(try number(step), 1)
      return Set(range.filter { $0 % step == 0 })
    case .value(let value): return [try number(value)]
    case .range(let low, let high):
      let (low, high) = (try number(low), try number(high))
      return Set(range.filter { low <= high ? $0 >= low && $0 <= high : $0 >= low || $0 <= high })
    case .list(let fields):
      var all = Set<Int>()
      for field in fields { all.formUnion(try values(field, range)) }
      return all
    case .last: return [range.upperBound]
    case .lastOf(let value), .weekday(let value): return [try number(value)]
    }
  }
}

extension CalendarDate {
  init(year: Int, month: Int) {
    self.init(milliseconds: 0)
    (self.year, self.month) = (year, month)
  }
  var startOfMinute: Int64 { milliseconds - Int64(second) * 1000 - Int64(millisecond) }
  var startOfHour: Int64 { startOfMinute - Int64(minute) * 60_000 }
  var startOfDay: Int64 { startOfHour - Int64(hour) * 3_600_000 }
}
