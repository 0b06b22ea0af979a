import PluginKit

enum FileOptions {
  static var description: PluginDescription {
    PluginDescription(
      name: "file", summary: "Reads files of IPFIX (RFC 5655) or NetFlow messages as fast as the outputs take them, then ends.",
      options: [
        .path(
          "file", required: true, repeated: true, mustExist: true,
          help: "A file, a pattern such as captures/*.ipfix, or - for standard input; may be given several times.")
      ])
  }
}
