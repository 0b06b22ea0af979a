import Builtins
import Diagnostics
import EventModel
import Plan
import Syntax

/// Chains: names of properties, streams, variables; then methods and properties of what they name.
extension ExpressionBinder {
  func chain(_ base: ExpressionSyntax?, _ links: [ChainLinkSyntax], _ place: SourceRange) -> Expression {
    if let base {
      if case .subquery(let query) = base.kind, let rows = rows(query) { return members(of: rows, links[...], place) }
      return members(of: bind(base), links[...], place)
    }
    guard let first = links.first else { return .faulty }
    if first.call != nil {
      if let local = names.locals[first.name.text] { return members(of: local, links.dropFirst(), place) }
      return members(of: indexed(call(first, place), first), links.dropFirst(), place)
    }
    if let (name, count) = staticFunction(links), names.locals[first.name.text] == nil {
      let link = links[count - 1]
      return members(of: function(name, link.call?.arguments ?? [], at: place), links.dropFirst(count), place)
    }
    if let (bound, rest) = named(links[...]) { return members(of: bound, rest, place) }
    return unknown(links, place)
  }

  /// `Math.abs(…)`: the dotted name and how many links it takes.
  private func staticFunction(_ links: [ChainLinkSyntax]) -> (String, Int)? {
    guard let end = links.firstIndex(where: { $0.call != nil }), end > 0, end < 4 else { return nil }
    let name = links[...end].map(\.name.text).joined(separator: ".")
    let short = links[max(0, end - 1)...end].map(\.name.text).joined(separator: ".")
    if statement.scope.catalog.functions[name] != nil { return (name, end + 1) }
    return name.hasPrefix("java.lang.") && statement.scope.catalog.functions[short] != nil ? (short, end + 1) : nil
  }

  // MARK: names

  /// What the first names stand for, and the links that are left; nil where they stand for nothing.
  private func named(_ links: ArraySlice<ChainLinkSyntax>) -> (Expression, ArraySlice<ChainLinkSyntax>)? {
    guard let first = links.first else { return nil }
    let name = first.name.text
    if let local = names.locals[name] { return (indexed(local, first), links.dropFirst()) }
    if let column = names.column(name, insideAggregate: aggregates?.isInside ?? false) {
      return (indexed(column, first), links.dropFirst())
    }
    if let type = names.placeVariables[name] { return (Expression(.variable(name), type), links.dropFirst()) }
    if let alias = alias(first) { return (alias, links.dropFirst()) }
    if name == "context", let type = names.contextType, links.count > 1 {
      if let found = property(of: type, links.dropFirst(), { Expression(.column(stream: Expression.contextStream, property: $0), $1) }) {
        return found
      }
    }
    for group in [names.streams, names.outer] {
      if let found = property(in: group, links) { return found }
    }
    if let found = streamName(links) { return found }
    if first.optional, let found = dynamic(first) { return (found, links.dropFirst()) }
    if name.lowercased() == "current_timestamp" { return (Expression(.currentTimestamp, .long), links.dropFirst()) }
    if let variable = statement.scope.variables[name] {
      statement.checkPartitions("variable", name, of: variable.context, at: first.name.range)
      return (indexed(Expression(.variable(name), variable.type), first), links.dropFirst())
    }
    if let table = statement.scope.tables[name] {
      if first.index == nil, let keys = tableKeys(table, first, links.dropFirst()) { return (keys, links.dropFirst(2)) }
      return (tableRow(table, first), links.dropFirst())
    }
    if let fallback = names.fallbacks[name] { return (fallback, links.dropFirst()) }
    if let constant = javaConstant(links) { return constant }
    guard names.streams.first?.isAnything == true, let found = dynamic(first) else { return nil }
    return (found, links.dropFirst())
  }

