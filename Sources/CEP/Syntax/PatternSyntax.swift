public import Diagnostics

/// `pattern [ … ]` with its annotations (`@SuppressOverlappingMatches`, `@DiscardPartialsOnMatch`).
public struct PatternStatementSyntax: Sendable {
  public var annotations: [AnnotationSyntax]
  public var pattern: PatternSyntax
  public var range: SourceRange
}

public struct PatternSyntax: Sendable {
  public var kind: Kind
  public var range: SourceRange
  public let depth: Int

  public indirect enum Kind: Sendable {
    /// `a=E(v > 1)`; `consume` for `@consume`.
    case atom(tag: NameSyntax?, StreamFilterSyntax, consume: ConsumeSyntax?)
    case every(PatternSyntax)
    /// `every-distinct(a.id, 10 sec) a=A`: the keys, a time period last where there is one.
    case everyDistinct([ExpressionSyntax], PatternSyntax)
    case not(PatternSyntax)
    case and([PatternSyntax])
    case or([PatternSyntax])
    /// `a -> b -> c`, flat. `maximum` for `-[n]>`.
    case followedBy([PatternSyntax], maximum: [ExpressionSyntax?])
    /// `[2:5] a=A until b=B`; bounds and end may be absent.
    case repeated(low: ExpressionSyntax?, high: ExpressionSyntax?, exact: Bool, PatternSyntax, until: PatternSyntax?)
    /// `timer:interval(10 sec)`, `timer:at(…)`, `timer:schedule(…)`.
    case observer(namespace: NameSyntax, name: NameSyntax, arguments: [ArgumentSyntax])
    /// `p where timer:within(5 sec)`.
    case guarded(PatternSyntax, namespace: NameSyntax, name: NameSyntax, arguments: [ArgumentSyntax])
    /// `p while (v < 5)`.
    case whileGuard(PatternSyntax, ExpressionSyntax)
    case missing
  }

  public init(_ kind: Kind, _ range: SourceRange, below: Int = 0) {
    self.kind = kind
    self.range = range
    depth = below + 1
  }
}

public struct ConsumeSyntax: Sendable {
  public var level: ExpressionSyntax?
  public var range: SourceRange
}

public struct MatchRecognizeSyntax: Sendable {
  public enum Skip: String, Sendable { case pastLastRow, toNextRow, toCurrentRow }

  public var partitionBy: [ExpressionSyntax]
  public var measures: [MeasureSyntax]
  public var allMatches: Bool
  public var skip: Skip?
  public var pattern: RowPatternSyntax
  public var interval: ExpressionSyntax?
  public var orTerminated: Bool
  public var defines: [DefineSyntax]
  public var range: SourceRange
}

public struct MeasureSyntax: Sendable {
  public var expression: ExpressionSyntax
  public var alias: NameSyntax
}

public struct DefineSyntax: Sendable {
  public var name: NameSyntax
  public var condition: ExpressionSyntax
}

public struct RowPatternSyntax: Sendable {
  public var kind: Kind
  public var range: SourceRange
  public let depth: Int

  public indirect enum Kind: Sendable {
    case variable(NameSyntax)
    case sequence([RowPatternSyntax])
    case alternation([RowPatternSyntax])
    case permute([RowPatternSyntax])
    /// `high` nil: without end. `?` is 0…1, `*` 0…, `+` 1…, `{n}` n…n.
    case quantified(RowPatternSyntax, low: Int, high: Int?, greedy: Bool)
    case missing
  }

  public init(_ kind: Kind, _ range: SourceRange, below: Int = 0) {
    self.kind = kind
    self.range = range
    depth = below + 1
  }
}
