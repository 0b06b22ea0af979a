// swift-tools-version: 6.2
// The wall plan: a line per target, lowest layer first. A target may list only targets above it.
import PackageDescription

let manners: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]
/// For modules that touch no raw memory: every unsafe use is a warning (and `make` turns warnings into errors).
let safe: [SwiftSetting] = manners + [.strictMemorySafety()]

func core(_ name: String, _ deps: [Target.Dependency] = [], _ settings: [SwiftSetting] = manners) -> Target {
  .target(name: name, dependencies: deps, path: "Sources/Core/\(name)", swiftSettings: settings)
}
func cep(_ name: String, _ deps: [Target.Dependency] = [], _ settings: [SwiftSetting] = manners) -> Target {
  .target(name: name, dependencies: deps, path: "Sources/CEP/\(name)", swiftSettings: settings)
}

/// Every plugin is a dynamic library of its own, `libflowcep-<kind>-<name>.so`, found by that file name.
struct Plugin {
  var target: Target
  var product: Product
  /// - Parameter parts: folders of the plugin that are targets of their own, so that tests can reach them.
  init(_ kind: String, _ name: String, _ deps: [Target.Dependency] = [], parts: [String] = []) {
    target = .target(
      name: "\(name)\(kind)", dependencies: ["PluginABI", "PluginKit", "RecordBatch", "InformationElements"] + deps,
      path: "Plugins/\(kind)/\(name)", exclude: ["README.md", "example.xml"] + parts, swiftSettings: manners)
    product = .library(name: "flowcep-\(kind.lowercased())-\(name.lowercased())", type: .dynamic, targets: [target.name])
  }
}
let plugins = [
  Plugin("Input", "TCP", ["CLinux", "InputKit", "IPFIX", "SecureTransport", "Sockets"]),
  Plugin("Input", "UDP", ["CLinux", "InputKit", "SecureTransport", "Sockets"]),
  Plugin("Input", "File", ["CLinux", "IPFIX"]),
  Plugin("Intermediate", "Timestamp"),
  Plugin("Intermediate", "Anonymize", ["CryptoPAn"], parts: ["CryptoPAn"]),
  Plugin("Output", "JSON", ["OutputKit", "RecordJSON", "CLinux", "Sockets", "Threads"]),
  Plugin("Output", "ZeroMQ", ["OutputKit", "RecordJSON", "CZeroMQ"]),
  Plugin("Output", "Logstash", ["OutputKit", "RecordJSON"]),
  Plugin(
    "Output", "CEP",
    ["CLinux", "Threads", "RecordEvents", "FunctionBridge", "Engine", "Builtins", "EventModel", "EventTime", "JSONLines", "Diagnostics"]),
]

func unitTests(_ name: String, _ deps: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.init(stringLiteral: name), "TestSupport"] + deps,
    path: "Tests/Unit/\(name)Tests", swiftSettings: manners)
}

