import Diagnostics

/// Checks how the processes are joined: names, cycles, processes that nobody feeds, back-pressure on UDP.
struct Wiring {
  let configuration: CollectorConfiguration
  let root: XMLElement

  func check(into diagnostics: inout DiagnosticList) {
    if configuration.collectingProcesses.isEmpty {
      diagnostics.add(root.place.diagnostic(.error, "there is no \"collectingProcess\""))
    }
    checkNames(configuration.collectingProcesses.map { ($0.name, $0.place) }, "collectingProcess", &diagnostics)
    checkNames(configuration.exportingProcesses.map { ($0.name, $0.place) }, "exportingProcess", &diagnostics)
    let cyclic = checkCycles(&diagnostics)
    // With errors the wiring is not known in full: a plugin that could not be read may have fed it.
    if !cyclic, !diagnostics.hasErrors { checkUnfed(&diagnostics) }
    checkBlocking(&diagnostics)
  }

  private func checkNames(_ named: [(name: String, place: Place)], _ what: String, _ diagnostics: inout DiagnosticList) {
    var seen: [String: Place] = [:]
    for (name, place) in named {
      if let first = seen[name] {
        diagnostics.add(
          place.diagnostic(.error, "two elements \"\(what)\" are named \"\(name)\" (the first in line \(first.position.line))"))
      }
      seen[name] = seen[name] ?? place
    }
  }

  private typealias Edge = (to: String, place: Place?)

  private func edges(_ name: String) -> [Edge] {
    configuration.exportingProcesses.filter { $0.name == name }.flatMap { process in
      process.destinations.flatMap { $0.plugin.exportsTo.map { ($0.name, $0.place) } }
    }
  }

  /// Reports each cycle once, with its path.
  private func checkCycles(_ diagnostics: inout DiagnosticList) -> Bool {
    var done: Set<String> = []
    var found = false
    func visit(_ name: String, _ path: [String]) {
      if done.contains(name) { return }
      for edge in edges(name) {
        if let start = (path + [name]).firstIndex(of: edge.to) {
          let cycle = ((path + [name])[start...] + [edge.to]).joined(separator: " → ")
          found = true
          diagnostics.add((edge.place ?? root.place).diagnostic(.error, "the wiring is cyclic: \(cycle)"))
        } else {
          visit(edge.to, path + [name])
        }
      }
      done.insert(name)
    }
    for process in configuration.exportingProcesses { visit(process.name, []) }
    return found
  }

  /// The exporting processes whose records come from files alone, directly or through other processes.
  var fedByFilesOnly: Set<String> {
    func reached(from starts: [String]) -> Set<String> {
      var found: Set<String> = []
      var next = starts
      while let name = next.popLast() {
        if found.insert(name).inserted { next += edges(name).map(\.to) }
      }
      return found
    }
    func isFile(_ process: CollectingProcess) -> Bool { process.inputs.allSatisfy { $0.plugin == "file" } }
    let all = configuration.collectingProcesses
    return reached(from: all.filter(isFile).flatMap(\.exportingProcesses))
      .subtracting(reached(from: all.filter { !isFile($0) }.flatMap(\.exportingProcesses)))
  }

  private func checkUnfed(_ diagnostics: inout DiagnosticList) {
    let fed =
      configuration.collectingProcesses.flatMap(\.exportingProcesses)
      + configuration.exportingProcesses.flatMap { edges($0.name).map(\.to) }
    for process in configuration.exportingProcesses where !fed.contains(process.name) {
      diagnostics.add(process.place.diagnostic(.warning, "no process feeds the exporting process \"\(process.name)\""))
    }
  }

  /// A queue that blocks makes its input wait; behind UDP the kernel then drops what comes.
  private func checkBlocking(_ diagnostics: inout DiagnosticList) {
    for collecting in configuration.collectingProcesses where collecting.inputs.contains(where: { $0.plugin == "udp" }) {
      for process in configuration.exportingProcesses where collecting.exportingProcesses.contains(process.name) {
        for destination in process.destinations where destination.queue.policy == .block {
          diagnostics.add(
            (destination.queue.place ?? destination.plugin.place).diagnostic(
              .warning, "the queue of \"\(destination.plugin.name)\" blocks behind UDP: while it is full the kernel drops datagrams",
              suggestion: "<queue><policy>drop</policy></queue> drops here, and says so"))
        }
      }
    }
  }
}
