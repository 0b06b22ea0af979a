import Builtins
import Diagnostics
import Engine
import EventModel
import FunctionBridge
import Glibc
import PluginABI
import PluginKit
import RecordEvents

/// The EPL modules that an instance is configured with, and what records can fill in them.
struct Modules {
  let modules: [EngineModule]
  let schema: RecordSchema
  let options: EngineOptions

  private init(_ modules: [EngineModule], _ host: Host, _ options: Options) throws(PluginError) {
    schema = RecordSchema(elements: try Self.elements(host))
    self.modules = modules
    var engineOptions = Self.engineOptions(options)
    for reason in engineOptions.catalog.add(Self.functions(host)) { host.log(.warning, reason) }
    self.options = engineOptions
  }

  func makeEngine() throws(CompileError) -> Engine {
    try Engine(modules: modules, predeclared: [schema.eventType], options: options)
  }

  // MARK: From the check to the instance

  /// An instance is made right after the check of its configuration, and compiling is a good part of a start: what the check has
  /// compiled is used, where it would be the same now. Of the control thread alone.
  nonisolated(unsafe) private static var checked: [(signature: [String], modules: Modules, engine: Engine)] = []

  /// The modules of a configuration, and an engine that runs them and has seen nothing.
  static func compiled(_ host: Host, _ options: Options) throws(PluginError) -> (modules: Modules, engine: Engine) {
    let read = try read(options)
    let signature = signature(read, options)
    if let place = checked.firstIndex(where: { $0.signature == signature }) {
      let found = checked.remove(at: place)
      return (found.modules, found.engine)
    }
    let modules = try Modules(read, host, options)
    do throws(CompileError) { return (modules, try modules.makeEngine()) } catch { throw failure(error) }
  }

  static func failure(_ error: CompileError) -> PluginError {
    PluginError(error.diagnostics.errors.first?.line ?? "the modules do not compile")
  }

  /// All that an engine depends on.
  private static func signature(_ modules: [EngineModule], _ options: Options) -> [String] {
    modules.flatMap { [$0.name, $0.text] } + ["clock", "late"].map { options.text($0) ?? "" }
      + ["lateness", "maxSkew", "idleAfter", "stateLimit"].map { options.integer($0).map(String.init) ?? "" }
  }

  /// Reports all mistakes of all modules, statements that do not exist, and properties that no element fills.
  static func validate(_ host: Host, _ options: Options) throws(PluginError) {
    let read = try read(options)
    let modules = try Modules(read, host, options)
    do throws(CompileError) {
      let engine = try modules.makeEngine()
      engine.diagnostics.sorted.forEach { report($0, host) }
      checkStatements(engine, host, options)
      for (message, place) in stateMistakes(engine, options) {
        host.report(error: message, file: place?.file, line: place?.line ?? 0, column: place?.column ?? 0)
      }
      modules.checkProperties(engine, host)
      checked.append((signature(read, options), modules, engine))
    } catch {
      error.diagnostics.all.forEach { report($0, host) }
    }
  }

  /// The statements whose rows are detections.
  static func detections(_ engine: Engine, _ options: Options) -> [StatementInfo] {
    let wanted = Set(options.texts("statement"))
    return engine.statements.filter { statement in
      guard statement.rowType != nil else { return false }
      return wanted.isEmpty ? !statement.isReadByOthers : wanted.contains(statement.name)
    }
  }

  // MARK: Checks

  private static func checkStatements(_ engine: Engine, _ host: Host, _ options: Options) {
    let names = engine.statements.filter { $0.rowType != nil }.map(\.name)
    for (i, wanted) in options.texts("statement").enumerated() where !names.contains(wanted) {
      let place = options.place("statement", at: i)
      host.report(
        error: "no module has a statement named \"\(wanted)\"", file: place?.file, line: place?.line ?? 0, column: place?.column ?? 0,
        suggestion: didYouMean(wanted, among: names))
    }
  }

  /// A property under `ipfix.` that no element fills is always null: worth a warning with its place.
  private func checkProperties(_ engine: Engine, _ host: Host) {
    for module in modules {
      let source = SourceText(name: module.name, text: module.text)
      for input in engine.inputs where input.name == schema.eventType.name && input.type !== schema.eventType {
        for property in input.type.properties where property.name.hasPrefix(RecordSchema.prefix) {
          guard let range = Self.place(of: property.name, in: module.text) else { continue }
          if let known = schema.property(named: property.name) {
            guard !RecordSchema.fits(known.shape, property.type) else { continue }
            Self.report(
              Diagnostic(
                .warning, in: source, at: range,
                message: "\(property.name) is declared as \(property.type.name), but records hold \(known.shape.name) there"), host)
          } else {
            Self.report(
              Diagnostic(
                .warning, in: source, at: range, message: "\(property.name) is no known information element; it will always be null",
                suggestion: didYouMean(property.name, among: schema.propertyNames)), host)
          }
        }
      }
    }
  }

