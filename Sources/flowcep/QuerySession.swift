import ArgumentParser
import Diagnostics
import Engine
import EventModel
import Glibc
import JSONLines

/// One run of `flowcep query`: lines in, rows out.
final class QuerySession {
  private let engine: Engine
  private let input: EngineInput
  private var reader: EventReader
  private let wanted: Set<Int>
  private let ruleFields: [[(name: String, value: Value)]]
  private var undecodable: UInt64 = 0
  private let writer = RowWriter()
  private var out: [UInt8] = []
  private var listsChecked: Int64 = 0
  private static let linesPerBatch = 2048
  private static let mostReported: UInt64 = 20

  /// - Parameter wanted: the numbers of the statements whose rows are printed.
  init(_ engine: Engine, _ input: EngineInput, _ wanted: Set<Int>) throws {
    self.engine = engine
    self.input = input
    self.wanted = wanted
    ruleFields = engine.statements.map(\.ruleFields)
    reader = EventReader(type: input.type, properties: input.properties, timestamp: Query.timestamp(of: input.type, engine.options.clock))
    reader.onError = { error in
      if QuerySession.reported < QuerySession.mostReported { writeError("\(error)\n") }
      QuerySession.reported += 1
    }
    engine.onRows = { [unowned self] rows in print(rows) }
    engine.onFailure = { statement, reason in
      if QuerySession.reported < QuerySession.mostReported { writeError("\(statement?.name ?? "engine"): \(reason)\n") }
      QuerySession.reported += 1
    }
  }
  nonisolated(unsafe) private static var reported: UInt64 = 0

  private func print(_ rows: EngineRows) {
    guard wanted.contains(rows.statement.number) else { return }
    let fields = ruleFields[rows.statement.number]
    for row in rows.new { writer.write(row, type: rows.statement.outputName, time: rows.time, ruleFields: fields, to: &out) }
    if out.count > 65_536 { writeOut() }
  }

  /// Writes what has been printed. A reader that has gone ends the command quietly, by SIGPIPE.
  func writeOut() {
    var start = 0
    out.withUnsafeBytes { bytes in
      while start < bytes.count {
        let count = write(STDOUT_FILENO, bytes.baseAddress?.advanced(by: start), bytes.count - start)
        if count < 0, errno != EINTR { return }
        start += max(count, 0)
      }
    }
    out.removeAll(keepingCapacity: true)
  }

  func report() {
    let counters = engine.counters
    var notes: [String] = []
    if reader.badLines > 0 { notes.append("\(reader.badLines) bad lines") }
    if undecodable > 0 { notes.append("\(undecodable) parts that could not be decoded") }
    if counters.failed > 0 { notes.append("\(counters.failed) failed events") }
    if counters.late > 0 {
      notes.append("\(counters.late) late events" + (counters.lateDropped > 0 ? ", \(counters.lateDropped) of them dropped" : ""))
    }
    if counters.ahead > 0 { notes.append("\(counters.ahead) events ahead of their time") }
    if !notes.isEmpty { writeError("flowcep: \(counters.eventsIn) events; \(notes.joined(separator: ", "))\n") }
  }

  private func sendBatch() {
    if engine.options.clock == .system { engine.advance(to: wallTime()) }
    if let batch = reader.takeBatch() { engine.send(batch) }
  }

  private func take(_ line: UnsafeBufferPointer<UInt8>) {
    var line = line
    if line.last == UInt8(ascii: "\r") { line = UnsafeBufferPointer(rebasing: line.dropLast()) }
    reader.read(line)
    if reader.count >= QuerySession.linesPerBatch { sendBatch() }
  }

