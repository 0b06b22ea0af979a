internal import Builtins
internal import EventModel
internal import PluginABI

extension AggregateFunction {
  init(library raw: UnsafePointer<flowcep_function>) {
    let function = LibraryFunction(raw)
    let signature = function.signature
    self.init(
      signature.name, arity: signature.arity, help: signature.help, canForget: raw.pointee.leave != nil,
      resultType: { signature.resultType($0) }
    ) { _, _ in LibraryAggregate(function) }
  }
}

/// An aggregate of a library, for one group. One whose state could not be made gives null.
final class LibraryAggregate: AggregateState {
  private let function: LibraryFunction
  private let state: UnsafeMutableRawPointer?

  init(_ function: LibraryFunction) {
    self.function = function
    state = function.raw.pointee.open()
  }

  deinit { if let state { function.raw.pointee.close(state) } }

  override func enter(_ value: Value, _ rest: [Value], time: Int64) { change(function.raw.pointee.enter, value, rest, time) }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) { change(function.raw.pointee.leave, value, rest, time) }
  override func clear() { if let state { function.raw.pointee.clear(state) } }

  /// One that cannot say what it keeps starts empty after a restart, and with it its statement.
  override func exchange(_ archive: StateArchive) {
    let raw = function.raw.pointee
    guard let state, let save = raw.save, let restore = raw.restore else { return super.exchange(archive) }
    var bytes: [UInt8] = []
    if !archive.isRestoring {
      bytes = [UInt8](repeating: 0, count: min(save(state, nil, 0), Self.largestState))
      let needed = bytes.withUnsafeMutableBufferPointer { save(state, $0.baseAddress, $0.count) }
      guard needed == bytes.count else { return archive.fail("the state of \(function.signature.name) is too large") }
    }
    archive.octets(&bytes)
    guard archive.isRestoring, archive.failure == nil else { return }
    let status = bytes.withUnsafeBufferPointer { restore(state, $0.baseAddress, $0.count) }
    if status != flowcep_status(FLOWCEP_OK) { archive.fail("\(function.signature.name) cannot make sense of its state") }
  }

  private static let largestState = 1 << 24
  private typealias Change =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafeMutablePointer<flowcep_call>?, UnsafePointer<flowcep_value>?, Int
    ) -> Void

  private func change(_ step: Change?, _ value: Value, _ rest: [Value], _ time: Int64) {
    guard let state, let step else { return }
    _ = try? function.call([value] + rest, time: time) { call, arguments, count, _ in
      step(state, call, arguments, count)
      return flowcep_status(FLOWCEP_OK)
    }
  }

  override func value(time: Int64) -> Value {
    guard let state else { return .null }
    let value = try? function.call([], time: time) { [function] call, _, _, result in
      function.raw.pointee.value(state, call, result)
      return flowcep_status(FLOWCEP_OK)
    }
    return value ?? .null
  }
}
