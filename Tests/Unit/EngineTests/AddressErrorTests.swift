import Diagnostics
import Engine
import Testing

/// What is no address and no prefix is told when the module is read, with its place.
@Suite struct AddressErrorTests {
  private func error(_ condition: String) -> String? {
    let epl = "create schema E(a address, s string);\n@Name('s') select * from E(\(condition));"
    do throws(CompileError) {
      _ = try Engine(modules: [EngineModule(name: "m", text: epl)])
      return nil
    } catch { return error.diagnostics.errors.map(\.line).joined(separator: "\n") }
  }

  @Test func places() {
    #expect(error("a in '10.0.0.0/33'") == "m:2:33: error: \"10.0.0.0/33\" is no prefix: the length of an IPv4 prefix is 0 to 32")
    #expect(
      error("s in ('x', '2001:db8::/129')") == "m:2:39: error: \"2001:db8::/129\" is no prefix: the length of an IPv6 prefix is 0 to 128")
    #expect(
      error("a in ('10.0.0.1', 'host')")
        == "m:2:46: error: \"host\" is no address and no prefix (as in '10.0.0.0/8' or '2001:db8::/32')")
    #expect(error("a > '10.0.0'") == "m:2:32: error: \"10.0.0\" is no address")
    #expect(error("a = '10.0.0.0/8'") == "m:2:32: error: \"10.0.0.0/8\" is no address (write IN for a prefix)")
    #expect(error("inPrefix(s, '10.0.0.0/40')")?.hasPrefix("m:2:40: error: \"10.0.0.0/40\" is no prefix") == true)
    #expect(error("ipFamily('10.0.0.300') = 4")?.hasPrefix("m:2:37: error: \"10.0.0.300\" is no address") == true)
  }

  @Test func whatIsNone() {
    #expect(error("s in ('a/b', '1/2', 'http://x/1')") == nil)
    #expect(error("a in '10.0.0.0/0' and a not in ('::/0')") == nil)
  }
}