  /// `Integer.MAX_VALUE`, `java.lang.Math.PI`.
  private func javaConstant(_ links: ArraySlice<ChainLinkSyntax>) -> (Expression, ArraySlice<ChainLinkSyntax>)? {
    var count = 2
    if links.starts(with: ["java", "lang"], by: { $0.name.text == $1 }) { count = 4 }
    let written = links.prefix(count)
    guard written.count == count, written.allSatisfy({ $0.call == nil }) else { return nil }
    guard let constant = Builtins.javaConstants[written.suffix(2).map(\.name.text).joined(separator: ".")] else { return nil }
    return (Expression(.constant(constant.value), constant.type), links.dropFirst(count))
  }

  private func property(in streams: [NameScope.Stream], _ links: ArraySlice<ChainLinkSyntax>) -> (Expression, ArraySlice<ChainLinkSyntax>)?
  {
    var found: (Expression, ArraySlice<ChainLinkSyntax>)?
    for stream in streams {
      let make = { Expression(.column(stream: stream.number, property: $0), $1) }
      guard let next = property(of: stream.type, links, make) else { continue }
      if let earlier = found, earlier.1.count == next.1.count, let first = links.first, let last = links.last {
        let owners = streams.compactMap { $0.alias ?? $0.typeName }
        let place = first.name.range.joined(with: last.name.range)
        let written = links.map(\.name.text).joined(separator: ".")
        return (
          report(
            "the property \"\(written)\" is ambiguous: more than one stream has it", at: place,
            suggestion: owners.first.map { "write \"\($0).\(written)\"" }), []
        )
      }
      if found == nil || next.1.count < found?.1.count ?? 0 { found = next }
    }
    return found
  }

  /// `a.k`, `E.k`, and `a` alone: the event.
  private func streamName(_ links: ArraySlice<ChainLinkSyntax>) -> (Expression, ArraySlice<ChainLinkSyntax>)? {
    guard let first = links.first else { return nil }
    for stream in names.all where stream.alias == first.name.text {
      return inStream(stream, links)
    }
    for stream in names.all where stream.typeName == first.name.text {
      return inStream(stream, links)
    }
    // A type's dotted name may also stand before its properties.
    for count in stride(from: min(links.count - 1, 6), to: 1, by: -1) {
      let dotted = links.prefix(count).map(\.name.text).joined(separator: ".")
      for stream in names.all where stream.names.contains(dotted) { return inStream(stream, links.dropFirst(count - 1)) }
    }
    return nil
  }

  private func inStream(_ stream: NameScope.Stream, _ links: ArraySlice<ChainLinkSyntax>) -> (Expression, ArraySlice<ChainLinkSyntax>)? {
    let rest = links.dropFirst()
    let event = Expression(.event(stream: stream.number), .event(stream.type))
    guard let next = rest.first else { return (event, []) }
    if let found = property(of: stream.type, rest, { Expression(.column(stream: stream.number, property: $0), $1) }) { return found }
    if next.optional || stream.isAnything && next.call == nil { return (dynamic(next, of: event), rest.dropFirst()) }
    return next.call != nil ? (event, rest) : nil
  }

  /// `p?` where no stream declares it: what the event has under that name when it comes.
  private func dynamic(_ link: ChainLinkSyntax) -> Expression? {
    guard let stream = names.streams.first else { return nil }
    return dynamic(link, of: Expression(.event(stream: stream.number), .event(stream.type)))
  }

  private func dynamic(_ link: ChainLinkSyntax, of row: Expression) -> Expression {
    Expression(.key(row, link.name.text), .object("Object"))
  }

