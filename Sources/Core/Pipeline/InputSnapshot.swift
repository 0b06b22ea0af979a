public import IPFIX
import Glibc
import PluginHost
import RecordBatch
import Synchronization

/// An input's sessions at one moment. The sums close: what all have counted = the open sessions' counts + those of ended ones.
public struct InputSnapshot: Sendable {
  public struct OpenSession: Sendable {
    public var name: String
    /// `FLOWCEP_TRANSPORT_…`
    public var transport: UInt16
    /// Nanoseconds since 1970.
    public var openedAt: UInt64
    public var status: SessionStatus
  }

  public struct EndedSession: Sendable {
    public var name: String
    public var endedAt: UInt64
    /// Nil for an orderly end.
    public var reason: String?
    public var status: SessionStatus
  }

  /// In the order in which they began; no more than were asked for.
  public var open: [OpenSession] = []
  public var openCount = 0
  /// What open sessions beyond those in `open` have counted.
  public var others = DecodeCounts()
  public var endedCount: UInt64 = 0
  /// What ended sessions have counted.
  public var ended = DecodeCounts()
  /// The last few that ended with a reason or gave no flow records, the latest last.
  public var recentlyEnded: [EndedSession] = []
  /// What all sessions have counted since the start.
  public var total = DecodeCounts()
  public var rememberedBytes = 0

  public init() {}

  /// Whether the sums close.
  public var closes: Bool {
    var sum = ended
    sum += others
    open.forEach { sum += $0.status.counts }
    return sum == total && sum.closes(waitingSets: nil) && open.allSatisfy { $0.status.counts.closes(waitingSets: $0.status.waitingSets) }
  }
}

/// Asks the input's thread, which alone may look at its sessions, for a snapshot, and hands the answer over. While that thread waits for room
/// in a queue it lends its sessions to whoever asks: an input that is held up is the one that people ask about.
final class SnapshotDesk: Sendable {
  struct Request: Sendable {
    var sessions: Int
    var withTemplates: Bool
  }

  private struct State {
    var request: Request?
    var number: UInt64 = 0
    var answered: UInt64 = 0
    var answer = InputSnapshot()
  }

  /// Who may look at the input's sessions.
  private enum Holder: Int, AtomicRepresentable { case input, nobody, asker }

  private let state = Mutex(State())
  private let isAsked = Atomic<Bool>(false)
  private let holder = Atomic<Holder>(.input)

  /// Any thread: gives the question's number.
  func ask(_ request: Request) -> UInt64 {
    let number = state.withLock { state in
      state.request = request
      state.number += 1
      return state.number
    }
    isAsked.store(true, ordering: .releasing)
    return number
  }

  /// Any thread: waits until there is an answer, at most so long; then the latest one must do.
  func answer(to number: UInt64, milliseconds: Int, unless hasEnded: () -> Bool, make: (Request) -> InputSnapshot) -> InputSnapshot {
    let deadline = Clock.monotonic() + UInt64(milliseconds) * 1_000_000
    while true {
      let isLast = hasEnded() || Clock.monotonic() >= deadline
      let (answered, answer) = state.withLock { ($0.answered, $0.answer) }
      if answered >= number || isLast { return answer }
      if holder.compareExchange(expected: .nobody, desired: .asker, ordering: .acquiring).exchanged {
        serve(make)
        holder.store(.nobody, ordering: .releasing)
      } else {
        usleep(2000)
      }
    }
  }

  /// The input's thread: until it takes them back it looks at no session.
  @inline(__always)
  func lend() { holder.store(.nobody, ordering: .releasing) }

  @inline(__always)
  func takeBack() {
    while !holder.compareExchange(expected: .nobody, desired: .input, ordering: .acquiring).exchanged { usleep(100) }
  }

  /// The input's thread, where nothing is half done.
  @inline(__always)
  func answer(_ make: (Request) -> InputSnapshot) {
    guard isAsked.load(ordering: .relaxed) else { return }
    serve(make)
  }

  private func serve(_ make: (Request) -> InputSnapshot) {
    isAsked.store(false, ordering: .relaxed)
    let (request, number) = state.withLock { ($0.request, $0.number) }
    guard let request else { return }
    let snapshot = make(request)
    state.withLock { ($0.answer, $0.answered) = (snapshot, number) }
  }

  /// The input's thread, at its end: what holds from then on.
  func leave(_ snapshot: InputSnapshot) {
    state.withLock { ($0.answer, $0.answered) = (snapshot, .max) }
  }
}
