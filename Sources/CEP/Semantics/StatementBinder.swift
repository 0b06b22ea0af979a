import Diagnostics
import EventModel
import Plan
import Syntax

/// Binds one statement. Each clause has an extension in a file of its own; mistakes are gathered, never thrown.
final class StatementBinder {
  let syntax: StatementSyntax
  let source: SourceText
  /// What is declared, this statement included once it is bound.
  var scope: ModuleScope
  private(set) var diagnostics = DiagnosticList()
  /// Numbered by the expressions that refer to them.
  var subqueries: [SubqueryPlan] = []
  /// The properties that `context.…` names.
  var contextType: EventType?
  /// Whether what the statement holds goes with its context's partitions.
  private(set) var contextEnds = false
  /// Whether it reads and changes the windows and tables of all of a context's partitions: a query on demand.
  var spansPartitions = false
  /// Told only of a statement that is otherwise right.
  private var growths: [(message: String, range: SourceRange, advice: String)] = []
  /// Whether they can also be named without `context.` before them, as in a context's end condition.
  var namesContextTags = false
  private var nextLocal = 0

  init(_ syntax: StatementSyntax, source: SourceText, scope: ModuleScope) {
    self.syntax = syntax
    self.source = source
    self.scope = scope
  }

  // MARK: mistakes

  func report(_ message: String, at range: SourceRange, suggestion: String? = nil) {
    diagnostics.add(Diagnostic(.error, in: source, at: range, message: message, suggestion: suggestion))
  }

  func warn(_ message: String, at range: SourceRange, suggestion: String? = nil) {
    diagnostics.add(Diagnostic(.warning, in: source, at: range, message: message, suggestion: suggestion))
  }

  /// Notes state that can grow as long as the engine runs.
  func noteGrowth(_ message: String, at range: SourceRange, advice: String) { growths.append((message, range, advice)) }

  /// Reports a name that is not known, with the nearest that is.
  func reportUnknown(_ what: String, _ name: NameSyntax, among candidates: [String]) {
    if scope.failed.contains(name.text) { return reportFollowing() }
    report("unknown \(what) \"\(name.text)\"", at: name.range, suggestion: didYouMean(name.text, among: candidates))
  }

  /// A mistake that only follows from one that is reported elsewhere still keeps the statement from running.
  func reportFollowing() { isFollowing = true }
  private(set) var isFollowing = false

  /// A number for a lambda's parameter.
  func newLocal() -> Int {
    defer { nextLocal += 1 }
    return nextLocal
  }

  // MARK: the statement

  /// Nil where the statement cannot be given a plan; the mistakes say why.
  func statement(number: Int, taken: Set<String>) -> StatementPlan? {
    for declaration in syntax.declarations { scope.expressions[declaration.name.text] = declaration }
    defer { for declaration in syntax.declarations { scope.expressions[declaration.name.text] = nil } }
    let annotations = annotations()
    bindContextName()
    guard let kind = kind(annotations), !isFollowing else { return nil }
    refuseSubqueries(kind)
    if !diagnostics.hasErrors {
      for growth in growths { warn("state can grow without bound: " + growth.message, at: growth.range, suggestion: growth.advice) }
    }
    let written = annotations.first { $0.name == "Name" }?.attributes.first.flatMap { $0.value.text }
    let name = written.map { unused($0, taken) } ?? unused("statement-\(number)", taken)
    let priority = annotations.first { $0.name == "Priority" }?.attributes.first?.value.integer ?? 0
    return StatementPlan(
      name: name, isNamed: written != nil, line: source.position(at: syntax.range.start).line, annotations: annotations,
      priority: Int(priority), drops: annotations.contains { $0.name == "Drop" }, context: syntax.context?.text,
      subqueries: subqueries, kind: kind)
  }

  /// What is declared is no statement that a subquery's stream could reach.
  private func refuseSubqueries(_ kind: StatementPlan.Kind) {
    if subqueries.isEmpty { return }
    switch kind {
    case .createContext, .createVariable, .createWindow, .createTable: report("a subquery cannot stand in a CREATE", at: syntax.range)
    default: break
    }
  }

  func bindContextName() {
    guard let name = syntax.context else { return }
    if let context = scope.contexts[name.text] {
      contextType = context.type
      contextEnds = context.ends
    } else {
      reportUnknown("context", name, among: scope.contexts.keys.sorted())
    }
  }

  /// What each partition of a context has for itself is known to the statements of that context only.
  ///
  /// - Parameter context: that of the named window, table or variable; nil where there is one for all.
  func checkPartitions(_ kind: String, _ name: String, of context: String?, at range: SourceRange) {
    guard let context, context != syntax.context?.text else { return }
    report(
      "the \(kind) \"\(name)\" is one for each partition of the context \"\(context)\"", at: range,
      suggestion: "write CONTEXT \(context) before the statement")
  }

  private func unused(_ name: String, _ taken: Set<String>) -> String {
    guard taken.contains(name) else { return name }
    var number = 0
    while taken.contains("\(name)--\(number)") { number += 1 }
    return "\(name)--\(number)"
  }

  private func kind(_ annotations: [Annotation]) -> StatementPlan.Kind? {
    switch syntax.body {
    case .select(let select): bindSelect(select).map { .select($0) }
    case .createSchema(let schema): bindSchema(schema, annotations).map { .createSchema($0) }
    case .createVariable(let variable): bindVariable(variable).map { .createVariable($0) }
    case .createExpression(let expression): bindDeclaration(expression)
    case .createList(let list): bindList(list).map { .createList($0) }
    case .createWindow(let window): bindWindow(window).map { .createWindow($0) }
    case .createTable(let table): bindTable(table).map { .createTable($0) }
    case .createContext(let context): bindContext(context).map { .createContext($0) }
    case .createIndex(let index): bindIndex(index)
    case .on(let on): bindOn(on).map { .on($0) }
    case .updateStream(let update): bindUpdateStream(update).map { .updateStream($0) }
    case .delete, .update, .insertValues:
      onDemandOnly()
    case .missing: nil
    }
  }

  private func onDemandOnly() -> StatementPlan.Kind? {
    report(
      "this form is an on-demand query and cannot stand in a module", at: syntax.range, suggestion: "write ON <event> before it")
    return nil
  }
}
