/// The words of startup.xml that are not a plugin's own: ipfixcol's, and ours.
enum Vocabulary {
  static let documentation = "docs/guides/from-ipfixcol.md"

  /// Elements under other names than their plugins, with the options that such a name stands for.
  struct Alias {
    var element: String
    var kind: PluginKind
    var plugin: String
    var presets: [String: String] = [:]
  }

  static let aliases: [Alias] = [
    Alias(element: "tcpCollector", kind: .input, plugin: "tcp"),
    Alias(element: "udpCollector", kind: .input, plugin: "udp"),
    Alias(element: "fileReader", kind: .input, plugin: "file"),
    Alias(element: "timenow", kind: .intermediate, plugin: "timestamp", presets: ["mode": "timenow"]),
    Alias(element: "anonymization_ip", kind: .intermediate, plugin: "anonymize"),
  ]

  /// What ipfixcol knows and we lack.
  struct Foreign {
    var element: String
    var kind: PluginKind
    /// True where the records stay the same without it, so that leaving it out is worth a warning only.
    var isHarmless: Bool
    var why: String
  }

  static let foreign: [Foreign] = [
    Foreign(element: "sctpCollector", kind: .input, isHarmless: false, why: "SCTP is not supported"),
    Foreign(element: "dummy_ip", kind: .intermediate, isHarmless: true, why: "it does nothing"),
    Foreign(element: "timecheck", kind: .intermediate, isHarmless: true, why: "it only warns of times in the future"),
    Foreign(element: "hooks", kind: .intermediate, isHarmless: true, why: "it runs commands when exporters come and go"),
    Foreign(element: "stats", kind: .intermediate, isHarmless: true, why: "it only keeps statistics"),
    Foreign(element: "profilestats", kind: .intermediate, isHarmless: true, why: "it only keeps statistics"),
    Foreign(element: "geoip", kind: .intermediate, isHarmless: true, why: "it adds metadata, not fields"),
    Foreign(element: "uid", kind: .intermediate, isHarmless: true, why: "it adds metadata, not fields"),
    Foreign(element: "profiler", kind: .intermediate, isHarmless: true, why: "it adds metadata, not fields"),
    Foreign(element: "filter", kind: .intermediate, isHarmless: false, why: "there is no filter plugin yet"),
    Foreign(element: "joinflows_ip", kind: .intermediate, isHarmless: false, why: "joining domains is not supported"),
    Foreign(element: "odip", kind: .intermediate, isHarmless: false, why: "adding the exporter's address is not supported"),
    Foreign(element: "dhcp", kind: .intermediate, isHarmless: false, why: "replacing MAC addresses is not supported"),
    Foreign(element: "dummy", kind: .output, isHarmless: true, why: "it discards what it gets"),
    Foreign(element: "statistics", kind: .output, isHarmless: true, why: "it only keeps statistics"),
    Foreign(element: "ipfix", kind: .output, isHarmless: false, why: "writing IPFIX files is not supported"),
    Foreign(element: "forwarding", kind: .output, isHarmless: false, why: "forwarding is not supported"),
    Foreign(element: "view", kind: .output, isHarmless: false, why: "use `flowcep view`"),
    Foreign(element: "fastbit", kind: .output, isHarmless: false, why: "this format is not supported"),
    Foreign(element: "fastbit_compression", kind: .output, isHarmless: false, why: "this format is not supported"),
    Foreign(element: "lnfstore", kind: .output, isHarmless: false, why: "this format is not supported"),
    Foreign(element: "nfdump", kind: .output, isHarmless: false, why: "this format is not supported"),
    Foreign(element: "postgres", kind: .output, isHarmless: false, why: "this format is not supported"),
    Foreign(element: "unirec", kind: .output, isHarmless: false, why: "this format is not supported"),
  ]

  /// Elements of a collectingProcess that only concern ipfixcol's own bookkeeping.
  static let ignoredInCollectingProcess = ["statisticsFile", "profiles"]

  static let root: [OptionRow] = [
    OptionRow("elements", .path, repeated: true, mustExist: true, help: "a file of information elements"),
    OptionRow("stopTimeout", .duration, default: "10 s", range: "0 s..1 h", unit: "s", help: "how long draining may take"),
    OptionRow(
      "metrics", .group, help: "serves metrics in Prometheus's format, health and readiness over HTTP",
      members: [
        OptionRow("localPort", .integer, default: "9747", range: "0..65535", help: "the port to listen on; 0 lets the system choose"),
        OptionRow("localIPAddress", .address, default: "127.0.0.1", help: "the address to listen on, empty for all"),
        OptionRow(
          "sessions", .integer, default: "1000", range: "0..100000", help: "how many sessions of an input have series of their own"),
      ]),
    OptionRow("controlSocket", .path, help: "where `flowcep status` asks; a socket that is made in the file system"),
    OptionRow(
      "reportInterval", .duration, default: "60 s", range: "1 s..1 d", unit: "s",
      help: "how often the log says how it goes, and which inputs have been quiet so long"),
    onError,
  ]
  static let onError = OptionRow("onError", .choice, range: "continue|stop", help: "what a plugin's failure does")

