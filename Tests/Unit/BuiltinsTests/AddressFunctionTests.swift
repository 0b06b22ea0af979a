import Builtins
import EventModel
import Testing

@Suite struct AddressFunctionTests {
  private func call(_ name: String, _ arguments: Value...) throws -> Value {
    try #require(Builtins.functions[name]).evaluate(arguments)
  }

  @Test func familyOfBytesAndText() throws {
    #expect(try call("ipFamily", .ip4(0x0a00_0001)) == .int(4))
    #expect(try call("ipFamily", .string("2001:db8::1")) == .int(6))
    #expect(try call("ipFamily", .string("no address")) == .null)
    #expect(try call("ipFamily", .null) == .null)
  }

  @Test func prefixByFamily() throws {
    #expect(try call("ipPrefix", .ip4(0x0a01_0203), .int(24), .int(64)) == .string("10.1.2.0/24"))
    #expect(try call("ipPrefix", .string("2001:db8:1:2:3::1"), .int(24), .int(64)) == .string("2001:db8:1:2::/64"))
    #expect(throws: EvaluationError.self) { try call("ipPrefix", .ip4(0), .int(33)) }
  }

  @Test func membership() throws {
    let private4 = Value.string("10.0.0.0/8")
    #expect(try call("inPrefix", .ip4(0x0a01_0203), .string("172.16.0.0/12"), private4) == .bool(true))
    #expect(try call("inPrefix", .ip4(0x0b01_0203), private4) == .bool(false))
    #expect(throws: EvaluationError.self) { try call("inPrefix", .ip4(1), .string("10.0.0.0/99")) }
  }
}
