import OutputKit
import Testing

extension LineLedger {
  /// Appends lines given as text, without their line ends.
  fileprivate func add(_ lines: [String]) {
    var ends: [Int] = []
    let bytes = lines.flatMap { Array("\($0)\n".utf8) }
    var total = 0
    for line in lines {
      total += line.utf8.count + 1
      ends.append(total)
    }
    bytes.withUnsafeBytes { bytes in ends.withUnsafeBufferPointer { append(bytes, lineEnds: $0) } }
  }

  /// What would be handed to the kernel next.
  fileprivate var next: String {
    var text = ""
    nextRuns(64) { text += String(decoding: $0, as: UTF8.self) }
    return text
  }
}

@Suite("Lines on their way to a peer")
struct LineLedgerTests {
  @Test("lines are sent in order and go when acknowledged")
  func inOrder() {
    let ledger = LineLedger()
    ledger.add(["one", "two"])
    ledger.add(["three"])
    #expect(ledger.next == "one\ntwo\nthree\n" && ledger.heldLines == 3 && ledger.unsent == 14)
    ledger.markSent(6)
    #expect(ledger.next == "o\nthree\n" && ledger.inFlight == 6)
    #expect(ledger.acknowledge(unacknowledged: 6) == 0)
    #expect(ledger.acknowledge(unacknowledged: 1) == 1 && ledger.heldLines == 2)
    ledger.markSent(8)
    #expect(ledger.acknowledge(unacknowledged: 0) == 2)
    #expect(ledger.isEmpty && ledger.heldBytes == 0 && ledger.unsent == 0 && ledger.inFlight == 0)
  }

  @Test("after a lost connection, sending begins anew at the first line that was not wholly acknowledged")
  func again() {
    let ledger = LineLedger()
    ledger.add(["one", "two", "three", "four"])
    ledger.markSent(12)
    #expect(ledger.acknowledge(unacknowledged: 6) == 1)
    #expect(ledger.rewind() == 2)
    #expect(ledger.next == "two\nthree\nfour\n" && ledger.inFlight == 0 && ledger.unsent == 15)
    ledger.markSent(15)
    #expect(ledger.acknowledge(unacknowledged: 0) == 3 && ledger.isEmpty)
  }

  @Test("lines acknowledged at the end of a connection are unconfirmed, as far as a receive buffer reaches")
  func unconfirmed() {
    let ledger = LineLedger()
    ledger.add(["11", "22", "33", "44"])
    ledger.markSent(12)
    for left in [9, 6, 3] { ledger.acknowledge(unacknowledged: left) }
    #expect(ledger.takeUnconfirmed(window: 6) == 2)
    #expect(ledger.takeUnconfirmed(window: 6) == 0)
    ledger.acknowledge(unacknowledged: 0)
    ledger.forgetRecent()
    #expect(ledger.takeUnconfirmed(window: 100) == 0)
  }

  @Test("the oldest lines go when the buffer is full, but none that is on its way")
  func dropOldest() {
    let line = String(repeating: "x", count: 40_000)
    let ledger = LineLedger()
    for _ in 0..<5 { ledger.add([line]) }
    ledger.markSent(100)
    #expect(ledger.dropOldest(toFit: 40_001, in: 200_005, isConnected: true) == 1)
    ledger.add(["last"])
    #expect(ledger.heldLines == 5 && ledger.next.hasSuffix("\nlast\n"))
    ledger.rewind()
    #expect(ledger.dropOldest(toFit: 159_000, in: 200_005, isConnected: false) == 3)
    #expect(ledger.heldLines == 2 && ledger.unsent == ledger.heldBytes)
    #expect(ledger.dropOldest(toFit: 10, in: 5, isConnected: false) == 2 && ledger.isEmpty)
  }

  @Test("any cut of writes and acknowledgements, with lost connections between, delivers every line in order")
  func anyCut() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20 {
      let ledger = LineLedger()
      let lines = (0..<300).map { "\($0) " + String(repeating: "y", count: Int.random(in: 0...900, using: &random)) }
      var (given, received, partial, delivered) = (0, [String](), [UInt8](), 0)
      var onWire: [UInt8] = []
      while delivered < lines.count {
        if given < lines.count, Bool.random(using: &random) {
          let count = Int.random(in: 1...20, using: &random)
          ledger.add(Array(lines[given..<min(lines.count, given + count)]))
          given = min(lines.count, given + count)
        }
        let taken = Int.random(in: 0...min(5000, ledger.unsent), using: &random)
        onWire += Array(ledger.next.utf8.prefix(taken))
        ledger.markSent(taken)
        // The peer's TCP acknowledges a part, and reads just that.
        let read = Int.random(in: 0...onWire.count, using: &random)
        partial += onWire.prefix(read)
        onWire.removeFirst(read)
        while let end = partial.firstIndex(of: 10) {
          received.append(String(decoding: partial[..<end], as: UTF8.self))
          partial.removeFirst(end + 1)
        }
        delivered += ledger.acknowledge(unacknowledged: onWire.count)
        if Int.random(in: 0..<10, using: &random) == 0 {
          ledger.rewind()
          (onWire, partial) = ([], [])
        }
      }
      #expect(received == lines)
    }
  }
}

@Suite("Trying again")
struct BackoffTests {
  @Test("a second first, then twice as long, at most half a minute; success begins anew")
  func delays() {
    var backoff = Backoff()
    #expect(backoff.next == 0)
    var waits: [UInt64] = []
    for _ in 0..<8 {
      backoff.tried(at: 100)
      waits.append((backoff.next - 100) / 1_000_000_000)
    }
    #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30])
    backoff.succeeded()
    #expect(backoff.next == 100 + Backoff.first)
  }
}

@Suite("Files by windows of time")
struct FileWindowTests {
  /// 2018-04-12T15:22:40Z.
  private let now = 1_523_546_560

  @Test("aligned windows begin at multiples of their length, names say when, in UTC")
  func aligned() {
    var windows = FileWindows(folder: "flows/%Y/%m", prefix: "a%b.", name: nil, seconds: 300, isAligned: true)
    #expect(windows.begin(at: now) == "flows/2018/04/a%b.201804121520")
    #expect(!windows.hasEnded(at: now + 139) && windows.hasEnded(at: now + 140))
    #expect(windows.begin(at: now + 140) == "flows/2018/04/a%b.201804121525")
  }

  @Test("windows that are not aligned begin when they begin; those under a minute say the second")
  func notAligned() {
    var windows = FileWindows(folder: "f/", prefix: "", name: nil, seconds: 60, isAligned: false)
    #expect(windows.begin(at: now) == "f/201804121522")
    #expect(!windows.hasEnded(at: now + 59) && windows.hasEnded(at: now + 60))
    var short = FileWindows(folder: "f", prefix: "", name: nil, seconds: 10, isAligned: true)
    #expect(short.begin(at: now + 5) == "f/20180412152240")
  }

  @Test("a name of one's own, and a file for all time")
  func own() {
    var windows = FileWindows(folder: "f", prefix: "ignored", name: "alerts.json", seconds: 0, isAligned: true)
    #expect(windows.begin(at: now) == "f/alerts.json" && !windows.hasEnded(at: .max))
  }
}
