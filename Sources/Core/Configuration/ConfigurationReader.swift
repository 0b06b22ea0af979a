public import Diagnostics

/// Reads a startup.xml, checks all of it against the vocabulary and the plugins' option tables, and reports every mistake.
public struct ConfigurationReader {
  private let catalog: any PluginCatalog
  private let search: FileSearch
  private var processes: [String] = []
  private var diagnostics = DiagnosticList()

  public init(catalog: any PluginCatalog, search: FileSearch = FileSearch()) {
    self.catalog = catalog
    self.search = search
  }

  /// The configuration, and all mistakes in it. With errors among them the configuration is not fit to run.
  public mutating func read(file path: String) -> (configuration: CollectorConfiguration?, diagnostics: DiagnosticList) {
    diagnostics = DiagnosticList()
    guard let root = XMLReader.read(file: path, into: &diagnostics) else { return (nil, diagnostics) }
    return read(root)
  }

  /// What a configuration says of its control socket, whatever else is in it.
  public static func controlSocket(ofFile path: String) -> (path: String?, diagnostics: DiagnosticList) {
    var diagnostics = DiagnosticList()
    let root = XMLReader.read(file: path, into: &diagnostics)
    let written = root?.child("controlSocket")?.text
    return (written.flatMap { text in root.map { FileSearch().resolve(text, in: $0.source.folder).path } }, diagnostics)
  }

  /// As `read(file:)`, of a tree.
  public mutating func read(_ root: XMLElement) -> (configuration: CollectorConfiguration?, diagnostics: DiagnosticList) {
    guard checkRoot(root) else { return (nil, diagnostics) }
    checkShape(root)
    var result = CollectorConfiguration(source: root.source)
    readEngine(root, &result)
    processes = root.children(named: "exportingProcess").compactMap { $0.child("name")?.text }.filter { !$0.isEmpty }
    result.intermediates = root.children(named: "intermediatePlugins").flatMap { readChain($0, "all", result.onError) }
    result.exportingProcesses = root.children(named: "exportingProcess").map { readExporting($0, result.onError) }
    for (index, child) in root.children(named: "collectingProcess").enumerated() {
      result.collectingProcesses.append(readCollecting(child, index, result.onError))
    }
    let wiring = Wiring(configuration: result, root: root)
    wiring.check(into: &diagnostics)
    blockBehindFiles(&result, wiring.fedByFilesOnly)
    // A mistake may have been found before the secret in the same line.
    diagnostics.dropExcerpts { $0.file == root.source.name && root.source.hides(line: $0.start?.line ?? 0) }
    return (result, diagnostics)
  }

  private mutating func checkRoot(_ root: XMLElement) -> Bool {
    if root.name == "ipfixcol2" {
      diagnostics.add(
        root.place.diagnostic(
          .error, "this is a configuration of ipfixcol2, whose vocabulary is another one",
          suggestion: "\(Vocabulary.documentation) sets the two side by side"))
      return false
    }
    guard root.name == "ipfix" else {
      diagnostics.add(root.place.diagnostic(.error, "expected the root element \"ipfix\", found \"\(root.name)\""))
      return false
    }
    return true
  }

  /// This vocabulary has no attributes, and no text between elements.
  private mutating func checkShape(_ element: XMLElement) {
    for attribute in element.attributes {
      diagnostics.add(
        element.place.diagnostic(
          .error, "\"\(element.name)\" has no attributes, found \"\(attribute.name)\"",
          suggestion: "write <\(attribute.name)>…</\(attribute.name)> inside"))
    }
    if !element.children.isEmpty, !element.text.isEmpty {
      diagnostics.add(element.valuePlace.diagnostic(.error, "text between the elements of \"\(element.name)\""))
    }
    element.children.forEach { checkShape($0) }
  }

  private mutating func readEngine(_ root: XMLElement, _ result: inout CollectorConfiguration) {
    let sections = ["collectingProcess", "exportingProcess", "intermediatePlugins"]
    let values = read(root, Vocabulary.root, owner: "\"ipfix\"", others: sections)
    result.elementFiles = values["elements"].map(\.text)
    result.stopTimeoutNanoseconds = values.integer("stopTimeout") ?? result.stopTimeoutNanoseconds
    result.controlSocket = values.text("controlSocket")
    result.metrics = values["metrics"].first?.group.map { group in
      MetricsConfiguration(
        address: group.text("localIPAddress") ?? "127.0.0.1", port: UInt16(clamping: group.integer("localPort") ?? 9747),
        sessions: Int(group.integer("sessions") ?? 1000))
    }
    result.reportIntervalNanoseconds = values.integer("reportInterval") ?? result.reportIntervalNanoseconds
    result.onError = policy(values) ?? .continue
    for extra in root.children(named: "intermediatePlugins").dropFirst() {
      diagnostics.add(extra.place.diagnostic(.error, "\"intermediatePlugins\" may stand only once"))
    }
  }