  static let collectingProcess: [OptionRow] = [
    OptionRow("name", .text, help: "the process's name"),
    OptionRow("exportingProcess", .process, required: true, repeated: true, help: "the exporting process that gets the records"),
  ]
  static let input: [OptionRow] = [
    OptionRow("name", .text, help: "the input's name"),
    OptionRow("templateLifeTime", .duration, range: "0 s..365 d", unit: "s", help: "how long a template lives over UDP"),
    OptionRow("optionsTemplateLifeTime", .duration, range: "0 s..365 d", unit: "s", help: "how long an options template lives over UDP"),
    OptionRow("templateLifePacket", .integer, range: "0..4294967295", help: "how many messages a template lives over UDP"),
    OptionRow("optionsTemplateLifePacket", .integer, range: "0..4294967295", help: "how many messages an options template lives over UDP"),
    OptionRow("keepTemplates", .boolean, help: "whether templates received over UDP outlive the collector; yes where not given"),
    OptionRow("templatesFile", .path, help: "the file in which they do; one in the state folder where not given"),
    OptionRow("limits", .group, help: "what a session, and all of them together, may take", members: limits),
    OptionRow(
      "absoluteTimes", .boolean, help: "adds flowStartMilliseconds and flowEndMilliseconds where times count from the exporter's start"),
    OptionRow("splitBiflows", .boolean, help: "makes two records of one with both directions (RFC 5103)"),
    onError,
  ]
  /// The bounds of what exporters make the collector remember; the defaults are `DecoderLimits`'.
  static let limits: [OptionRow] = [
    OptionRow(
      "domains", .integer, default: "1024", range: "1..1000000",
      help: "observation domains of a session; messages of further ones are discarded"),
    OptionRow("templates", .integer, default: "16384", range: "1..10000000", help: "templates of a session; further ones are left out"),
    OptionRow("templatesPerDomain", .integer, default: "4096", range: "1..65536", help: "templates of an observation domain"),
    OptionRow("fieldsPerTemplate", .integer, default: "4096", range: "1..65535", help: "fields of a template"),
    OptionRow("fields", .integer, default: "131072", range: "1..100000000", help: "fields of all templates of a session"),
    OptionRow(
      "waitingBytes", .bytes, default: "1 MiB", range: "0..1G", help: "data of a session that waits for its templates; the oldest gives way"
    ),
    OptionRow("waitingTime", .duration, default: "300 s", range: "1 s..1 d", unit: "s", help: "how long it waits"),
    OptionRow("listDepth", .integer, default: "4", range: "1..32", help: "lists inside lists (RFC 6313)"),
    OptionRow(
      "describedElements", .integer, default: "4096", range: "0..1000000", help: "elements that an exporter may describe (RFC 5610)"),
    OptionRow("facts", .integer, default: "4096", range: "0..1000000", help: "interfaces and samplers remembered of an exporter"),
    OptionRow(
      "memory", .bytes, default: "512 MiB", range: "1M..64G",
      help: "what all sessions of the input remember; beyond, the peer that takes most forgets"),
  ]
  static let intermediate: [OptionRow] = [onError]

  static let exportingProcess: [OptionRow] = [
    OptionRow("name", .text, required: true, help: "the process's name"),
    OptionRow("singleManager", .choice, range: "yes|no", help: "ipfixcol's; one set of outputs serves all domains here"),
  ]
  static let destination: [OptionRow] = [
    OptionRow("name", .text, help: "the destination's name"),
    OptionRow("observationDomainId", .integer, range: "0..4294967295", help: "only records of this domain"),
    OptionRow(
      "queue", .group, help: "the queue before the output",
      members: [
        OptionRow("policy", .choice, range: "block|drop", help: "what happens when it is full"),
        OptionRow("bytes", .bytes, default: "16 MiB", range: "64K..64G", help: "how much it holds"),
      ]),
    onError,
  ]

  /// What a full queue does where the configuration does not say. A peer on the network must not hold up collection; the
  /// engine is on this machine, so an exporter that can wait waits for it; files block.
  static func defaultPolicy(_ plugin: String, _ values: OptionValues) -> QueueConfiguration.Policy {
    switch plugin {
    case "logstash", "zeromq": return .drop
    case "cep": return .dropDatagrams
    case "json":
      return values["output"].contains { ["send", "server"].contains($0.group?.text("type") ?? "") } ? .drop : .block
    default: return .block
    }
  }
}
