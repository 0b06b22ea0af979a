public import EventModel

/// `create window`.
public struct NamedWindowPlan: Sendable {
  public var name: String
  public var type: EventType
  public var views: [ViewPlan]
  public var combination: ViewCombination
  /// `insert [where …] from another window` at creation: that window's name and the filter over stream 0.
  public var fillFrom: String?
  public var fillFilter: Expression?
  /// The context whose partitions have a window each.
  public var context: String?
  /// Of such a window the type that it was declared like: a row goes to the partition that an event of it with the row's values belongs to.
  /// Nil where every partition takes every row.
  public var model: EventType?
  public init(
    name: String, type: EventType, views: [ViewPlan], combination: ViewCombination = .chain, fillFrom: String? = nil,
    fillFilter: Expression? = nil, context: String? = nil
  ) {
    self.name = name
    self.type = type
    self.views = views
    self.combination = combination
    self.fillFrom = fillFrom
    self.fillFilter = fillFilter
    self.context = context
  }
}

/// `create table`: rows by key; a column may hold an aggregate that `into table` statements feed.
public struct TablePlan: Sendable {
  public struct Column: Sendable {
    public var isKey: Bool
    public var aggregate: AggregatePlan?
    public init(isKey: Bool, aggregate: AggregatePlan?) {
      self.isKey = isKey
      self.aggregate = aggregate
    }
  }
  public var name: String
  public var type: EventType
  /// One for each property of the type.
  public var columns: [Column]
  /// The context whose partitions have a table each.
  public var context: String?
  public init(name: String, type: EventType, columns: [Column], context: String? = nil) {
    self.name = name
    self.type = type
    self.columns = columns
    self.context = context
  }
}

/// `on trigger …`. In expressions over a window stream 0 is the window's or table's row and stream 1 the triggering event; `set` and
/// `split` see the triggering event as stream 0.
public struct OnPlan: Sendable {
  public enum Action: Sendable {
    /// The plan's sources are the window and the trigger; `delete` also removes what was selected.
    case select(SelectPlan, window: String, deletes: Bool)
    case delete(window: String, filter: Expression?)
    case update(window: String, [Assignment], filter: Expression?)
    case merge(window: String, filter: Expression?, [MergeBranch])
    case set([Assignment])
    /// Split-stream: each insert with its condition; all that match, or only the first.
    case split([SelectPlan], all: Bool)
  }
  public var trigger: SourcePlan
  public var action: Action
  public init(trigger: SourcePlan, action: Action) {
    self.trigger = trigger
    self.action = action
  }
}

public struct MergeBranch: Sendable {
  public enum Action: Sendable {
    case delete(where: Expression?)
    case update([Assignment], where: Expression?)
    /// Into the window itself (`target` is its type), or another stream.
    case insert(columns: [OutputColumn], InsertPlan, where: Expression?)
  }
  public var isMatched: Bool
  public var condition: Expression?
  public var actions: [Action]
  public init(isMatched: Bool, condition: Expression?, actions: [Action]) {
    self.isMatched = isMatched
    self.condition = condition
    self.actions = actions
  }
}

/// `create context`. `type` has the properties that `context.…` names: `name`, `id`, then by kind `key1…`, `label`, `startTime`, `endTime`
/// and the tags of the starting condition.
public struct ContextPlan: Sendable {
  public struct Stream: Sendable {
    public var type: EventType
    /// Stream 0 is the event.
    public var filter: Expression?
    public var keys: [Expression]
    /// For a hash context: `hash_code` or `consistent_hash_crc32`.
    public var hashFunction: String?
    public init(type: EventType, filter: Expression?, keys: [Expression], hashFunction: String? = nil) {
      self.type = type
      self.filter = filter
      self.keys = keys
      self.hashFunction = hashFunction
    }
  }
  public struct Category: Sendable {
    public var label: String
    public var condition: Expression
    public init(label: String, condition: Expression) {
      self.label = label
      self.condition = condition
    }
  }
  public enum Condition: Sendable {
    /// In the filter stream 0 is the event; in an end condition `context.…` names the start's tags.
    case filter(EventType, Expression?, tag: Int?)
    /// The tags of the pattern's type are at `tags[i]` in the context's type.
    case pattern(PatternPlan, tags: [Int?])
    case crontab(CronPlan)
    case after(TimePeriod)
    case never
  }
  public enum Kind: Sendable {
    case keyed([Stream])
    case hash([Stream], granularity: Expression, preallocates: Bool)
    case category(EventType, filter: Expression?, [Category])
    /// At most one partition at a time.
    case startEnd(start: Condition, startsNow: Bool, end: Condition)
    /// Partitions may overlap. `distinct` keys are over the starting tags' event as `contextStream`.
    case initiatedTerminated(start: Condition, startsNow: Bool, end: Condition, distinct: [Expression])
    case nested([ContextPlan])
  }
  public var name: String
  public var type: EventType
  public var kind: Kind
  public init(name: String, type: EventType, kind: Kind) {
    self.name = name
    self.type = type
    self.kind = kind
  }
}
