import EventModel
import Plan

/// The names that an expression may use.
struct NameScope {
  /// A stream, a triggering event, a window's row, a pattern's event: a number in the plan's expressions, with its names.
  struct Stream {
    var number: Int
    /// The alias, else nil.
    var alias: String?
    /// The name of its type, window or table, which may also stand before a property.
    var typeName: String?
    var type: EventType
    /// Whether a data window keeps its events, for `window(*)`, `prev` and joins.
    var isWindowed = true
    /// Whether the statement has windows of its own over them, for `prev`.
    var isViewed = true
    /// Whether single events leave the window, as they do not from a batch.
    var slides = false

    var names: [String] { [alias, typeName].compactMap { $0 } }
    /// Of a variant stream of any events every property may be named.
    var isAnything: Bool { type.kind == .variant && type.members.isEmpty }
  }

  /// What a name stands for that is no property: a lambda's parameter, or the argument of a declared expression.
  var locals: [String: Expression] = [:]
  /// Columns by their aliases, in ORDER BY: before any property, but not in an aggregate's arguments, where the property is meant.
  var columns: [String: Expression] = [:]
  /// Those whose properties can be named.
  var streams: [Stream] = []
  /// Those of the enclosing statement, for a subquery.
  var outer: [Stream] = []
  /// Streams whose properties need their stream's name before them: the initial row of an update.
  var prefixed: [Stream] = []
  var contextType: EventType?
  /// What a name stands for where it is nothing else: a column's alias in HAVING.
  var fallbacks: [String: Expression] = [:]
  /// Variables of the place: `count_insert` of an output clause, `current_count` of a window.
  var placeVariables: [String: ValueType] = [:]

  var all: [Stream] { streams + outer + prefixed }

  /// The column that an alias stands for.
  func column(_ name: String, insideAggregate: Bool) -> Expression? {
    if insideAggregate, streams.contains(where: { $0.type.index(of: name) != nil }) { return nil }
    return columns[name]
  }

  /// Every property by its names, for suggestions.
  var candidates: [String] {
    var result: [String] = Array(locals.keys) + Array(columns.keys) + Array(placeVariables.keys)
    for stream in all {
      for property in stream.type.properties {
        result.append(property.name)
        if let name = stream.alias ?? stream.typeName { result.append("\(name).\(property.name)") }
      }
    }
    return result.sorted()
  }
}

extension ValueType {
  /// The type of what could not be bound: it fits everywhere, so that one mistake is reported once.
  static let faulty = ValueType.object("?")
  var isFaulty: Bool { self == .faulty }
  /// Fits where anything fits: a mistake elsewhere, or the literal null.
  var isOpen: Bool { isFaulty || self == .null }

  /// The text that a value of this type has: strings, characters, addresses.
  var isTextual: Bool { isText || self == .address }

  /// The text `string` or `int`, in quotes, for messages.
  var quoted: String { "\"\(name)\"" }

  /// Whether values of both types can be equal.
  func isComparable(with other: ValueType) -> Bool {
    if isOpen || other.isOpen { return true }
    if isNumeric && other.isNumeric { return true }
    if isTextual && other.isTextual { return true }
    if case .object = self { return true }
    if case .object = other { return true }
    return self == other
  }

  /// Whether `<` works between values of both types.
  func isOrdered(with other: ValueType) -> Bool {
    if isOpen || other.isOpen { return true }
    return (isNumeric && other.isNumeric) || (isTextual && other.isTextual)
  }

  /// The type that both values fit, for CASE, COALESCE, arrays; nil where there is none.
  static func common(_ types: [ValueType]) -> ValueType? {
    let known = types.filter { $0 != .null }
    guard var result = known.first else { return .null }
    for type in known.dropFirst() where type != result {
      if type.isFaulty || result.isFaulty {
        result = .faulty
      } else if let wider = promoted(result, type) {
        result = wider
      } else if type.isTextual, result.isTextual {
        result = .string
      } else if let a = type.eventType, let b = result.eventType, a.kind == .derived, a.properties == b.properties {
        continue
      } else {
        return nil
      }
    }
    return result
  }
}

extension Expression {
  static let faulty = Expression(.constant(.null), .faulty)

  /// The same value under a wider number type.
  func widened(to type: ValueType) -> Expression {
    guard self.type != type, self.type.isNumeric, type.isNumeric else { return self }
    return Expression(.cast(self), type)
  }
}
