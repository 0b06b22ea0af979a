import Diagnostics
import EventModel
import Plan
import Syntax

extension StatementBinder {
  func bindContext(_ syntax: CreateContextSyntax) -> ContextPlan? {
    if scope.contexts[syntax.name.text] != nil {
      report("the context \"\(syntax.name.text)\" is declared already", at: syntax.name.range)
      return nil
    }
    guard let plan = ContextBinder(self).bind(syntax) else { return nil }
    scope.contexts[syntax.name.text] = plan
    checkBounds(plan, at: syntax.name.range)
    return plan
  }
}

/// CREATE CONTEXT in all its forms.
struct ContextBinder {
  let statement: StatementBinder
  private let common: [EventType.Property] = [.init("name", .string), .init("id", .int)]

  init(_ statement: StatementBinder) { self.statement = statement }

  func bind(_ syntax: CreateContextSyntax) -> ContextPlan? {
    let name = syntax.name.text
    switch syntax.definition {
    case .keyed(let keys, let initiated, let terminated): return keyed(name, keys, initiated, terminated)
    case .category(let categories, let filter): return category(name, categories, filter)
    case .hash(let parts, let granularity, let preallocate): return hash(name, parts, granularity, preallocate)
    case .startEnd(let start, let end): return timed(name, start, end, distinct: nil)
    case .initiatedTerminated(let distinct, let start, let end): return timed(name, start, end, distinct: distinct)
    case .nested(let parts):
      for (index, part) in parts.enumerated() where parts[..<index].contains(where: { $0.name.text == part.name.text }) {
        statement.report("the context \"\(part.name.text)\" stands twice in \"\(name)\"", at: part.name.range)
        return nil
      }
      let plans = parts.map(bind)
      guard !plans.contains(where: { $0 == nil }) else { return nil }
      let inner = plans.compactMap { $0 }
      return ContextPlan(name: name, type: type(name, inner.map { .init($0.name, .event($0.type)) }), kind: .nested(inner))
    }
  }

  private func type(_ name: String, _ properties: [EventType.Property]) -> EventType {
    EventType(name: name, kind: .derived, properties: common + properties)
  }

  private func binder(_ type: EventType, _ name: String, _ clause: String) -> ExpressionBinder {
    var names = NameScope()
    names.streams = [NameScope.Stream(number: 0, alias: nil, typeName: name, type: type)]
    return ExpressionBinder(statement, names: names, clause: clause)
  }

  // MARK: by keys, hash and category

  private func keyed(
    _ name: String, _ keys: [ContextKeySyntax], _ initiated: [ContextConditionSyntax], _ terminated: ContextConditionSyntax?
  ) -> ContextPlan? {
    var streams: [ContextPlan.Stream] = []
    for key in keys {
      guard let event = statement.eventType(key.stream.eventType) else { return nil }
      if let other = streams.first(where: { event.isKind(of: $0.type) || $0.type.isKind(of: event) }) {
        let same = other.type === event ? "stands twice" : "is a kind of \"\(other.type.name)\", or the other way around"
        statement.report("the type \"\(event.name)\" \(same): an event has one key", at: key.stream.range)
        return nil
      }
      let filter = statement.bindFilter(key.stream, type: event, alias: key.alias?.text)
      let binder = binder(event, key.stream.eventType.text, "the keys of a context")
      let bound = key.properties.map { property in
        binder.bind(ExpressionSyntax(.chain(base: nil, links: property.links), property.range))
      }
      if bound.contains(where: { $0.type.isFaulty }) { return nil }
      streams.append(ContextPlan.Stream(type: event, filter: filter, keys: bound))
    }
    guard let first = streams.first else { return nil }
    for (stream, key) in zip(streams, keys) {
      if stream.keys.count != first.keys.count {
        statement.report("every stream of a context has the same number of keys", at: key.stream.range)
        return nil
      }
      for (a, b) in zip(first.keys, stream.keys) where !a.type.isComparable(with: b.type) {
        statement.report("the keys of a context have one type each, not \(a.type.quoted) and \(b.type.quoted)", at: key.stream.range)
        return nil
      }
    }
    if let unsupported = initiated.first ?? terminated {
      statement.report("a keyed context with INITIATED or TERMINATED is not supported", at: unsupported.range)
      return nil
    }
    let properties = first.keys.enumerated().map { EventType.Property("key\($0 + 1)", $1.type) }
    return ContextPlan(name: name, type: type(name, properties), kind: .keyed(streams))
  }

  private func category(_ name: String, _ categories: [ContextCategorySyntax], _ filter: StreamFilterSyntax) -> ContextPlan? {
    guard let event = statement.eventType(filter.eventType) else { return nil }
    let condition = statement.bindFilter(filter, type: event, alias: nil)
    let binder = binder(event, filter.eventType.text, "a category's condition")
    let bound = categories.map { ContextPlan.Category(label: $0.label.text, condition: binder.condition($0.condition)) }
    if bound.contains(where: { $0.condition.type.isFaulty }) { return nil }
    return ContextPlan(name: name, type: type(name, [.init("label", .string)]), kind: .category(event, filter: condition, bound))
  }

