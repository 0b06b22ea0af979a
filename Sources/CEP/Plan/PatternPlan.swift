public import EventModel

/// A pattern. Its event type has one property per tag: the tagged event, or an array of events for a tag within a repeat.
///
/// In a filter stream 0 is the event under test and stream 1 the pattern's event as matched so far; elsewhere (every-distinct, guards,
/// observers) stream 0 is the pattern's event.
public struct PatternPlan: Sendable {
  public var root: PatternNode
  public var type: EventType
  public var discardsPartials: Bool
  public var suppressesOverlaps: Bool
  public init(root: PatternNode, type: EventType, discardsPartials: Bool = false, suppressesOverlaps: Bool = false) {
    self.root = root
    self.type = type
    self.discardsPartials = discardsPartials
    self.suppressesOverlaps = suppressesOverlaps
  }
}

public indirect enum PatternNode: Sendable {
  /// - tag: the property of the pattern's type that it fills.
  /// - consume: the level of `@consume`.
  case filter(EventType, Expression?, tag: Int?, consume: Int?)
  case every(PatternNode)
  case everyDistinct(PatternNode, keys: [Expression], expiry: TimePeriod?)
  /// `maxima[i]` bounds the open instances of the i-th arrow: `-[n]>`.
  case followedBy([PatternNode], maxima: [Expression?])
  case and([PatternNode])
  case or([PatternNode])
  case not(PatternNode)
  /// `[low:high] node until end`.
  case repeated(PatternNode, low: Expression?, high: Expression?, until: PatternNode?, tags: [Int])
  case within(PatternNode, TimePeriod)
  case withinMax(PatternNode, TimePeriod, Expression)
  case whileTrue(PatternNode, Expression)
  case interval(TimePeriod)
  case at(CronPlan)
  case schedule(date: Expression?, repetitions: Expression?, period: TimePeriod?)
}

/// A crontab: minute, hour, day of month, month, day of week, second.
public struct CronPlan: Hashable, Sendable {
  public enum Field: Hashable, Sendable {
    case any
    case every(Expression)
    case value(Expression)
    case range(Expression, Expression)
    case list([Field])
    case last
    /// `5 last`, `15 weekday`.
    case lastOf(Expression)
    case weekday(Expression)
  }
  public var minutes: Field
  public var hours: Field
  public var daysOfMonth: Field
  public var months: Field
  public var daysOfWeek: Field
  public var seconds: Field?
  public init(minutes: Field, hours: Field, daysOfMonth: Field, months: Field, daysOfWeek: Field, seconds: Field? = nil) {
    self.minutes = minutes
    self.hours = hours
    self.daysOfMonth = daysOfMonth
    self.months = months
    self.daysOfWeek = daysOfWeek
    self.seconds = seconds
  }
}

/// match_recognize. In its expressions stream 0 is the match so far (one property per variable: the event, or an array of events where
/// the variable can match several) and stream 1 the row under test, which DEFINE's own variable names.
public struct MatchRecognizePlan: Sendable {
  public struct Variable: Sendable {
    public var name: String
    public var define: Expression?
    /// Whether it can match several rows, so that its property is an array.
    public var isMultiple: Bool
    public init(name: String, define: Expression?, isMultiple: Bool) {
      self.name = name
      self.define = define
      self.isMultiple = isMultiple
    }
  }
  public indirect enum Node: Sendable {
    case variable(Int)
    case sequence([Node])
    case alternation([Node])
    case permutation([Node])
    /// high nil: unbounded.
    case repeated(Node, low: Int, high: Int?, isGreedy: Bool)
  }
  public enum Skip: String, Sendable { case pastLastRow, toNextRow, toCurrentRow }

  public var inputType: EventType
  /// Over the input as stream 0.
  public var partition: [Expression]
  public var variables: [Variable]
  public var pattern: Node
  /// Aggregates in measures are enumerations over a variable's array.
  public var measures: [OutputColumn]
  public var matchType: EventType
  public var outputType: EventType
  public var allMatches: Bool
  public var skip: Skip
  public var interval: TimePeriod?
  public var orTerminated: Bool

  public init(
    inputType: EventType, partition: [Expression], variables: [Variable], pattern: Node, measures: [OutputColumn],
    matchType: EventType, outputType: EventType, allMatches: Bool, skip: Skip, interval: TimePeriod?, orTerminated: Bool
  ) {
    self.inputType = inputType
    self.partition = partition
    self.variables = variables
    self.pattern = pattern
    self.measures = measures
    self.matchType = matchType
    self.outputType = outputType
    self.allMatches = allMatches
    self.skip = skip
    self.interval = interval
    self.orTerminated = orTerminated
  }
}
