public import EventModel

/// A bound expression: typed, with columns by index. Holds no closures, so that plans can be printed, compared and translated.
public struct Expression: Hashable, Sendable {
  public var node: Node
  /// The static type; it governs arithmetic (an `int` wraps at 32 bits, whatever the width of its operands' values).
  public var type: ValueType

  public init(_ node: Node, _ type: ValueType) {
    self.node = node
    self.type = type
  }

  /// `context.…`: the stream number under which a context partition's properties are read.
  public static let contextStream = -1

  public indirect enum Node: Hashable, Sendable {
    case constant(Value)
    /// A property of the event that a stream holds. What streams there are is said by the clause that the expression stands in.
    case column(stream: Int, property: Int)
    /// The whole event of a stream.
    case event(stream: Int)
    /// A property of an event that an expression gives (a pattern's tag, a nested row).
    case nested(Expression, property: Int)
    /// A property by name of a map without declared properties; null where there is none.
    case key(Expression, String)
    /// An element of an array, from 0; null outside.
    case element(Expression, Expression)
    case variable(String)
    /// A parameter of an enclosing lambda or declared expression.
    case local(Int)

    case negate(Expression)
    case arithmetic(ArithmeticOperator, Expression, Expression)
    case bitwise(BitwiseOperator, Expression, Expression)
    case concatenate([Expression])
    case compare(Comparison, Expression, Expression)
    /// `is` and `is not`: equality in which null equals null.
    case same(Expression, Expression, negated: Bool)
    case and([Expression])
    case or([Expression])
    case not(Expression)
    case like(Expression, pattern: Expression, escape: Expression?, negated: Bool)
    case regexp(Expression, pattern: Expression, negated: Bool)
    /// Members that are arrays stand for their elements.
    case oneOf(Expression, [Expression], negated: Bool)
    /// `in` a list of the module, or in prefixes of addresses.
    case member(Expression, MemberList, negated: Bool)
    /// `between` (bounds in either order) and `in [low:high)`.
    case range(Expression, low: Expression, high: Expression, includesLow: Bool, includesHigh: Bool, negated: Bool)
    /// `case when c then r …`; with an operand each condition has become an equality.
    case cases([Case], otherwise: Expression?)
    case cast(Expression)
    /// A value kept as it is under another static type.
    case convert(Expression)
    case array([Expression])
    /// A row of the expression's (event) type, `new { a = 1 }`.
    case row([Expression])
    /// A function of the catalog, by the catalog's name.
    case call(String, [Expression])
    case enumeration(Enumeration)
    /// A number of seconds, as an interval.
    case period(TimePeriod)
    case currentTimestamp
    case instanceOf(Expression, [ValueType])
    case typeOf(Expression)
    case exists(Expression)
    /// True while the row is evaluated for the insert stream: the function `istream()`.
    case isInsertStream

    /// The statement's aggregate of that number, for the current group.
    case aggregate(Int)
    /// `grouping(…)` of some of the group-by keys: a bit for each, 1 where the current level has it rolled up.
    case grouping([Int])
    case previous(Previous)
    /// The statement's subquery of that number, evaluated for the current events.
    case subquery(Int)
    /// A table row by its keys; the type says which row it is.
    case tableRow(table: String, keys: [Expression])
    /// All primary keys of a table: an array each, where a key has several columns.
    case tableKeys(table: String)
    /// `prev(expression, n)` within match_recognize: the expression over the row n before the current one of the partition.
    case matchPrevious(Expression, count: Int)
  }

  public struct Case: Hashable, Sendable {
    public var condition: Expression
    public var result: Expression
    public init(_ condition: Expression, _ result: Expression) {
      self.condition = condition
      self.result = result
    }
  }

  /// `prev`, `prevtail`, `prevcount`, `prevwindow`, `prior`.
  public struct Previous: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
      case previous = "prev", tail = "prevtail", count = "prevcount", window = "prevwindow", prior
    }
    public var kind: Kind
    public var stream: Int
    public var index: Expression?
    /// Over the event found, under the same stream number.
    public var value: Expression?
    public init(_ kind: Kind, stream: Int, index: Expression?, value: Expression?) {
      self.kind = kind
      self.stream = stream
      self.index = index
      self.value = value
    }
  }

  /// An enumeration method: `window(*).where(x => x.v > 1)`.
  public struct Enumeration: Hashable, Sendable {
    public enum Argument: Hashable, Sendable {
      case value(Expression)
      /// Parameters are locals: the element, then its index where the lambda takes one (or accumulator and element).
      case lambda(parameters: [Int], body: Expression)
    }
    public var method: String
    public var target: Expression
    public var arguments: [Argument]
    public init(method: String, target: Expression, arguments: [Argument]) {
      self.method = method
      self.target = target
      self.arguments = arguments
    }
  }
}

public enum ArithmeticOperator: String, Hashable, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  /// Always double.
  case divide = "/"
  case remainder = "%"
}

public enum BitwiseOperator: String, Hashable, Sendable { case and = "&", or = "|", xor = "^" }

public enum Comparison: String, Hashable, Sendable {
  case equal = "="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
}

/// An interval: `1 month 2 sec`, or a bare number, which counts seconds.
public struct TimePeriod: Hashable, Sendable {
  public enum Unit: String, Hashable, Sendable, CaseIterable {
    case year, month, week, day, hour, minute, second, millisecond, microsecond

    /// Nil for the calendar's units.
    public var milliseconds: Double? {
      switch self {
      case .year, .month: nil
      case .week: 604_800_000
      case .day: 86_400_000
      case .hour: 3_600_000
      case .minute: 60_000
      case .second: 1000
      case .millisecond: 1
      case .microsecond: 0.001
      }
    }
  }

  public struct Part: Hashable, Sendable {
    public var count: Expression
    public var unit: Unit
    public init(_ count: Expression, _ unit: Unit) {
      self.count = count
      self.unit = unit
    }
  }

  public var parts: [Part]
  public init(_ parts: [Part]) { self.parts = parts }

  /// A constant number of milliseconds.
  public static func milliseconds(_ count: Int64) -> TimePeriod {
    TimePeriod([Part(Expression(.constant(.int(count)), .long), .millisecond)])
  }
}

public struct OrderKey: Hashable, Sendable {
  public var expression: Expression
  public var descending: Bool
  public init(_ expression: Expression, descending: Bool = false) {
    self.expression = expression
    self.descending = descending
  }
}
