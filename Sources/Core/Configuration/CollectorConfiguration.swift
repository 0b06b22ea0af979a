/// A whole startup.xml, read and checked: what is to run, and how it is wired.
public struct CollectorConfiguration: Sendable {
  public var source: XMLSource
  public var collectingProcesses: [CollectingProcess] = []
  public var exportingProcesses: [ExportingProcess] = []
  /// The chain that every collecting process has its own copy of.
  public var intermediates: [PluginUse] = []
  /// Files of information elements that the user adds to those installed.
  public var elementFiles: [String] = []
  /// How long draining may take after a signal, in nanoseconds.
  public var stopTimeoutNanoseconds: Int64 = 10_000_000_000
  /// Nil where no metrics are asked for.
  public var metrics: MetricsConfiguration?
  /// Where `flowcep status` asks; nil: in the standard place.
  public var controlSocket: String?
  /// How often the log says how it goes, in nanoseconds.
  public var reportIntervalNanoseconds: Int64 = 60_000_000_000
  /// What a plugin's failure does where its own element does not say.
  public var onError: ErrorPolicy = .continue

  public init(source: XMLSource) {
    self.source = source
  }
}

/// Where metrics are served.
public struct MetricsConfiguration: Sendable {
  /// Empty: all addresses.
  public var address: String
  public var port: UInt16
  /// How many sessions of an input have series of their own.
  public var sessions: Int
}

/// What becomes of the collector when a plugin reports a failure while it runs.
public enum ErrorPolicy: String, Sendable { case `continue`, stop }

public struct CollectingProcess: Sendable {
  public var name: String
  public var inputs: [PluginUse]
  /// Names of the exporting processes that get its records.
  public var exportingProcesses: [String]
  public var place: Place
}

public struct ExportingProcess: Sendable {
  public var name: String
  public var intermediates: [PluginUse]
  public var destinations: [Destination]
  public var place: Place
}

public struct Destination: Sendable {
  public var plugin: PluginUse
  /// Only records of this domain; nil: those of all domains that no other destination of the process names.
  public var observationDomain: UInt32?
  public var queue: QueueConfiguration
}

/// The queue before a destination.
public struct QueueConfiguration: Sendable {
  public enum Policy: String, Sendable {
    case block, drop
    /// Records whose exporter can wait (TCP, a file) wait; what came by UDP is dropped. A default, not to be written.
    case dropDatagrams
  }

  public var policy: Policy
  public var bytes: Int
  /// Where the policy was written; nil where it is the default.
  public var place: Place?
}

/// One instance of a plugin that the configuration asks for.
public struct PluginUse: Sendable {
  public var kind: PluginKind
  /// The plugin's name, as in its library's file name.
  public var plugin: String
  /// The instance's name in logs, counters and the last line.
  public var name: String
  public var table: PluginTable
  public var values: OptionValues
  /// What the element says to the host: template life times of an input.
  public var hostValues: OptionValues
  public var onError: ErrorPolicy
  public var place: Place

  /// How many instances of an input there are to be, each with the same values.
  public var instances: Int {
    table.options.first(where: \.setsInstances).flatMap { values.integer($0.name) }.map { max(1, Int(clamping: $0)) } ?? 1
  }

  /// The exporting processes that its options name.
  public var exportsTo: [(name: String, place: Place?)] {
    values.all(.process, in: table.options).map { ($0.value.text, $0.value.place) }
  }
}
