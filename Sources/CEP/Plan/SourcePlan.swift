public import EventModel

/// One item of a FROM clause.
public struct SourcePlan: Sendable {
  public enum Kind: Sendable {
    /// Events of a type; in the filter stream 0 is the event.
    case stream(EventType, filter: Expression?)
    case pattern(PatternPlan)
    /// A named window's insert and remove stream, by name.
    case window(String, filter: Expression?)
    case table(String)
  }

  /// The alias, else the type's name.
  public var name: String
  public var kind: Kind
  public var views: [ViewPlan]
  public var combination: ViewCombination
  public var isUnidirectional: Bool
  public var matchRecognize: MatchRecognizePlan?
  /// What `column(stream:property:)` counts in, after match_recognize if there is one.
  public var type: EventType
  /// What the views' expressions count in: what enters the source.
  public var inputType: EventType { matchRecognize?.inputType ?? viewedType ?? type }
  /// The entering events' type where a derived view gives rows of another.
  public var viewedType: EventType?

  public init(
    name: String, kind: Kind, views: [ViewPlan] = [], combination: ViewCombination = .chain, isUnidirectional: Bool = false,
    matchRecognize: MatchRecognizePlan? = nil, type: EventType
  ) {
    self.name = name
    self.kind = kind
    self.views = views
    self.combination = combination
    self.isUnidirectional = isUnidirectional
    self.matchRecognize = matchRecognize
    self.type = type
  }
}

/// How several data windows on one source work together.
public enum ViewCombination: String, Hashable, Sendable {
  case chain
  /// `retain-intersection`, the default for two data windows: what one drops all drop.
  case intersection
  /// `retain-union`: what any keeps is kept.
  case union
}

/// A data window or derived view. Expressions see the event as stream 0; sizes and periods are evaluated at deployment.
public enum ViewPlan: Hashable, Sendable {
  case time(TimePeriod)
  case timeBatch(TimePeriod, reference: Expression?, flags: BatchFlags)
  case externallyTimed(Expression, TimePeriod)
  case externallyTimedBatch(Expression, TimePeriod, reference: Expression?)
  case length(Expression)
  case lengthBatch(Expression)
  case timeLengthBatch(TimePeriod, Expression, flags: BatchFlags)
  case timeAccumulating(TimePeriod)
  case timeOrder(Expression, TimePeriod)
  case firstTime(TimePeriod)
  case firstLength(Expression)
  case keepAll
  case unique([Expression])
  case firstUnique([Expression])
  case lastEvent
  case firstEvent
  case grouped([Expression])
  case sort(Expression, [OrderKey])
  case rank(unique: [Expression], Expression, [OrderKey])
  /// `win:expr`; the expression also sees the variables `current_count`, `expired_count`, `newest_timestamp`, `oldest_timestamp`,
  /// `view_reference`.
  case expression(Expression, [AggregatePlan])
  case expressionBatch(Expression, includesTrigger: Bool, [AggregatePlan])
  /// A row of what the events amount to, of the given type: of so many numbers of each; then other expressions, of the newest event.
  case derived(DerivedView, [Expression], others: [Expression], EventType)
}

/// `std:size`, `stat:uni`, `stat:weighted_avg`, `stat:correl`, `stat:linest`.
public enum DerivedView: String, Hashable, Sendable {
  case size, uni, weightedAverage = "weighted_avg", correlation = "correl", line = "linest"

  /// How many numbers of each event it is about.
  public var numberCount: Int {
    switch self {
    case .size: 0
    case .uni: 1
    case .weightedAverage, .correlation, .line: 2
    }
  }

  /// The properties of its rows.
  public var properties: [EventType.Property] {
    switch self {
    case .size: [.init("size", .long)]
    case .uni: [.init("datapoints", .long)] + Self.doubles("total", "average", "variance", "stddev", "stddevpa")
    case .weightedAverage: Self.doubles("average")
    case .correlation: Self.doubles("correlation")
    case .line:
      Self.doubles(
        "slope", "YIntercept", "XAverage", "XStandardDeviationPop", "XStandardDeviationSample", "XSum", "XVariance", "YAverage",
        "YStandardDeviationPop", "YStandardDeviationSample", "YSum", "YVariance")
        + [.init("dataPoints", .long), .init("n", .long)] + Self.doubles("sumX", "sumXSq", "sumXY", "sumY", "sumYSq")
    }
  }

  private static func doubles(_ names: String...) -> [EventType.Property] { names.map { .init($0, .double) } }
}

/// The keywords of the batch windows.
public struct BatchFlags: OptionSet, Hashable, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }
  public static let forceUpdate = BatchFlags(rawValue: 1)
  public static let startEager = BatchFlags(rawValue: 2)
}

/// A subquery. In its expressions stream 0 is its own event, stream i + 1 the enclosing statement's stream i.
public struct SubqueryPlan: Sendable {
  public enum Kind: Sendable {
    /// The value of `select` in the only row; null for none or several.
    case scalar
    case exists
    /// `value in (select …)`; null logic as for a list.
    case contains(Expression, negated: Bool)
    /// `value op any|all (select …)`; the expression is over the enclosing statement's streams.
    case quantified(Expression, Comparison, all: Bool)
    /// All rows, for enumeration methods: an array of events (or of values, for one column).
    case rows
  }
  public var kind: Kind
  public var source: SourcePlan
  public var filter: Expression?
  /// The selected expression; nil for `*`, which gives the event.
  public var select: Expression?
  /// Several columns: a row of that type.
  public var columns: [OutputColumn]
  public var rowType: EventType?
  public var aggregates: [AggregatePlan]
  public var groupBy: [Expression]
  public var having: Expression?
  public init(
    kind: Kind, source: SourcePlan, filter: Expression?, select: Expression?, columns: [OutputColumn] = [],
    rowType: EventType? = nil, aggregates: [AggregatePlan] = [], groupBy: [Expression] = [], having: Expression? = nil
  ) {
    self.kind = kind
    self.source = source
    self.filter = filter
    self.select = select
    self.columns = columns
    self.rowType = rowType
    self.aggregates = aggregates
    self.groupBy = groupBy
    self.having = having
  }
}
