import Synchronization

/// A number that one instance keeps and anyone may read.
///
/// Registered once by `CounterRegistry`; adding is one relaxed atomic operation, so it may stand on the data path (per batch).
public final class Counter: Sendable {
  /// What the number says about records: the plugin ABI's `FLOWCEP_COUNT_…`, by the same values.
  public enum Kind: UInt32, Sendable {
    case information = 0
    /// Records that reached their destination.
    case delivered = 1
    /// Records that did not; the counter's name is the reason.
    case dropped = 2
    /// What an input lost before it became records; the counter's name is the reason.
    case lost = 3
    /// Goes up and down.
    case gauge = 4
  }

  /// Which part of an instance is counted: `statement` `PortScan`.
  public struct Label: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      (self.name, self.value) = (name, value)
    }
  }

  public let instance: InstanceName
  /// The reason of a drop or a loss (`queue-full`), else what is counted (`connections`).
  public let name: String
  public let kind: Kind
  /// Nil where the whole instance is counted.
  public let label: Label?
  /// One sentence for people.
  public let help: String

  // Neighbours on the heap must not share a cache line with a counter that another thread writes.
  private let value64 = Atomic<UInt64>(0)
  private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)

  init(instance: InstanceName, name: String, kind: Kind, label: Label?, help: String) {
    self.label = label
    self.instance = instance
    self.name = name
    self.kind = kind
    self.help = help
  }

  public var value: UInt64 { value64.load(ordering: .relaxed) }

  public func add(_ amount: UInt64) {
    value64.wrappingAdd(amount, ordering: .relaxed)
  }

  /// For a gauge, or a count that the kernel keeps.
  public func set(_ value: UInt64) {
    value64.store(value, ordering: .relaxed)
  }
}

/// Whose counter it is: the stage and the name that the configuration gives it.
public struct InstanceName: Hashable, Sendable, CustomStringConvertible {
  public enum Stage: String, Sendable { case input, decoder, intermediate, output, process }

  public var stage: Stage
  public var name: String

  public init(_ stage: Stage, _ name: String) {
    self.stage = stage
    self.name = name
  }

  public var description: String { "\(stage.rawValue) \"\(name)\"" }
}
