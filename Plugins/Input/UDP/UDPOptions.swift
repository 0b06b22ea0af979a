import InputKit
import PluginKit

enum UDPOptions {
  static var description: PluginDescription {
    PluginDescription(
      name: "udp", summary: "Receives IPFIX over UDP or DTLS; one session for each source address and port.",
      options: Listening.options(allow: "Who may send: an address or a prefix; without any, everyone.") + [
        .bytes(
          "receiveBuffer", default: "4 MiB", range: "4K..1G",
          help: "The socket's receive buffer; the system's limit is net.core.rmem_max."),
        .integer("maximumSessions", default: 10000, range: 1...1_000_000, help: "How many sources may be remembered at once."),
        .integer(
          "maximumSessionsPerAddress", default: 1000, range: 1...65536,
          help: "How many ports of one address are remembered; one that has sent little gives way first."),
        .duration(
          "sessionTimeout", default: "60 min", unit: "s", range: "1 s..365 d",
          help: "A source that is quiet so long is forgotten, with its templates."),
        TransportSecurity.option("DTLS 1.2"),
      ],
      validate: { host, options throws(PluginError) in
        try Listening.validate(host, options)
        try TransportSecurity.validate(host, options, isDatagrams: true)
      })
  }
}
