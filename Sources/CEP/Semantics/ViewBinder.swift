import Diagnostics
import EventModel
import Plan
import Syntax

/// What is known of a data window: where it stands in the catalog and how many parameters it takes.
private struct ViewRow {
  let namespace: String
  let name: String
  let arity: ClosedRange<Int>
  init(_ namespace: String, _ name: String, _ arity: ClosedRange<Int>) {
    self.namespace = namespace
    self.name = name
    self.arity = arity
  }

  static let all = [
    ViewRow("win", "time", 1...1), ViewRow("win", "time_batch", 1...3), ViewRow("win", "ext_timed", 2...2),
    ViewRow("win", "ext_timed_batch", 2...3), ViewRow("win", "length", 1...1), ViewRow("win", "length_batch", 1...1),
    ViewRow("win", "time_length_batch", 2...3), ViewRow("win", "time_accum", 1...1), ViewRow("ext", "time_order", 2...2),
    ViewRow("win", "firsttime", 1...1), ViewRow("win", "firstlength", 1...1), ViewRow("win", "keepall", 0...0),
    ViewRow("std", "unique", 1...64), ViewRow("std", "firstunique", 1...64), ViewRow("std", "lastevent", 0...0),
    ViewRow("std", "firstevent", 0...0), ViewRow("std", "groupwin", 1...64), ViewRow("ext", "sort", 2...64),
    ViewRow("ext", "rank", 3...64), ViewRow("win", "expr", 1...1), ViewRow("win", "expr_batch", 1...2),
    ViewRow("std", "size", 0...64), ViewRow("stat", "uni", 1...64), ViewRow("stat", "weighted_avg", 2...64),
    ViewRow("stat", "correl", 2...64), ViewRow("stat", "linest", 2...64),
  ]
}

/// Binds the windows of one source.
struct ViewBinder {
  let statement: StatementBinder
  let expressions: ExpressionBinder
  private let type: EventType

  /// - Parameter type: of the events that enter.
  init(_ statement: StatementBinder, type: EventType, name: String?) {
    self.statement = statement
    self.type = type
    var names = NameScope()
    names.streams = [NameScope.Stream(number: 0, alias: nil, typeName: name, type: type)]
    names.contextType = statement.contextType
    expressions = ExpressionBinder(statement, names: names, clause: "a window's parameters")
  }

  func bind(_ syntax: ViewSyntax) -> ViewPlan? {
    guard let row = row(syntax) else { return nil }
    let arguments = syntax.arguments.map(\.value)
    guard row.arity.contains(arguments.count) else {
      let (low, high) = (row.arity.lowerBound, row.arity.upperBound)
      let wanted = low == high ? "\(low)" : high == 64 ? "at least \(low)" : "\(low) to \(high)"
      statement.report(
        "the window \"\(row.name)\" takes \(wanted) parameter\(wanted == "1" ? "" : "s"), not \(arguments.count)", at: syntax.range)
      return nil
    }
    if let kind = DerivedView(rawValue: row.name) { return derived(kind, syntax) }
    return timed(row.name, arguments, syntax.range) ?? counted(row.name, arguments, syntax.range)
  }

  private func row(_ syntax: ViewSyntax) -> ViewRow? {
    let found = ViewRow.all.first { $0.name == syntax.name.text }
    if let found, syntax.namespace == nil || syntax.namespace?.text == found.namespace { return found }
    let written = (syntax.namespace.map { $0.text + ":" } ?? "") + syntax.name.text
    let candidates = ViewRow.all.map { syntax.namespace == nil ? $0.name : "\($0.namespace):\($0.name)" }
    let place = syntax.namespace.map { $0.range.joined(with: syntax.name.range) } ?? syntax.name.range
    statement.report("unknown window \"\(written)\"", at: place, suggestion: didYouMean(written, among: candidates))
    return nil
  }

  /// A view that gives rows of a type of its own: the numbers that it is about, then what else of the newest event stands in its rows.
  private func derived(_ kind: DerivedView, _ syntax: ViewSyntax) -> ViewPlan? {
    let arguments = syntax.arguments.map(\.value)
    var numbers: [Expression] = []
    for argument in arguments.prefix(kind.numberCount) {
      let value = expressions.bind(argument)
      if value.type.isFaulty { return nil }
      guard value.type.isNumeric else {
        statement.report("the view \"\(kind.rawValue)\" needs numbers, this is \(value.type.quoted)", at: argument.range)
        return nil
      }
      numbers.append(value)
    }
    guard let others = otherColumns(arguments.dropFirst(kind.numberCount), beside: kind) else { return nil }
    let properties = kind.properties + others.map { .init($0.name, $0.expression.type) }
    return .derived(
      kind, numbers, others: others.map(\.expression), EventType(name: kind.rawValue, kind: .derived, properties: properties))
  }

