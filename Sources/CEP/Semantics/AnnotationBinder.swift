import Diagnostics
import EventModel
import Plan
import Syntax

/// Annotations, their names in the spelling of the catalog whatever their case.
extension StatementBinder {
  /// Name, and whether a value is required.
  private static let known: [(name: String, needsValue: Bool)] = [
    ("Name", true), ("Description", true), ("Tag", true), ("Priority", true), ("Drop", false), ("Hint", false), ("Audit", false),
    ("Hook", false), ("EventRepresentation", false), ("NoLock", false), ("IterableUnbound", false), ("Suppress", false),
    // Of later versions, where modules are compiled apart.
    ("Public", false), ("Protected", false), ("Private", false), ("BusEventType", false), ("JsonSchema", false),
  ]

  func annotations() -> [Annotation] {
    syntax.annotations.compactMap { syntax in
      let known = Self.known.first { $0.name.lowercased() == syntax.name.text.lowercased() }
      let name = known?.name ?? syntax.name.text
      if known == nil {
        report("unknown annotation @\(name)", at: syntax.range, suggestion: didYouMean(name, among: Self.known.map(\.name)))
        return nil
      }
      if known?.needsValue == true, syntax.arguments.isEmpty {
        report("the annotation @\(name) needs a value", at: syntax.range, suggestion: "@\(name)('…')")
        return nil
      }
      let attributes = syntax.arguments.map { ($0.name?.text ?? "value", annotationValue($0.value)) }
      if name == "Name", attributes.first?.1.text?.isEmpty != false {
        report("the annotation @Name needs a text", at: syntax.range)
        return nil
      }
      return Annotation(name, attributes)
    }
  }

  private func annotationValue(_ value: AnnotationValueSyntax) -> Value {
    switch value {
    case .literal(let literal): literal.value
    case .name(let name): .string(name.text)
    case .array(let values): .array(values.map(annotationValue))
    case .annotation(let annotation): .string(annotation.name.text)
    }
  }
}

extension LiteralSyntax {
  var value: Value {
    switch self {
    case .null: .null
    case .boolean(let value): .bool(value)
    case .integer(let value): .int(Int64(value))
    case .long(let value): .int(value)
    case .float(let value): .double(Double(value))
    case .double(let value): .double(value)
    case .string(let value): .string(value)
    }
  }

  var type: ValueType {
    switch self {
    case .null: .null
    case .boolean: .boolean
    case .integer: .int
    case .long: .long
    case .float: .float
    case .double: .double
    case .string: .string
    }
  }
}
