/// Words that are never names, unless in backticks.
enum Keywords {
  static let reserved: Set<String> = Set([
    "select", "from", "where", "group", "by", "having", "order", "and", "or", "not", "in", "like", "regexp", "between", "is",
    "null", "true", "false", "case", "when", "then", "else", "end", "on", "insert", "into", "output", "create", "update",
    "delete", "as", "distinct", "join", "inner", "outer", "left", "right", "full", "all", "any", "some", "exists", "new",
    "every", "set", "match_recognize", "istream", "rstream", "irstream", "unidirectional", "limit", "asc", "desc",
    "current_timestamp",
  ]).union(timeUnits.keys)

  /// Keywords that may stand after a dot as a method's name.
  static let methods: Set<String> = ["where", "set", "between", "min", "max", "after"]

  static let timeUnits: [String: TimeUnitSyntax] = [
    "year": .year, "years": .year, "month": .month, "months": .month, "week": .week, "weeks": .week, "day": .day,
    "days": .day, "hour": .hour, "hours": .hour, "minute": .minute, "minutes": .minute, "min": .minute, "second": .second,
    "seconds": .second, "sec": .second, "millisecond": .millisecond, "milliseconds": .millisecond, "msec": .millisecond,
    "microsecond": .microsecond, "microseconds": .microsecond, "usec": .microsecond,
  ]

  /// Words that can follow a stream, a query or a pattern, so that they are no alias.
  static let notAlias: Set<String> = [
    "retain", "match_recognize", "offset", "while", "until", "unidirectional", "for", "measures", "matched", "merge",
  ]

  static let statementStarts = [
    "select", "insert", "create", "on", "update", "delete", "context", "expression", "module", "uses", "import",
  ]
}
