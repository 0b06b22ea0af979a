import InputKit
import PluginKit

enum TCPOptions {
  static var description: PluginDescription {
    PluginDescription(
      name: "tcp", summary: "Receives IPFIX over TCP or TLS from many exporters at once.",
      options: Listening.options(allow: "Who may connect: an address or a prefix; without any, everyone.") + [
        .integer("maximumSessions", default: 10000, range: 1...1_000_000, help: "How many exporters may be connected at once."),
        .integer(
          "maximumSessionsPerAddress", default: 1000, range: 1...65536,
          help: "How many of them may come from one address; one that has not sent a message yet gives way."),
        TransportSecurity.option("TLS 1.2 or 1.3"),
      ],
      validate: { host, options throws(PluginError) in
        try Listening.validate(host, options)
        try TransportSecurity.validate(host, options, isDatagrams: false)
      })
  }
}
