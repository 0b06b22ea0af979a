import ArgumentParser
import Glibc

@main struct FlowCEP: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flowcep",
    abstract: "An IPFIX collector with a complex event processing engine inside.",
    subcommands: [
      Run.self,
      Check.self,
      Status.self,
      Send.self,
      Query.self,
      Test.self,
      Plugins.self,
      View.self,
      Generate.self,
    ])

  /// Exits with 2, not 64, where the command line is wrong.
  static func main() {
    do {
      var command = try parseAsRoot(spelledOut(Array(CommandLine.arguments.dropFirst())))
      try command.run()
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      writeError(fullMessage(for: error) + "\n")
      Glibc.exit(2)
    }
  }

  /// A bare `-v` of `run` means `-v 3`.
  private static func spelledOut(_ arguments: [String]) -> [String] {
    guard arguments.first == "run" else { return arguments }
    return arguments.enumerated().flatMap { index, word -> [String] in
      guard word == "-v" else { return [word] }
      let next = index + 1 < arguments.count ? arguments[index + 1] : "-"
      return Int(next) == nil ? ["-v", "3"] : [word]
    }
  }
}
