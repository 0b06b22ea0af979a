import ArgumentParser
import Collector
import Configuration
import Diagnostics
import Glibc
import InformationElements

struct View: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "view",
    abstract: "Show what is in files of IPFIX or NetFlow messages, or in packet captures of them.",
    discussion: """
      Prints messages, templates and records with names and typed values; times are UTC. A file that cannot be followed to its \
      end is an error, after what came before has been shown.
      """)

  @Argument(help: "Files: IPFIX (RFC 5655), NetFlow 9 and 5 datagrams one after another, or pcap and pcapng; - is standard input.")
  var files: [String]

  @Flag(help: "A JSON line for each record, with nothing left out.")
  var json = false

  @Flag(help: "A line for each field that occurs: name, element, type, number of records, sample values.")
  var fields = false

  @Option(help: "A further file of information elements; may be given several times.")
  var elements: [String] = []

  func validate() throws {
    if json && fields { throw ValidationError("--json and --fields exclude each other") }
  }

  func run() throws {
    signal(SIGPIPE, SIG_IGN)
    var diagnostics = DiagnosticList()
    let registry = ElementRegistry(ElementFiles.read(Installation.current.elementFiles + elements, into: &diagnostics))
    show(diagnostics.sorted)
    if diagnostics.hasErrors { throw ExitCode.usage }
    let output = ViewOutput()
    do {
      let view = view(to: output)
      let complete = try CaptureReader(registry: registry).read(files, into: view)
      try view.finish()
      try output.flush()
      if !complete { throw ExitCode.failure }
    } catch is ReaderGone {
      return
    }
  }

  private func view(to output: ViewOutput) -> any RecordView {
    if json { return JSONView(output) }
    return fields ? FieldsView(output) : TextView(output)
  }
}
