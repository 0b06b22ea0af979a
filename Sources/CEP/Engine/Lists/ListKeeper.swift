internal import Diagnostics
internal import Plan

/// The files of all lists of an engine's modules.
struct ListKeeper {
  let files: [ListFile]

  /// Loads every list; mistakes stand in the diagnostics, with the file and the line, or with the module where there is no such file.
  init(_ plans: [ModulePlan], _ modules: [EngineModule], _ diagnostics: inout DiagnosticList) {
    var files: [ListFile] = []
    for (plan, module) in zip(plans, modules) {
      for statement in plan.statements {
        guard case .createList(let list) = statement.kind else { continue }
        let file = ListFile(list.list, Self.place(of: list.path, in: module))
        files.append(file)
        switch file.load() {
        case .success: break
        case .failure(.unreadable(let reason)):
          let place = SourcePosition(line: list.line, column: list.column)
          let excerpt = SourceText(name: module.name, text: module.text).line(list.line)
          diagnostics.add(
            Diagnostic(.error, file: module.name, start: place, message: "cannot read the list \(file.path): \(reason)", excerpt: excerpt))
        case .failure(.faulty(let mistakes)): for mistake in mistakes { diagnostics.add(mistake) }
        }
      }
    }
    self.files = files
  }

  /// A relative path counts from the module's folder.
  static func place(of path: String, in module: EngineModule) -> String { path.hasPrefix("/") ? path : module.folder + path }
}