  private func hash(_ name: String, _ parts: [ContextHashSyntax], _ granularity: ExpressionSyntax, _ preallocate: Bool) -> ContextPlan? {
    var streams: [ContextPlan.Stream] = []
    for part in parts {
      guard ["hash_code", "consistent_hash_crc32"].contains(part.function.text.lowercased()) else {
        statement.report(
          "unknown hash function \"\(part.function.text)\"", at: part.function.range,
          suggestion: didYouMean(part.function.text, among: ["hash_code", "consistent_hash_crc32"]))
        return nil
      }
      guard let event = statement.eventType(part.stream.eventType) else { return nil }
      let filter = statement.bindFilter(part.stream, type: event, alias: nil)
      let binder = binder(event, part.stream.eventType.text, "the keys of a context")
      let keys = part.arguments.map(binder.bind)
      if keys.contains(where: { $0.type.isFaulty }) { return nil }
      streams.append(ContextPlan.Stream(type: event, filter: filter, keys: keys, hashFunction: part.function.text.lowercased()))
    }
    let number = ExpressionBinder(statement, names: NameScope(), clause: "the granularity").bind(granularity)
    guard number.type.isInteger else {
      if !number.type.isFaulty { statement.report("the granularity is an integer", at: granularity.range) }
      return nil
    }
    return ContextPlan(
      name: name, type: type(name, []), kind: .hash(streams, granularity: number, preallocates: preallocate))
  }

  // MARK: by time and event

  private func timed(
    _ name: String, _ start: ContextConditionSyntax, _ end: ContextConditionSyntax?, distinct: [ExpressionSyntax]?
  ) -> ContextPlan? {
    var startsNow = false
    var startCondition: ContextPlan.Condition? = .never
    var properties: [EventType.Property] = [.init("startTime", .long), .init("endTime", .long)]
    switch start.kind {
    case .immediately: startsNow = true
    case .nowAnd(let inner):
      startsNow = true
      startCondition = condition(inner, context: nil, &properties)
    default: startCondition = condition(start, context: nil, &properties)
    }
    guard let begin = startCondition else { return nil }
    let contextType = type(name, properties)
    var ignored: [EventType.Property] = []
    guard let finish = end.map({ condition($0, context: contextType, &ignored) }) ?? .never else { return nil }
    guard let distinct else {
      return ContextPlan(name: name, type: contextType, kind: .startEnd(start: begin, startsNow: startsNow, end: finish))
    }
    var names = NameScope()
    names.streams = [NameScope.Stream(number: Expression.contextStream, alias: nil, typeName: nil, type: contextType)]
    let binder = ExpressionBinder(statement, names: names, clause: "the DISTINCT keys of a context")
    let keys = distinct.map(binder.bind)
    if keys.contains(where: { $0.type.isFaulty }) { return nil }
    return ContextPlan(
      name: name, type: contextType,
      kind: .initiatedTerminated(start: begin, startsNow: startsNow, end: finish, distinct: keys))
  }

  /// - Parameters:
  ///   - context: of an end condition the context's type, whose start tags it may name; of a start condition nil, and its tags
  ///     become properties.
  private func condition(
    _ syntax: ContextConditionSyntax, context: EventType?, _ properties: inout [EventType.Property]
  ) -> ContextPlan.Condition? {
    var names = NameScope()
    names.contextType = context
    let binder = ExpressionBinder(statement, names: names, clause: "a context's condition")
    switch syntax.kind {
    case .immediately, .nowAnd:
      statement.report("@now can only begin a context", at: syntax.range)
      return nil
    case .after(let period): return statement.period(period, binder).map { .after($0) }
    case .crontab(let lists):
      guard lists.count == 1 else {
        statement.report("several crontabs in one condition are not supported", at: syntax.range)
        return nil
      }
      return statement.bindCrontab(lists[0], binder).map { .crontab($0) }
    case .filter(let filter, let alias): return filtered(filter, alias, context, &properties)
    case .pattern(let pattern, _, _):
      let saved = statement.contextType
      statement.contextType = context
      statement.namesContextTags = context != nil
      defer {
        statement.contextType = saved
        statement.namesContextTags = false
      }
      guard let plan = statement.bindPattern(pattern) else { return nil }
      guard context == nil else { return .pattern(plan, tags: plan.type.properties.map { _ in nil }) }
      let first = common.count + properties.count
      properties += plan.type.properties
      return .pattern(plan, tags: plan.type.properties.indices.map { first + $0 })
    }
  }

  private func filtered(
    _ filter: StreamFilterSyntax, _ alias: NameSyntax?, _ context: EventType?, _ properties: inout [EventType.Property]
  ) -> ContextPlan.Condition? {
    guard let event = statement.eventType(filter.eventType) else { return nil }
    // The start's tags may also be named without `context.` before them.
    let tags = context.map { NameScope.Stream(number: Expression.contextStream, alias: nil, typeName: nil, type: $0) }
    let condition = statement.bindFilter(filter, type: event, alias: alias?.text, tags: tags)
    if condition == nil, !filter.conditions.isEmpty { return nil }
    var tag: Int?
    if context == nil, let alias {
      tag = common.count + properties.count
      properties.append(.init(alias.text, .event(event)))
    }
    return .filter(event, condition, tag: tag)
  }
}

extension NameSyntax {
  /// The name's parts between dots as a chain's links, each with the whole name's place.
  var links: [ChainLinkSyntax] {
    if quoted { return [ChainLinkSyntax(self)] }
    return text.split(separator: ".").map { ChainLinkSyntax(NameSyntax(String($0), range)) }
  }
}
