import OutputKit
public import PluginABI
import PluginKit
import RecordBatch
import RecordJSON

@c @implementation
public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
  outputEntry(hostVersion, LogstashOptions.description) { host, options throws(PluginError) in LogstashPlugin(host, options) }
}

/// Writes records as lines on the stage's thread; a sender's thread takes them to the receiver.
final class LogstashPlugin: OutputPlugin {
  private let writer: RecordJSONWriter
  private let sender: LineSender

  init(_ host: Host, _ options: Options) {
    writer = RecordJSONWriter(options: RecordJSONOptions(options))
    let settings = LineSender.Settings(
      host: options.text("host") ?? "127.0.0.1", port: options.integer("port") ?? 12345,
      bufferBytes: options.integer("buffer") ?? 32 << 20, policy: options.text("policy") == "block" ? .block : .dropOldest)
    sender = LineSender(host, settings, SinkCounters(host))
  }

  func start() throws(PluginError) { try sender.start() }

  func process(_ batch: Batch) throws(PluginError) { writer.write(batch) { sender.send($0, lineEnds: $1) } }

  func handle(_ event: Batch) throws(PluginError) {
    if event.kind == .end { sender.finish() }
  }

  func stop() { sender.stop() }
}
