import Builtins
import Diagnostics
import EventModel
import Plan
import Syntax

/// The SELECT clause's items.
struct ColumnBinder {
  struct Columns {
    var columns: [OutputColumn] = []
    /// The stream that `*` alone passes on.
    var passThrough: Int?
    /// Whether all properties of a stream stand among the columns.
    var hasWildcard = false
  }

  let binder: ExpressionBinder
  private var streams: [NameScope.Stream] { binder.names.streams }
  static let canonicalText = CanonicalText(aggregates: Set(Builtins.aggregates.keys.map { $0.lowercased() }))

  init(_ binder: ExpressionBinder) { self.binder = binder }

  func bind(_ items: [SelectItemSyntax]) -> Columns {
    var result = Columns()
    if items.count == 1, let stream = passThrough(items[0]) {
      result.passThrough = stream.number
      result.columns = expanded(stream)
      return result
    }
    var places: [SourceRange] = []
    for item in items {
      let columns = bind(item, &result)
      result.columns += columns
      places += columns.map { _ in item.range }
    }
    checkNames(&result, places)
    return result
  }

  private func passThrough(_ item: SelectItemSyntax) -> NameScope.Stream? {
    switch item.kind {
    case .wildcard: streams.count == 1 ? streams[0] : nil
    case .streamWildcard(let name): item.alias == nil ? streams.first { $0.names.contains(name.text) } : nil
    case .expression: nil
    }
  }

  private func expanded(_ stream: NameScope.Stream) -> [OutputColumn] {
    stream.type.properties.enumerated().map { index, property in
      OutputColumn(property.name, Expression(.column(stream: stream.number, property: index), property.type))
    }
  }

  private func bind(_ item: SelectItemSyntax, _ result: inout Columns) -> [OutputColumn] {
    switch item.kind {
    case .wildcard:
      result.hasWildcard = true
      if streams.count == 1 { return expanded(streams[0]) }
      return streams.map { stream in
        let name = stream.alias ?? stream.typeName ?? "stream_\(stream.number)"
        return OutputColumn(name, Expression(.event(stream: stream.number), .event(stream.type)))
      }
    case .streamWildcard(let name):
      result.hasWildcard = true
      return streamWildcard(name, item.alias)
    case .expression(let syntax):
      let bound = binder.bind(syntax)
      return [OutputColumn(item.alias?.text ?? Self.canonicalText.text(syntax), bound)]
    }
  }

  private func streamWildcard(_ name: NameSyntax, _ alias: NameSyntax?) -> [OutputColumn] {
    guard let stream = streams.first(where: { $0.names.contains(name.text) }) else { return tagWildcard(name, alias) }
    guard let alias else { return expanded(stream) }
    return [OutputColumn(alias.text, Expression(.event(stream: stream.number), .event(stream.type)))]
  }

  /// `a.*` where `a` is a pattern's tag: a property that holds an event.
  private func tagWildcard(_ name: NameSyntax, _ alias: NameSyntax?) -> [OutputColumn] {
    for stream in streams {
      guard let index = stream.type.index(of: name.text), let type = stream.type.properties[index].type.eventType else { continue }
      let row = Expression(.column(stream: stream.number, property: index), .event(type))
      if let alias { return [OutputColumn(alias.text, row)] }
      return type.properties.enumerated().map { OutputColumn($1.name, Expression(.nested(row, property: $0), $1.type)) }
    }
    binder.statement.reportUnknown("stream", name, among: streams.flatMap(\.names))
    return []
  }

  /// Names are unique, but a wildcard gives way to what is written beside it.
  private func checkNames(_ result: inout Columns, _ places: [SourceRange]) {
    var seen: [String: Int] = [:]
    var kept: [OutputColumn] = []
    for (column, place) in zip(result.columns, places) {
      if let earlier = seen[column.name] {
        if result.hasWildcard {
          kept[earlier] = column
        } else {
          binder.statement.report("the column name \"\(column.name)\" stands twice", at: place, suggestion: "give one another name with AS")
        }
        continue
      }
      seen[column.name] = kept.count
      kept.append(column)
    }
    result.columns = kept
  }
}
