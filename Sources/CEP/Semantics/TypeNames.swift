import Diagnostics
import EventModel
import Syntax

extension StatementBinder {
  /// The types by their EPL names, in lower case.
  static let typeNames: [String: ValueType] = [
    "string": .string, "varchar": .string, "int": .int, "integer": .int, "long": .long, "short": .short, "byte": .byte,
    "double": .double, "float": .float, "boolean": .boolean, "bool": .boolean, "char": .character, "character": .character,
    "bigdecimal": .bigDecimal, "biginteger": .bigInteger, "java.math.bigdecimal": .bigDecimal,
    "java.math.biginteger": .bigInteger, "java.lang.string": .string, "java.lang.integer": .int, "java.lang.long": .long,
    "java.lang.double": .double, "java.lang.float": .float, "java.lang.boolean": .boolean, "java.lang.short": .short,
    "java.lang.byte": .byte, "java.lang.character": .character, "object": .object("Object"),
    "java.lang.object": .object("Object"), "number": .object("Number"), "java.lang.number": .object("Number"), "map": .map,
    "java.util.map": .map, "address": .address, "ip": .address,
    "octets": .octets,
  ]

  /// What other languages' types are called here.
  private static let otherNames = [
    "timestamp": "long, in milliseconds since 1970", "date": "long, in milliseconds since 1970",
    "datetime": "long, in milliseconds since 1970",
    "time": "long, in milliseconds since 1970", "text": "string", "bigint": "long", "smallint": "short", "tinyint": "byte",
    "real": "double", "decimal": "double", "numeric": "double", "inet": "address", "ipv4": "address", "ipv6": "address",
  ]

  /// A type of a column or variable; nil, and reported, where there is none of that name.
  func type(_ syntax: TypeNameSyntax) -> ValueType? {
    guard var type = namedType(syntax.name) else {
      if scope.failed.contains(syntax.name) {
        reportFollowing()
      } else {
        let candidates = Self.typeNames.keys.filter { !$0.contains(".") }.sorted() + scope.types.keys.sorted()
        report(
          "unknown type \"\(syntax.name)\"", at: syntax.range,
          suggestion: Self.otherNames[syntax.name.lowercased()] ?? didYouMean(syntax.name, among: candidates))
      }
      return nil
    }
    for _ in 0..<min(syntax.dimensions, 8) { type = .array(type) }
    return type
  }

  private func namedType(_ name: String) -> ValueType? {
    if let type = scope.types[name] { return .event(type) }
    if let type = Self.typeNames[name.lowercased()] { return type }
    return name.hasPrefix("java.") ? .object(name) : nil
  }
}
