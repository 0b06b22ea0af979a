import PluginKit

enum TimestampOptions {
  static var description: PluginDescription {
    PluginDescription(
      name: "timestamp", summary: "Moves the times of flows: to the present, per message or per session.",
      options: [
        .choice("mode", ["timenow", "shift"], default: "shift", help: "What moves, and by how much: see the plugin's README.")
      ])
  }
}
