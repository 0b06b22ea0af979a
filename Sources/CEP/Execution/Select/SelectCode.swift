internal import Builtins
internal import EventModel
internal import Plan

/// A SELECT with its expressions compiled, shared by all its instances.
final class SelectCode {
  let plan: SelectPlan
  let types: [EventType]
  let contextType: EventType?
  let filter: Evaluator?
  let columns: [Evaluator]
  let aggregates: [AggregateCode]
  let keys: [Evaluator]
  let having: Evaluator?
  let ordering: Ordering?
  let limit: Evaluator?
  let offset: Evaluator?
  let subqueries: [SubqueryCode]
  /// The remove stream's rows are asked for.
  let givesOld: Bool
  let insertion: Insertion?
  /// Rows of a large type stand in slots; listeners get them property by property.
  let widening: [Int]?
  /// How far `prior` looks back, by stream; nil where it is not used.
  let priors: [PriorReach?]

  init(_ plan: SelectPlan, subqueries: [SubqueryPlan], context: EventType?, environment: Environment) throws(DeploymentError) {
    self.plan = plan
    types = plan.sources.map(\.type)
    contextType = context
    let compiler = environment.compiler(types, context: context)
    filter = try compiler.compile(plan.filter)
    var rowCompiler = compiler
    if plan.grouping.form == .rollup { rowCompiler.levelKeys = plan.grouping.keys }
    columns = try rowCompiler.compile(plan.columns.map(\.expression))
    var aggregates: [AggregateCode] = []
    for aggregate in plan.aggregates { aggregates.append(try AggregateCode(aggregate, compiler)) }
    self.aggregates = aggregates
    keys = try compiler.compile(plan.grouping.keys)
    having = try rowCompiler.compile(plan.having)
    ordering =
      plan.orderBy.isEmpty
      ? nil : Ordering(keys: try rowCompiler.compile(plan.orderBy.map(\.expression)), descending: plan.orderBy.map(\.descending))
    limit = try compiler.compile(plan.limit?.count)
    offset = try compiler.compile(plan.limit?.offset)
    var compiledSubqueries: [SubqueryCode] = []
    for subquery in subqueries {
      compiledSubqueries.append(try SubqueryCode(subquery, outer: types, context: context, environment: environment))
    }
    self.subqueries = compiledSubqueries
    givesOld = plan.selection != .insert
    if let insert = plan.insertInto {
      insertion = try Insertion(insert, plan, environment)
      environment.noteInsertion(into: insert.target, context: context)
    } else {
      insertion = nil
    }
    if let type = plan.passThrough.map({ plan.sources[$0].type }), type.properties.count > Layouts.largestWhole {
      widening = type.properties.indices.map { environment.layouts.slot(type, $0) }
    } else {
      widening = nil
    }
    priors = PriorReach.all(of: plan)
  }

  /// The output row for what the frame holds.
  func row(_ frame: Frame) throws(EvaluationError) -> Event {
    if let stream = plan.passThrough, let event = frame.events[stream] {
      guard let widening else { return event.origin }
      return Event.make(plan.outputType, time: event.time, count: widening.count, underlying: event) { event[widening[$0]] }
    }
    let columns = self.columns
    do {
      return try Event.make(plan.outputType, time: frame.clock.now, count: columns.count) { index in try columns[index](frame) }
    } catch let error as EvaluationError { throw error } catch { throw EvaluationError("\(error)") }
  }
}

/// How rows become events of another stream.
struct Insertion {
  let target: EventType
  let givesNew: Bool
  let givesOld: Bool
  /// For each slot of the target the row's column; nil where the row goes as it is.
  private let slots: [Int]?
  /// The type whose events the slots are for, where whole events are passed on.
  private let passed: EventType?
  private let layouts: Layouts
  private let column: Int?
  /// For each property of the target that a column goes to, the column: the last, where there are several.
  private let columns: [(property: Int, column: Int)]
  let window: Declared<NamedWindow>?
  let table: Declared<Table>?

  init(_ insert: InsertPlan, _ plan: SelectPlan, _ environment: Environment) throws(DeploymentError) {
    target = insert.target
    givesNew = insert.selection != .remove
    givesOld = insert.selection != .insert
    column = insert.insertsColumnEvent ? 0 : nil
    window = environment.windows[target.name]
    table = environment.tables[target.name]
    passed = plan.passThrough == nil ? nil : plan.outputType
    layouts = environment.layouts
    let places = Dictionary(insert.mapping.enumerated().compactMap { c in c.element.map { ($0, c.offset) } }, uniquingKeysWith: { $1 })
    columns = places.sorted { $0.key < $1.key }.map { (property: $0.key, column: $0.value) }
    let width = environment.layouts.width(of: target)
    let isIdentity = plan.outputType === target && insert.mapping.enumerated().allSatisfy { $0.element == $0.offset }
    if isIdentity || (insert.mapping.isEmpty && plan.outputType.isKind(of: target)) {
      slots = nil
    } else {
      var slots = [Int](repeating: -1, count: width)
      for (column, property) in insert.mapping.enumerated() {
        guard let property else { continue }
        let slot = environment.layouts.slot(target, property)
        if slot >= 0 { slots[slot] = plan.passThrough == nil ? column : environment.layouts.slot(plan.outputType, column) }
      }
      self.slots = slots
    }
  }

  /// Whether rows may be inserted as columns: into a stream, each column as one of its properties.
  var takesColumns: Bool { window == nil && table == nil && column == nil && passed == nil && !columns.isEmpty }

  /// The rows as events of the target, where that takes columns.
  func batch(_ rows: EventBatch) -> EventBatch {
    EventBatch(type: target, count: rows.count, properties: columns.map(\.property), columns: columns.map { rows.columns[$0.column] })
  }

  func event(_ row: Event, time: Int64) -> Event {
    if let column, let inner = row[column].event { return asTarget(inner) }
    let source = row.origin
    guard let slots else { return asTarget(source) }
    if let passed, source.type !== passed { return asTarget(source) }
    return Event.make(target, time: time, count: slots.count) { source[slots[$0]] }
  }

  /// An event of a subtype or of a variant's member becomes one of the target: the target's statements see it, its own type's do not again.
  private func asTarget(_ event: Event) -> Event {
    if event.type === target { return event }
    var slots = [Int](repeating: -1, count: layouts.width(of: target))
    for (index, property) in target.properties.enumerated() {
      let slot = layouts.slot(target, index)
      if slot >= 0, let own = event.type.index(of: property.name) { slots[slot] = layouts.slot(event.type, own) }
    }
    return Event.make(target, time: event.time, count: slots.count, underlying: event) { event[slots[$0]] }
  }
}