  /// The longest run of names that is a property of the type.
  func property(
    of type: EventType, _ links: ArraySlice<ChainLinkSyntax>, _ make: (Int, ValueType) -> Expression
  ) -> (Expression, ArraySlice<ChainLinkSyntax>)? {
    var parts: [ChainLinkSyntax] = []
    for link in links {
      parts.append(link)
      if link.call != nil || link.index != nil || link.optional { break }
    }
    while let last = parts.last {
      let name = parts.map(\.name.text).joined(separator: ".")
      let next = links.dropFirst(parts.count).first
      if let index = type.index(of: name), last.call == nil || type.properties[index].type == .map,
        type.properties[index].type.hasMember(next, isIndexed: last.index != nil)
      {
        var result = make(index, type.properties[index].type)
        if let call = last.call, let argument = call.arguments.first?.value, case .literal(.string(let key)) = argument.kind {
          result = Expression(.key(result, key), .object("Object"))
        }
        return (indexed(result, last), links.dropFirst(parts.count))
      }
      parts.removeLast()
    }
    return nil
  }

  /// `x[i]` where the link has an index.
  func indexed(_ value: Expression, _ link: ChainLinkSyntax) -> Expression {
    guard let index = link.index, !value.type.isFaulty else { return value }
    let place = bind(index)
    guard let element = value.type.element else {
      if case .event = value.type, case .tableRow = value.node { return value }
      return report("\"\(link.name.text)\" is \(value.type.quoted) and has no elements", at: index.range)
    }
    guard place.type.isInteger || place.type.isOpen else {
      return report("an index is an integer, this is \(place.type.quoted)", at: index.range)
    }
    return Expression(.element(value, place), element)
  }

  /// `T.keys()`: all primary keys of a table.
  private func tableKeys(_ table: TablePlan, _ named: ChainLinkSyntax, _ links: ArraySlice<ChainLinkSyntax>) -> Expression? {
    guard let link = links.first, link.name.text.lowercased() == "keys", let call = link.call, call.arguments.isEmpty else { return nil }
    let keys = zip(table.type.properties, table.columns).filter(\.1.isKey).map(\.0.type)
    if keys.isEmpty { return nil }
    statement.checkStore(named.name)
    return Expression(.tableKeys(table: table.name), .array(keys.count == 1 ? keys[0] : .array(.object("Object"))))
  }

  private func tableRow(_ table: TablePlan, _ link: ChainLinkSyntax) -> Expression {
    var keys: [Expression] = []
    if let index = link.index {
      if case .array(let parts) = index.kind { keys = parts.map(bind) } else { keys = [bind(index)] }
    }
    statement.checkStore(link.name)
    let wanted = table.columns.filter(\.isKey).count
    if keys.count != wanted {
      return report("the table \"\(table.name)\" has \(wanted) key columns, not \(keys.count)", at: link.name.range)
    }
    for (key, property) in zip(keys, zip(table.type.properties, table.columns).filter(\.1.isKey).map(\.0))
    where !key.type.isFaulty && !key.type.isComparable(with: property.type) {
      return report(
        "the key \"\(property.name)\" of the table \"\(table.name)\" is \(property.type.quoted), this is \(key.type.quoted)",
        at: link.index?.range ?? link.name.range)
    }
    return Expression(.tableRow(table: table.name, keys: keys), .event(table.type))
  }

  // MARK: members

  /// Applies the links that follow a value: properties of rows, methods.
  func members(of value: Expression, _ links: ArraySlice<ChainLinkSyntax>, _ place: SourceRange) -> Expression {
    var (value, links) = (value, links)
    while let link = links.first {
      if value.type.isFaulty { return .faulty }
      if link.call != nil {
        value = indexed(method(link, of: value, place), link)
        links = links.dropFirst()
      } else if let type = value.type.eventType {
        let row = value
        guard let found = property(of: type, links, { index, type in self.nested(row, index, type) }) else {
          if link.optional {
            value = dynamic(link, of: row)
            links = links.dropFirst()
            continue
          }
          return unknownMember(link, of: type)
        }
        (value, links) = found
      } else if value.type == .map {
        value = indexed(Expression(.key(value, link.name.text), .object("Object")), link)
        links = links.dropFirst()
      } else if link.name.text == "*", links.count == 1 {
        return value
      } else if case .key(_, _) = value.node, link.call == nil {
        // Behind a property that nobody declares everything is looked for when the event comes.
        value = dynamic(link, of: value)
        links = links.dropFirst()
      } else {
        return report("\(value.type.quoted) has no property \"\(link.name.text)\"", at: link.name.range)
      }
    }
    return value
  }

