import Synchronization
public import RecordBatch

/// What takes batches: a stage's queue, or what spreads them further. Any thread.
public protocol BatchTarget: AnyObject, Sendable {
  func take(_ batch: consuming BatchStorage)
  /// Nothing more will come.
  func end()
}

/// Where a process begins. It ends when all its producers have ended.
public final class Junction: BatchTarget {
  public let name: String
  private let entry: any BatchTarget
  private let producers = Atomic<Int>(0)

  public init(name: String, entry: any BatchTarget) {
    self.name = name
    self.entry = entry
  }

  /// Before anything starts: one more that will call `end`.
  public func addProducer() { producers.add(1, ordering: .relaxed) }

  /// Nobody will call `end`: the collector does, once.
  public var isUnfed: Bool { producers.load(ordering: .relaxed) == 0 }

  public func take(_ batch: consuming BatchStorage) { entry.take(batch) }

  public func end() {
    if producers.subtract(1, ordering: .acquiringAndReleasing).newValue <= 0 { entry.end() }
  }
}

/// Hands every batch to several targets, which share it.
public final class Fan: BatchTarget {
  private let targets: [any BatchTarget]

  public init(_ targets: [any BatchTarget]) {
    self.targets = targets
  }

  public func take(_ batch: consuming BatchStorage) {
    guard let last = targets.last else { return }
    for target in targets.dropLast() { target.take(copy batch) }
    last.take(batch)
  }

  public func end() { targets.forEach { $0.end() } }
}
