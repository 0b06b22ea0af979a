import OutputKit
public import PluginABI
import PluginKit
import RecordBatch
import RecordJSON

@c @implementation
public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
  outputEntry(hostVersion, JSONOptions.description) { host, options throws(PluginError) in try JSONPlugin(host, options) }
}

/// Writes each record once and hands the lines to every destination.
final class JSONPlugin: OutputPlugin {
  private let writer: RecordJSONWriter
  private let sinks: [any Sink]
  private let pieceBytes: Int

  init(_ host: Host, _ options: Options) throws(PluginError) {
    writer = RecordJSONWriter(options: RecordJSONOptions(options))
    var sinks: [any Sink] = []
    let groups = options.groups("output")
    var names: Set<String> = []
    for (index, output) in groups.enumerated() {
      var name = Self.name(output)
      if !names.insert(name).inserted { name += " (\(index + 1))" }
      sinks.append(try Self.sink(host, output, SinkCounters(host, destination: groups.count > 1 ? name : nil)))
    }
    self.sinks = sinks
    pieceBytes = sinks.map(\.pieceBytes).min() ?? RecordJSONWriter.pieceBytes
  }

  /// What a destination is called where there are several.
  private static func name(_ options: Options) -> String {
    let (ip, port) = (options.text("ip") ?? "", options.integer("port") ?? 0)
    let address = ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    switch options.text("type") {
    case "send": return "\((options.text("protocol") ?? "").lowercased()) \(address)"
    case "server": return "server \(address)"
    case "file": return "file \(options.text("path") ?? "")"
    default: return "print"
    }
  }

  private static func sink(_ host: Host, _ options: Options, _ counters: SinkCounters) throws(PluginError) -> any Sink {
    switch options.text("type") {
    case "send" where options.text("protocol") == "TCP": return ConnectionSink(host, options, counters)
    case "send": return try DatagramSink(host, options, counters)
    case "server": return try ServerSink(host, options, counters)
    case "file": return try FileSink(host, options, counters)
    default: return PrintSink(host, counters)
    }
  }

  func start() throws(PluginError) { for sink in sinks { try sink.start() } }

  func process(_ batch: Batch) throws(PluginError) {
    writer.write(batch, pieces: pieceBytes) { bytes, lineEnds in
      for sink in sinks { sink.send(bytes, lineEnds: lineEnds) }
    }
  }

  func handle(_ event: Batch) throws(PluginError) {
    for sink in sinks {
      if event.kind == .tick { sink.tick() }
      if event.kind == .end { sink.finish() }
    }
  }

  func stop() { for sink in sinks { sink.stop() } }
}
