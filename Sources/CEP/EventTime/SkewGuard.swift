/// Decides whether a time far ahead of the clock may move it.
///
/// Such a time makes its session a *candidate*. A second session near the same time agrees at once; without one, several later messages
/// of the session itself do, provided that no other session is there to say otherwise. A candidate that others contradict while it
/// goes on is *ahead*: from then on its times are ignored until they are back in range.
struct SkewGuard {
  enum Verdict: Equatable {
    /// Not decided: the event waits.
    case wait
    /// The clock may move to this time.
    case agreed(Int64)
    /// The session is ahead, by its own message just now or since before.
    case ahead
  }

  struct Session {
    /// When it was last in range, by the wall clock.
    var lastInRange: Int64?
    var isAhead = false
    /// The latest far time, while it is a candidate or ahead.
    var farTime: Int64?
    /// The message that the far time came with, by export time.
    var farMessage: Int64?
    var laterMessages = 0
    var isContradicted = false
    var isCandidate: Bool { farTime != nil && !isAhead }
  }

  let maxSkew: Int64
  let agreement: Int
  let idleAfter: Int64
  private(set) var sessions: [UInt32: Session] = [:]
  /// How many sessions are candidates: while there are any, events in range are reported too.
  private(set) var candidates = 0
  var notices: [ClockNotice] = []
  static let sessionLimit = 65_536

  init(_ options: WatermarkOptions) {
    maxSkew = options.maxSkew ?? .max
    agreement = options.agreement
    idleAfter = options.idleAfter
  }

  /// A time more than the permitted skew ahead of the clock.
  /// - Parameters:
  ///   - message: tells the session's messages apart; nil where each event is a message of its own.
  ///   - clock: nil before the first agreement.
  mutating func suspect(_ id: UInt32, time: Int64, message: Int64?, clock: Int64?, wall: Int64) -> Verdict {
    var session = sessions[id] ?? Session()
    let isNew = message == nil || session.farMessage != message
    if let far = session.farTime, distance(far, time) <= maxSkew {
      session.farTime = max(far, time)
      if isNew { session.laterMessages += 1 }
    } else {
      if session.farTime == nil { candidates += 1 }
      session.farTime = time
      session.laterMessages = 0
      session.isContradicted = false
    }
    session.farMessage = message
    sessions[id] = session
    if let other = agreeing(with: time, except: id) { return .agreed(max(other, time)) }
    if session.isAhead { return .ahead }
    guard session.laterMessages >= agreement else { return .wait }
    if session.isContradicted || hasLowerCandidate(than: time, clock) {
      markAhead(id, by: time - (clock ?? lowestCandidate ?? time))
      return .ahead
    }
    return othersSpeak(except: id, wall) ? .wait : .agreed(session.farTime ?? time)
  }

  /// A session's time in range. The candidates that this ends (the session's own, which was a blip).
  mutating func inRange(_ id: UInt32, wall: Int64) -> Bool {
    var session = sessions[id] ?? Session()
    let wasBlip = session.isCandidate
    if wasBlip { candidates -= 1 }
    if session.isAhead { notices.append(.sessionBack(session: id)) }
    session = Session(lastInRange: wall)
    if sessions.count >= Self.sessionLimit, sessions[id] == nil { forgetSilent(wall) }
    sessions[id] = session
    if candidates > 0 {
      for key in Array(sessions.keys) where sessions[key]?.isCandidate == true { sessions[key]?.isContradicted = true }
    }
    return wasBlip
  }

  mutating func end(_ id: UInt32) -> Bool {
    let session = sessions.removeValue(forKey: id)
    let wasCandidate = session?.isCandidate ?? false
    if wasCandidate { candidates -= 1 }
    return wasCandidate
  }

  /// The clock has moved: candidates that are in range of it now are none any more.
  mutating func settle(clock: Int64, wall: Int64) {
    for (id, session) in sessions {
      guard let far = session.farTime, far - clock <= maxSkew else { continue }
      if session.isCandidate { candidates -= 1 }
      if session.isAhead { notices.append(.sessionBack(session: id)) }
      sessions[id] = Session(lastInRange: wall)
    }
  }

  /// What is left undecided when nothing more comes: the time to move to, where nobody has said otherwise.
  mutating func resolve(clock: Int64?, wall: Int64) -> Int64? {
    guard candidates > 0 else { return nil }
    if clock == nil { return lowestCandidate }
    let trusted = sessions.contains { $0.value.lastInRange.map { wall - $0 < idleAfter } ?? false }
    guard !trusted else { return nil }
    return sessions.values.filter { $0.isCandidate && !$0.isContradicted }.compactMap(\.farTime).min()
  }

  /// Gives up all candidates: they are ahead.
  mutating func condemn(clock: Int64) {
    for (id, session) in sessions where session.isCandidate { markAhead(id, by: (session.farTime ?? clock) - clock) }
  }

  private mutating func markAhead(_ id: UInt32, by milliseconds: Int64) {
    sessions[id]?.isAhead = true
    candidates -= 1
    notices.append(.sessionAhead(session: id, milliseconds: milliseconds))
  }

  private func agreeing(with time: Int64, except id: UInt32) -> Int64? {
    guard sessions.count > 1 else { return nil }
    for (other, session) in sessions where other != id {
      if let far = session.farTime, distance(far, time) <= maxSkew { return far }
    }
    return nil
  }

  private var lowestCandidate: Int64? { sessions.values.filter(\.isCandidate).compactMap(\.farTime).min() }

  /// Before there is a clock the lower of two candidates is believed: the higher would make the other late for good.
  private func hasLowerCandidate(than time: Int64, _ clock: Int64?) -> Bool {
    guard clock == nil, let lowest = lowestCandidate else { return false }
    return distance(lowest, time) > maxSkew
  }

  private func othersSpeak(except id: UInt32, _ wall: Int64) -> Bool {
    sessions.contains { $0.key != id && ($0.value.lastInRange.map { wall - $0 < idleAfter } ?? false) }
  }

  private mutating func forgetSilent(_ wall: Int64) {
    sessions = sessions.filter { $0.value.farTime != nil || ($0.value.lastInRange.map { wall - $0 < idleAfter } ?? false) }
    if sessions.count >= Self.sessionLimit { sessions = sessions.filter { $0.value.farTime != nil } }
  }

  private func distance(_ a: Int64, _ b: Int64) -> Int64 { a > b ? a - b : b - a }
}
