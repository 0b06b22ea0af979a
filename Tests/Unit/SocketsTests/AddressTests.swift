import Sockets
import Testing

@Suite struct AddressTests {
  @Test(arguments: ["127.0.0.1", "::1", "2001:db8::5", "0.0.0.0", "::"]) func textRoundTrips(text: String) throws {
    let address = try #require(SocketAddress(text, port: 4739))
    #expect(address.host == text)
    #expect(address.description == (text.contains(":") ? "[\(text)]:4739" : "\(text):4739"))
  }

  @Test(arguments: ["localhost", "1.2.3", "1.2.3.4.5", "::g", "1.2.3.4/8", " "]) func refusesOtherText(text: String) {
    #expect(SocketAddress(text, port: 1) == nil)
  }

  @Test func emptyMeansAll() throws {
    let all = try #require(SocketAddress("", port: 7))
    #expect(all.isAny)
    #expect(!all.isIPv4)
    #expect(SocketAddress("::ffff:10.1.2.3", port: 1) == SocketAddress("10.1.2.3", port: 1))
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3", "10.1.2.3", true), ("10.1.2.3", "10.1.2.4", false),
    ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
    ("2001:db8::/33", "2001:db8:ffff::1", false), ("::/0", "2001:db8::1", true), ("10.1.2.3/31", "10.1.2.2", true),
  ]) func prefixes(prefix: String, address: String, contained: Bool) throws {
    let range = try #require(AddressPrefix(prefix))
    let one = try #require(SocketAddress(address, port: 9))
    #expect(range.contains(one) == contained)
  }

  @Test(arguments: ["10.0.0.0/33", "::/129", "10.0.0.0/", "/8", "x/8", "10.0.0.0/-1"]) func refusesOtherPrefixes(text: String) {
    #expect(AddressPrefix(text) == nil)
  }

  @Test func refusalsAreSaidOnce() throws {
    var list = AllowList([try #require(AddressPrefix("127.0.0.0/8"))])
    let stranger = try #require(SocketAddress("192.0.2.1", port: 1000))
    #expect(!list.allows(stranger))
    let otherPort = try #require(SocketAddress("192.0.2.1", port: 1001))
    let said = [list.isFirstRefusal(of: stranger), list.isFirstRefusal(of: stranger), list.isFirstRefusal(of: otherPort)]
    #expect(said == [true, false, false])
    #expect(AllowList([]).allows(stranger))
  }

  @Test func bindsWhereTheSystemChooses() throws {
    let socket = try BoundSocket(.tcp, on: try #require(SocketAddress("127.0.0.1", port: 0)))
    #expect(socket.address.host == "127.0.0.1")
    #expect(socket.address.port != 0)
    let taken = socket.address
    var code: Int32 = 0
    do { _ = try BoundSocket(.tcp, on: taken) } catch { code = error.errno }
    #expect(code == 98)  // EADDRINUSE
  }
}