  /// Where a name first stands as a whole word.
  private static func place(of name: String, in text: String) -> SourceRange? {
    let (sought, bytes) = (Array(name.utf8), Array(text.utf8))
    func isWord(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95 || byte == 46
    }
    guard bytes.count >= sought.count else { return nil }
    for start in 0...(bytes.count - sought.count) where bytes[start] == sought[0] {
      let end = start + sought.count
      guard bytes[start..<end].elementsEqual(sought) else { continue }
      if start > 0, isWord(bytes[start - 1]) { continue }
      if end < bytes.count, isWord(bytes[end]) { continue }
      return SourceRange(start, end)
    }
    return nil
  }

  private static func report(_ diagnostic: Diagnostic, _ host: Host) {
    let severities: [Diagnostic.Severity: Int] = [
      .error: FLOWCEP_SEVERITY_ERROR, .warning: FLOWCEP_SEVERITY_WARNING, .note: FLOWCEP_SEVERITY_NOTE,
    ]
    host.report(
      error: diagnostic.message, file: diagnostic.file, line: diagnostic.start?.line ?? 0, column: diagnostic.start?.column ?? 0,
      suggestion: diagnostic.suggestion, excerpt: diagnostic.excerpt, severity: UInt32(severities[diagnostic.severity] ?? 0),
      endLine: diagnostic.end?.line ?? 0, endColumn: diagnostic.end?.column ?? 0)
  }

  // MARK: What the host and the files give

  private static func engineOptions(_ options: Options) -> EngineOptions {
    var engine = EngineOptions()
    engine.clock = options.text("clock").flatMap { EngineOptions.ClockMode(rawValue: $0) } ?? .watermark
    engine.keepsCurrentRows = false
    engine.late = options.text("late").flatMap { EngineOptions.LatePolicy(rawValue: $0) } ?? .deliver
    func milliseconds(_ name: String, _ otherwise: Int64) -> Int64 { options.integer(name).map { Int64($0 / 1_000_000) } ?? otherwise }
    engine.lateness = milliseconds("lateness", engine.lateness)
    engine.maxSkew = milliseconds("maxSkew", engine.maxSkew)
    engine.idleAfter = milliseconds("idleAfter", engine.idleAfter)
    engine.stateLimit = options.integer("stateLimit").map { Int($0) }
    return engine
  }

  /// The libraries of functions that the host has found.
  private static func functions(_ host: Host) -> [UnsafePointer<flowcep_function_library>] {
    guard let raw = host.raw.pointee.extension(host.raw, FLOWCEP_FUNCTIONS_EXTENSION) else { return [] }
    let list = raw.assumingMemoryBound(to: flowcep_function_libraries.self).pointee
    return (0..<list.library_count).compactMap { list.libraries[$0] }
  }

  private static func elements(_ host: Host) throws(PluginError) -> [ElementRow] {
    guard let raw = host.raw.pointee.extension(host.raw, FLOWCEP_ELEMENTS_EXTENSION) else {
      throw PluginError("this host lacks the extension \(FLOWCEP_ELEMENTS_EXTENSION)")
    }
    let list = raw.assumingMemoryBound(to: flowcep_elements.self).pointee
    guard list.element_stride == MemoryLayout<flowcep_field>.stride else { throw PluginError("the host's elements have another size") }
    return UnsafeBufferPointer(start: list.elements, count: list.element_count).map { field in
      var aliases: [String] = []
      var alias = field.aliases
      while let next = alias?.pointee {
        aliases.append(String(cString: next))
        alias = alias?.advanced(by: 1)
      }
      return ElementRow(
        enterprise: field.enterprise, element: field.element, type: field.type, name: String(cString: field.name), aliases: aliases)
    }
  }

  private static func read(_ options: Options) throws(PluginError) -> [EngineModule] {
    var modules: [EngineModule] = []
    for path in options.texts("module") { modules.append(EngineModule(name: path, text: try read(path))) }
    return modules
  }

  private static func read(_ path: String) throws(PluginError) -> String {
    guard let file = fopen(path, "r") else { throw PluginError("cannot read \(path): \(String(cString: strerror(errno)))") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&piece, 1, piece.count, file)
      if count == 0 { break }
      bytes += piece[..<count]
    }
    guard ferror(file) == 0 else { throw PluginError("cannot read \(path)") }
    return String(decoding: bytes, as: UTF8.self)
  }
}
