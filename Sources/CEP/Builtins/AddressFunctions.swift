internal import EventModel

private func isAddress(_ type: ValueType?) -> Bool { type == .address || type == .string || type == .null }

/// The types of functions over an address and others that follow it.
private func overAddress(_ result: ValueType) -> @Sendable ([ValueType]) -> ValueType? {
  { types in isAddress(types.first) ? result : nil }
}

/// The prefix of an address, with a length for each family or one for both; nil where an argument is null or no address.
private func prefix(_ arguments: [Value]) throws(EvaluationError) -> AddressPrefix? {
  guard let address = Address(arguments[0]), let length = arguments[address.isIP4 ? 1 : arguments.count - 1].integer else { return nil }
  guard let prefix = AddressPrefix(address, length: Int(clamping: length)) else {
    throw EvaluationError("a prefix length of \(length) for an IPv\(address.isIP4 ? 4 : 6) address")
  }
  return prefix
}

/// Ours, not Esper's: addresses as addresses, IPv4 and IPv6 alike. An argument that is no address gives null.
extension Builtins {
  static let addressFunctions: [ScalarFunction] = [
    ScalarFunction("address", arity: 1...1, help: "the address whose text this is", resultType: overAddress(.address)) {
      Address($0[0])?.value ?? .null
    },
    // What ORDER BY and its like see of an address: text whose order is that of addresses.
    ScalarFunction(".sortKey", arity: 1...1, help: "text that sorts as the address does", resultType: overAddress(.string)) {
      Address($0[0]).map { address in
        func hex(_ word: UInt64) -> String {
          let digits = String(word, radix: 16)
          return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
        return .string((address.isIP4 ? "4" : "6") + hex(address.high) + hex(address.low))
      } ?? .null
    },
    ScalarFunction("ipFamily", arity: 1...1, help: "4 or 6", resultType: overAddress(.int)) {
      Address($0[0]).map { .int($0.isIP4 ? 4 : 6) } ?? .null
    },
    ScalarFunction(
      "ipNetwork", arity: 2...3,
      help: "the first address of the prefix of that many bits; with two lengths the first is for IPv4, the second for IPv6",
      resultType: { types in isAddress(types.first) && types.dropFirst().allSatisfy(\.isNumeric) ? .address : nil }
    ) { arguments throws(EvaluationError) in try prefix(arguments).map { $0.network.value } ?? .null },
    ScalarFunction(
      "ipPrefix", arity: 2...3, help: "the prefix of that many bits, as text; with two lengths the first is for IPv4, the second for IPv6",
      resultType: { types in isAddress(types.first) && types.dropFirst().allSatisfy(\.isNumeric) ? .string : nil }
    ) { arguments throws(EvaluationError) in try prefix(arguments).map { .string($0.text) } ?? .null },
    ScalarFunction(
      "inPrefix", arity: 2...64, help: "whether the address lies in one of the prefixes",
      resultType: { types in isAddress(types.first) && types.dropFirst().allSatisfy { isAddress($0) } ? .boolean : nil }
    ) { arguments throws(EvaluationError) in
      guard let address = Address(arguments[0]) else { return .null }
      for argument in arguments.dropFirst() {
        guard let text = argument.text else { continue }
        guard let prefix = AddressPrefix(text) else { throw EvaluationError("\"\(text)\" is no prefix") }
        if prefix.contains(address) { return .bool(true) }
      }
      return .bool(false)
    },
  ]
}
