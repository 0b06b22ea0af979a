import Configuration
import Diagnostics
import IPFIX
import PluginHost
import Pipeline
import Telemetry

/// The stages of a configuration, made and joined; nothing is started.
///
/// What comes later in the data's path is made first, so that everything has its target when it is made.
struct Assembly {
  private(set) var inputs: [InputStage] = []
  /// Those of them that are one of several instances.
  private(set) var sharedInputs: [InputStage] = []
  private(set) var chains: [(stage: ChainStage, links: [PluginInstance])] = []
  private(set) var outputs: [OutputStage] = []
  private(set) var routers: [DomainRouter] = []
  private(set) var junctions: [Junction] = []
  private(set) var diagnostics = DiagnosticList()
  let state = RunState()
  private let loader: PluginLoader
  private let services: HostServices
  private var names: Set<InstanceName> = []

  init(_ configuration: CollectorConfiguration, loader: PluginLoader, services: HostServices) {
    self.loader = loader
    self.services = services
    var junctions: [String: Junction] = [:]
    for process in configuration.exportingProcesses { junctions[process.name] = exporting(process) }
    var next = outputs.makeIterator()
    for destination in configuration.exportingProcesses.flatMap(\.destinations) {
      guard !diagnostics.hasErrors, let output = next.next() else { continue }
      for target in destination.plugin.exportsTo { junctions[target.name].map { output.export(to: $0) } }
    }
    self.junctions = configuration.exportingProcesses.compactMap { junctions[$0.name] }
    for process in configuration.collectingProcesses {
      collecting(process, configuration, process.exportingProcesses.compactMap { junctions[$0] })
    }
  }

  private static func policy(_ configured: QueueConfiguration.Policy) -> BatchQueue.Policy {
    switch configured {
    case .block: .block
    case .drop: .drop
    case .dropDatagrams: .dropDatagrams
    }
  }

  private mutating func exporting(_ process: ExportingProcess) -> Junction {
    var routes: [DomainRouter.Route] = []
    for destination in process.destinations {
      guard let instance = create(destination.plugin, .output, destination.plugin.name) else { continue }
      let output = OutputStage(
        instance: instance, policy: Self.policy(destination.queue.policy), bytes: destination.queue.bytes,
        stopsOnError: destination.plugin.onError == .stop, services: services, state: state)
      outputs.append(output)
      routes.append(DomainRouter.Route(domain: destination.observationDomain, target: output))
    }
    let router = DomainRouter(process: process.name, routes: routes)
    routers.append(router)
    return Junction(name: process.name, entry: chain(process.intermediates, "", process.name, before: router))
  }

  private mutating func collecting(_ process: CollectingProcess, _ configuration: CollectorConfiguration, _ targets: [Junction]) {
    targets.forEach { $0.addProducer() }
    let prefix = configuration.collectingProcesses.count > 1 ? process.name + "/" : ""
    let entry = chain(configuration.intermediates, prefix, process.name, before: Fan(targets))
    let junction = Junction(name: process.name, entry: entry)
    for input in process.inputs {
      let name = prefix + input.name
      let names = input.instances > 1 ? (1...input.instances).map { "\(name)/\($0)" } : [name]
      let files = names.map { Self.templatesFile(input, $0, shard: names.count > 1, configuration) }
      for (number, name) in names.enumerated() {
        guard let instance = create(input, .input, name) else { break }
        var file = files[number]
        // The kernel may give a source another instance after a restart.
        file?.siblings = files.enumerated().compactMap { $0.offset == number ? nil : $0.element?.path }
        let stage = InputStage(
          instance: instance, next: junction, limits: DecoderLimits(input.hostValues), options: DecoderOptions(input.hostValues),
          templatesFile: file, stopsOnError: input.onError == .stop, services: services, state: state)
        inputs.append(stage)
        if names.count > 1 { sharedInputs.append(stage) }
      }
    }
  }

  /// Only over UDP a template may have to outlive its session.
  ///
  /// - Parameter isShard: whether the input is one of several that share a configuration.
  private static func templatesFile(
    _ input: PluginUse, _ name: String, shard isShard: Bool, _ configuration: CollectorConfiguration
  ) -> TemplatesFile? {
    guard input.hostValues["keepTemplates"].isEmpty || input.hostValues.flag("keepTemplates") else { return nil }
    if let path = input.hostValues.text("templatesFile") {
      return TemplatesFile(path: isShard ? path + "." + (name.split(separator: "/").last ?? "1") : path, isStandard: false)
    }
    guard input.plugin == "udp" else { return nil }
    StandardTemplatesFile.removeOld()
    return StandardTemplatesFile.file(configuration: configuration.source.name, input: name)
  }

