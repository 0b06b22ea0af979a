public import EventModel

/// A module's statements, bound and ready to run.
public struct ModulePlan: Sendable {
  public var name: String?
  public var statements: [StatementPlan]
  /// The types that events can be sent under, by the name that the module uses (declared or given by the embedder).
  public var inputTypes: [EventType]

  public init(name: String?, statements: [StatementPlan], inputTypes: [EventType]) {
    self.name = name
    self.statements = statements
    self.inputTypes = inputTypes
  }
}

public struct Annotation: Hashable, Sendable {
  public var name: String
  /// `value` for `@Name('x')`, else attribute names; in order.
  public var attributes: [(name: String, value: Value)]
  public init(_ name: String, _ attributes: [(name: String, value: Value)] = []) {
    self.name = name
    self.attributes = attributes
  }
  public static func == (a: Self, b: Self) -> Bool {
    a.name == b.name && a.attributes.elementsEqual(b.attributes) { $0.name == $1.name && $0.value == $1.value }
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// One bound statement.
public struct StatementPlan: Sendable {
  /// By `@Name`, else given by the binder; unique within the module.
  public var name: String
  /// Whether the name was written.
  public var isNamed: Bool
  /// The line of the module where the statement starts, from 1.
  public var line: Int
  public var annotations: [Annotation]
  /// `@Priority`, 0 by default, and `@Drop`; honoured where the engine runs prioritized.
  public var priority: Int
  public var drops: Bool
  /// The context that it runs under.
  public var context: String?
  /// Numbered by the expressions that refer to them.
  public var subqueries: [SubqueryPlan]
  public var kind: Kind

  public enum Kind: Sendable {
    case createSchema(EventType)
    case createVariable(VariablePlan)
    case createContext(ContextPlan)
    case createWindow(NamedWindowPlan)
    case createTable(TablePlan)
    /// Resolved while binding; nothing runs.
    case createExpression
    case createList(ListPlan)
    case select(SelectPlan)
    case on(OnPlan)
    case updateStream(UpdateStreamPlan)
  }

  public init(
    name: String, isNamed: Bool, line: Int, annotations: [Annotation] = [], priority: Int = 0, drops: Bool = false,
    context: String? = nil, subqueries: [SubqueryPlan] = [], kind: Kind
  ) {
    self.name = name
    self.isNamed = isNamed
    self.line = line
    self.annotations = annotations
    self.priority = priority
    self.drops = drops
    self.context = context
    self.subqueries = subqueries
    self.kind = kind
  }
}

public struct VariablePlan: Sendable {
  public var name: String
  public var type: ValueType
  /// Evaluated at deployment, without streams.
  public var initial: Expression?
  public var isConstant: Bool
  /// The context whose partitions have a variable each.
  public var context: String?
  public init(name: String, type: ValueType, initial: Expression?, isConstant: Bool, context: String? = nil) {
    self.name = name
    self.type = type
    self.initial = initial
    self.isConstant = isConstant
    self.context = context
  }
}

/// `create list L from 'file'`.
public struct ListPlan: Sendable {
  public var list: MemberList
  /// As written; a relative one counts from the module's folder.
  public var path: String
  /// Where the path stands in the module.
  public var line: Int
  public var column: Int
  public init(list: MemberList, path: String, line: Int, column: Int) {
    self.list = list
    self.path = path
    self.line = line
    self.column = column
  }
}

/// `update istream E set …`: stream 0 is the event.
public struct UpdateStreamPlan: Sendable {
  public var type: EventType
  public var assignments: [Assignment]
  public var filter: Expression?
  public init(type: EventType, assignments: [Assignment], filter: Expression?) {
    self.type = type
    self.assignments = assignments
    self.filter = filter
  }
}

public struct Assignment: Hashable, Sendable {
  public enum Target: Hashable, Sendable {
    case property(Int)
    /// An element of an array property.
    case element(property: Int, index: Expression)
    case variable(String)
    /// An element of a variable that holds an array.
    case variableElement(String, index: Expression)

    /// The variable that it sets.
    public var variable: String? {
      switch self {
      case .variable(let name), .variableElement(let name, _): name
      case .property, .element: nil
      }
    }
  }
  public var target: Target
  public var value: Expression
  public init(_ target: Target, _ value: Expression) {
    self.target = target
    self.value = value
  }
}
