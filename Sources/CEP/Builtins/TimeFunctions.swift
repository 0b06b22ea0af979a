internal import EventModel

/// Methods on times in milliseconds, in UTC: `l.getHourOfDay()`, `l.roundFloor('hour')`, `a.before(b)`.
extension Builtins {
  static let timeFunctions: [ScalarFunction] =
    [
      part(".getYear", "the year") { $0.year }, part(".getMonthOfYear", "the month, January is 0") { $0.month },
      part(".getDayOfMonth", "the day of the month") { $0.day }, part(".getDayOfWeek", "the day of the week, Sunday is 1") { $0.dayOfWeek },
      part(".getDayOfYear", "the day of the year, from 1") { $0.dayOfYear }, part(".getHourOfDay", "the hour") { $0.hour },
      part(".getMinuteOfHour", "the minute") { $0.minute }, part(".getSecondOfMinute", "the second") { $0.second },
      part(".getMillisOfSecond", "the millisecond") { $0.millisecond },
      part(".getWeekyear", "the week of the year; weeks begin on Sunday, the first holds the 1st of January") { $0.weekOfYear },
      part(".getEra", "1, and 0 before the year 1") { $0.year > 0 ? 1 : 0 },
      // What `plus` and `minus` become where years or months are in the period: the same day of another month, or its last.
      ScalarFunction(".shifted", arity: 3...3, help: "a time, months and milliseconds later", resultType: timeType) { arguments in
        guard let time = arguments[0].integer, let months = arguments[1].integer, let milliseconds = arguments[2].integer else {
          return .null
        }
        var shifted = CivilTime(time)
        shifted.month += max(-2_400_000, min(2_400_000, months))
        shifted.day = min(shifted.day, shifted.daysInMonth)
        return .int(shifted.milliseconds &+ milliseconds)
      },
      field(".get", "the value of a field, 'hour'", .int) { time, field in time[field] },
      field(".roundFloor", "rounded down to a field", .long) { time, field in time.floor(field).milliseconds },
      field(".roundCeiling", "rounded up to a field", .long) { time, field in time.ceiling(field).milliseconds },
      field(".roundHalf", "rounded to the nearer of a field", .long) { time, field in
        let (low, high) = (time.floor(field).milliseconds, time.ceiling(field).milliseconds)
        return time.milliseconds - low < high - time.milliseconds ? low : high
      },
      field(".withMin", "with a field at its smallest", .long) { time, field in with(time, field, time.smallest(field)) },
      field(".withMax", "with a field at its largest", .long) { time, field in with(time, field, time.largest(field)) },
      ScalarFunction(".set", arity: 3...3, help: "with a field at a value: set('hour', 5)", resultType: timeType) { arguments in
        guard let time = arguments[0].integer, let field = arguments[1].text.flatMap(CivilTime.Field.init(named:)),
          let value = arguments[2].integer
        else { return .null }
        return .int(with(CivilTime(time), field, value))
      },
      fields(".withTime", "with another hour, minute, second and millisecond", [.hour, .minute, .second, .millisecond]),
      fields(".withDate", "with another year, month (January is 0) and day", [.year, .month, .day]),
      ScalarFunction(".format", arity: 1...1, help: "as a text: 1/31/20 3:04 PM", resultType: { timeType($0).map { _ in .string } }) {
        arguments in
        arguments[0].integer.map { .string(CivilTime($0).shortText) } ?? .null
      },
      ScalarFunction(".toMillisec", arity: 1...1, help: "the milliseconds since 1970", resultType: timeType) { arguments in
        arguments[0].integer.map { .int($0) } ?? .null
      },
    ] + intervalFunctions

  /// The fields that methods of times name: 'hour', 'hours'.
  public static func isTimeField(_ name: String) -> Bool { CivilTime.Field(named: name) != nil }
  public static func isWeek(_ name: String) -> Bool { CivilTime.Field(named: name) == .week }
  public static let timeFields = ["msec", "sec", "min", "hour", "day", "week", "month", "year"]
  /// The methods of times, by their names in small letters.
  public static let timeMethods: [String: String] = Dictionary(
    (timeFunctions.map { String($0.name.dropFirst()) } + ["plus", "minus", "between"]).map { ($0.lowercased(), $0) },
    uniquingKeysWith: { first, _ in first })

  private static func timeType(_ types: [ValueType]) -> ValueType? { types[0] == .null || types[0].isNumeric ? .long : nil }

  private static func with(_ time: CivilTime, _ field: CivilTime.Field, _ value: Int64) -> Int64 {
    var time = time
    time[field] = max(-100_000_000, min(100_000_000, value))
    return time.milliseconds
  }

  private static func part(_ name: String, _ help: String, _ read: @escaping @Sendable (CivilTime) -> Int64) -> ScalarFunction {
    ScalarFunction(name, arity: 1...1, help: help, resultType: { timeType($0).map { _ in .int } }) { arguments in
      arguments[0].integer.map { .int(read(CivilTime($0))) } ?? .null
    }
  }

  private static func field(
    _ function: String, _ help: String, _ type: ValueType, _ apply: @escaping @Sendable (CivilTime, CivilTime.Field) -> Int64
  ) -> ScalarFunction {
    ScalarFunction(
      function, arity: 2...2, help: help, resultType: { types in timeType(types) != nil && types[1].isText ? type : nil }
    ) { arguments throws(EvaluationError) in
      guard let time = arguments[0].integer, let name = arguments[1].text else { return .null }
      guard let field = CivilTime.Field(named: name) else { throw EvaluationError("no field of a time is named \"\(name)\"") }
      if field == .week, function.hasPrefix(".round") { throw EvaluationError("a time cannot be rounded to a week") }
      return .int(apply(CivilTime(time), field))
    }
  }

  private static func fields(_ name: String, _ help: String, _ fields: [CivilTime.Field]) -> ScalarFunction {
    ScalarFunction(name, arity: (fields.count + 1)...(fields.count + 1), help: help, resultType: timeType) { arguments in
      guard let milliseconds = arguments[0].integer else { return .null }
      var time = CivilTime(milliseconds)
      for (field, argument) in zip(fields, arguments.dropFirst()) {
        if let value = argument.integer { time[field] = max(-100_000_000, min(100_000_000, value)) }
      }
      return .int(time.milliseconds)
    }
  }
}
