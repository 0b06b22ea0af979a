public import Diagnostics

/// `on <trigger> <action>`.
public struct OnSyntax: Sendable {
  /// A stream with filter or pattern; no views.
  public var trigger: StreamSyntax
  public var action: Action

  public indirect enum Action: Sendable {
    /// `[insert into X] select [and delete] … from W …`.
    case select(OnSelectSyntax)
    case delete(DeleteSyntax)
    case update(UpdateSyntax)
    case merge(MergeSyntax)
    case set([AssignmentSyntax])
    /// `insert into A select … where …; insert into B …` in one statement.
    case split([SplitBranchSyntax], outputAll: Bool)
  }
}

public struct OnSelectSyntax: Sendable {
  public var query: SelectSyntax
  public var andDelete: Bool
}

/// A named window or table with its alias.
public struct TargetSyntax: Sendable {
  public var name: NameSyntax
  public var alias: NameSyntax?

  public init(name: NameSyntax, alias: NameSyntax?) {
    self.name = name
    self.alias = alias
  }
}

public struct DeleteSyntax: Sendable {
  public var target: TargetSyntax
  public var whereClause: ExpressionSyntax?
}

public struct UpdateSyntax: Sendable {
  public var target: TargetSyntax
  public var assignments: [AssignmentSyntax]
  public var whereClause: ExpressionSyntax?
}

public struct UpdateStreamSyntax: Sendable {
  public var target: TargetSyntax
  public var assignments: [AssignmentSyntax]
  public var whereClause: ExpressionSyntax?
}

public struct MergeSyntax: Sendable {
  public var target: TargetSyntax
  public var whereClause: ExpressionSyntax?
  public var branches: [MergeBranchSyntax]
  /// `merge W insert …` with neither `when`.
  public var insertOnly: MergeInsertSyntax?
}

public struct MergeBranchSyntax: Sendable {
  public var matched: Bool
  public var condition: ExpressionSyntax?
  public var actions: [MergeActionSyntax]
  public var range: SourceRange
}

public enum MergeActionSyntax: Sendable {
  case delete(where: ExpressionSyntax?)
  case update([AssignmentSyntax], where: ExpressionSyntax?)
  case insert(MergeInsertSyntax)
}

public struct MergeInsertSyntax: Sendable {
  /// Nil: into the target itself.
  public var into: NameSyntax?
  public var columns: [NameSyntax]
  public var items: [SelectItemSyntax]
  public var whereClause: ExpressionSyntax?
  public var range: SourceRange
}

public struct SplitBranchSyntax: Sendable {
  public var insertInto: InsertIntoSyntax
  public var items: [SelectItemSyntax]
  /// `from E[select …]`, rarely used; nil for the trigger itself.
  public var whereClause: ExpressionSyntax?
  public var range: SourceRange
}

public struct InsertValuesSyntax: Sendable {
  public var target: NameSyntax
  public var columns: [NameSyntax]
  public var rows: [[ExpressionSyntax]]
  public var range: SourceRange
}
