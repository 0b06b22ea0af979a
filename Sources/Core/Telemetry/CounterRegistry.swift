import Synchronization

/// Where counters are registered, once each, and read together.
public final class CounterRegistry: Sendable {
  private struct Key: Hashable {
    var instance: InstanceName
    var name: String
    var label: Counter.Label?
  }
  private struct State {
    var order: [Counter] = []
    var index: [Key: Int] = [:]
  }
  private let state = Mutex(State())

  public init() {}

  /// The counter of that instance and name. The first registration decides kind and help.
  public func counter(
    _ instance: InstanceName, _ name: String, _ kind: Counter.Kind, label: Counter.Label? = nil, help: String = ""
  ) -> Counter {
    state.withLock { state in
      let key = Key(instance: instance, name: name, label: label)
      if let place = state.index[key] { return state.order[place] }
      let counter = Counter(instance: instance, name: name, kind: kind, label: label, help: help)
      state.index[key] = state.order.count
      state.order.append(counter)
      return counter
    }
  }

  /// All counters, in the order of their registration.
  public var all: [Counter] { state.withLock { $0.order } }

  /// The counters of one instance, in the order of their registration.
  public func counters(of instance: InstanceName) -> [Counter] { all.filter { $0.instance == instance } }
}
