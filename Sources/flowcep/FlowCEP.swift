import ArgumentParser
@main struct FlowCEP: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flowcep",
    abstract: "An IPFIX collector with a complex event processing engine inside.",
    subcommands: [
      Send.self,
      Generate.self,
    ])
}