  /// A property of a row; that of a stream's event is a column.
  private func nested(_ row: Expression, _ index: Int, _ type: ValueType) -> Expression {
    if case .event(let stream) = row.node { return Expression(.column(stream: stream, property: index), type) }
    return Expression(.nested(row, property: index), type)
  }

  private func unknownMember(_ link: ChainLinkSyntax, of type: EventType) -> Expression {
    report(
      "\"\(type.name)\" has no property \"\(link.name.text)\"", at: link.name.range,
      suggestion: didYouMean(link.name.text, among: type.properties.map(\.name)))
  }

  private func unknown(_ links: [ChainLinkSyntax], _ place: SourceRange) -> Expression {
    let written = links.prefix { $0.call == nil }.map(\.name.text).joined(separator: ".")
    guard let first = links.first, !written.isEmpty else { return .faulty }
    if statement.scope.failed.contains(first.name.text) {
      statement.reportFollowing()
      return .faulty
    }
    let range = links.prefix { $0.call == nil }.reduce(first.name.range) { $0.joined(with: $1.name.range) }
    if first.name.text == "context", names.contextType == nil {
      // Its context is a mistake of its own.
      if statement.syntax.context != nil {
        statement.reportFollowing()
        return .faulty
      }
      return report("this statement has no context", at: range, suggestion: "write CONTEXT and its name before it")
    }
    if let stream = names.all.first(where: { $0.names.contains(first.name.text) }), links.count > 1 {
      let property = links.dropFirst().prefix { $0.call == nil }.map(\.name.text).joined(separator: ".")
      return report(
        "\"\(stream.type.name)\" has no property \"\(property)\"", at: range,
        suggestion: didYouMean(property, among: stream.type.properties.map(\.name)))
    }
    let candidates = names.candidates + statement.scope.variables.keys.sorted()
    return report("unknown property \"\(written)\"", at: range, suggestion: didYouMean(written, among: candidates))
  }

  // MARK: declared expressions

  /// `expression tot alias for { sum(v) }`: the name stands for the expression, in the place where it is used.
  private func alias(_ link: ChainLinkSyntax) -> Expression? {
    guard let declaration = statement.scope.expressions[link.name.text], declaration.parameters.isEmpty, link.call == nil,
      property(in: names.streams, [link][...]) == nil
    else { return nil }
    return expanding(declaration.name) { bind(declaration.body) }
  }

  /// `twice(e)`: the body with the arguments in the places of the parameters.
  func declared(_ declaration: ExpressionDeclarationSyntax, _ call: CallSyntax, _ place: SourceRange) -> Expression {
    guard call.arguments.count == declaration.parameters.count else {
      return report(
        "the expression \"\(declaration.name.text)\" takes \(declaration.parameters.count) arguments, not \(call.arguments.count)",
        at: place)
    }
    let arguments = call.arguments.map { argument -> Expression in
      if case .wildcard = argument.value.kind, let stream = names.streams.first {
        return Expression(.event(stream: stream.number), .event(stream.type))
      }
      return bind(argument.value)
    }
    if arguments.contains(where: { $0.type.isFaulty }) { return .faulty }
    return expanding(declaration.name) {
      let saved = names
      defer { names = saved }
      if !declaration.parameters.isEmpty { names.streams = [] }
      for (parameter, argument) in zip(declaration.parameters, arguments) { names.locals[parameter.text] = argument }
      return bind(declaration.body)
    }
  }
}

extension ValueType {
  /// Whether a link can follow a value of this type; if not, the names before it mean something else.
  fileprivate func hasMember(_ link: ChainLinkSyntax?, isIndexed: Bool) -> Bool {
    guard let link, link.call == nil else { return true }
    let type = isIndexed ? element ?? self : self
    return type.eventType != nil || type == .map
  }
}
