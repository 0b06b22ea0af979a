import Configuration
import Diagnostics

/// A few plugins' tables, without libraries.
struct StandInCatalog: PluginCatalog {
  static let tables: [PluginTable] = [
    PluginTable(
      kind: .input, name: "tcp",
      options: [
        OptionRow("localPort", .integer, default: "4739", range: "0..65535"),
        OptionRow("localIPAddress", .address, repeated: true, default: "127.0.0.1"),
        OptionRow("allow", .prefix, repeated: true),
      ]),
    PluginTable(kind: .input, name: "udp", options: [OptionRow("localPort", .integer, default: "4739", range: "0..65535")]),
    PluginTable(kind: .input, name: "file", options: [OptionRow("file", .path, required: true, mustExist: true, help: "what to read")]),
    PluginTable(
      kind: .intermediate, name: "anonymize",
      options: [OptionRow("type", .choice, range: "cryptopan|truncation"), OptionRow("keyFile", .path, secret: true, mustExist: true)]),
    PluginTable(
      kind: .intermediate, name: "timestamp", options: [OptionRow("mode", .choice, default: "shift", range: "shift|timenow")]),
    PluginTable(
      kind: .output, name: "json",
      options: [
        OptionRow("tcpFlags", .choice, default: "raw", range: "raw|formatted=formated"),
        OptionRow("wait", .duration, default: "1 s", range: "1 ms..1 min", unit: "s"),
        OptionRow("password", .text, secret: true),
        OptionRow(
          "output", .group, required: true, repeated: true, help: "where lines go",
          members: [
            OptionRow("type", .choice, required: true, range: "print|send|file", help: "how"),
            OptionRow("port", .integer, default: "4739", range: "1..65535"), OptionRow("path", .path),
          ]),
      ]),
    PluginTable(kind: .output, name: "cep", options: [OptionRow("exportTo", .process, repeated: true)]),
  ]

  func table(_ kind: PluginKind, _ name: String) -> Result<PluginTable, PluginUnavailable> {
    if let found = Self.tables.first(where: { $0.kind == kind && $0.name == name }) { return .success(found) }
    return .failure(PluginUnavailable(isMissing: true, reason: "there is no \(kind.name) plugin of that name"))
  }

  func names(_ kind: PluginKind) -> [String] { Self.tables.filter { $0.kind == kind }.map(\.name) }
}

/// Reads a configuration text; what it says is `lines`, a diagnostic each.
func read(_ xml: String, folder: String = "/nowhere", share: String? = nil) -> (configuration: CollectorConfiguration?, lines: [String]) {
  var diagnostics = DiagnosticList()
  guard let root = XMLReader.read(text: Array(xml.utf8), name: "startup.xml", folder: folder, into: &diagnostics) else {
    return (nil, diagnostics.sorted.map(\.line))
  }
  var reader = ConfigurationReader(catalog: StandInCatalog(), search: FileSearch(shareFolder: share))
  let result = reader.read(root)
  return (result.configuration, result.diagnostics.sorted.map(\.line))
}