  /// Reads lines until the end of a file, or of standard input.
  func readFile(_ path: String?) throws {
    let descriptor = path.map { open($0, O_RDONLY | O_CLOEXEC) } ?? STDIN_FILENO
    guard descriptor >= 0 else {
      writeError("\(path ?? ""): error: \(String(cString: strerror(errno)))\n")
      throw ExitCode.usage
    }
    defer { if path != nil { close(descriptor) } }
    var rest: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      readLines(buffer[..<count], &rest)
      // What a live source has given is answered at once.
      sendBatch()
      writeOut()
    }
    if !rest.isEmpty { rest.withUnsafeBufferPointer { take($0) } }
    sendBatch()
  }

  /// Reads a capture's flow records; false where it could not be read to its end.
  func readCapture(_ path: String, _ builtIn: BuiltInSchema) throws -> Bool {
    let events = CaptureEvents(engine, input, builtIn.schema) { [unowned self] in if out.count > 65_536 { writeOut() } }
    defer { undecodable = events.faults }
    return try CaptureReader(registry: builtIn.registry).read([path], into: events)
  }

  private func readLines(_ bytes: ArraySlice<UInt8>, _ rest: inout [UInt8]) {
    bytes.withUnsafeBufferPointer { buffer in
      var start = 0
      while let length = LineEnds.length(buffer, from: start) {
        let line = UnsafeBufferPointer(rebasing: buffer[start..<(start + length)])
        if rest.isEmpty {
          take(line)
        } else {
          rest += line
          rest.withUnsafeBufferPointer { take($0) }
          rest.removeAll(keepingCapacity: true)
        }
        start += length + 1
      }
      rest += buffer[start...]
    }
  }

  /// Set by a signal; only ever set, so that a race is harmless.
  nonisolated(unsafe) private static var interrupted = false

  /// A parent may have left the signals blocked.
  private func endOnSignals() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in QuerySession.interrupted = true }
      sigaddset(&signals, number)
    }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Takes datagrams, each of one or more lines, until SIGINT or SIGTERM.
  func listen(_ address: String) throws {
    let socket = try openSocket(address)
    defer { close(socket) }
    endOnSignals()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var lastWall = wallTime()
    while !QuerySession.interrupted {
      var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      if Glibc.poll(&poll, 1, 1000) > 0 {
        let count = recv(socket, &buffer, buffer.count, 0)
        if count > 0 {
          var rest: [UInt8] = []
          readLines(buffer[..<count], &rest)
          if !rest.isEmpty { rest.withUnsafeBufferPointer { take($0) } }
          lastWall = wallTime()
        }
        // Datagrams that wait are taken together.
        if Glibc.poll(&poll, 1, 0) > 0, reader.count > 0 { continue }
      } else if engine.options.clock == .watermark {
        engine.idle(for: wallTime() - lastWall)
      }
      checkLists()
      sendBatch()
      writeOut()
    }
  }

  /// Looks at the files of lists, once a second.
  private func checkLists() {
    let now = wallTime()
    guard now - listsChecked >= 1000 else { return }
    listsChecked = now
    for notice in engine.checkLists(at: now) {
      if case .refused(let list, let mistakes) = notice {
        for mistake in mistakes { writeError("list \(list.name) stays as it was: \(mistake.line)\n") }
      }
    }
  }

  private func wallTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  private func openSocket(_ address: String) throws -> Int32 {
    let parts = address.split(separator: ":")
    guard (parts.count == 2 || parts.count == 3), parts[0] == "udp", let port = UInt16(parts[parts.count - 1]) else {
      writeError("--listen: write udp:PORT or udp:ADDRESS:PORT\n")
      throw ExitCode.usage
    }
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = port.bigEndian
    let host = parts.count == 3 ? String(parts[1]) : "127.0.0.1"
    guard inet_pton(AF_INET, host, &place.sin_addr) == 1 else {
      writeError("--listen: \(host) is no IPv4 address\n")
      throw ExitCode.usage
    }
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    let bound = withUnsafePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard descriptor >= 0, bound == 0 else {
      writeError("--listen: cannot bind \(host) port \(port): \(String(cString: strerror(errno)))\n")
      throw ExitCode(1)
    }
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    writeError("flowcep: listening on udp:\(host):\(UInt16(bigEndian: place.sin_port))\n")
    return descriptor
  }
}
