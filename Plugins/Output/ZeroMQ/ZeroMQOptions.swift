import OutputKit
import PluginKit

enum ZeroMQOptions {
  static var description: PluginDescription {
    PluginDescription(
      name: "zeromq", summary: "Publishes or pushes records as JSON over ZeroMQ.",
      options: [
        .choice("type", ["PUB", "PUSH"], default: "PUB", help: "PUB: to all subscribers. PUSH: each record to one of the pullers."),
        .text("bind", repeated: true, help: "An endpoint to listen on, such as tcp://127.0.0.1:5556."),
        .text("connect", repeated: true, help: "An endpoint to connect to."),
        .text("topic", help: "PUB: the first part of each message; without it, the exporting process's name."),
        .integer("highWaterMark", default: 100_000, range: 1...100_000_000, help: "How many records are kept for each peer."),
        .duration("linger", default: "2 s", unit: "s", range: "0 s..1 h", help: "How long the end waits for peers that are slow."),
      ] + .recordJSON,
      validate: { _, options throws(PluginError) in
        if options.count("bind") + options.count("connect") == 0 {
          throw PluginError("zeromq needs an endpoint: give \"bind\" or \"connect\"")
        }
      })
  }
}
