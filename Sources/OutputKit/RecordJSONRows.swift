public import PluginKit
public import RecordJSON

extension [Option] {
  /// The options of every output that writes records as JSON; names and defaults are those of ipfixcol's json plugin.
  public static var recordJSON: [Option] {
    [
      .boolean("metadata", default: false, help: "Adds ipfixcol's metadata object."),
      .boolean("odid", default: false, help: "Adds the observation domain."),
      .choice("tcpFlags", ["raw", "formatted=formated"], default: "raw", help: "TCP flags as a number, or as letters such as .AP.SF."),
      .choice(
        "timestamp", ["plain=unix=raw", "formatted=formated", "iso8601"], default: "plain",
        help: "Times as numbers, in local time without a zone, or in UTC as ISO 8601 says."),
      .choice("protocol", ["formatted=formated", "raw"], default: "formatted", help: "The protocol by name, or as a number."),
      .boolean("ignoreUnknown", default: true, help: "Leaves elements out that are in no element file."),
      .boolean("nonPrintableChar", default: true, help: "Escapes control characters in strings; else they are dropped."),
      .boolean("detailedInfo", default: false, help: "Adds packet length, export time, sequence number and template id."),
      .text("prefix", default: "ipfix.", help: "Stands before every element's name."),
    ]
  }
}

extension RecordJSONOptions {
  /// The values of the rows above.
  public init(_ options: Options) {
    self.init()
    metadata = options.boolean("metadata")
    observationDomain = options.boolean("odid")
    formatsTCPFlags = options.text("tcpFlags") == "formatted"
    namesProtocols = options.text("protocol") != "raw"
    ignoresUnknown = options.boolean("ignoreUnknown")
    escapesNonPrintable = options.boolean("nonPrintableChar")
    detailedInfo = options.boolean("detailedInfo")
    prefix = options.text("prefix") ?? "ipfix."
    timestamp =
      switch options.text("timestamp") {
      case "formatted": .formatted
      case "iso8601": .iso8601
      default: .plain
      }
  }
}
