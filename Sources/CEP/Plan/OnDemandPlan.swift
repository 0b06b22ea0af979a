/// A query that is run once, against the windows and tables of a deployed module.
public struct OnDemandPlan: Sendable {
  public enum Kind: Sendable {
    /// Its sources are named windows and tables.
    case select(SelectPlan)
    /// Stream 0 is the row.
    case delete(store: String, filter: Expression?)
    case update(store: String, [Assignment], filter: Expression?)
    /// Rows by the properties of the window or table; nil for one that no value is given for. Expressions see no stream.
    case insert(store: String, rows: [[Expression?]])
  }

  public var kind: Kind
  public var subqueries: [SubqueryPlan]
  /// The context for each of whose partitions it is run.
  public var context: String?
  public init(kind: Kind, subqueries: [SubqueryPlan] = [], context: String? = nil) {
    self.kind = kind
    self.subqueries = subqueries
    self.context = context
  }
}
