internal import EventModel
internal import Kernels
internal import Plan

/// What the statements of one module share: its variables, windows, tables and contexts by name.
final class Environment {
  unowned let runtime: Runtime
  var layouts: Layouts { runtime.layouts }
  var variables: [String: Variable] = [:]
  var windows: [String: NamedWindow] = [:]
  var tables: [String: Table] = [:]
  var contexts: [String: ContextRuntime] = [:]

  /// Whether a statement sets variables while events are processed.
  var setsVariables = false
  /// Whether a statement changes events before the others see them.
  var updatesStreams = false

  /// Whether a statement reads the number of a context's partition, which tells one that was forgotten from one that is new.
  var readsPartitionIDs = false

  init(runtime: Runtime) { self.runtime = runtime }

  /// A filter over columns, which is evaluated for a whole batch ahead: nil where it is none, or where a variable in it may change meanwhile.
  func columnFilter(_ expression: Expression?) -> ColumnFilter? {
    guard let expression else { return nil }
    var readsVariables = false
    expression.visit { if case .variable = $0 { readsVariables = true } }
    if readsVariables, setsVariables { return nil }
    return ColumnFilter(expression) { [unowned self] in variables[$0]?.value ?? .null }
  }

  func compiler(_ streams: [EventType], context: EventType? = nil) -> ExpressionCompiler {
    ExpressionCompiler(streams: streams, contextType: context, environment: self)
  }
}

final class Variable {
  let name: String
  let type: ValueType
  var value: Value
  init(name: String, type: ValueType, value: Value) {
    self.name = name
    self.type = type
    self.value = value
  }
}

/// Where each property of a type stands in its events.
///
/// Small types keep every property at its own index. Of a large one (all information elements) only the properties that some statement
/// reads have a slot.
final class Layouts {
  static let largestWhole = 64
  private var slots: [ObjectIdentifier: [Int]] = [:]
  private var used: [ObjectIdentifier: [Int]] = [:]

  /// Says that statements read some properties of a type; before any event of it is made.
  func use(_ properties: Set<Int>, of type: EventType) {
    let all = Set(used[ObjectIdentifier(type)] ?? []).union(properties)
    used[ObjectIdentifier(type)] = all.sorted()
    guard type.properties.count > Layouts.largestWhole else { return }
    var slots = [Int](repeating: -1, count: type.properties.count)
    for (slot, property) in all.sorted().enumerated() { slots[property] = slot }
    self.slots[ObjectIdentifier(type)] = slots
  }

  func slot(_ type: EventType, _ property: Int) -> Int {
    guard type.properties.count > Layouts.largestWhole else { return property }
    return slots[ObjectIdentifier(type)]?[property] ?? -1
  }

  /// The number of slots of a type's events.
  func width(of type: EventType) -> Int {
    guard type.properties.count > Layouts.largestWhole else { return type.properties.count }
    return used[ObjectIdentifier(type)]?.count ?? 0
  }

  /// The properties that statements read, ascending.
  func usedProperties(of type: EventType) -> [Int] { used[ObjectIdentifier(type)] ?? [] }
}
