/// Texts by their bytes: membership in constant time, without making strings of what is looked up.
public struct TextSet: Sendable {
  public private(set) var count = 0
  private var bytes: [UInt8] = []
  /// Where the text of each number begins; one more than there are texts.
  private var starts: [Int] = [0]
  /// The number of a text, from 1; 0 is an empty slot.
  private var slots: [UInt32] = []
  private let hash = KeyedHash()

  public init() {}

  public mutating func insert(_ text: UnsafeRawBufferPointer) {
    if slots.count < 2 * (count + 1) { grow() }
    let place = place(of: text)
    guard slots[place] == 0 else { return }
    bytes += text
    starts.append(bytes.count)
    count += 1
    slots[place] = UInt32(count)
  }

  public func contains(_ text: UnsafeRawBufferPointer) -> Bool { !slots.isEmpty && slots[place(of: text)] != 0 }

  public func contains(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { contains(UnsafeRawBufferPointer($0)) }
  }

  private func place(of text: UnsafeRawBufferPointer) -> Int {
    let last = slots.count - 1
    var place = Int(truncatingIfNeeded: hash.of(text)) & last
    while slots[place] != 0, !isText(Int(slots[place]), text) { place = (place + 1) & last }
    return place
  }

  private func isText(_ number: Int, _ text: UnsafeRawBufferPointer) -> Bool {
    bytes[starts[number - 1]..<starts[number]].elementsEqual(text)
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: max(16, slots.count * 2))
    for number in 0..<count {
      let place = bytes.withUnsafeBytes { bytes in
        self.place(of: UnsafeRawBufferPointer(rebasing: bytes[starts[number]..<starts[number + 1]]))
      }
      slots[place] = UInt32(number + 1)
    }
  }
}
