import EventModel
import Testing

@Suite struct AddressPrefixTests {
  @Test(arguments: [
    ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.1.2.3", "10.1.2.3", true),
    ("0.0.0.0/0", "255.255.255.255", true), ("0.0.0.0/0", "::1", false), ("192.168.1.77/24", "192.168.1.1", true),
    ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false), ("::/0", "fe80::1", true),
    ("2001:db8::1/128", "2001:db8::1", true), ("2001:db8::/65", "2001:db8::8000:0:0:0", false), ("::/0", "1.2.3.4", false),
  ])
  func contains(prefix: String, address: String, expected: Bool) throws {
    let prefix = try #require(AddressPrefix(prefix))
    #expect(prefix.contains(try #require(Address(text: address))) == expected)
  }

  @Test(arguments: ["10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "/8", "", "10.0.0.0/8/8", "x::/8", "10.0.0.0/+8"])
  func refuses(text: String) { #expect(AddressPrefix(text) == nil) }

  @Test func textDropsBitsThatDoNotCount() {
    #expect(AddressPrefix("192.168.1.77/24")?.text == "192.168.1.0/24")
    #expect(AddressPrefix("2001:DB8:0:0:1::/48")?.text == "2001:db8::/48")
  }
}
