import IPFIX
import Pipeline
import PluginABI
import Telemetry

/// A status as JSON: what `flowcep status --json` prints.
extension CollectorStatus {
  var json: JSONText {
    .object([
      ("pid", .number(UInt64(getProcessID()))), ("phase", .text("\(phase)")), ("startedAt", time(startedAt)), ("now", time(now)),
      ("closes", .boolean(closes)), ("inputs", .array(inputs.map(json))),
      ("stages", .array(ledger.accounts.filter { $0.instance.stage != .input }.map(json))),
    ])
  }

  /// Whether every record and every message is accounted for.
  var closes: Bool { ledger.closes && inputs.allSatisfy(\.sessions.closes) }

  private func time(_ nanoseconds: UInt64) -> JSONText { nanoseconds == 0 ? .null : .text(TimeText.utc(nanoseconds)) }

  private func json(_ input: Input) -> JSONText {
    let sessions = input.sessions
    let lost = ledger.accounts.first { $0.instance == input.name }?.lost.filter { Undecodable(rawValue: $0.reason) == nil } ?? []
    return .object([
      ("name", .text(input.name.name)), ("ended", .boolean(input.hasEnded)), ("total", json(sessions.total)),
      ("lost", reasons(lost.map { ($0.reason, $0.amount) })),
      ("rememberedBytes", .number(UInt64(max(0, sessions.rememberedBytes)))),
      ("sessionCount", .number(UInt64(sessions.openCount))),
      (
        "sessions",
        .array(
          sessions.open.map { session in
            .object(
              [
                ("name", .text(session.name)), ("transport", .text(transportName(session.transport))), ("openedAt", time(session.openedAt)),
              ] + members(session.status))
          })
      ),
      ("otherSessions", json(sessions.others)), ("endedSessionCount", .number(sessions.endedCount)),
      ("endedSessions", json(sessions.ended)),
      (
        "recentlyEnded",
        .array(
          sessions.recentlyEnded.map { session in
            .object(
              [("name", .text(session.name)), ("endedAt", time(session.endedAt)), ("reason", .text(session.reason))]
                + members(session.status))
          })
      ),
      ("counters", .array(counters.filter { $0.instance == input.name && $0.kind != .lost }.map(json))),
      (
        "refused",
        .array(refused(input.name).map { .object([("peer", .text($0.peer)), ("reason", .text($0.reason)), ("times", .number($0.times))]) })
      ),
    ])
  }

  /// Whom an input has refused, and how often.
  func refused(_ name: InstanceName) -> [(peer: String, reason: String, times: UInt64)] {
    counters.compactMap { counter in
      guard counter.instance == name, let label = counter.label, label.name == "peer" else { return nil }
      // An address may have colons, but no space behind one.
      let parts = label.value.split(separator: ": ", maxSplits: 1).map(String.init)
      return (parts.first ?? "", parts.count > 1 ? parts[1] : "", counter.value)
    }
  }

  private func members(_ status: SessionStatus) -> [(String, JSONText)] {
    [
      ("lastMessageAt", time(status.lastMessageAt)), ("counts", json(status.counts)),
      ("waitingSets", .number(UInt64(status.waitingSets))), ("waitingBytes", .number(UInt64(status.waitingBytes))),
      ("templateCount", .number(UInt64(status.templateCount))), ("whyNothing", .text(status.whyNothing)),
      ("domains", .array(status.domains.map(json))),
    ]
  }

  private func json(_ domain: SessionStatus.Domain) -> JSONText {
    .object([
      ("version", .number(UInt64(domain.version))), ("id", .number(UInt64(domain.id))),
      ("templateCount", .number(UInt64(domain.templateCount))),
      (
        "templates",
        .array(
          domain.templates.map { template in
            .object([
              ("id", .number(UInt64(template.id))), ("kind", .text(template.isOptions ? "options" : "flow")),
              ("fields", .number(UInt64(template.fields))), ("definedAt", time(template.definedAt)),
              ("restored", .boolean(template.isRestored)),
            ])
          })
      ),
      ("systemInitMilliseconds", domain.facts.systemInitMilliseconds.map { .number($0) } ?? .null),
      ("interfaces", .number(UInt64(domain.facts.interfaces.count))), ("samplers", .number(UInt64(domain.facts.samplings.count))),
    ])
  }

  private func json(_ counts: DecodeCounts) -> JSONText {
    .object(
      counts.numbers.map { ($0.name, .number($0.value)) }
        + [("undecodable", reasons(Undecodable.allCases.map { ($0.rawValue, counts[$0]) }))])
  }