  /// `*` stands for all properties that have no namesake.
  private func otherColumns(_ arguments: ArraySlice<ExpressionSyntax>, beside kind: DerivedView) -> [OutputColumn]? {
    var columns: [OutputColumn] = []
    func isTaken(_ name: String) -> Bool { kind.properties.contains { $0.name == name } || columns.contains { $0.name == name } }
    for argument in arguments {
      if case .wildcard = argument.kind {
        for (index, property) in type.properties.enumerated() where !isTaken(property.name) {
          columns.append(OutputColumn(property.name, Expression(.column(stream: 0, property: index), property.type)))
        }
        continue
      }
      let value = expressions.bind(argument)
      if value.type.isFaulty { return nil }
      let name = ColumnBinder.canonicalText.text(argument)
      if isTaken(name) {
        statement.report("the view \"\(kind.rawValue)\" has a property \"\(name)\" already", at: argument.range)
        return nil
      }
      columns.append(OutputColumn(name, value))
    }
    return columns
  }

  // MARK: windows by time

  private func timed(_ name: String, _ arguments: [ExpressionSyntax], _ place: SourceRange) -> ViewPlan? {
    switch name {
    case "time": return period(arguments[0]).map { .time($0) }
    case "time_accum": return period(arguments[0]).map { .timeAccumulating($0) }
    case "firsttime": return period(arguments[0]).map { .firstTime($0) }
    case "time_batch":
      guard let period = period(arguments[0]) else { return nil }
      var reference: Expression?
      var flags: BatchFlags = []
      for argument in arguments.dropFirst() {
        if let found = self.flags(argument) { flags = found } else { reference = number(argument) }
      }
      return .timeBatch(period, reference: reference, flags: flags)
    case "time_length_batch":
      guard let period = period(arguments[0]), let size = size(arguments[1]) else { return nil }
      return .timeLengthBatch(period, size, flags: arguments.count > 2 ? flags(arguments[2]) ?? [] : [])
    case "ext_timed", "ext_timed_batch", "time_order":
      guard let stamp = number(arguments[0]), let period = period(arguments[1]) else { return nil }
      if name == "ext_timed" { return .externallyTimed(stamp, period) }
      if name == "time_order" { return .timeOrder(stamp, period) }
      return .externallyTimedBatch(stamp, period, reference: arguments.count > 2 ? number(arguments[2]) : nil)
    default: return nil
    }
  }

  private func period(_ syntax: ExpressionSyntax) -> TimePeriod? {
    guard let period = statement.period(syntax, expressions) else { return nil }
    return period.parts.allSatisfy({ isFixed($0.count, syntax) }) ? period : nil
  }

  /// A window is made before there are events.
  private func isFixed(_ value: Expression, _ syntax: ExpressionSyntax) -> Bool {
    if value.firstStream == nil { return true }
    statement.report("a window's parameter cannot depend on its events", at: syntax.range, suggestion: "a number, a constant or a variable")
    return false
  }

  /// The keywords in a string, `"START_EAGER,FORCE_UPDATE"`.
  private func flags(_ syntax: ExpressionSyntax) -> BatchFlags? {
    guard case .literal(.string(let text)) = syntax.kind else { return nil }
    var flags: BatchFlags = []
    for word in text.split(separator: ",") {
      let word = word.filter { $0 != " " }.uppercased()
      switch word {
      case "FORCE_UPDATE": flags.insert(.forceUpdate)
      case "START_EAGER": flags.insert(.startEager)
      default:
        statement.report(
          "unknown keyword \"\(word)\" of a batch window", at: syntax.range,
          suggestion: didYouMean(word, among: ["FORCE_UPDATE", "START_EAGER"]))
      }
    }
    return flags
  }

  // MARK: windows by number and key

