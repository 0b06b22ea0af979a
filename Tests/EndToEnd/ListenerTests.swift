import Foundation
import Sockets
import TestSupport
import Testing

/// What a listener says to those whom it does not know, and when it cannot listen.
@Suite struct ListenerTests {
  @Test func thoseWhoAreNotAllowedAreRefused() throws {
    let folder = try TemporaryFolder()
    let configuration = TCPInputTests.configuration.replacingOccurrences(
      of: "</localPort>", with: "</localPort><allow>192.0.2.0/24</allow><allow>2001:db8::1</allow>")
    let collector = try Collector(configuration, folder: folder)
    let port = try collector.port("tcp")
    for _ in 0..<2 { try Exporter(port: port).finish() }
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger.received == 0)
    #expect(collector.process.errorText.components(separatedBy: "refused 127.0.0.1: not in any <allow>").count == 2)
  }

  @Test(arguments: ["tcp", "udp"]) func aPortInUseIsAnErrorThatSaysWhatToChange(transport: String) throws {
    let folder = try TemporaryFolder()
    let taken = try BoundSocket(transport == "tcp" ? .tcp : .udp, on: try #require(SocketAddress("127.0.0.1", port: 0)))
    let configuration = TCPInputTests.configuration
      .replacingOccurrences(of: "<localPort>0<", with: "<localPort>\(taken.address.port)<")
      .replacingOccurrences(of: "tcpCollector", with: "\(transport)Collector")
    let file = try folder.write(configuration.replacingOccurrences(of: "@FOLDER@", with: folder.path), to: "startup.xml")
    let result = try Program.run(["run", "-c", file])
    #expect(result.code == 1)
    #expect(result.error.contains("cannot listen on \(transport) \(taken.address): "))
    #expect(result.error.contains("change localPort"))
  }
}