  private func json(_ account: Ledger.Account) -> JSONText {
    let queue = outputs.first { $0.name == account.instance && account.destination == nil }?.queue
    return .object([
      ("stage", .text(account.instance.stage.rawValue)), ("name", .text(account.instance.name)),
      ("destination", .text(account.destination)), ("received", .number(account.received)), ("added", .number(account.added)),
      ("delivered", .number(account.delivered)), ("waiting", .number(account.waiting)),
      ("dropped", reasons(account.dropped.map { ($0.reason, $0.amount) })),
      ("queuedBytes", queue.map { .number(UInt64($0.bytes)) } ?? .null),
      ("counters", .array(counters.filter { isOwn($0, account) }.map(json))),
    ])
  }

  private func isOwn(_ counter: Counter, _ account: Ledger.Account) -> Bool {
    guard counter.instance == account.instance, counter.kind == .information || counter.kind == .gauge else { return false }
    return (counter.label?.name == "destination" ? counter.label?.value : nil) == account.destination
  }

  private func json(_ counter: Counter) -> JSONText {
    var members: [(String, JSONText)] = [("name", .text(counter.name))]
    if let label = counter.label { members.append((label.name, .text(label.value))) }
    return .object(members + [("value", .number(counter.value))])
  }

  private func reasons(_ amounts: [(String, UInt64)]) -> JSONText {
    var sums: [(String, UInt64)] = []
    for (reason, amount) in amounts where amount > 0 {
      if let place = sums.firstIndex(where: { $0.0 == reason }) { sums[place].1 += amount } else { sums.append((reason, amount)) }
    }
    return .object(sums.map { ($0.0, .number($0.1)) })
  }
}

func transportName(_ transport: UInt16) -> String {
  switch Int(transport) {
  case Int(FLOWCEP_TRANSPORT_TCP): "tcp"
  case Int(FLOWCEP_TRANSPORT_UDP): "udp"
  case Int(FLOWCEP_TRANSPORT_FILE): "file"
  default: "transport \(transport)"
  }
}

extension DecodeCounts {
  /// Everything but the reasons of what was not decoded, under the names of the status and the metrics.
  var numbers: [(name: String, value: UInt64, help: String)] {
    [
      ("messages", messages, "Messages received: those taken, and those discarded by reason."),
      ("messagesTaken", takenMessages, "Messages that were decoded."),
      ("bytes", bytes, "Bytes of messages received."),
      ("records", records, "Flow records decoded."),
      ("optionsRecords", optionsRecords, "Options records decoded."),
      ("templates", templates, "Definitions of templates that were new or changed."),
      ("redefinitions", redefinitions, "Definitions that replaced a different one."),
      ("withdrawals", withdrawals, "Withdrawals of templates."),
      ("ignoredWithdrawals", ignoredWithdrawals, "Withdrawals without effect."),
      ("expiredTemplates", expiredTemplates, "Templates dropped because they were not repeated in time."),
      ("evictedTemplates", evictedTemplates, "Templates dropped to keep memory bounded."),
      ("sequenceGaps", sequenceGaps, "Times that a sequence number was ahead of the expected one."),
      ("lostRecords", lostRecords, "Records missing by sequence number, whether they came later or not."),
      ("recoveredRecords", recoveredRecords, "Records missing by sequence number that came later after all."),
      ("lostMessages", lostMessages, "NetFlow 9 messages missing by sequence number, whether they came later or not."),
      ("recoveredMessages", recoveredMessages, "NetFlow 9 messages missing by sequence number that came later after all."),
      ("repeatedMessages", repeatedMessages, "Messages that came again."),
      ("reorderedMessages", reorderedMessages, "Messages that came after a later one."),
      ("sequenceRestarts", sequenceRestarts, "Times that an exporter began anew, by its sequence numbers."),
      ("undecodedRecords", undecodedRecords, "Records in sets of unknown templates, by sequence number."),
      ("setsWaited", waitedSets, "Data sets that came before their template."),
      ("setsLate", lateSets, "Those of them that were decoded when it came."),
      ("lateRecords", lateRecords, "Records that were decoded when their template had come after them."),
      ("restoredRecords", restoredRecords, "Records decoded with templates of an earlier session."),
      ("describedElements", describedElements, "Elements that exporters described."),
      ("unreadableLists", unreadableLists, "Lists that could not be read."),
    ]
  }
}
