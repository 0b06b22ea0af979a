import Diagnostics
import EventModel
import Plan
import Syntax

extension StatementBinder {
  func bindPattern(_ syntax: PatternStatementSyntax) -> PatternPlan? { PatternBinder(self).bind(syntax) }
}

/// Patterns: tags become the properties of the pattern's event, in order of their first mention.
final class PatternBinder {
  let statement: StatementBinder
  private var properties: [EventType.Property] = []
  private var places: [String: SourceRange] = [:]

  init(_ statement: StatementBinder) { self.statement = statement }

  func bind(_ syntax: PatternStatementSyntax) -> PatternPlan? {
    collect(syntax.pattern, isRepeated: false)
    let type = EventType(name: "pattern", kind: .derived, properties: properties)
    guard let root = node(syntax.pattern, type) else { return nil }
    statement.checkBounds(syntax.pattern)
    let annotations = Set(syntax.annotations.map { $0.name.text.lowercased() })
    return PatternPlan(
      root: root, type: type, discardsPartials: annotations.contains("discardpartialsonmatch"),
      suppressesOverlaps: annotations.contains("suppressoverlappingmatches"))
  }

  // MARK: tags

  /// Finds every tag with its type: an array where it stands in a repeat.
  private func collect(_ syntax: PatternSyntax, isRepeated: Bool) {
    switch syntax.kind {
    case .atom(let tag, let filter, _):
      guard let tag, let type = statement.scope.windows[filter.eventType.text]?.type ?? statement.scope.types[filter.eventType.text] else {
        return
      }
      let property = EventType.Property(tag.text, isRepeated ? .array(.event(type)) : .event(type))
      if let earlier = properties.first(where: { $0.name == tag.text }) {
        // A later event of the same type takes the earlier one's place; in a repeat a tag stands alone.
        if earlier.type != property.type {
          statement.report("the tag \"\(tag.text)\" stands for two types of events", at: tag.range)
        } else if isRepeated {
          statement.report("the tag \"\(tag.text)\" of a repeat stands twice", at: tag.range, suggestion: "give one of them another name")
        }
        return
      }
      properties.append(property)
    case .every(let inner), .everyDistinct(_, let inner), .not(let inner), .guarded(let inner, _, _, _), .whileGuard(let inner, _):
      collect(inner, isRepeated: isRepeated)
    case .and(let parts), .or(let parts), .followedBy(let parts, _): for part in parts { collect(part, isRepeated: isRepeated) }
    case .repeated(_, _, _, let inner, let until):
      collect(inner, isRepeated: true)
      if let until { collect(until, isRepeated: isRepeated) }
    case .observer, .missing: break
    }
  }

  /// The tags under a node, as properties of the pattern's type.
  private func tags(under syntax: PatternSyntax, _ type: EventType) -> [Int] {
    switch syntax.kind {
    case .atom(let tag, _, _): tag.flatMap { type.index(of: $0.text) }.map { [$0] } ?? []
    case .every(let inner), .everyDistinct(_, let inner), .not(let inner), .guarded(let inner, _, _, _), .whileGuard(let inner, _):
      tags(under: inner, type)
    case .and(let parts), .or(let parts), .followedBy(let parts, _): parts.flatMap { tags(under: $0, type) }
    case .repeated(_, _, _, let inner, let until): tags(under: inner, type) + (until.map { tags(under: $0, type) } ?? [])
    case .observer, .missing: []
    }
  }

  // MARK: nodes

  private func binder(_ type: EventType, _ clause: String) -> ExpressionBinder {
    var names = NameScope()
    names.streams = [NameScope.Stream(number: 0, alias: nil, typeName: nil, type: type)]
    names.contextType = statement.contextType
    return ExpressionBinder(statement, names: names, clause: clause)
  }

  private func nodes(_ parts: [PatternSyntax], _ type: EventType) -> [PatternNode]? {
    let bound = parts.map { node($0, type) }
    return bound.contains { $0 == nil } ? nil : bound.compactMap { $0 }
  }

