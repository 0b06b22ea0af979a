import Glibc
import IPFIX
import Pipeline
import Telemetry

/// A status in Prometheus's text format.
extension CollectorStatus {
  var metrics: MetricsText {
    var text = MetricsText()
    addProcess(&text)
    for input in inputs { add(input, &text) }
    for account in ledger.accounts where account.instance.stage != .input { add(account, &text) }
    for output in outputs {
      let labels: KeyValuePairs = ["output": output.name.name]
      text.add("flowcep_output_queue_bytes", .gauge, labels, output.queue.bytes, help: "Memory that batches in the queue keep alive.")
      text.add("flowcep_output_queue_batches", .gauge, labels, output.queue.batches, help: "Batches in the queue.")
    }
    for counter in counters { add(counter, &text) }
    return text
  }

  private func addProcess(_ text: inout MetricsText) {
    let process = ProcessFigures.current()
    text.add("process_start_time_seconds", .gauge, [:], Self.seconds(startedAt), help: "When the collector began, since 1970.")
    text.add("process_cpu_seconds_total", .counter, [:], process.cpuSeconds, help: "User and system time.")
    text.add("process_resident_memory_bytes", .gauge, [:], process.residentBytes, help: "Resident memory.")
    text.add("process_open_fds", .gauge, [:], process.openDescriptors, help: "Open file descriptors.")
    text.add("flowcep_ready", .gauge, [:], phase == .running ? 1 : 0, help: "1 while all inputs listen and the collector does not stop.")
    text.add("flowcep_ledger_closes", .gauge, [:], closes ? 1 : 0, help: "1 while every record and message is accounted for.")
  }