  private func counted(_ name: String, _ arguments: [ExpressionSyntax], _ place: SourceRange) -> ViewPlan? {
    switch name {
    case "length": return size(arguments[0]).map { .length($0) }
    case "length_batch": return size(arguments[0]).map { .lengthBatch($0) }
    case "firstlength": return size(arguments[0]).map { .firstLength($0) }
    case "keepall": return .keepAll
    case "lastevent": return .lastEvent
    case "firstevent": return .firstEvent
    case "unique": return keys(arguments).map { .unique($0) }
    case "firstunique": return keys(arguments).map { .firstUnique($0) }
    case "groupwin": return keys(arguments).map { .grouped($0) }
    case "sort":
      guard let size = size(arguments[0]), let order = order(arguments.dropFirst()) else { return nil }
      return .sort(size, order)
    case "rank": return rank(arguments)
    case "expr", "expr_batch":
      var streams = expressions.names
      streams.streams[0].slides = name == "expr"
      let aggregates = AggregateList()
      let binder = expressions.sibling("the window's condition", names: streams, aggregates: aggregates)
      binder.names.placeVariables = [
        "current_count": .int, "expired_count": .int, "newest_timestamp": .long, "oldest_timestamp": .long,
        "view_reference": .object("Object"), "newest_event": .event(type), "oldest_event": .event(type),
      ]
      let condition = binder.condition(arguments[0])
      if condition.type.isFaulty { return nil }
      if name == "expr" { return .expression(condition, aggregates.plans) }
      var includes = true
      if arguments.count > 1, case .literal(.boolean(let written)) = arguments[1].kind { includes = written }
      return .expressionBatch(condition, includesTrigger: includes, aggregates.plans)
    default: return nil
    }
  }

  private func keys(_ arguments: [ExpressionSyntax]) -> [Expression]? {
    // Keys may be followed by times, which say when to forget a key.
    let bound = arguments.filter { if case .timePeriod = $0.kind { false } else { true } }.map(expressions.bind)
    return bound.contains { $0.type.isFaulty } ? nil : bound
  }

  private func order(_ arguments: ArraySlice<ExpressionSyntax>) -> [OrderKey]? {
    let keys = arguments.map { syntax -> OrderKey in
      if case .ordered(let inner, let descending) = syntax.kind {
        return OrderKey(expressions.bind(inner).orderable, descending: descending)
      }
      return OrderKey(expressions.bind(syntax).orderable)
    }
    return keys.contains { $0.expression.type.isFaulty } ? nil : keys
  }

  /// `rank(k, 2, v desc)`: keys, then the size, a number, then the order.
  private func rank(_ arguments: [ExpressionSyntax]) -> ViewPlan? {
    let position = arguments.firstIndex { syntax in
      if case .literal(let literal) = syntax.kind { return literal.type.isInteger }
      if case .chain(nil, let links) = syntax.kind, links.count == 1 { return statement.scope.variables[links[0].name.text] != nil }
      return false
    }
    guard let position, position > 0, position + 1 < arguments.count else {
      statement.report("the window \"rank\" takes keys, a size, and the order", at: arguments[0].range, suggestion: "rank(k, 10, v desc)")
      return nil
    }
    guard let keys = keys(Array(arguments[..<position])), let size = size(arguments[position]),
      let order = order(arguments[(position + 1)...])
    else { return nil }
    return .rank(unique: keys, size, order)
  }

  /// A number of events, at least one.
  private func size(_ syntax: ExpressionSyntax) -> Expression? {
    let bound = expressions.bind(syntax)
    if bound.type.isFaulty { return nil }
    guard bound.type.isInteger else {
      statement.report("the window's size is an integer, this is \(bound.type.quoted)", at: syntax.range)
      return nil
    }
    if case .constant(.int(let value)) = bound.node, value < 1 {
      statement.report("the window's size is at least 1, not \(value)", at: syntax.range)
      return nil
    }
    return isFixed(bound, syntax) ? bound : nil
  }

  private func number(_ syntax: ExpressionSyntax) -> Expression? {
    let bound = expressions.bind(syntax)
    if bound.type.isFaulty { return nil }
    guard bound.type.isNumeric else {
      statement.report("a time is a number of milliseconds, this is \(bound.type.quoted)", at: syntax.range)
      return nil
    }
    return bound
  }
}

extension StatementBinder {
  /// A time period, or a number of seconds.
  func period(_ syntax: ExpressionSyntax, _ expressions: ExpressionBinder) -> TimePeriod? {
    if case .timePeriod(let parts) = syntax.kind { return period(parts, expressions) }
    return period([TimePartSyntax(value: syntax, unit: .second, range: syntax.range)], expressions)
  }

  func period(_ parts: [TimePartSyntax], _ expressions: ExpressionBinder) -> TimePeriod? {
    var result: [TimePeriod.Part] = []
    for part in parts {
      let count = expressions.bind(part.value)
      if count.type.isFaulty { return nil }
      guard count.type.isNumeric else {
        report("a time period is a number and its unit, this is \(count.type.quoted)", at: part.value.range)
        return nil
      }
      if case .constant(let value) = count.node, let number = value.number, number < 0 {
        report("a time period cannot be negative", at: part.range)
        return nil
      }
      guard part.unit != .microsecond, let unit = TimePeriod.Unit(rawValue: part.unit.rawValue) else {
        report("the clock counts milliseconds: microseconds are too fine", at: part.range)
        return nil
      }
      result.append(TimePeriod.Part(count, unit))
    }
    return TimePeriod(result)
  }
}
