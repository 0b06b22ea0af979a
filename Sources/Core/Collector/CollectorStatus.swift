import Glibc
import Pipeline
import PluginHost
import Synchronization
import Telemetry

/// What goes on in a collector at one moment.
struct CollectorStatus: Sendable {
  enum Phase: Int, Sendable {
    /// Not all inputs listen yet.
    case starting
    case running
    /// Draining, after a signal or a failure.
    case stopping
  }

  struct Input: Sendable {
    var name: InstanceName
    var sessions: InputSnapshot
    /// Monotonic nanoseconds since something came.
    var quietNanoseconds: UInt64
    var hasEnded: Bool
  }

  struct Output: Sendable {
    var name: InstanceName
    var queue: (bytes: Int, batches: Int)
  }

  var phase: Phase
  /// Nanoseconds since 1970.
  var startedAt: UInt64
  var now: UInt64
  /// In the order of the data; while the collector runs, what an output has not answered for yet is `waiting`.
  var ledger: Ledger
  var inputs: [Input]
  var outputs: [Output]
  var counters: [Counter]
}

/// Gives the status to whoever asks. Any thread.
final class StatusSource: Sendable {
  private let stages: Stages
  private let counters: CounterRegistry
  private let startedAt = Clock.wall()
  private let phaseNumber = Atomic<Int>(CollectorStatus.Phase.starting.rawValue)
  /// One question at a time; the last answer, for those who ask too often.
  private let last = Mutex<CollectorStatus?>(nil)

  private static let patienceMilliseconds = 1000
  private static let freshNanoseconds: UInt64 = 500_000_000

  init(_ stages: Stages, _ counters: CounterRegistry) {
    (self.stages, self.counters) = (stages, counters)
  }

  var phase: CollectorStatus.Phase {
    get { CollectorStatus.Phase(rawValue: phaseNumber.load(ordering: .relaxed)) ?? .starting }
    set { phaseNumber.store(newValue.rawValue, ordering: .relaxed) }
  }

  /// - Parameters:
  ///   - sessions: how many of each input to give one by one.
  ///   - mayBeRecent: an answer of half a second ago will do.
  func status(sessions: Int, withTemplates: Bool, mayBeRecent: Bool = false) -> CollectorStatus {
    last.withLock { last in
      if mayBeRecent, let known = last, Clock.wall() &- known.now < Self.freshNanoseconds { return known }
      let made = make(sessions, withTemplates)
      if mayBeRecent { last = made }
      return made
    }
  }

  private func make(_ sessions: Int, _ withTemplates: Bool) -> CollectorStatus {
    let answers = stages.inputs.map { input in
      (input, input.ask(sessions: sessions, withTemplates: withTemplates, milliseconds: Self.patienceMilliseconds))
    }
    let inputs = answers.map { input, answer in
      CollectorStatus.Input(
        name: input.instance.name, sessions: answer(), quietNanoseconds: input.quietNanoseconds, hasEnded: input.isEnded)
    }
    return CollectorStatus(
      phase: phase, startedAt: startedAt, now: Clock.wall(), ledger: stages.ledgerOfNow, inputs: inputs,
      outputs: stages.outputs.map { .init(name: $0.instance.name, queue: $0.queueLoad) }, counters: counters.all)
  }
}
