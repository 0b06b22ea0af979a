import OutputKit
import PluginKit
import RecordJSON

/// A destination of lines. Every method but `start` and `stop` is called by the stage's thread.
protocol Sink: AnyObject {
  /// How many bytes of lines it takes best at once; where there are several destinations, the least counts.
  var pieceBytes: Int { get }
  func start() throws(PluginError)
  /// Whole lines, each with its line end.
  func send(_ bytes: UnsafeRawBufferPointer, lineEnds: UnsafeBufferPointer<Int>)
  /// About once a second.
  func tick()
  /// No more lines will come: drains within the time that the collector has left.
  func finish()
  func stop()
}

extension Sink {
  var pieceBytes: Int { RecordJSONWriter.pieceBytes }
  func tick() {}
  func finish() {}
  func stop() {}
}

/// TCP, to a receiver that may be away.
final class ConnectionSink: Sink {
  private let sender: LineSender

  init(_ host: Host, _ options: Options, _ counters: SinkCounters) {
    sender = LineSender(
      host,
      LineSender.Settings(
        host: options.text("ip") ?? "127.0.0.1", port: options.integer("port") ?? 4739, bufferBytes: options.integer("buffer") ?? 32 << 20,
        policy: options.text("policy") == "block" ? .block : .dropOldest),
      counters)
  }

  func start() throws(PluginError) { try sender.start() }
  func send(_ bytes: UnsafeRawBufferPointer, lineEnds: UnsafeBufferPointer<Int>) { sender.send(bytes, lineEnds: lineEnds) }
  func finish() { sender.finish() }
  func stop() { sender.stop() }
}
