public import EventModel

/// A SELECT. In its expressions stream i is source i; a pattern's event has one property per tag.
public struct SelectPlan: Sendable {
  public var sources: [SourcePlan]
  /// One for each source but the first, in order; empty for a single source. A comma is an inner join without condition.
  public var joins: [JoinPlan]
  public var filter: Expression?
  public var selection: StreamSelection
  public var distinct: Bool
  public var columns: [OutputColumn]
  /// `select *` (or `alias.*`) alone: rows are that stream's events themselves, and `columns` is empty.
  public var passThrough: Int?
  /// The rows' type; its properties are the columns in order, or the passed-through stream's.
  public var outputType: EventType
  public var aggregates: [AggregatePlan]
  public var grouping: GroupingPlan
  public var having: Expression?
  public var orderBy: [OrderKey]
  public var limit: LimitPlan?
  public var outputRate: OutputRatePlan?
  public var insertInto: InsertPlan?
  /// `for grouped_delivery (…)` and `into table`.
  public var intoTable: String?
  /// Set by the planner: how the statement is to be run.
  public var strategy: Strategy

  public init(
    sources: [SourcePlan], joins: [JoinPlan] = [], filter: Expression? = nil, selection: StreamSelection = .insert,
    distinct: Bool = false, columns: [OutputColumn], passThrough: Int? = nil, outputType: EventType,
    aggregates: [AggregatePlan] = [], grouping: GroupingPlan = GroupingPlan(form: .rowPerEvent), having: Expression? = nil,
    orderBy: [OrderKey] = [], limit: LimitPlan? = nil, outputRate: OutputRatePlan? = nil, insertInto: InsertPlan? = nil,
    intoTable: String? = nil
  ) {
    self.sources = sources
    self.joins = joins
    self.filter = filter
    self.selection = selection
    self.distinct = distinct
    self.columns = columns
    self.passThrough = passThrough
    self.outputType = outputType
    self.aggregates = aggregates
    self.grouping = grouping
    self.having = having
    self.orderBy = orderBy
    self.limit = limit
    self.outputRate = outputRate
    self.insertInto = insertInto
    self.intoTable = intoTable
    strategy = .general
  }

  /// How a statement is run; every strategy gives the same rows.
  public enum Strategy: Hashable, Sendable {
    /// Change sets, event by event.
    case general
    /// A column kernel of that name, batch in and rows out.
    case fused(String)
  }
}

/// Which of the streams of entering and leaving rows a statement gives.
public enum StreamSelection: String, Hashable, Sendable { case insert = "istream", remove = "rstream", both = "irstream" }

public struct OutputColumn: Hashable, Sendable {
  public var name: String
  public var expression: Expression
  public var type: ValueType { expression.type }
  public init(_ name: String, _ expression: Expression) {
    self.name = name
    self.expression = expression
  }
}

public struct JoinPlan: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable { case inner, left, right, full }
  public var kind: Kind
  /// The ON clause; for an inner join it may also stand in the WHERE clause.
  public var condition: Expression?
  public init(_ kind: Kind, on condition: Expression? = nil) {
    self.kind = kind
    self.condition = condition
  }
}

/// The four cases of aggregation and grouping (and grouping sets), which decide what rows a change gives.
public struct GroupingPlan: Hashable, Sendable {
  public enum Form: String, Hashable, Sendable {
    /// No aggregates: a row per event.
    case rowPerEvent
    /// Aggregates only, no keys: one row for all.
    case rowForAll
    /// Aggregates and other columns, no keys: a row per event.
    case aggregatedRowPerEvent
    /// Every column is a key or an aggregate: a row per group.
    case rowPerGroup
    /// Some column is neither key nor aggregate: a row per event, with its group's aggregates.
    case groupedRowPerEvent
    /// rollup, cube, grouping sets: a row per group and level.
    case rollup
  }
  public var form: Form
  public var keys: [Expression]
  /// For `rollup`: the levels, each the numbers of the keys that it groups by, in order of output.
  public var levels: [[Int]]
  public init(form: Form, keys: [Expression] = [], levels: [[Int]] = []) {
    self.form = form
    self.keys = keys
    self.levels = levels
  }
}

public struct AggregatePlan: Hashable, Sendable {
  /// The name in the catalog of aggregates.
  public var function: String
  /// Over the statement's streams; empty for `count(*)`. `first(*)` has the event itself as its argument.
  public var arguments: [Expression]
  public var isDistinct: Bool
  public var filter: Expression?
  /// For `sorted`, `maxby`, `minby`.
  public var order: [OrderKey]
  public var type: ValueType
  public init(
    _ function: String, arguments: [Expression], isDistinct: Bool = false, filter: Expression? = nil, order: [OrderKey] = [],
    type: ValueType
  ) {
    self.function = function
    self.arguments = arguments
    self.isDistinct = isDistinct
    self.filter = filter
    self.order = order
    self.type = type
  }
}

/// Numbers or variables.
public struct LimitPlan: Hashable, Sendable {
  public var count: Expression?
  public var offset: Expression?
  public init(count: Expression?, offset: Expression?) {
    self.count = count
    self.offset = offset
  }
}

/// `output [after …] all|first|last|snapshot every …`.
public struct OutputRatePlan: Sendable {
  public enum Kind: String, Hashable, Sendable { case unspecified = "default", all, first, last, snapshot }
  public enum Condition: Sendable {
    case events(Expression)
    case period(TimePeriod)
    case at(CronPlan)
    /// `when expression then set …`; the expression may use `count_insert`, `count_remove`, `count_insert_total`,
    /// `count_remove_total` and `last_output_timestamp`, which are variables of those names.
    case when(Expression, then: [Assignment])
    /// Only `when terminated`, or `after` alone.
    case never
  }
  public var kind: Kind
  public var condition: Condition
  public var afterPeriod: TimePeriod?
  public var afterCount: Expression?
  /// `[and] when terminated`: also at the end of the context partition.
  public var whenTerminated: Bool
  public var terminatedFilter: Expression?
  public var terminatedThen: [Assignment]
  public init(
    kind: Kind, condition: Condition, afterPeriod: TimePeriod? = nil, afterCount: Expression? = nil,
    whenTerminated: Bool = false, terminatedFilter: Expression? = nil, terminatedThen: [Assignment] = []
  ) {
    self.kind = kind
    self.condition = condition
    self.afterPeriod = afterPeriod
    self.afterCount = afterCount
    self.whenTerminated = whenTerminated
    self.terminatedFilter = terminatedFilter
    self.terminatedThen = terminatedThen
  }
}

/// `insert into`: which rows become events of which stream.
public struct InsertPlan: Sendable {
  public var selection: StreamSelection
  /// The stream's, named window's or table's type; several statements may insert into one.
  public var target: EventType
  /// For each column of the row the target's property; empty where a passed-through event is inserted as it is (its type is the
  /// target or a kind of it, or has its properties, which are then matched by `mapping` from the event's properties).
  public var mapping: [Int?]
  /// The row itself, a single event-typed column, is inserted.
  public var insertsColumnEvent: Bool
  public init(selection: StreamSelection = .insert, target: EventType, mapping: [Int?], insertsColumnEvent: Bool = false) {
    self.selection = selection
    self.target = target
    self.mapping = mapping
    self.insertsColumnEvent = insertsColumnEvent
  }
}
