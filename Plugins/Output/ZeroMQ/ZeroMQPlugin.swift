import OutputKit
public import PluginABI
import PluginKit
import RecordBatch
import RecordJSON

@c @implementation
public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
  outputEntry(hostVersion, ZeroMQOptions.description) { host, options throws(PluginError) in ZeroMQPlugin(host, options) }
}

/// Sends each record as a message of its own.
final class ZeroMQPlugin: OutputPlugin {
  private let host: Host
  private let options: Options
  private let writer: RecordJSONWriter
  private let counters: SinkCounters
  private let full: Counter
  private let noSubscriber: Counter
  private var socket: MessageSocket?

  init(_ host: Host, _ options: Options) {
    (self.host, self.options) = (host, options)
    writer = RecordJSONWriter(options: RecordJSONOptions(options))
    counters = SinkCounters(host)
    full = counters.dropped("high-water-mark", help: "Records that a peer's queue had no room for, or that no puller was there for.")
    noSubscriber = counters.dropped("no-subscriber", help: "Records that nobody had subscribed to.")
  }

  func start() throws(PluginError) {
    // The instance is called "process/destination".
    let process = String(host.instanceName.prefix { $0 != "/" })
    let socket = try MessageSocket(
      publishes: options.text("type") != "PUSH", topic: options.text("topic") ?? process,
      highWaterMark: options.integer("highWaterMark") ?? 100_000)
    for endpoint in options.texts("bind") { host.log(.info, "bound to \(try socket.bind(endpoint))") }
    for endpoint in options.texts("connect") { try socket.connect(endpoint) }
    self.socket = socket
  }

  func process(_ batch: Batch) throws(PluginError) {
    guard let socket else { throw PluginError("not started") }
    takeSubscriptions(socket)
    writer.write(batch) { bytes, lineEnds in send(socket, bytes, lineEnds) }
  }

  func handle(_ event: Batch) throws(PluginError) {
    if let socket { takeSubscriptions(socket) }
  }

  private func takeSubscriptions(_ socket: MessageSocket) {
    for topic in socket.takeSubscriptions() { host.log(.info, "a peer has subscribed to \"\(topic)\"") }
  }

  private func send(_ socket: MessageSocket, _ bytes: UnsafeRawBufferPointer, _ lineEnds: UnsafeBufferPointer<Int>) {
    guard socket.hasPeer else { return noSubscriber.add(lineEnds.count) }
    var (start, delivered) = (0, 0)
    for end in lineEnds {
      // Without the line end: a message has a length.
      if socket.send(UnsafeRawBufferPointer(rebasing: bytes[start..<end - 1])) { delivered += 1 }
      start = end
    }
    counters.delivered.add(delivered)
    full.add(lineEnds.count - delivered)
  }

  func stop() {
    let linger = (options.integer("linger") ?? 0) / 1_000_000
    let left = host.stopNanosecondsLeft.map { Int(clamping: $0 / 1_000_000) } ?? linger
    socket?.close(lingerMilliseconds: min(linger, left))
    socket = nil
  }
}