  private func node(_ syntax: PatternSyntax, _ type: EventType) -> PatternNode? {
    switch syntax.kind {
    case .atom(let tag, let filter, let consume): return atom(tag, filter, consume, type)
    case .every(let inner): return node(inner, type).map { .every($0) }
    case .everyDistinct(let keys, let inner): return everyDistinct(keys, inner, type)
    case .not(let inner): return node(inner, type).map { .not($0) }
    case .and(let parts): return nodes(parts, type).map { .and($0) }
    case .or(let parts): return nodes(parts, type).map { .or($0) }
    case .followedBy(let parts, let maximum):
      let bounds = maximum.map { $0.map(binder(type, "the bound of an arrow").bind) }
      return nodes(parts, type).map { .followedBy($0, maxima: bounds) }
    case .repeated(let low, let high, let exact, let inner, let until):
      let binder = binder(type, "the bounds of a repeat")
      guard let body = node(inner, type) else { return nil }
      let lower = low.map(binder.bind)
      let upper = exact ? lower : high.map(binder.bind)
      guard checkRepeat(lower, upper, isExact: exact, hasEnd: until != nil, at: (low ?? high ?? nil)?.range ?? syntax.range) else {
        return nil
      }
      var end: PatternNode?
      if let until {
        guard let bound = node(until, type) else { return nil }
        end = bound
      }
      return .repeated(body, low: lower, high: upper, until: end, tags: tags(under: inner, type))
    case .observer(let namespace, let name, let arguments): return observer(namespace, name, arguments, type)
    case .guarded(let inner, let namespace, let name, let arguments): return guarded(inner, namespace, name, arguments, type)
    case .whileGuard(let inner, let condition):
      guard let body = node(inner, type) else { return nil }
      let bound = binder(type, "the WHILE condition").condition(condition)
      return bound.type.isFaulty ? nil : .whileTrue(body, bound)
    case .missing: return nil
    }
  }

  /// What is known of a repeat's bounds before it runs.
  private func checkRepeat(_ low: Expression?, _ high: Expression?, isExact: Bool, hasEnd: Bool, at place: SourceRange) -> Bool {
    let constant = { (bound: Expression?) -> Int64? in
      if case .constant(let value)? = bound?.node { return value.integer }
      return nil
    }
    for bound in [low, high].compactMap({ $0 }) {
      if bound.type.isFaulty { return false }
      if !bound.type.isInteger { return refuse("the bounds of a repeat are integers, this is \(bound.type.quoted)", place) }
    }
    if let number = constant(low), number < (isExact ? 1 : 0) { return refuse("a repeat cannot happen \(number) times", place) }
    if let number = constant(high), number < 1 { return refuse("a repeat cannot happen \(number) times", place) }
    if let a = constant(low), let b = constant(high), a > b {
      return refuse("the repeat's lower bound \(a) is above its upper bound \(b)", place)
    }
    let isTight = isExact || (constant(low) != nil && constant(low) == constant(high))
    if !isTight, !hasEnd { return refuse("a repeat of no fixed number needs UNTIL", place, "[2:] a=A until B") }
    return true
  }

  private func refuse(_ message: String, _ place: SourceRange, _ suggestion: String? = nil) -> Bool {
    statement.report(message, at: place, suggestion: suggestion)
    return false
  }

  private func atom(_ tag: NameSyntax?, _ filter: StreamFilterSyntax, _ consume: ConsumeSyntax?, _ type: EventType) -> PatternNode? {
    guard let event = statement.eventType(filter.eventType) else { return nil }
    let matched = NameScope.Stream(number: 1, alias: nil, typeName: nil, type: type)
    let condition = statement.bindFilter(filter, type: event, alias: tag?.text, tags: matched)
    if condition == nil, !filter.conditions.isEmpty { return nil }
    var level: Int?
    if let consume {
      level = 1
      if let written = consume.level, case .literal(.integer(let value)) = written.kind { level = Int(value) }
    }
    return .filter(event, condition, tag: tag.flatMap { type.index(of: $0.text) }, consume: level)
  }

  private func everyDistinct(_ keys: [ExpressionSyntax], _ inner: PatternSyntax, _ type: EventType) -> PatternNode? {
    let binder = binder(type, "the keys of EVERY-DISTINCT")
    var keys = keys
    var expiry: TimePeriod?
    if let last = keys.last, case .timePeriod = last.kind {
      keys.removeLast()
      expiry = statement.period(last, binder)
    }
    let bound = keys.map(binder.bind)
    guard let body = node(inner, type), !bound.contains(where: { $0.type.isFaulty }) else { return nil }
    return .everyDistinct(body, keys: bound, expiry: expiry)
  }

  // MARK: timers

