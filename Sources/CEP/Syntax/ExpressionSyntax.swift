public import Diagnostics

/// An expression as written: no types, no names resolved.
public struct ExpressionSyntax: Sendable {
  public var kind: Kind
  public var range: SourceRange
  /// Levels of expressions under this one, itself included; bounded by the parser so that recursion over a tree is safe.
  public let depth: Int

  public indirect enum Kind: Sendable {
    case literal(LiteralSyntax)
    /// `a.b[0].c('k').d(x => …)`: names, properties, functions, aggregates, methods; `base` stands before the first dot
    /// where that is no name: `(select …).where(…)`.
    case chain(base: ExpressionSyntax?, links: [ChainLinkSyntax])
    /// `*` as an argument: `count(*)`, `window(*)`, and as a field of a crontab.
    case wildcard
    /// `-x`. (`not` stands by itself, for its precedence is another.)
    case negate(ExpressionSyntax)
    case not(ExpressionSyntax)
    /// `a and b and c`, flat.
    case and([ExpressionSyntax])
    /// `a or b or c`, flat.
    case or([ExpressionSyntax])
    case binary(BinaryOperatorSyntax, ExpressionSyntax, ExpressionSyntax)
    /// `a || b || c`, flat.
    case concat([ExpressionSyntax])
    case between(ExpressionSyntax, low: ExpressionSyntax, high: ExpressionSyntax, negated: Bool)
    /// `x in (a, b)`.
    case inList(ExpressionSyntax, [ExpressionSyntax], negated: Bool)
    /// `x in [low:high)`; the flags say whether a bound belongs to the range.
    case inRange(ExpressionSyntax, low: ExpressionSyntax, high: ExpressionSyntax, lowIn: Bool, highIn: Bool, negated: Bool)
    case inSubquery(ExpressionSyntax, SubquerySyntax, negated: Bool)
    case like(ExpressionSyntax, pattern: ExpressionSyntax, escape: ExpressionSyntax?, negated: Bool)
    case regexp(ExpressionSyntax, pattern: ExpressionSyntax, negated: Bool)
    /// `case when a then b … else c end`, or `case x when a then b … end` with an operand.
    case caseWhen(operand: ExpressionSyntax?, branches: [CaseBranchSyntax], otherwise: ExpressionSyntax?)
    case cast(ExpressionSyntax, TypeNameSyntax, dateFormat: ExpressionSyntax?)
    case instanceOf(ExpressionSyntax, [TypeNameSyntax])
    case subquery(SubquerySyntax)
    case exists(SubquerySyntax)
    /// `v > all (select …)`.
    case quantifiedSubquery(BinaryOperatorSyntax, ExpressionSyntax, QuantifierSyntax, SubquerySyntax)
    /// `v > any (a, b)`.
    case quantifiedList(BinaryOperatorSyntax, ExpressionSyntax, QuantifierSyntax, [ExpressionSyntax])
    /// `{1, 2}`.
    case array([ExpressionSyntax])
    /// `new { a = 1, b }`.
    case newStruct([NewFieldSyntax])
    /// `new Type(…)`.
    case newObject(TypeNameSyntax, [ArgumentSyntax])
    /// `x => …` and `(x, y) => …`, as an argument.
    case lambda(parameters: [NameSyntax], body: ExpressionSyntax)
    /// `1 min 30 sec`, in the order written.
    case timePeriod([TimePartSyntax])
    /// `v desc`, as an argument of windows and aggregates that sort.
    case ordered(ExpressionSyntax, descending: Bool)
    /// A field of a crontab that is no plain number or `*`.
    case cron(CronFieldSyntax)
    /// What could not be parsed; its mistake is reported.
    case missing
  }

  /// A node over nodes of at most `below` levels.
  public init(_ kind: Kind, _ range: SourceRange, below: Int = 0) {
    self.kind = kind
    self.range = range
    depth = below + 1
  }
}

public enum LiteralSyntax: Sendable, Equatable {
  case null
  case boolean(Bool)
  /// 32 bits: no suffix.
  case integer(Int32)
  /// 64 bits: suffix L, or too large for 32 bits.
  case long(Int64)
  case float(Float)
  case double(Double)
  /// Escapes resolved.
  case string(String)
}