  /// The chain's entry; without intermediates that is what comes next.
  private mutating func chain(
    _ uses: [PluginUse], _ prefix: String, _ process: String, before next: any BatchTarget
  ) -> any BatchTarget {
    var links: [ChainStage.Link] = []
    for use in uses {
      guard let instance = create(use, .intermediate, prefix + use.name) else { continue }
      links.append(ChainStage.Link(instance: instance, stopsOnError: use.onError == .stop))
    }
    guard !links.isEmpty else { return next }
    let stage = ChainStage(name: process, links: links, next: next, services: services, state: state)
    chains.append((stage, links.map(\.instance)))
    return stage
  }

  private mutating func create(_ use: PluginUse, _ stage: InstanceName.Stage, _ wanted: String) -> PluginInstance? {
    var name = InstanceName(stage, wanted)
    var number = 2
    while !names.insert(name).inserted {
      name.name = "\(wanted) \(number)"
      number += 1
    }
    switch loader.library(use.kind, use.plugin) {
    case .failure(let unavailable):
      diagnostics.add(use.place.diagnostic(.error, unavailable.reason))
      return nil
    case .success(let library):
      var warnings: [Diagnostic] = []
      do throws(PluginInstance.CreateFailure) {
        let instance = try PluginInstance.create(library, use, name: name, services: services, warnings: &warnings)
        warnings.forEach { diagnostics.add($0) }
        return instance
      } catch {
        error.diagnostics.forEach { diagnostics.add($0) }
        return nil
      }
    }
  }

  /// Everything that runs a plugin, in the order of the data.
  var instances: [PluginInstance] {
    inputs.map(\.instance) + chains.flatMap(\.links) + outputs.map(\.instance)
  }

  var stages: Stages { Stages(inputs: inputs, chains: chains.map(\.stage), routers: routers, outputs: outputs) }

  /// What became of every record, in the order of the data.
  var ledger: Ledger { stages.ledger }
}

/// The stages as others than the control thread see them.
struct Stages: Sendable {
  var inputs: [InputStage] = []
  var chains: [ChainStage] = []
  var routers: [DomainRouter] = []
  var outputs: [OutputStage] = []

  /// The ledger while the stages run: what they have not answered for waits.
  var ledgerOfNow: Ledger {
    var ledger = ledger
    for place in ledger.accounts.indices { ledger.accounts[place].nameWhatWaits() }
    return ledger
  }

  var ledger: Ledger {
    let routing = routers.map(\.account).filter { account in account.dropped.contains { $0.amount > 0 } }
    return Ledger(
      accounts: inputs.map(\.account) + chains.flatMap(\.accounts) + routing + outputs.flatMap { [$0.account] + $0.destinationAccounts })
  }
}

extension DecoderLimits {
  /// What an input's element says of `limits`.
  init(_ values: OptionValues) {
    self.init()
    guard let group = values["limits"].first?.group else { return }
    func set(_ name: String, _ path: WritableKeyPath<DecoderLimits, Int>) {
      if let value = group.integer(name) { self[keyPath: path] = Int(value) }
    }
    set("domains", \.domains)
    set("templates", \.templates)
    set("templatesPerDomain", \.templatesPerDomain)
    set("fieldsPerTemplate", \.fieldsPerTemplate)
    set("fields", \.fields)
    set("waitingBytes", \.waitingBytes)
    set("listDepth", \.listDepth)
    set("describedElements", \.describedElements)
    set("facts", \.facts)
    set("memory", \.totalBytes)
    if let time = group.integer("waitingTime") { waitingSeconds = UInt64(time / 1_000_000_000) }
  }
}

extension DecoderOptions {
  /// What an input's element says to the host; 0 stands for no bound, as in ipfixcol.
  init(_ values: OptionValues) {
    self.init()
    func positive(_ name: String, per unit: Int64 = 1) -> UInt64? {
      values.integer(name).flatMap { $0 > 0 ? UInt64(($0 + unit - 1) / unit) : nil }
    }
    addsAbsoluteTimes = values.flag("absoluteTimes")
    splitsBiflows = values.flag("splitBiflows")
    templateLifetimeSeconds = positive("templateLifeTime", per: 1_000_000_000)
    optionsTemplateLifetimeSeconds = positive("optionsTemplateLifeTime", per: 1_000_000_000)
    templateLifetimeMessages = positive("templateLifePacket")
    optionsTemplateLifetimeMessages = positive("optionsTemplateLifePacket")
  }
}