  private func observer(_ namespace: NameSyntax, _ name: NameSyntax, _ arguments: [ArgumentSyntax], _ type: EventType) -> PatternNode? {
    let binder = binder(type, "a timer")
    switch (namespace.text, name.text) {
    case ("timer", "interval") where arguments.count == 1:
      return statement.period(arguments[0].value, binder).map { .interval($0) }
    case ("timer", "at"): return statement.bindCrontab(arguments.map(\.value), binder).map { .at($0) }
    case ("timer", "schedule"): return schedule(arguments, binder, at: name.range)
    default: return unknown(namespace, name, ["interval", "at", "schedule"])
    }
  }

  private func schedule(_ arguments: [ArgumentSyntax], _ binder: ExpressionBinder, at place: SourceRange) -> PatternNode? {
    let names = Set(arguments.map { $0.name?.text ?? "date" })
    if names.contains("iso"), names.count > 1 {
      statement.report("\"iso\" says all of a schedule, and takes no other parameter beside it", at: place)
      return nil
    }
    if names.isDisjoint(with: ["iso", "date", "period"]) {
      statement.report(
        "timer:schedule needs a date or a period", at: place,
        suggestion: "timer:schedule(date: '2030-01-31T12:00:00Z'), timer:schedule(repetitions: 3, period: 1 min)")
      return nil
    }
    var (date, repetitions): (Expression?, Expression?)
    var period: TimePeriod?
    for argument in arguments {
      switch argument.name?.text {
      case "repetitions":
        let count = binder.bind(argument.value)
        guard count.type.isInteger || count.type.isOpen else {
          if !count.type.isFaulty {
            statement.report("\"repetitions\" is an integer, this is \(count.type.quoted)", at: argument.value.range)
          }
          return nil
        }
        repetitions = count
      case "period":
        guard case .timePeriod = argument.value.kind else {
          statement.report("\"period\" is a span of time", at: argument.value.range, suggestion: "period: 5 sec")
          return nil
        }
        period = statement.period(argument.value, binder)
      case "iso":
        guard case .literal(.string(let text)) = argument.value.kind, let iso = ISOSchedule(text) else {
          statement.report("this is no schedule in ISO 8601", at: argument.value.range, suggestion: "'R3/2012-10-01T05:52:00Z/PT2S'")
          return nil
        }
        repetitions = iso.repetitions.map { Expression(.constant(.int($0)), .long) }
        date = iso.date.map { Expression(.constant(.int($0)), .long) }
        period = iso.period
      case "date", nil:
        if case .literal(.string(let text)) = argument.value.kind {
          guard let time = ISOTime.milliseconds(text) else {
            statement.report("this is no time in ISO 8601", at: argument.value.range, suggestion: "'2012-10-01T05:52:00Z'")
            return nil
          }
          date = Expression(.constant(.int(time)), .long)
        } else {
          date = binder.bind(argument.value)
        }
      case let other?:
        statement.report(
          "unknown parameter \"\(other)\" of timer:schedule", at: argument.name?.range ?? argument.value.range,
          suggestion: didYouMean(other, among: ["date", "repetitions", "period", "iso"]))
        return nil
      }
    }
    return .schedule(date: date, repetitions: repetitions, period: period)
  }

  private func guarded(
    _ inner: PatternSyntax, _ namespace: NameSyntax, _ name: NameSyntax, _ arguments: [ArgumentSyntax], _ type: EventType
  ) -> PatternNode? {
    let binder = binder(type, "a guard")
    // Mistakes within are told beside those of the guard.
    let body = node(inner, type)
    switch (namespace.text, name.text) {
    case ("timer", "within") where arguments.count == 1:
      guard let period = statement.period(arguments[0].value, binder), let body else { return nil }
      return .within(body, period)
    case ("timer", "withinmax") where arguments.count == 2:
      let period = statement.period(arguments[0].value, binder)
      let count = binder.bind(arguments[1].value)
      guard let period, let body, !count.type.isFaulty else { return nil }
      return .withinMax(body, period, count)
    default: return unknown(namespace, name, ["within", "withinmax"])
    }
  }

  private func unknown(_ namespace: NameSyntax, _ name: NameSyntax, _ known: [String]) -> PatternNode? {
    let isKnown = namespace.text == "timer" && known.contains(name.text)
    statement.report(
      isKnown ? "\"timer:\(name.text)\" does not take these parameters" : "unknown timer \"\(namespace.text):\(name.text)\"",
      at: namespace.range.joined(with: name.range),
      suggestion: isKnown ? nil : didYouMean("\(namespace.text):\(name.text)", among: known.map { "timer:\($0)" }))
    return nil
  }
}
