import Engine
import Glibc
import PluginKit

/// Keeps the engine's state in a file: taken up at the start, written now and then and at the end.
///
/// The cut lies between two batches: what came before is in the state, and its rows have been handed on; what comes after is in neither.
final class StateKeeper {
  private let host: Host
  private let path: String
  private let interval: UInt64
  private var next: UInt64
  private var records: UInt64 = 0
  private var exportTime: Int64 = 0
  private var hasFailed = false
  private let saves: Counter
  private let failures: Counter

  /// Nil where no file is configured.
  init?(_ host: Host, _ options: Options) {
    guard let path = options.text("stateFile") else { return nil }
    self.host = host
    self.path = path
    interval = UInt64(options.integer("checkpointInterval") ?? 60_000_000_000)
    next = host.monotonicNanoseconds + interval
    saves = host.informationCounter("checkpoints", help: "How often the state has been written.")
    failures = host.informationCounter("checkpoint-failures", help: "How often the state could not be written.")
  }

  // MARK: Starting

  /// The engine with the state of the file, or an empty one where there is none or it cannot be used.
  func restored(_ engine: Engine, making make: () throws(CompileError) -> Engine) throws(CompileError) -> Engine {
    let seconds = interval / 1_000_000_000
    host.log(.info, "state is kept in \(path); a collector that is killed loses at most the last \(seconds) s")
    guard let bytes = read() else { return engine }
    do throws(StateError) {
      report(try engine.restoreState(bytes))
      return engine
    } catch {
      setAside("\(error)")
      return try make()
    }
  }

  private func report(_ state: RestoredState) {
    func position(_ name: String) -> Int64 { state.position.first { $0.name == name }?.value ?? 0 }
    records = UInt64(clamping: position("records"))
    exportTime = position("exportTime")
    let age = Int64(host.wallNanoseconds / 1_000_000) &- position("savedAt")
    let names = state.restored.map(\.name).joined(separator: ", ")
    host.log(
      .info,
      "state of \(max(age, 0) / 1000) s ago restored after \(records) records, the last exported at \(exportTime): \(names.isEmpty ? "no statement" : names)"
    )
    if !state.empty.isEmpty || state.gone > 0 {
      let changed = state.empty.map(\.name).joined(separator: ", ")
      host.log(
        .warning,
        "statements that are new or have changed start empty: \(changed.isEmpty ? "none" : changed); \(state.gone) of the file are gone")
    }
    if position("isEnd") == 0 {
      host.log(
        .warning,
        "the collector was not stopped in order: what it took after this state was written is lost, at most \(interval / 1_000_000_000) s of records"
      )
    }
  }

  private func read() -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno != ENOENT { setAside(String(cString: strerror(errno))) }
      return nil
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Glibc.read(file, &piece, piece.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes += piece[..<count]
      } else if errno != EINTR {
        setAside(String(cString: strerror(errno)))
        return nil
      }
    }
  }

  /// What cannot be used is kept for whoever wants to know why.
  private func setAside(_ reason: String) {
    let aside = path + ".refused-\(host.wallNanoseconds / 1_000_000_000)"
    let kept = rename(path, aside) == 0 ? "it is kept as \(aside)" : "it stays where it is until it is written anew"
    host.log(.error, "the state in \(path) cannot be used: \(reason); \(kept), and all statements start empty")
  }

  // MARK: Running

  func note(_ records: Int, exportTime: UInt32?) {
    self.records += UInt64(records)
    if let exportTime { self.exportTime = Int64(exportTime) }
  }

  var isDue: Bool { host.monotonicNanoseconds >= next }

  /// Writes the state where it is time to.
  func save(_ engine: Engine) {
    let now = host.monotonicNanoseconds
    guard now >= next else { return }
    write(engine, isEnd: false)
    // Writing a large state must not become all that the engine does.
    let took = host.monotonicNanoseconds - now
    next = now + max(interval, took * 10)
  }

  /// - Parameter isEnd: the collector stops in order, and nothing comes after this.
  func write(_ engine: Engine, isEnd: Bool) {
    let start = host.monotonicNanoseconds
    let position: [(name: String, value: Int64)] = [
      ("records", Int64(clamping: records)), ("exportTime", exportTime), ("savedAt", Int64(host.wallNanoseconds / 1_000_000)),
      ("isEnd", isEnd ? 1 : 0),
    ]
    do throws(StateError) {
      let bytes = try engine.saveState(position: position)
      try Self.write(bytes, to: path)
      saves.add(1)
      hasFailed = false
      let milliseconds = (host.monotonicNanoseconds - start) / 1_000_000
      host.log(isEnd ? .info : .debug, "state saved after \(records) records: \(bytes.count) bytes in \(milliseconds) ms")
    } catch {
      failures.add(1)
      if !hasFailed { host.log(.error, "the state cannot be written to \(path): \(error)") }
      hasFailed = true
    }
  }

  /// Beside it first, then in its place: whoever reads it sees the old state or the new one, also after a power cut.
  private static func write(_ bytes: [UInt8], to path: String) throws(StateError) {
    let beside = path + ".new"
    let file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StateError(String(cString: strerror(errno))) }
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: start), bytes.count - start) }
      if count < 0, errno != EINTR { throw failed(file, beside) }
      start += max(count, 0)
    }
    if fsync(file) != 0 { throw failed(file, beside) }
    close(file)
    if rename(beside, path) != 0 { throw StateError(String(cString: strerror(errno))) }
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = open(slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  private static func failed(_ file: Int32, _ beside: String) -> StateError {
    let reason = String(cString: strerror(errno))
    close(file)
    unlink(beside)
    return StateError(reason)
  }
}

extension Modules {
  /// What stands in the way of keeping the state.
  static func stateMistakes(_ engine: Engine, _ options: Options) -> [(message: String, place: (file: String, line: Int, column: Int)?)] {
    guard options.text("stateFile") != nil else { return [] }
    var mistakes: [(message: String, place: (file: String, line: Int, column: Int)?)] = []
    if options.text("atEnd") == "flush" {
      mistakes.append(("atEnd \"flush\" closes windows that stateFile is to keep open: one of them must go", options.place("atEnd")))
    }
    for (statement, reason) in engine.unsavable {
      mistakes.append(("the state of statement \"\(statement.name)\" cannot be kept: \(reason)", options.place("stateFile")))
    }
    return mistakes
  }
}
