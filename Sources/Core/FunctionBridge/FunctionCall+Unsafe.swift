internal import Builtins
internal import EventModel
internal import PluginABI

/// A function of a library. Unchecked: it is static, and never changes.
struct LibraryFunction: @unchecked Sendable {
  let raw: UnsafePointer<flowcep_function>
  let signature: Signature
  private static let bufferSize = 4096
  private static let errorSize = 256

  init(_ raw: UnsafePointer<flowcep_function>) {
    self.raw = raw
    signature = Signature(raw)
  }

  /// Hands arguments over in the types that the function declares, and takes its result.
  ///
  /// - Parameter body: calls the function with the number of its arguments given.
  func call(
    _ arguments: [Value], time: Int64 = 0,
    _ body: (UnsafeMutablePointer<flowcep_call>, UnsafePointer<flowcep_value>, Int, UnsafeMutablePointer<flowcep_value>) -> flowcep_status
  ) throws(EvaluationError) -> Value {
    // The texts of all arguments stand one behind the other while the call lasts.
    var texts: [UInt8] = []
    var values: [flowcep_value] = []
    var starts: [Int] = []
    for (argument, type) in zip(arguments, signature.arguments) {
      starts.append(texts.count)
      values.append(Self.value(argument, type, &texts))
    }
    // Neither is empty, so that there always is an address to give.
    let count = values.count
    texts.append(0)
    values.append(flowcep_value())
    let given = texts.withUnsafeBufferPointer { texts -> Result<Value, EvaluationError> in
      for index in 0..<count where Int(values[index].kind) == FLOWCEP_VALUE_TEXT {
        values[index].as.text = texts.baseAddress.map { UnsafeRawPointer($0 + starts[index]).assumingMemoryBound(to: CChar.self) }
      }
      return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.bufferSize + Self.errorSize) { room in
        room.initialize(repeating: 0)
        var call = flowcep_call()
        call.struct_size = UInt32(MemoryLayout<flowcep_call>.size)
        call.time_ms = time
        call.buffer = room.baseAddress
        call.capacity = Self.bufferSize
        call.error = room.baseAddress?.advanced(by: Self.bufferSize)
        call.error_capacity = Self.errorSize
        var result = flowcep_value()
        let status = values.withUnsafeBufferPointer { values in
          withUnsafeMutablePointer(to: &call) { call in
            withUnsafeMutablePointer(to: &result) { result in values.baseAddress.map { body(call, $0, count, result) } }
          }
        }
        return taken(status ?? flowcep_status(FLOWCEP_FAILED), result, room)
      }
    }
    return try given.get()
  }

  private func taken(_ status: flowcep_status, _ result: flowcep_value, _ room: UnsafeMutableBufferPointer<CChar>) -> Result<
    Value, EvaluationError
  > {
    guard status == flowcep_status(FLOWCEP_OK) else {
      room[room.count - 1] = 0
      let reason = room.baseAddress.map { String(cString: $0 + Self.bufferSize) } ?? ""
      return .failure(EvaluationError("\(signature.name): \(reason.isEmpty ? "it failed" : reason)"))
    }
    if Int(result.kind) == FLOWCEP_VALUE_NULL { return .success(.null) }
    guard result.kind == signature.result else {
      return .failure(EvaluationError("\(signature.name): it gave a value of another type than it declares"))
    }
    switch Int(result.kind) {
    case FLOWCEP_VALUE_BOOLEAN: return .success(.bool(result.as.integer != 0))
    case FLOWCEP_VALUE_INTEGER: return .success(.int(result.as.integer))
    case FLOWCEP_VALUE_REAL: return .success(.double(result.as.real))
    case FLOWCEP_VALUE_TEXT:
      let bytes = UnsafeBufferPointer(
        start: result.as.text.map { UnsafeRawPointer($0).assumingMemoryBound(to: UInt8.self) }, count: Int(result.length))
      return .success(.string(String(decoding: bytes, as: UTF8.self)))
    default:
      let bytes = withUnsafeBytes(of: result.as.address) { Array($0) }
      switch result.length {
      case 4: return .success(.ip4(bytes[..<4].reduce(0) { $0 << 8 | UInt32($1) }))
      case 16: return .success(.octets(Octets(.ip6, bytes)))
      default: return .failure(EvaluationError("\(signature.name): it gave an address of \(result.length) bytes"))
      }
    }
  }

  /// A value as the type that is declared; null where it is none of that.
  private static func value(_ value: Value, _ type: UInt32, _ texts: inout [UInt8]) -> flowcep_value {
    var result = flowcep_value()
    switch Int(type) == FLOWCEP_VALUE_NULL ? ownType(value) : Int(type) {
    case FLOWCEP_VALUE_BOOLEAN:
      guard let flag = value.boolean else { return result }
      result.kind = UInt32(FLOWCEP_VALUE_BOOLEAN)
      result.as.integer = flag ? 1 : 0
    case FLOWCEP_VALUE_INTEGER:
      guard let number = value.integer else { return result }
      result.kind = UInt32(FLOWCEP_VALUE_INTEGER)
      result.as.integer = number
    case FLOWCEP_VALUE_REAL:
      guard let number = value.number else { return result }
      result.kind = UInt32(FLOWCEP_VALUE_REAL)
      result.as.real = number
    case FLOWCEP_VALUE_ADDRESS:
      guard let address = Address(value) else { return result }
      result.kind = UInt32(FLOWCEP_VALUE_ADDRESS)
      result.length = address.isIP4 ? 4 : 16
      withUnsafeMutableBytes(of: &result.as.address) { bytes in
        if address.isIP4 {
          bytes.storeBytes(of: UInt32(truncatingIfNeeded: address.low).bigEndian, as: UInt32.self)
        } else {
          bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
          bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
      }
    case FLOWCEP_VALUE_TEXT:
      guard let text = value.text else { return result }
      let before = texts.count
      texts += text.utf8
      result.kind = UInt32(FLOWCEP_VALUE_TEXT)
      result.length = UInt32(clamping: texts.count - before)
    default: break
    }
    return result
  }

  /// What an argument that may be anything arrives as.
  private static func ownType(_ value: Value) -> Int {
    switch value {
    case .bool: FLOWCEP_VALUE_BOOLEAN
    case .int: FLOWCEP_VALUE_INTEGER
    case .double: FLOWCEP_VALUE_REAL
    case .ip4: FLOWCEP_VALUE_ADDRESS
    case .octets(let octets): octets.kind == .ip6 ? FLOWCEP_VALUE_ADDRESS : FLOWCEP_VALUE_TEXT
    case .string, .mac: FLOWCEP_VALUE_TEXT
    default: FLOWCEP_VALUE_NULL
    }
  }
}

extension ScalarFunction {
  init(library raw: UnsafePointer<flowcep_function>) {
    let function = LibraryFunction(raw)
    let signature = function.signature
    self.init(signature.name, arity: signature.arity, help: signature.help, resultType: { signature.resultType($0) }) {
      arguments throws(EvaluationError) in
      try function.call(arguments) { function.raw.pointee.call($0, $1, $2, $3) }
    }
  }
}
