public import Diagnostics

/// A query: `insert into … select … from … where …`, in every place where one can stand.
public struct SelectSyntax: Sendable {
  public var insertInto: InsertIntoSyntax?
  public var selection: SelectClauseSyntax
  /// Empty where there is no FROM (in on-triggers it has one element: the named window or table).
  public var from: [StreamSyntax]
  /// As many as streams − 1 where streams are joined by keyword; for `a, b` each is `nil`.
  public var joins: [JoinSyntax?]
  public var matchRecognize: MatchRecognizeSyntax?
  public var whereClause: ExpressionSyntax?
  public var groupBy: [GroupElementSyntax]
  public var having: ExpressionSyntax?
  public var output: OutputSyntax?
  public var orderBy: [OrderElementSyntax]
  public var limit: LimitSyntax?
  /// `for grouped_delivery(k)`.
  public var forClauses: [ForSyntax]
  public var range: SourceRange

  /// A query of a SELECT clause, an insert and a condition alone.
  public init(
    insertInto: InsertIntoSyntax?, selection: SelectClauseSyntax, from: [StreamSyntax], whereClause: ExpressionSyntax?,
    range: SourceRange
  ) {
    self.init(
      insertInto: insertInto, selection: selection, from: from, joins: [], matchRecognize: nil, whereClause: whereClause,
      groupBy: [], having: nil, output: nil, orderBy: [], limit: nil, forClauses: [], range: range)
  }

  init(
    insertInto: InsertIntoSyntax?, selection: SelectClauseSyntax, from: [StreamSyntax], joins: [JoinSyntax?],
    matchRecognize: MatchRecognizeSyntax?, whereClause: ExpressionSyntax?, groupBy: [GroupElementSyntax],
    having: ExpressionSyntax?, output: OutputSyntax?, orderBy: [OrderElementSyntax], limit: LimitSyntax?,
    forClauses: [ForSyntax], range: SourceRange
  ) {
    self.insertInto = insertInto
    self.selection = selection
    self.from = from
    self.joins = joins
    self.matchRecognize = matchRecognize
    self.whereClause = whereClause
    self.groupBy = groupBy
    self.having = having
    self.output = output
    self.orderBy = orderBy
    self.limit = limit
    self.forClauses = forClauses
    self.range = range
  }
}

public enum StreamSelectorSyntax: String, Sendable { case istream, rstream, irstream }

public struct InsertIntoSyntax: Sendable {
  /// `insert rstream into`.
  public var selector: StreamSelectorSyntax?
  public var target: NameSyntax
  public var columns: [NameSyntax]
  /// `into table T`.
  public var isTable: Bool
  public var range: SourceRange
}

public struct SelectClauseSyntax: Sendable {
  public var selector: StreamSelectorSyntax?
  public var distinct: Bool
  public var items: [SelectItemSyntax]
  public var range: SourceRange

  public init(
    selector: StreamSelectorSyntax?, distinct: Bool, items: [SelectItemSyntax], range: SourceRange
  ) {
    self.selector = selector
    self.distinct = distinct
    self.items = items
    self.range = range
  }
}

public struct SelectItemSyntax: Sendable {
  public var kind: Kind
  public var alias: NameSyntax?
  public var range: SourceRange

  public enum Kind: Sendable {
    case expression(ExpressionSyntax)
    /// `*`.
    case wildcard
    /// `a.*`.
    case streamWildcard(NameSyntax)
  }
}

/// One element of a FROM clause.
public struct StreamSyntax: Sendable {
  public var source: Source
  public var views: [ViewSyntax]
  public var alias: NameSyntax?
  public var unidirectional: Bool
  public var retain: Retain?
  public var range: SourceRange

  public enum Source: Sendable {
    case events(StreamFilterSyntax)
    case pattern(PatternStatementSyntax)
  }
  public enum Retain: String, Sendable { case union, intersection }
}

/// `E(v > 1, k = 'a')`.
public struct StreamFilterSyntax: Sendable {
  public var eventType: NameSyntax
  /// Conditions joined by AND.
  public var conditions: [ExpressionSyntax]
  public var range: SourceRange
}

/// `.win:time(10 sec)` with its namespace, or `#time(10 sec)` without.
public struct ViewSyntax: Sendable {
  public var namespace: NameSyntax?
  public var name: NameSyntax
  public var arguments: [ArgumentSyntax]
  public var range: SourceRange
}

public enum JoinKindSyntax: String, Sendable { case inner, left, right, full }

public struct JoinSyntax: Sendable {
  public var kind: JoinKindSyntax
  /// Nil where ON is left out.
  public var on: ExpressionSyntax?
  public var range: SourceRange
}

public indirect enum GroupElementSyntax: Sendable {
  case expression(ExpressionSyntax)
  case rollup([GroupElementSyntax], SourceRange)
  case cube([GroupElementSyntax], SourceRange)
  case groupingSets([GroupElementSyntax], SourceRange)
  /// `(a, b)` and `()`.
  case combined([ExpressionSyntax], SourceRange)
}

public struct OrderElementSyntax: Sendable {
  public var expression: ExpressionSyntax
  public var descending: Bool
}

/// Numbers or names of variables.
public struct LimitSyntax: Sendable {
  public var count: ExpressionSyntax
  public var offset: ExpressionSyntax?
  public var range: SourceRange
}

public struct ForSyntax: Sendable {
  public var name: NameSyntax
  public var arguments: [ExpressionSyntax]
}

public struct OutputSyntax: Sendable {
  public enum Selection: String, Sendable { case all, first, last, snapshot }
  public enum Rate: Sendable {
    case events(ExpressionSyntax)
    case period(ExpressionSyntax)
    /// `at (…)`: the fields of a crontab.
    case crontab([ExpressionSyntax])
    case when(ExpressionSyntax)
    /// `when terminated`, alone or after another rate.
    case terminated
    /// Only `after`.
    case none
  }
  public enum After: Sendable {
    case period(ExpressionSyntax)
    case events(ExpressionSyntax)
  }

  public var after: After?
  /// Nil: as written without a word, every row.
  public var selection: Selection?
  public var rate: Rate
  /// `and when terminated`.
  public var andTerminated: Bool
  /// `when terminated and …`.
  public var terminatedCondition: ExpressionSyntax?
  /// `then set x = 1`.
  public var then: [AssignmentSyntax]
  public var terminatedThen: [AssignmentSyntax]
  public var range: SourceRange
}

/// `x = y + 1`; a call without `=` stands in `call`.
public struct AssignmentSyntax: Sendable {
  /// The name, its dots included; an index where there is one.
  public var target: NameSyntax
  public var index: ExpressionSyntax?
  public var value: ExpressionSyntax
  public var range: SourceRange
}

/// `(select … from … where …)` within an expression.
public struct SubquerySyntax: Sendable {
  public var query: SelectSyntax
  public var range: SourceRange
}
