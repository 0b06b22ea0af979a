import InputKit
import PluginKit

enum TCPOptions {
  static var description: PluginDescription {
    PluginDescription(
      name: "tcp", summary: "Receives IPFIX over TCP or TLS from many exporters at once.",
      options: [
        .integer("localPort", default: 4739, range: 0...65535, help: "The port to listen on; 0 lets the system choose."),
        .address(
          "localIPAddress", default: "127.0.0.1", repeated: true,
          help: "An address to listen on, empty for all; may be given several times."),
        .prefix("allow", repeated: true, help: "Who may connect: an address or a prefix; without any, everyone."),
        .integer("maximumSessions", default: 10000, range: 1...1_000_000, help: "How many exporters may be connected at once."),
        .integer(
          "maximumSessionsPerAddress", default: 1000, range: 1...65536,
          help: "How many of them may come from one address; one that has not sent a message yet gives way."),
        TransportSecurity.option("TLS 1.2 or 1.3"),
      ],
      validate: { host, options throws(PluginError) in try TransportSecurity.validate(host, options, isDatagrams: false) })
  }
}
