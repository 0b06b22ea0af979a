import Configuration
import Diagnostics
import IPFIX
import JSONLines
import PluginABI
import Semantics
import Syntax

/// What can be fuzzed.
enum Target: String {
  case ipfix, netflow9, netflow5, lists, framer, configuration, json, epl

  nonisolated(unsafe) static var chosen = Target.ipfix

  static func run(_ bytes: UnsafeRawBufferPointer) {
    switch chosen {
    case .ipfix: Exporter.run(bytes, version: 10)
    case .netflow9: Exporter.run(bytes, version: 9)
    case .netflow5: Exporter.run(bytes, version: 5)
    case .lists: Lists.run(bytes)
    case .framer: frame(bytes)
    case .configuration: configure(Array(bytes))
    case .json: _ = try? JSONReader.parse(Array(bytes))
    case .epl:
      let source = SourceText(name: "fuzz.epl", text: String(decoding: bytes, as: UTF8.self))
      let (module, mistakes) = parseModule(source)
      let binding = bindModule(module)
      for diagnostic in mistakes.sorted + binding.diagnostics.sorted { precondition(!diagnostic.line.isEmpty, "a mistake says where") }
    }
  }

  /// Whatever a file holds: steps go forward and stay inside.
  private static func frame(_ bytes: UnsafeRawBufferPointer) {
    var place = 0
    while place < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[place...])
      switch DatagramFramer.step(rest) {
      case .message(let length): precondition(length > 0 && length <= rest.count, "a message inside the bytes")
      case .needs(let needed): precondition(needed > rest.count, "what is needed is not there")
      case .bad: break
      }
      guard case .message(let length) = DatagramFramer.step(rest, atEnd: true) else { return }
      precondition(length > 0 && length <= rest.count, "a message inside the bytes")
      place += length
    }
  }

  private static func configure(_ bytes: [UInt8]) {
    var diagnostics = DiagnosticList()
    guard let root = XMLReader.read(text: bytes, name: "startup.xml", folder: "/nowhere", into: &diagnostics) else { return }
    var reader = ConfigurationReader(catalog: Catalog())
    _ = reader.read(root)
  }
}

/// A few plugins' tables, without libraries.
private struct Catalog: PluginCatalog {
  func table(_ kind: PluginKind, _ name: String) -> Result<PluginTable, PluginUnavailable> {
    guard names(kind).contains(name) else { return .failure(PluginUnavailable(isMissing: true, reason: "there is none")) }
    return .success(
      PluginTable(
        kind: kind, name: name,
        options: [
          OptionRow("port", .integer, default: "4739", range: "0..65535"), OptionRow("allow", .prefix, repeated: true),
          OptionRow("wait", .duration, default: "1 s", range: "1 ms..1 min", unit: "s"), OptionRow("secret", .text, secret: true),
          OptionRow("output", .group, repeated: true, members: [OptionRow("type", .choice, required: true, range: "print|send")]),
        ]))
  }

  func names(_ kind: PluginKind) -> [String] { ["tcp", "file", "json"] }
}
