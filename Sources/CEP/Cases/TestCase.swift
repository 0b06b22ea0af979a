public import Engine
public import EventModel
internal import JSONLines

/// A case: a module, what is sent to it, and the rows that it must give.
public struct TestCase: Sendable {
  public enum Step: Sendable {
    case advance
    case event(type: String, values: ValueMap)
    case fire(String)
    case iterate(String)
    case set(String, Value)
  }

  /// One listener call, one answer to a pull or query, or one failed event.
  public struct Update: Sendable {
    public var time: Int64
    public var statement: String?
    public var new: [Value]
    public var old: [Value]?
    public var failed: Bool
  }

  public var feature: String
  public var name: String
  public var epl: String
  /// Where the files that the module names are, with a slash at its end.
  public var folder: String
  /// The module's file, where it stands in one.
  public var moduleFile: String?
  /// A capture whose flow records are the events.
  public var capture: String?
  /// How time goes with a capture; listed events set it themselves.
  public var clock: EngineOptions.ClockMode
  /// Whether the clock is advanced to the last pending timer at a capture's end.
  public var flushes: Bool
  public var outputs: [String]
  public var start: Int64?
  public var steps: [(time: Int64, step: Step)]
  public var iterateEnd: [String]
  public var prioritized: Bool
  public var anyRowOrder: Bool
  public var anyStatementOrder: Bool
  /// Whether a row may have more columns than the case names.
  public var namedColumnsOnly: Bool
  public var updates: [Update]
  /// False where the case has no answers yet.
  public var isRecorded: Bool
  public var types: [(statement: String, columns: [(name: String, type: String)])]
  public var expectsError: Bool
  /// The line at which the refused statement starts.
  public var errorLine: Int64?

  /// Reads a case from its JSON text.
  ///
  /// - Parameters:
  ///   - folder: where the case is, with a slash at its end: paths in it count from there.
  ///   - readModule: gives the text of the file that a case names as its `module`, in place of `epl`.
  public init(
    json: [UInt8], folder: String = "",
    readModule: (String) throws(CaseError) -> String = { path throws(CaseError) in throw CaseError("no file \(path) to read") }
  ) throws(CaseError) {
    let root: Value
    do throws(JSONError) { root = try JSONReader.parse(json) } catch { throw CaseError("no JSON: \(error)") }
    guard case .map(let map) = root else { throw CaseError("no object") }
    let place = { (path: String) in path.hasPrefix("/") ? path : folder + path }
    self.folder = folder
    if let epl = map["epl"].text {
      self.epl = epl
    } else if let module = map["module"].text.map(place) {
      epl = try readModule(module)
      moduleFile = module
      self.folder = module.lastIndex(of: "/").map { String(module[...$0]) } ?? ""
    } else {
      throw CaseError("neither \"epl\" nor \"module\"")
    }
    feature = map["feature"].text ?? ""
    name = map["name"].text ?? ""
    outputs = (map["outputs"].array ?? []).compactMap(\.text)
    start = map["start"].integer
    prioritized = map["prioritized"].isTrue
    iterateEnd = map["iterate_end"].array?.compactMap(\.text) ?? map["iterate_end"].text.map { [$0] } ?? []
    let compare = (map["compare"].text ?? "exact").split(separator: "+")
    anyRowOrder = compare.contains("rows_unordered")
    anyStatementOrder = compare.contains("per_statement")
    namedColumnsOnly = compare.contains("columns")
    var steps: [(time: Int64, step: Step)] = []
    for entry in map["events"].array ?? [] { steps.append(try TestCase.step(entry)) }
    self.steps = steps
    capture = map["capture"].text.map(place)
    clock = map["clock"].text.flatMap { EngineOptions.ClockMode(rawValue: $0) } ?? (capture == nil ? .compat : .watermark)
    flushes = map["flush"].isTrue
    if capture != nil, !steps.isEmpty { throw CaseError("both \"capture\" and \"events\"") }
    isRecorded = !map["expected"].isNull
    guard case .map(let expected) = isRecorded ? map["expected"] : .map(ValueMap([])) else { throw CaseError("\"expected\" is no object") }
    updates = (expected["updates"].array ?? []).map(TestCase.update)
    types = TestCase.types(expected["types"])
    if case .map(let error) = expected["error"] {
      expectsError = true
      errorLine = error["statement_line"].integer
    } else {
      expectsError = !expected["error"].isNull
      errorLine = nil
    }
  }

  /// The files besides its own that its answers depend on: the module's, the capture's, and those of the module's lists.
  public var files: [String] {
    [moduleFile, capture].compactMap { $0 } + Engine.listFiles(of: EngineModule(name: "", text: epl, folder: folder))
  }

  private static func step(_ entry: Value) throws(CaseError) -> (time: Int64, step: Step) {
    guard case .map(let map) = entry, let time = map["t"].integer else { throw CaseError("an event without \"t\"") }
    if let type = map["type"].text {
      if case .map(let values) = map["e"] { return (time, .event(type: type, values: values)) }
      return (time, .event(type: type, values: ValueMap([])))
    }
    if let query = map["fire"].text { return (time, .fire(query)) }
    if let statement = map["iterate"].text { return (time, .iterate(statement)) }
    if let variable = map["set"].text { return (time, .set(variable, map["value"])) }
    return (time, .advance)
  }

  private static func update(_ entry: Value) -> Update {
    guard case .map(let map) = entry else { return Update(time: 0, statement: nil, new: [], old: nil, failed: false) }
    let statement = map["statement"].text ?? map["iterate"].text ?? map["query"].text
    return Update(
      time: map["t"].integer ?? 0, statement: statement, new: map["new"].array ?? map["rows"].array ?? [], old: map["old"].array,
      failed: !map["runtime_error"].isNull)
  }

  private static func types(_ value: Value) -> [(statement: String, columns: [(name: String, type: String)])] {
    guard case .map(let map) = value else { return [] }
    return map.entries.map { entry in
      var columns: [(name: String, type: String)] = []
      if case .map(let types) = entry.value { columns = types.entries.map { ($0.key, $0.value.text ?? "") } }
      return (entry.key, columns)
    }
  }
}

/// A case that cannot be read.
public struct CaseError: Error, Sendable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
