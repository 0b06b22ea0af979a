import OutputKit
import PluginKit

enum LogstashOptions {
  static var description: PluginDescription {
    PluginDescription(
      name: "logstash", summary: "Sends records as JSON lines over TCP, to Logstash or any other receiver of JSON lines.",
      options: [
        .text("host", default: "127.0.0.1", help: "The receiver's address or name."),
        .integer("port", default: 12345, range: 1...65535, help: "The receiver's port."),
        .bytes("buffer", default: "32 MiB", range: "64 KiB..4 GiB", help: "How much is kept while the receiver is away or slow."),
        .choice("policy", ["drop-oldest", "block"], default: "drop-oldest", help: "What a full buffer does."),
      ] + .recordJSON)
  }
}
