/// Which module may import which of ours. The lowest layers come first; what is not listed is not allowed.
enum Walls {
  static let modules: [(name: String, folder: String, mayImport: Set<String>)] = [
    ("PluginABI", "Sources/PluginABI", []),
    ("CLinux", "Sources/Core/CLinux", []),
    ("CMicroHTTPD", "Sources/Core/CMicroHTTPD", []),
    ("Diagnostics", "Sources/Core/Diagnostics", []),
    ("Telemetry", "Sources/Core/Telemetry", []),
    ("EventModel", "Sources/CEP/EventModel", []),
    ("EventTime", "Sources/CEP/EventTime", ["EventModel"]),
    ("InformationElements", "Sources/Core/InformationElements", []),
    ("RecordBatch", "Sources/Core/RecordBatch", ["PluginABI", "InformationElements"]),
    ("IPFIX", "Sources/Core/IPFIX", ["PluginABI", "RecordBatch", "InformationElements"]),
    ("PluginKit", "Sources/PluginKit", ["PluginABI", "RecordBatch", "InformationElements"]),
    ("RecordJSON", "Sources/Core/RecordJSON", ["PluginABI", "RecordBatch", "InformationElements"]),
    // What outputs that write records as JSON have in common.
    ("OutputKit", "Sources/OutputKit", ["PluginABI", "PluginKit", "RecordJSON", "RecordBatch", "CLinux", "Threads"]),
    // What inputs that listen have in common.
    ("InputKit", "Sources/InputKit", ["PluginABI", "PluginKit", "SecureTransport", "Sockets"]),
    ("JSONLines", "Sources/CEP/JSONLines", ["EventModel"]),
    ("Configuration", "Sources/Core/Configuration", ["CLibXML2", "Diagnostics", "InformationElements"]),
    ("Sockets", "Sources/Core/Sockets", ["CLinux"]),
    ("Threads", "Sources/Core/Threads", ["CLinux"]),
    ("SecureTransport", "Sources/Core/SecureTransport", ["COpenSSL"]),
    ("PacketCapture", "Sources/Core/PacketCapture", ["IPFIX"]),
    (
      "PluginHost", "Sources/Core/PluginHost",
      ["PluginABI", "RecordBatch", "InformationElements", "Configuration", "Diagnostics", "Telemetry", "CLinux"]
    ),
    (
      "Pipeline", "Sources/Core/Pipeline",
      [
        "PluginABI", "PluginHost", "RecordBatch", "IPFIX", "InformationElements", "Telemetry", "CLinux", "Configuration", "Diagnostics",
        "Threads",
      ]
    ),
    ("Synthesis", "Sources/Core/Synthesis", []),
    (
      "Replay", "Sources/Core/Replay",
      ["PluginABI", "IPFIX", "PacketCapture", "RecordBatch", "InformationElements", "CLinux", "SecureTransport"]
    ),
    (
      "Collector", "Sources/Core/Collector",
      [
        "PluginABI", "Pipeline", "PluginHost", "Configuration", "IPFIX", "RecordBatch", "InformationElements", "Diagnostics", "Telemetry",
        "CLinux", "CLibXML2", "Sockets", "Threads", "RecordJSON", "CMicroHTTPD",
      ]
    ),
    ("Builtins", "Sources/CEP/Builtins", ["EventModel"]),
    ("Syntax", "Sources/CEP/Syntax", ["Diagnostics"]),
    ("Plan", "Sources/CEP/Plan", ["Builtins", "EventModel"]),
    ("Kernels", "Sources/CEP/Kernels", ["Plan", "Builtins", "EventModel"]),
    ("Semantics", "Sources/CEP/Semantics", ["Syntax", "Plan", "Builtins", "EventModel", "Diagnostics"]),
    ("Execution", "Sources/CEP/Execution", ["Kernels", "Plan", "Builtins", "EventModel"]),
    (
      "Engine", "Sources/CEP/Engine",
      ["Syntax", "Semantics", "Plan", "Kernels", "Execution", "Builtins", "EventModel", "EventTime", "JSONLines", "Diagnostics"]
    ),
    ("Cases", "Sources/CEP/Cases", ["Engine", "JSONLines", "EventModel", "Diagnostics"]),
    // The bridge from records to events, for Output/CEP and `query`.
    ("RecordEvents", "Sources/Core/RecordEvents", ["PluginABI", "RecordBatch", "EventModel", "InformationElements"]),
    // The bridge from libraries of functions to the engine's catalog, for both too.
    ("FunctionBridge", "Sources/Core/FunctionBridge", ["PluginABI", "Builtins", "EventModel"]),
    (
      "flowcep", "Sources/flowcep",
      [
        "Collector", "Pipeline", "PluginHost", "Configuration", "Engine", "EventModel", "JSONLines", "Cases", "IPFIX", "RecordJSON",
        "RecordBatch", "RecordEvents", "FunctionBridge", "Builtins", "InformationElements", "Diagnostics", "Telemetry", "PluginABI",
        "CLinux", "Synthesis", "Replay",
        "PacketCapture", "Sockets", "SecureTransport",
      ]
    ),
  ]

  /// What every plugin may import.
  static let anyPlugin: Set<String> = ["PluginABI", "PluginKit", "RecordBatch", "InformationElements", "CLinux", "Sockets", "Threads"]

  /// What single plugins may import besides.
  static let plugins: [String: Set<String>] = [
    "Input/TCP": ["InputKit", "IPFIX", "SecureTransport"],
    "Input/UDP": ["InputKit", "SecureTransport"],
    "Input/File": ["IPFIX"],
    "Intermediate/Anonymize": ["CryptoPAn", "COpenSSL"],
    "Output/JSON": ["OutputKit", "RecordJSON"],
    "Output/ZeroMQ": ["OutputKit", "RecordJSON", "CZeroMQ"],
    "Output/Logstash": ["OutputKit", "RecordJSON"],
    "Output/CEP": ["RecordEvents", "FunctionBridge", "Engine", "Builtins", "EventModel", "EventTime", "JSONLines", "Diagnostics"],
  ]

  /// Where Foundation stays out: the data path.
  static let withoutFoundation: Set<String> = [
    "RecordBatch", "IPFIX", "EventModel", "EventTime", "Kernels", "Execution", "RecordJSON", "RecordEvents", "Synthesis",
  ]

  /// Modules that are not ours.
  static let system: Set<String> = [
    "Glibc", "Foundation", "Synchronization", "ArgumentParser", "Logging", "Dispatch", "Testing", "PackageDescription",
  ]
}