  /// A file can wait, so what only files feed loses nothing to a full queue, unless the configuration wants it so.
  private func blockBehindFiles(_ result: inout CollectorConfiguration, _ names: Set<String>) {
    for p in result.exportingProcesses.indices where names.contains(result.exportingProcesses[p].name) {
      for d in result.exportingProcesses[p].destinations.indices where result.exportingProcesses[p].destinations[d].queue.place == nil {
        result.exportingProcesses[p].destinations[d].queue.policy = .block
      }
    }
  }

  private func policy(_ values: OptionValues) -> ErrorPolicy? { values.text("onError").flatMap(ErrorPolicy.init) }

  /// Reads an element's own rows; `others` are children that somebody else reads.
  private mutating func read(
    _ element: XMLElement, _ table: [OptionRow], owner: String, others: [String] = [], presets: [String: String] = [:]
  ) -> OptionValues {
    var reader = OptionReader(owner: owner, search: search, processes: processes)
    let values = reader.read(element, table, others: others, presets: presets)
    diagnostics.add(contentsOf: reader.diagnostics)
    return values
  }
}

// MARK: - Processes

extension ConfigurationReader {
  private mutating func readCollecting(_ element: XMLElement, _ index: Int, _ onError: ErrorPolicy) -> CollectingProcess {
    let own = Vocabulary.collectingProcess.map(\.name)
    let others = element.children.map(\.name).filter { !own.contains($0) }
    let values = read(element, Vocabulary.collectingProcess, owner: "collectingProcess", others: others)
    var process = CollectingProcess(
      name: name(values, else: "collectingProcess \(index + 1)"), inputs: [],
      exportingProcesses: values["exportingProcess"].map(\.text), place: element.place)
    for child in element.children where !own.contains(child.name) {
      if Vocabulary.ignoredInCollectingProcess.contains(child.name) {
        diagnostics.add(child.place.diagnostic(.warning, "\"\(child.name)\" is ipfixcol's and is left out"))
      } else if let input = readPlugin(.input, child, Vocabulary.input, words: own, onError) {
        process.inputs.append(input)
      }
    }
    if others.isEmpty {
      diagnostics.add(element.place.diagnostic(.error, "a collectingProcess needs an input such as \"tcpCollector\""))
    }
    return process
  }

  private mutating func readExporting(_ element: XMLElement, _ onError: ErrorPolicy) -> ExportingProcess {
    let values = read(
      element, Vocabulary.exportingProcess, owner: "exportingProcess", others: ["destination", "intermediatePlugins"])
    var process = ExportingProcess(
      name: name(values, else: "exportingProcess"), intermediates: [], destinations: [], place: element.place)
    process.intermediates = element.children(named: "intermediatePlugins").flatMap { readChain($0, process.name, onError) }
    for child in element.children(named: "destination") {
      guard var destination = readDestination(child, process.name, onError) else { continue }
      let taken = process.destinations.map(\.plugin.name)
      if taken.contains(destination.plugin.name) {
        let wanted = destination.plugin.name
        destination.plugin.name = (2...).lazy.map { "\(wanted) \($0)" }.first { !taken.contains($0) } ?? wanted
        diagnostics.add(
          child.place.diagnostic(.warning, "another destination has this name; it is called \"\(destination.plugin.name)\" in messages"))
      }
      process.destinations.append(destination)
    }
    if element.child("destination") == nil {
      diagnostics.add(element.place.diagnostic(.error, "an exportingProcess needs a \"destination\""))
    }
    return process
  }

  private mutating func readDestination(_ element: XMLElement, _ process: String, _ onError: ErrorPolicy) -> Destination? {
    let own = Vocabulary.destination.map(\.name)
    let rest = element.children.filter { !own.contains($0.name) }
    let values = read(element, Vocabulary.destination, owner: "destination", others: rest.map(\.name))
    guard let first = rest.first else {
      diagnostics.add(element.place.diagnostic(.error, "a destination needs \"fileWriter\" or an element named after an output plugin"))
      return nil
    }
    for extra in rest.dropFirst() {
      diagnostics.add(
        extra.place.diagnostic(
          .error, "a destination has one output, and \"\(first.name)\" stands before \"\(extra.name)\"",
          suggestion: didYouMean(extra.name, among: own)))
    }
    guard var plugin = readOutput(first, words: own, policy(values) ?? onError) else { return nil }
    plugin.name = process + "/" + name(values, else: plugin.plugin)
    let group = values["queue"].first?.group
    let written = group?["policy"].first
    return Destination(
      plugin: plugin, observationDomain: values.integer("observationDomainId").flatMap { UInt32(exactly: $0) },
      queue: QueueConfiguration(
        policy: written.flatMap { QueueConfiguration.Policy(rawValue: $0.text) } ?? Vocabulary.defaultPolicy(plugin.plugin, plugin.values),
        bytes: Int(group?.integer("bytes") ?? 16 << 20), place: written?.place))
  }

