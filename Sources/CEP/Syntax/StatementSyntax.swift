public import Diagnostics

/// A parsed module: its header and its statements, in order.
public struct ModuleSyntax: Sendable {
  public var source: SourceText
  public var name: NameSyntax?
  public var uses: [NameSyntax]
  public var imports: [NameSyntax]
  /// Statements that could be parsed; of one with mistakes only what could be made out.
  public var statements: [StatementSyntax]
}

public struct StatementSyntax: Sendable {
  public var annotations: [AnnotationSyntax]
  /// `expression f { x => … } …` before the statement.
  public var declarations: [ExpressionDeclarationSyntax]
  /// `context C` before the statement.
  public var context: NameSyntax?
  public var body: Body
  public var range: SourceRange
  /// False where a mistake was found in it: such a statement is not bound.
  public var isComplete: Bool

  public indirect enum Body: Sendable {
    case select(SelectSyntax)
    case createSchema(CreateSchemaSyntax)
    case createVariable(CreateVariableSyntax)
    case createExpression(ExpressionDeclarationSyntax)
    case createList(CreateListSyntax)
    case createWindow(CreateWindowSyntax)
    case createTable(CreateTableSyntax)
    case createContext(CreateContextSyntax)
    case createIndex(CreateIndexSyntax)
    case on(OnSyntax)
    /// `update istream E set …`.
    case updateStream(UpdateStreamSyntax)
    /// On demand: `delete from W where …`.
    case delete(DeleteSyntax)
    /// On demand: `update W set … where …`.
    case update(UpdateSyntax)
    /// On demand: `insert into W(a, b) values (1, 2)`.
    case insertValues(InsertValuesSyntax)
    case missing
  }
}

/// `@Name('x')`, `@Tag(name='a', value='b')`, `@Drop`; the name is compared without regard to case.
public struct AnnotationSyntax: Sendable {
  public var name: NameSyntax
  public var arguments: [AnnotationArgumentSyntax]
  public var range: SourceRange
}

public struct AnnotationArgumentSyntax: Sendable {
  /// Nil for the single unnamed value.
  public var name: NameSyntax?
  public var value: AnnotationValueSyntax
}

public indirect enum AnnotationValueSyntax: Sendable {
  case literal(LiteralSyntax)
  /// An enumeration's or class's name.
  case name(NameSyntax)
  case array([AnnotationValueSyntax])
  case annotation(AnnotationSyntax)
}

public struct CreateSchemaSyntax: Sendable {
  public enum Representation: String, Sendable { case map, objectarray, avro, json, plain }

  public var name: NameSyntax
  public var representation: Representation?
  /// `create variant schema`; `*` among its types is the name "*".
  public var isVariant: Bool
  public var variantTypes: [NameSyntax]
  public var columns: [ColumnSyntax]
  /// `as com.example.Class`.
  public var className: NameSyntax?
  public var inherits: [NameSyntax]
  public var copyFrom: [NameSyntax]
  public var startTimestamp: NameSyntax?
  public var endTimestamp: NameSyntax?
}

/// A column of a schema, a window or a table.
public struct ColumnSyntax: Sendable {
  /// Dots included: `ipfix.sourceIPv4Address`.
  public var name: NameSyntax
  public var type: ColumnTypeSyntax
  public var isPrimaryKey: Bool
  public var annotations: [AnnotationSyntax]
}

public enum ColumnTypeSyntax: Sendable {
  case type(TypeNameSyntax)
  /// In a table: `count(*)`, `sum(int)`.
  case aggregate(ExpressionSyntax)
}

public struct CreateVariableSyntax: Sendable {
  public var isConstant: Bool
  public var type: TypeNameSyntax
  public var name: NameSyntax
  public var value: ExpressionSyntax?
}

/// `expression name { x => … }`, `expression name alias for { … }`, or a script, which is recognised only to be refused.
public struct ExpressionDeclarationSyntax: Sendable {
  public var name: NameSyntax
  public var isAlias: Bool
  public var parameters: [NameSyntax]
  public var body: ExpressionSyntax
  /// The dialect of a script, `js` in `js:f(x) [ … ]`.
  public var dialect: NameSyntax?
  public var range: SourceRange
}

/// `create address list L from 'file'`, `create string list L from 'file'`.
public struct CreateListSyntax: Sendable {
  public enum Kind: String, Sendable { case address, string }
  public var kind: Kind
  public var name: NameSyntax
  public var path: String
  public var pathRange: SourceRange
}

public struct CreateWindowSyntax: Sendable {
  public var name: NameSyntax
  public var views: [ViewSyntax]
  public var retain: StreamSyntax.Retain?
  public var columns: [ColumnSyntax]
  /// `as E` and `as select … from E`.
  public var model: NameSyntax?
  public var modelSelection: [SelectItemSyntax]
  /// `insert [where …]`: filled from another window.
  public var insertFrom: Bool
  public var insertWhere: ExpressionSyntax?
}

public struct CreateTableSyntax: Sendable {
  public var name: NameSyntax
  public var columns: [ColumnSyntax]
}

public struct CreateIndexSyntax: Sendable {
  public var name: NameSyntax
  public var isUnique: Bool
  public var target: NameSyntax
  public var columns: [IndexColumnSyntax]
}

public struct IndexColumnSyntax: Sendable {
  public var expression: ExpressionSyntax
  /// `btree` or `hash`.
  public var kind: NameSyntax?
}

public struct CreateContextSyntax: Sendable {
  public var name: NameSyntax
  public var definition: ContextDefinitionSyntax
}

public indirect enum ContextDefinitionSyntax: Sendable {
  /// `partition by a and b from E, c from F [initiated by …] [terminated by …]`.
  case keyed([ContextKeySyntax], initiated: [ContextConditionSyntax], terminated: ContextConditionSyntax?)
  case category([ContextCategorySyntax], from: StreamFilterSyntax)
  case hash([ContextHashSyntax], granularity: ExpressionSyntax, preallocate: Bool)
  /// `start … end …`: one partition at a time.
  case startEnd(start: ContextConditionSyntax, end: ContextConditionSyntax?)
  /// `initiated by … terminated by …`: partitions may overlap.
  case initiatedTerminated(distinct: [ExpressionSyntax], start: ContextConditionSyntax, end: ContextConditionSyntax?)
  case nested([CreateContextSyntax])
}

public struct ContextKeySyntax: Sendable {
  /// Property names, dots included.
  public var properties: [NameSyntax]
  public var stream: StreamFilterSyntax
  public var alias: NameSyntax?
}

public struct ContextCategorySyntax: Sendable {
  public var condition: ExpressionSyntax
  public var label: NameSyntax
}

public struct ContextHashSyntax: Sendable {
  /// `consistent_hash_crc32(k)`, `hash_code(k)`.
  public var function: NameSyntax
  public var arguments: [ExpressionSyntax]
  public var stream: StreamFilterSyntax
}

public struct ContextConditionSyntax: Sendable {
  public var kind: Kind
  public var range: SourceRange

  public indirect enum Kind: Sendable {
    case immediately
    /// `@now and …`.
    case nowAnd(ContextConditionSyntax)
    case filter(StreamFilterSyntax, alias: NameSyntax?)
    case pattern(PatternStatementSyntax, inclusive: Bool, alias: NameSyntax?)
    case crontab([[ExpressionSyntax]])
    case after(ExpressionSyntax)
  }
}