let package = Package(
  name: "flowcep",
  products: [
    .executable(name: "flowcep", targets: ["flowcep"]),
    .library(name: "PluginKit", targets: ["PluginKit"]),
    // What reads bytes of strangers, for Tests/Fuzz.
    .library(
      name: "Readers",
      targets: [
        "IPFIX", "RecordJSON", "RecordBatch", "InformationElements", "PluginABI", "Configuration", "Diagnostics", "JSONLines", "Syntax",
        "Semantics",
      ]),
    .library(name: "flowcep-output-count", type: .dynamic, targets: ["CountOutput"]),
  ] + plugins.map(\.product),
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
  ],
  targets: [
    // The contract.
    .target(name: "PluginABI", path: "Sources/PluginABI"),

    // System libraries and the few C declarations that Swift's Glibc module leaves out.
    .systemLibrary(name: "CLibXML2", path: "Sources/Core/CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    .systemLibrary(name: "CZeroMQ", path: "Sources/Core/CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
    .systemLibrary(name: "COpenSSL", path: "Sources/Core/COpenSSL", providers: [.apt(["libssl-dev"])]),
    .target(name: "CLinux", path: "Sources/Core/CLinux"),
    .target(name: "CMicroHTTPD", path: "Sources/Core/CMicroHTTPD"),

    // Core, in the order of the data.
    core("Diagnostics", [], safe),
    core("Telemetry"),
    core("InformationElements", [], safe),
    core("RecordBatch", ["PluginABI", "InformationElements"]),
    core("IPFIX", ["PluginABI", "RecordBatch", "InformationElements"]),
    core("Sockets", ["CLinux"]),
    core("Threads", ["CLinux"]),
    core("SecureTransport", ["COpenSSL"]),
    core("PacketCapture", ["IPFIX"]),
    core("RecordJSON", ["PluginABI", "RecordBatch", "InformationElements"]),
    .target(
      name: "PluginKit", dependencies: ["PluginABI", "RecordBatch", "InformationElements"], path: "Sources/PluginKit",
      swiftSettings: manners),
    core("Configuration", ["CLibXML2", "Diagnostics", "InformationElements"]),
    core("PluginHost", ["PluginABI", "RecordBatch", "InformationElements", "Configuration", "Diagnostics", "Telemetry", "CLinux"]),
    core("Pipeline", ["PluginABI", "PluginHost", "RecordBatch", "IPFIX", "InformationElements", "Telemetry", "CLinux", "Threads"]),
    core(
      "Collector",
      [
        "PluginABI", "Pipeline", "PluginHost", "Configuration", "IPFIX", "RecordBatch", "InformationElements", "Diagnostics",
        "Telemetry", "CLinux", "Sockets", "Threads", "CMicroHTTPD", .product(name: "Logging", package: "swift-log"),
      ]),

    // Captures made and played: for `generate`, `send`, benchmarks and tests.
    core("Synthesis"),
    core("Replay", ["PluginABI", "IPFIX", "PacketCapture", "RecordBatch", "InformationElements", "CLinux", "SecureTransport"]),

    // CEP, in the order of a statement's path. Knows nothing of Core but Diagnostics.
    cep("EventModel"),
    cep("EventTime", ["EventModel"]),
    cep("Builtins", ["EventModel"]),
    cep("Syntax", ["Diagnostics"], safe),
    cep("Plan", ["Builtins", "EventModel"]),
    cep("Kernels", ["Plan", "Builtins", "EventModel"]),
    cep("Semantics", ["Syntax", "Plan", "Builtins", "EventModel", "Diagnostics"]),
    cep("Execution", ["Kernels", "Plan", "Builtins", "EventModel"]),
    cep("Engine", ["Syntax", "Semantics", "Plan", "Kernels", "Execution", "Builtins", "EventModel", "EventTime", "Diagnostics"]),
    cep("JSONLines", ["EventModel"]),
    cep("Cases", ["Engine", "JSONLines", "EventModel", "Diagnostics"]),

    // The bridge between the two: what of a record an event shows.
    core("RecordEvents", ["PluginABI", "RecordBatch", "EventModel"]),
    // The bridge from libraries of functions to the engine's catalog.
    core("FunctionBridge", ["PluginABI", "Builtins", "EventModel"]),

    .executableTarget(
      name: "flowcep",
      dependencies: [
        "Collector", "Pipeline", "PluginHost", "Configuration", "Engine", "EventModel", "JSONLines", "Cases", "IPFIX", "RecordJSON",
        "RecordBatch", "InformationElements", "Diagnostics", "Telemetry", "PluginABI", "CLinux", "PacketCapture", "Synthesis", "Replay",
        "Sockets", "SecureTransport", "RecordEvents", "FunctionBridge", "Builtins",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/flowcep", swiftSettings: manners),

    // What outputs that write records as JSON lines share: option rows, and lines on their way to a peer.
    .target(
      name: "OutputKit", dependencies: ["PluginABI", "PluginKit", "RecordJSON", "RecordBatch", "CLinux", "Threads"],
      path: "Sources/OutputKit",
      swiftSettings: manners),

    // What inputs that listen share: transportLayerSecurity, handshakes under way.
    .target(
      name: "InputKit", dependencies: ["PluginABI", "PluginKit", "SecureTransport", "Sockets"], path: "Sources/InputKit",
      swiftSettings: manners),

    // Parts of plugins that tests and benchmarks reach. A plugin itself exports its entry, so a program can hold but one.
    .target(
      name: "CryptoPAn", dependencies: ["COpenSSL", "CLinux"], path: "Plugins/Intermediate/Anonymize/CryptoPAn", swiftSettings: manners),

    // The smallest output there is, in C against the header alone: the living proof of the ABI.
    .target(name: "CountOutput", dependencies: ["PluginABI"], path: "Plugins/Output/Count", exclude: ["README.md", "example.xml"]),

    // A malloc that counts, for the benchmarks and the tests that run them.
    .target(name: "Allocations", path: "Tests/Helpers/Allocations"),

    .executableTarget(
      name: "flowcep-bench",
      dependencies: [
        "Allocations", "CLinux", "CryptoPAn", "RecordJSON", "IPFIX", "RecordBatch", "InformationElements", "PluginABI", "Synthesis",
        "EventModel",
        "EventTime", "RecordEvents", "Engine", "JSONLines", "Configuration", "Diagnostics", "Pipeline", "PluginHost",
      ],
      path: "Benchmarks", swiftSettings: manners),

    .target(name: "TestSupport", dependencies: ["Diagnostics"], path: "Tests/Support", swiftSettings: manners),
    unitTests("Configuration", ["Diagnostics", "InformationElements"]),
    unitTests("Diagnostics"),
    unitTests("EventTime", ["EventModel"]),
    unitTests("Engine", ["Diagnostics", "EventModel"]),
    unitTests("JSONLines", ["EventModel"]),
    unitTests("Kernels", ["Engine", "EventModel"]),
    unitTests("InformationElements", ["Configuration", "Diagnostics"]),
    unitTests("IPFIX", ["Configuration", "Diagnostics", "InformationElements", "PluginABI", "RecordBatch", "RecordJSON"]),
    unitTests("RecordBatch", ["PluginABI"]),
    unitTests("EventModel"),
    unitTests("Builtins", ["EventModel"]),
    unitTests("PacketCapture"),
    unitTests("Sockets"),
    unitTests("SecureTransport", ["InputKit"]),
    unitTests("Semantics", ["Diagnostics", "EventModel", "Plan", "Syntax"]),
    unitTests("Syntax", ["Diagnostics"]),
    unitTests("Telemetry"),
    unitTests("PluginHost", ["Configuration"]),
    .testTarget(
      name: "PluginABITests", dependencies: ["TestSupport"], path: "Tests/PluginABI", exclude: ["Outside"], swiftSettings: manners),
    unitTests("Pipeline", ["PluginABI", "PluginHost", "RecordBatch", "InformationElements", "Telemetry"]),
    unitTests("Synthesis"),
    unitTests("Replay", ["IPFIX", "Synthesis"]),
    unitTests("CryptoPAn"),
    unitTests("OutputKit"),
    unitTests("RecordJSON", ["COpenSSL", "IPFIX", "InformationElements", "PluginABI", "RecordBatch"]),

    .testTarget(name: "AllocationTests", dependencies: ["TestSupport"], path: "Tests/Allocations", swiftSettings: manners),

    // The tree as its users meet it: installed, demonstrated, documented.
    .testTarget(name: "PackagingTests", dependencies: ["TestSupport"], path: "Tests/Packaging", swiftSettings: manners),
    // Peers that tests suspend, kill and start again.
    .executableTarget(name: "line-receiver", path: "Tests/Helpers/LineReceiver"),
    .executableTarget(
      name: "dtls-sender", path: "Tests/Helpers/DTLSSender", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
    .executableTarget(
      name: "message-receiver", dependencies: ["CZeroMQ"], path: "Tests/Helpers/MessageReceiver", linkerSettings: [.linkedLibrary("zmq")]),

    // The house's own rules: walls, sizes, siblings.
    .testTarget(
      name: "ConformanceTests", dependencies: ["Builtins", "Cases", "Diagnostics", "Engine", "EventModel", "JSONLines", "TestSupport"],
      path: "Tests/Conformance",
      exclude: ["answers", "epl", "epl-random", "ours", "known-failures", "deviations", "extensions"], swiftSettings: manners),
    .testTarget(name: "HouseTests", dependencies: ["TestSupport"], path: "Tests/House", swiftSettings: manners),
    .testTarget(name: "EndToEndTests", dependencies: ["Sockets", "TestSupport"], path: "Tests/EndToEnd", swiftSettings: manners),
  ] + plugins.map(\.target)
)
