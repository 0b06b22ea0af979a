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

  init(_ host: Host, _ options: Options) throws(PluginError) {
    writer = RecordJSONWriter(options: RecordJSONOptions(options))
    var sinks: [any Sink] = []
    for output in options.groups("output") { sinks.append(try Self.sink(host, output, ordinal: sinks.count)) }
    self.sinks = sinks
  }

  private static func sink(_ host: Host, _ options: Options, ordinal: Int) throws(PluginError) -> any Sink {
    let counters = SinkCounters(host, ordinal: ordinal)
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
    writer.write(batch) { bytes, lineEnds in
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
