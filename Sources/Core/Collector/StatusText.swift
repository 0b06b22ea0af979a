import IPFIX
import Pipeline
import Telemetry

/// A status for people: what `flowcep status` prints.
extension CollectorStatus {
  var text: String {
    var lines = [
      "collector \(getProcessID()): \(phase) for \(TimeText.span(now &- startedAt)); "
        + (closes ? "every record and message is accounted for" : "NOT every record and message is accounted for")
    ]
    for input in inputs { lines += describe(input) }
    for account in ledger.accounts where account.instance.stage != .input { lines += describe(account) }
    return lines.map { $0 + "\n" }.joined()
  }

  private func describe(_ input: Input) -> [String] {
    let sessions = input.sessions
    let ended = input.hasEnded ? ", ended" : ""
    var lines = [
      "\(input.name)\(ended): \(TimeText.count(sessions.openCount, "session")), \(sessions.endedCount) ended; " + describe(sessions.total)
    ]
    let lost = ledger.accounts.first { $0.instance == input.name }?.lost.filter { $0.amount > 0 && Undecodable(rawValue: $0.reason) == nil }
    if let lost, !lost.isEmpty { lines.append("  lost: " + lost.map { "\($0.reason) \($0.amount)" }.joined(separator: ", ")) }
    for session in sessions.open { lines += describe(session) }
    if sessions.openCount > sessions.open.count {
      lines.append("  and \(TimeText.count(sessions.openCount - sessions.open.count, "further session")): " + describe(sessions.others))
    }
    for session in sessions.recentlyEnded {
      let why = [session.reason.map { "closed: \($0)" }, session.status.whyNothing.map { "gave nothing: \($0)" }].compactMap(\.self)
      lines.append("  ended \(TimeText.utc(session.endedAt)) \(session.name): " + why.joined(separator: "; "))
    }
    for refused in refused(input.name) {
      lines.append("  refused \(refused.peer): \(refused.reason); \(TimeText.count(refused.times, "time"))")
    }
    return lines
  }

  private func describe(_ session: InputSnapshot.OpenSession) -> [String] {
    let status = session.status
    var lines = [
      "  \(session.name) (\(transportName(session.transport))) for \(TimeText.span(now &- session.openedAt)): " + describe(status.counts)
    ]
    if status.waitingSets > 0 {
      lines.append("    \(TimeText.count(status.waitingSets, "data set")) (\(status.waitingBytes) bytes) wait for their template")
    }
    if let why = status.whyNothing { lines.append("    gives nothing: \(why)") }
    for domain in status.domains {
      let kinds: [UInt16: String] = [5: "NetFlow 5", 9: "NetFlow 9", 10: "IPFIX"]
      lines.append(
        "    \(kinds[domain.version] ?? "version \(domain.version)") domain \(domain.id): \(TimeText.count(domain.templateCount, "template"))"
      )
      for template in domain.templates {
        let kind = template.isOptions ? "options " : ""
        let restored = template.isRestored ? ", of an earlier session" : ""
        lines.append(
          "      \(kind)template \(template.id): \(TimeText.count(template.fields, "field")), defined \(TimeText.utc(template.definedAt))\(restored)"
        )
      }
    }
    return lines
  }

  private func describe(_ counts: DecodeCounts) -> String {
    var words = ["\(TimeText.count(counts.messages, "message"))", "\(TimeText.count(counts.records, "record"))"]
    func add(_ number: UInt64, _ text: (UInt64) -> String) { if number > 0 { words.append(text(number)) } }
    add(counts.optionsRecords) { TimeText.count($0, "options record") }
    let missing = counts.lostRecords &- min(counts.recoveredRecords, counts.lostRecords)
    add(missing) { "\(TimeText.count($0, "record")) lost by sequence" }
    let missingMessages = counts.lostMessages &- min(counts.recoveredMessages, counts.lostMessages)
    add(missingMessages) { "\(TimeText.count($0, "message")) lost by sequence" }
    add(counts.reorderedMessages) { "\($0) reordered" }
    add(counts.repeatedMessages) { "\($0) repeated" }
    add(counts.sequenceRestarts) { TimeText.count($0, "restart") }
    for reason in Undecodable.allCases { add(counts[reason]) { "\(reason.rawValue) \($0)" } }
    return words.joined(separator: ", ")
  }

  private func describe(_ account: Ledger.Account) -> [String] {
    var words = ["received \(account.received)"]
    if account.added > 0 { words.append("added \(account.added)") }
    words.append("delivered \(account.delivered)")
    if account.waiting > 0 { words.append("waiting \(account.waiting)") }
    words += account.mergedDrops.filter { $0.amount > 0 }.map { "dropped \($0.amount) (\($0.reason))" }
    let queue = outputs.first { $0.name == account.instance && account.destination == nil }?.queue
    if let queue, queue.batches > 0 { words.append("queue \(queue.bytes / 1024) KiB") }
    let part = account.destination.map { " to \($0)" } ?? ""
    let own = counters.filter { $0.instance == account.instance && $0.value > 0 && ($0.kind == .information || $0.kind == .gauge) }
    let parts = own.filter { $0.label != nil && $0.label?.name != "destination" && account.destination == nil }
    return ["\(account.instance)\(part): " + words.joined(separator: ", ")]
      + parts.map { "  \($0.label?.name ?? "") \($0.label?.value ?? ""): \($0.name) \($0.value)" }
  }
}