  private static func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds / 1_000_000) / 1000 }

  private func add(_ input: Input, _ text: inout MetricsText) {
    let (name, sessions) = (input.name.name, input.sessions)
    let own: KeyValuePairs = ["input": name]
    add(sessions.total, "flowcep_input_", own, &text)
    for reason in Undecodable.allCases {
      text.add(
        "flowcep_input_undecodable", .counter, ["input": name, "reason": reason.rawValue], sessions.total[reason],
        help: "Messages, sets or templates that could not be decoded, by reason.")
    }
    for entry in ledger.accounts.first(where: { $0.instance == input.name })?.lost ?? [] where Undecodable(rawValue: entry.reason) == nil {
      text.add(
        "flowcep_input_lost", .counter, ["input": name, "reason": entry.reason], entry.amount,
        help: "What was lost before it was decoded, by reason: datagrams, or records and messages by sequence number.")
    }
    text.add("flowcep_input_open_sessions", .gauge, own, sessions.openCount, help: "Sessions that are open.")
    text.add("flowcep_input_ended_sessions", .counter, own, sessions.endedCount, help: "Sessions that have ended.")
    text.add("flowcep_input_remembered_bytes", .gauge, own, sessions.rememberedBytes, help: "What all sessions remember, estimated.")
    text.add("flowcep_input_quiet_seconds", .gauge, own, Self.seconds(input.quietNanoseconds), help: "Seconds since something came.")
    for session in sessions.open { add(session, name, &text) }
  }

  /// The bulk is told of inputs; of a session what tells it from others.
  private func add(_ session: InputSnapshot.OpenSession, _ input: String, _ text: inout MetricsText) {
    let own: KeyValuePairs = ["input": input, "session": session.name]
    let (status, counts) = (session.status, session.status.counts)
    let told: Set = [
      "messages", "messagesTaken", "records", "optionsRecords", "lostRecords", "recoveredRecords", "lostMessages", "sequenceRestarts",
      "reorderedMessages",
    ]
    add(counts, "flowcep_session_", own, &text) { told.contains($0) }
    for reason in Undecodable.allCases where counts[reason] > 0 {
      text.add(
        "flowcep_session_undecodable", .counter, ["input": input, "session": session.name, "reason": reason.rawValue], counts[reason],
        help: "Messages, sets or templates that could not be decoded, by reason.")
    }
    text.add("flowcep_session_waiting_sets", .gauge, own, status.waitingSets, help: "Data sets that wait for their template.")
    text.add(
      "flowcep_session_last_message_seconds", .gauge, own, Self.seconds(status.lastMessageAt),
      help: "When the last message came, since 1970.")
    for domain in status.domains {
      text.add(
        "flowcep_domain_templates", .gauge,
        ["input": input, "session": session.name, "version": "\(domain.version)", "domain": "\(domain.id)"], domain.templateCount,
        help: "Templates of an observation domain.")
    }
  }

  private func add(
    _ counts: DecodeCounts, _ prefix: String, _ labels: KeyValuePairs<String, String>, _ text: inout MetricsText,
    where isTold: (String) -> Bool = { _ in true }
  ) {
    for number in counts.numbers where isTold(number.name) {
      text.add(prefix + Self.snake(number.name), .counter, labels, number.value, help: number.help)
    }
  }

  /// `lostRecords` is `lost_records`.
  private static func snake(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
  }

  private func add(_ account: Ledger.Account, _ text: inout MetricsText) {
    let stage = account.instance.stage.rawValue
    let prefix = "flowcep_\(stage)_" + (account.destination == nil ? "" : "destination_")
    let pairs = [(stage, account.instance.name)] + (account.destination.map { [("destination", $0)] } ?? [])
    func add(_ name: String, _ kind: MetricsText.Kind, _ value: UInt64, reason: String? = nil, _ help: String) {
      text.add(prefix + name, kind, pairs: pairs + (reason.map { [("reason", $0)] } ?? []), value, help: help)
    }
    add("received_records", .counter, account.received, "Records that came in.")
    add("added_records", .counter, account.added, "Records made here beyond those received.")
    add("delivered_records", .counter, account.delivered, "Records passed on, or at their destination.")
    add("waiting_records", .gauge, account.waiting, "Records in a queue or a buffer.")
    for entry in account.mergedDrops { add("dropped_records", .counter, entry.amount, reason: entry.reason, "Records dropped, by reason.") }
  }

  /// What plugins count besides.
  private func add(_ counter: Counter, _ text: inout MetricsText) {
    guard counter.kind == .gauge || counter.kind == .information else { return }
    let stage = counter.instance.stage.rawValue
    // Of these the input's own figures tell.
    if stage == "input", counter.name.hasPrefix("messages") || counter.name.hasPrefix("sets-") { return }
    let prefix = "flowcep_\(stage)_" + (counter.label.map { "\($0.name)_" } ?? "")
    let pairs = [(stage, counter.instance.name)] + (counter.label.map { [($0.name, $0.value)] } ?? [])
    text.add(prefix + counter.name, counter.kind == .gauge ? .gauge : .counter, pairs: pairs, counter.value, help: counter.help)
  }
}

/// What the system says of this process.
struct ProcessFigures {
  var cpuSeconds = 0.0
  var residentBytes: UInt64 = 0
  var openDescriptors = 0

  static func current() -> ProcessFigures {
    var figures = ProcessFigures()
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    figures.cpuSeconds = Double(time.tv_sec) + Double(time.tv_nsec / 1_000_000) / 1000
    if let file = fopen("/proc/self/statm", "re") {
      var text = [CChar](repeating: 0, count: 128)
      fgets(&text, 128, file)
      fclose(file)
      let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
      if words.count > 1 { figures.residentBytes = (UInt64(words[1]) ?? 0) * UInt64(getpagesize()) }
    }
    if let folder = opendir("/proc/self/fd") {
      while let entry = readdir(folder) {
        if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { figures.openDescriptors += 1 }
      }
      closedir(folder)
      // The folder's own.
      figures.openDescriptors -= 1
    }
    return figures
  }
}

func getProcessID() -> Int32 { getpid() }
