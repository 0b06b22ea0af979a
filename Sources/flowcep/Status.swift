import ArgumentParser
import Collector
import Configuration
import Diagnostics
import Glibc

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show what a running collector does: sessions, templates, and what became of every record.",
    discussion: """
      Asks over the collector's control socket, which only its own user may open. Where one collector runs it is found by itself; \
      of several, name one by its process, its configuration or its socket. An exporter that gives nothing is shown with the reason.
      """)

  @Option(name: [.short, .customLong("config")], help: "The configuration that the collector runs with, where it names a controlSocket.")
  var config: String?

  @Option(help: "The collector's process number.")
  var pid: Int32?

  @Option(help: "The control socket.")
  var socket: String?

  @Flag(help: "As JSON, with nothing left out.")
  var json = false

  func run() throws {
    let path = try place()
    do throws(CollectorControl.Failure) {
      let answer = try CollectorControl.ask(json ? "json" : "text", at: path)
      print(answer, terminator: "")
    } catch {
      throw fail(error.reason)
    }
  }

  private func place() throws -> String {
    if let socket { return socket }
    if let pid { return CollectorControl.socket(ofProcess: pid) }
    if let config {
      let (path, diagnostics) = ConfigurationReader.controlSocket(ofFile: config)
      if diagnostics.hasErrors {
        show(diagnostics.sorted)
        throw ExitCode.usage
      }
      if let path { return path }
    }
    let found = CollectorControl.running()
    if found.count == 1 { return found[0] }
    if found.isEmpty {
      throw fail(
        "no collector of this user has a control socket in \(StandardFolders.runtime); name one by --socket, or by -c where its configuration has a controlSocket"
      )
    }
    throw fail("several collectors run; name one by --socket:" + found.map { "\n  \($0)" }.joined())
  }

  private func fail(_ reason: String) -> ExitCode {
    writeError("error: \(reason)\n")
    return ExitCode(1)
  }
}
