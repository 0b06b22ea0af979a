internal import EventModel
internal import Kernels
internal import Plan

/// What the statements of one module share: its variables, windows, tables and contexts by name.
final class Environment {
  unowned let runtime: Runtime
  var layouts: Layouts { runtime.layouts }
  var variables: [String: Declared<Variable>] = [:]
  var windows: [String: Declared<NamedWindow>] = [:]
  /// Of the windows that are one for each partition of a context.
  var outsideReaders: [String: NamedWindow.Readers] = [:]
  var tables: [String: Declared<Table>] = [:]
  var contexts: [String: ContextRuntime] = [:]

  /// Whether a statement sets variables while events are processed.
  var setsVariables = false
  /// Whether a statement changes events before the others see them.
  var updatesStreams = false

  /// Whether a statement reads the number of a context's partition, which tells one that was forgotten from one that is new.
  var readsPartitionIDs = false
  /// The partitioned windows into which statements outside their context insert, who tell a partition that was forgotten from one that is
  /// there.
  private(set) var windowsFilledFromOutside: Set<String> = []

  /// Says that a statement inserts into a type's stream.
  func noteInsertion(into target: EventType, context: EventType?) {
    guard case .createWindow(let window)? = windows[target.name]?.kind, let own = window.context else { return }
    if contexts[own]?.plan.type !== context { windowsFilledFromOutside.insert(target.name) }
  }

  init(runtime: Runtime) { self.runtime = runtime }

  /// A filter over columns, which is evaluated for a whole batch ahead: nil where it is none, or where a variable in it may change meanwhile
  /// or is one of several.
  func columnFilter(_ expression: Expression?) -> ColumnFilter? {
    guard let expression else { return nil }
    var names: [String] = []
    expression.visit { if case .variable(let name) = $0 { names.append(name) } }
    if !names.isEmpty, setsVariables { return nil }
    if names.contains(where: { variables[$0]?.only == nil }) { return nil }
    return ColumnFilter(expression) { [unowned self] in variables[$0]?.value ?? .null }
  }

  /// The type of a named window's or table's rows.
  func rowType(of name: String) throws(DeploymentError) -> EventType {
    switch windows[name]?.kind ?? tables[name]?.kind {
    case .createWindow(let window): return window.type
    case .createTable(let table): return table.type
    default: throw DeploymentError("no window or table \(name)")
    }
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
  private var mappings: [[ObjectIdentifier]: [Int]] = [:]

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

  /// An event as one of another type, by the names of its properties.
  func view(_ event: Event, as type: EventType) -> Event {
    if event.type === type { return event }
    let pair = [ObjectIdentifier(event.type), ObjectIdentifier(type)]
    let mapping = mappings[pair] ?? mapping(of: event.type, to: type)
    mappings[pair] = mapping
    return Event.make(type, time: event.time, count: mapping.count, underlying: event.origin) {
      mapping[$0] < 0 ? .null : event[mapping[$0]]
    }
  }

  /// For each slot of a type's events the slot of another type's that has the property of that name; -1 where there is none.
  func mapping(of source: EventType, to target: EventType) -> [Int] {
    var mapping = [Int](repeating: -1, count: width(of: target))
    for (index, property) in target.properties.enumerated() {
      let slot = slot(target, index)
      if slot >= 0, let own = source.index(of: property.name) { mapping[slot] = self.slot(source, own) }
    }
    return mapping
  }

  /// The properties that statements read, ascending.
  func usedProperties(of type: EventType) -> [Int] { used[ObjectIdentifier(type)] ?? [] }
}