public enum BinaryOperatorSyntax: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case modulo = "%"
  case equal = "="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  /// Null-safe equality.
  case isSame = "is"
  case isNotSame = "is not"
  case bitAnd = "&"
  case bitOr = "|"
  case bitXor = "^"
}

public enum QuantifierSyntax: String, Sendable { case any, all, some }

/// A name with its place. `text` has its escapes resolved; `quoted` tells a name in backticks, which is never a keyword.
public struct NameSyntax: Sendable {
  public var text: String
  public var range: SourceRange
  public var quoted: Bool

  public init(_ text: String, _ range: SourceRange, quoted: Bool = false) {
    self.text = text
    self.range = range
    self.quoted = quoted
  }
}

/// One part of a chain between dots.
public struct ChainLinkSyntax: Sendable {
  public var name: NameSyntax
  /// Nil where no parentheses follow the name.
  public var call: CallSyntax?
  /// `[i]` after the name or the call.
  public var index: ExpressionSyntax?
  /// A question mark: the property may not exist.
  public var optional: Bool

  public init(_ name: NameSyntax, call: CallSyntax? = nil, index: ExpressionSyntax? = nil, optional: Bool = false) {
    self.name = name
    self.call = call
    self.index = index
    self.optional = optional
  }
}

/// What stands in the parentheses of a function, an aggregate, a method or a mapped property.
public struct CallSyntax: Sendable {
  public var distinct: Bool
  public var arguments: [ArgumentSyntax]
  /// From the opening to the closing parenthesis.
  public var range: SourceRange

  public init(distinct: Bool = false, arguments: [ArgumentSyntax], range: SourceRange) {
    self.distinct = distinct
    self.arguments = arguments
    self.range = range
  }
}

/// An argument, with its name where it has one: `filter: k = 'a'`.
public struct ArgumentSyntax: Sendable {
  public var name: NameSyntax?
  public var value: ExpressionSyntax

  public init(name: NameSyntax? = nil, value: ExpressionSyntax) {
    self.name = name
    self.value = value
  }
}

public struct CaseBranchSyntax: Sendable {
  public var when: ExpressionSyntax
  public var then: ExpressionSyntax
}

/// `name = value` in `new { … }`; without a value the name is also the value.
public struct NewFieldSyntax: Sendable {
  public var name: NameSyntax
  public var value: ExpressionSyntax?
}

public enum TimeUnitSyntax: String, Sendable, CaseIterable {
  case year, month, week, day, hour, minute, second, millisecond, microsecond
}

/// One number with its unit.
public struct TimePartSyntax: Sendable {
  public var value: ExpressionSyntax
  public var unit: TimeUnitSyntax
  public var range: SourceRange

  public init(value: ExpressionSyntax, unit: TimeUnitSyntax, range: SourceRange) {
    self.value = value
    self.unit = unit
    self.range = range
  }
}

public indirect enum CronFieldSyntax: Sendable {
  /// `*/n`.
  case step(ExpressionSyntax)
  /// `low:high`.
  case range(ExpressionSyntax, ExpressionSyntax)
  /// `[a, b, …]`.
  case list([ExpressionSyntax])
  /// `last`, or `n last` with a value.
  case last(ExpressionSyntax?)
  /// `weekday`: `n weekday`.
  case weekday(ExpressionSyntax?)
  /// `lw` and `lastweekday`.
  case lastWeekday
}

/// A type as written: `string`, `int[]`, `java.util.Calendar`; `isPrimitiveArray` for `int[primitive]`.
public struct TypeNameSyntax: Sendable {
  public var name: String
  /// Pairs of brackets.
  public var dimensions: Int
  public var isPrimitiveArray: Bool
  public var range: SourceRange

  public init(name: String, dimensions: Int, isPrimitiveArray: Bool, range: SourceRange) {
    self.name = name
    self.dimensions = dimensions
    self.isPrimitiveArray = isPrimitiveArray
    self.range = range
  }
}