  private mutating func readOutput(_ element: XMLElement, words: [String], _ onError: ErrorPolicy) -> PluginUse? {
    guard element.name == "fileWriter" else { return readPlugin(.output, element, [], words: words + ["fileWriter"], onError) }
    guard let format = element.child("fileFormat") else {
      diagnostics.add(element.place.diagnostic(.warning, "a \"fileWriter\" without \"fileFormat\" means \"ipfix\""))
      var bare = element
      bare.name = "ipfix"
      return readPlugin(.output, bare, [], words: [], onError)
    }
    // The plugin's options are those of `fileWriter`, the plugin's name and its place those of `fileFormat`.
    var named = element
    named.name = format.text
    named.tag = format.content
    named.children.removeAll { $0.name == "fileFormat" }
    return readPlugin(.output, named, [], words: [], onError)
  }

  private mutating func readChain(_ element: XMLElement, _ owner: String, _ onError: ErrorPolicy) -> [PluginUse] {
    var chain: [PluginUse] = []
    for child in element.children {
      guard var plugin = readPlugin(.intermediate, child, Vocabulary.intermediate, words: [], onError) else { continue }
      let same = chain.filter { $0.plugin == plugin.plugin }.count
      plugin.name = same == 0 ? plugin.plugin : "\(plugin.plugin) \(same + 1)"
      chain.append(plugin)
    }
    for index in chain.indices where owner != "all" { chain[index].name = owner + "/" + chain[index].name }
    return chain
  }

  private func name(_ values: OptionValues, else standIn: String) -> String {
    values.text("name").flatMap { $0.isEmpty ? nil : $0 } ?? standIn
  }
}

// MARK: - Plugins

extension ConfigurationReader {
  /// - Parameters:
  ///   - hostRows: what of the element is the host's.
  ///   - words: what else might have been meant in this place.
  private mutating func readPlugin(
    _ kind: PluginKind, _ element: XMLElement, _ hostRows: [OptionRow], words: [String], _ onError: ErrorPolicy
  ) -> PluginUse? {
    let alias = Vocabulary.aliases.first { $0.kind == kind && $0.element == element.name }
    let name = alias?.plugin ?? element.name
    switch catalog.table(kind, name) {
    case .failure(let unavailable):
      reportUnavailable(kind, element, unavailable, words)
      return nil
    case .success(let table):
      let owner = "\(kind.name) \"\(name)\""
      let own = table.options.map(\.name)
      let hostOnly = hostRows.map(\.name).filter { !own.contains($0) }
      var body = element
      refuseEncryption(&body, own)
      let values = read(body, table.options, owner: owner, others: hostOnly, presets: alias?.presets ?? [:])
      var host = body
      host.children.removeAll { child in !hostRows.contains { $0.name == child.name } }
      let hostValues = read(host, hostRows, owner: owner)
      return PluginUse(
        kind: kind, plugin: name, name: self.name(hostValues, else: name), table: table, values: values, hostValues: hostValues,
        onError: policy(hostValues) ?? onError, place: element.place)
    }
  }

  private mutating func refuseEncryption(_ element: inout XMLElement, _ own: [String]) {
    let word = "transportLayerSecurity"
    guard !own.contains(word), let tls = element.child(word) else { return }
    diagnostics.add(tls.place.diagnostic(.error, "\"\(word)\" is not supported yet: exporters could not connect"))
    element.children.removeAll { $0.name == word }
  }

  private mutating func reportUnavailable(
    _ kind: PluginKind, _ element: XMLElement, _ unavailable: PluginUnavailable, _ words: [String]
  ) {
    if unavailable.isMissing, let foreign = Vocabulary.foreign.first(where: { $0.kind == kind && $0.element == element.name }) {
      let severity: Diagnostic.Severity = foreign.isHarmless ? .warning : .error
      diagnostics.add(
        element.place.diagnostic(
          severity, "ipfixcol's \"\(foreign.element)\" is not here: \(foreign.why)\(foreign.isHarmless ? "; it is left out" : "")"))
      return
    }
    let aliases = Vocabulary.aliases.filter { $0.kind == kind }.map(\.element)
    let message =
      unavailable.isMissing
      ? "unknown element \"\(element.name)\": \(unavailable.reason)" : "\(kind.name) \"\(element.name)\": \(unavailable.reason)"
    diagnostics.add(
      element.place.diagnostic(
        .error, message,
        suggestion: unavailable.isMissing ? didYouMean(element.name, among: aliases + words + catalog.names(kind)) : nil))
  }
}
