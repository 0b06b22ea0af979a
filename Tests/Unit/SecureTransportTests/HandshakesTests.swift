import InputKit
import Testing

/// Handshakes under way are bounded, and a flood from one address costs no other its place.
@Suite struct HandshakesTests {
  @Test func theAddressWithMostGivesWay() {
    var handshakes = Handshakes<Int, String>(maximum: 4, timeout: 10)
    for number in 0..<3 { handshakes.begin(number, of: "flood", now: UInt64(number)) }
    handshakes.begin(10, of: "honest", now: 3)
    #expect(handshakes.surplus(for: "flood") == 0)
    #expect(handshakes.surplus(for: "honest") == 0)
    #expect(handshakes.surplus(for: "third") == 0)
    handshakes.end(0)
    #expect(handshakes.surplus(for: "flood") == nil)
    handshakes.begin(3, of: "flood", now: 4)
    // The flood's own next handshake costs it its oldest, never the honest one.
    #expect(handshakes.surplus(for: "flood") == 1)
    #expect(handshakes.count == 4)
  }

  @Test func everyHandshakeHasItsTime() {
    var handshakes = Handshakes<Int, String>(maximum: 4, timeout: 10)
    handshakes.begin(1, of: "a", now: 0)
    handshakes.begin(2, of: "a", now: 5)
    #expect(handshakes.expired(now: 9) == [])
    #expect(handshakes.expired(now: 10) == [1])
    // Begun anew, it has its time anew.
    handshakes.begin(1, of: "a", now: 10)
    #expect(handshakes.expired(now: 15) == [2])
    #expect(handshakes.count == 2)
  }
}
