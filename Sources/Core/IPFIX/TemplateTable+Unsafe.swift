import PluginABI
import RecordBatch

/// What few templates need.
final class SlotExtras {
  /// Structured data among the fields.
  let hasLists: Bool
  /// Options records that say something about the exporter.
  let hasFacts: Bool
  let transform: RecordTransform?

  init?(hasLists: Bool, hasFacts: Bool, transform: RecordTransform?) {
    guard hasLists || hasFacts || transform != nil else { return nil }
    (self.hasLists, self.hasFacts, self.transform) = (hasLists, hasFacts, transform)
  }
}

/// What the decoder needs of one template, in one place in memory: nothing of it is counted or copied per set.
struct TemplateSlot {
  let template: Template
  let definition: TemplateRecord
  let isOptions: Bool
  /// Bytes of every record, or 0 where a field has variable length.
  let recordLength: Int
  /// 2³² over that length, rounded up: a set of few records is not worth a division.
  private let reciprocal: UInt64
  let minimumLength: Int
  /// With variable lengths: bytes before the first such field, between each and the next, behind the last.
  let runs: UnsafeMutablePointer<Int>
  let runCount: Int
  let extras: SlotExtras?
  /// Some element is in no element file, nor had the exporter described it when there were so many descriptions.
  let hasUnknown: Bool
  let generation: UInt32
  /// When it was defined last, in nanoseconds since 1970.
  var definedAt: UInt64
  /// The number of the message that defined it.
  var definedIn: UInt64
  /// From an earlier session of the exporter, and not confirmed yet.
  var isRestored = false { didSet { isPlain = !isRare && !isRestored } }
  /// Its records need nothing but to be found.
  private(set) var isPlain: Bool
  private let isRare: Bool
  /// The batch that `batchIndex` counts in.
  var batchStamp: UInt64 = 0
  var batchIndex: UInt32 = 0

  init(
    _ template: Template, _ definition: TemplateRecord, extras: SlotExtras? = nil, generation: UInt32 = 0, definedAt: UInt64 = 0,
    definedIn: UInt64 = 0
  ) {
    self.template = template
    self.definition = definition
    isOptions = definition.isOptions
    self.extras = extras
    self.generation = generation
    self.definedAt = definedAt
    self.definedIn = definedIn
    hasUnknown = template.view.fields.contains { UInt32($0.flags) & UInt32(FLOWCEP_FIELD_KNOWN) == 0 }
    isRare = isOptions || hasUnknown || extras != nil
    isPlain = !isRare
    recordLength = template.view.recordLength
    reciprocal = recordLength > 0 ? (1 << 32 + UInt64(recordLength) - 1) / UInt64(recordLength) : 0
    minimumLength = template.view.minimumLength
    var lengths = [0]
    for field in definition.fields {
      if field.length == Wire.variableLength { lengths.append(0) } else { lengths[lengths.count - 1] += Int(field.length) }
    }
    runs = .allocate(capacity: lengths.count)
    runs.initialize(from: lengths, count: lengths.count)
    runCount = lengths.count
  }

  /// How many records of one length stand in so many bytes of a message. Exact, since both are below 2¹⁶.
  @inline(__always)
  func recordsIn(_ bytes: Int) -> Int { Int((UInt64(truncatingIfNeeded: bytes) &* reciprocal) >> 32) }
}

/// The templates of one observation domain, found by their id through two tables: pages of 256 come and go with their templates,
/// so that a domain with few of them is small.
struct TemplateTable: ~Copyable {
  typealias Slot = UnsafeMutablePointer<TemplateSlot>
  private typealias Page = UnsafeMutablePointer<Slot?>
  private let pages: UnsafeMutablePointer<Page?>
  /// The ids of flow templates and of options templates: what concerns all of them costs no search.
  private var flowIDs: Set<UInt16> = []
  private var optionsIDs: Set<UInt16> = []
  /// Templates of each page.
  private var pageCounts = [UInt16](repeating: 0, count: 256)
  private(set) var pageCount = 0
  /// Bytes that one takes.
  static let pageWeight = 256 * MemoryLayout<Slot?>.stride

  var count: Int { flowIDs.count + optionsIDs.count }

  init() {
    pages = .allocate(capacity: 256)
    pages.initialize(repeating: nil, count: 256)
  }

  deinit {
    for p in 0..<256 {
      guard let page = pages[p] else { continue }
      for i in 0..<256 {
        if let slot = page[i] { Self.free(slot) }
      }
      page.deallocate()
    }
    pages.deallocate()
  }

  @inline(__always)
  subscript(id: UInt16) -> Slot? { pages[Int(id >> 8)]?[Int(id & 255)] }

  /// Puts a template in the place of its id, and the one that was there away.
  mutating func set(_ slot: TemplateSlot) {
    let id = slot.definition.id
    let page: Page
    if let there = pages[Int(id >> 8)] {
      page = there
    } else {
      page = .allocate(capacity: 256)
      page.initialize(repeating: nil, count: 256)
      pages[Int(id >> 8)] = page
      pageCount += 1
    }
    if let old = page[Int(id & 255)] {
      _ = old.pointee.isOptions ? optionsIDs.remove(id) : flowIDs.remove(id)
      Self.free(old)
    } else {
      pageCounts[Int(id >> 8)] += 1
    }
    _ = slot.isOptions ? optionsIDs.insert(id) : flowIDs.insert(id)
    let new = Slot.allocate(capacity: 1)
    new.initialize(to: slot)
    page[Int(id & 255)] = new
  }

  /// False where there is none.
  mutating func remove(_ id: UInt16) -> Bool {
    guard let page = pages[Int(id >> 8)], let slot = page[Int(id & 255)] else { return false }
    _ = slot.pointee.isOptions ? optionsIDs.remove(id) : flowIDs.remove(id)
    Self.free(slot)
    page[Int(id & 255)] = nil
    pageCounts[Int(id >> 8)] -= 1
    if pageCounts[Int(id >> 8)] == 0 {
      page.deallocate()
      pages[Int(id >> 8)] = nil
      pageCount -= 1
    }
    return true
  }

  /// In the order of their ids.
  var all: [Slot] { flowIDs.union(optionsIDs).sorted().compactMap { self[$0] } }

  /// The ids of all options templates, or of all others.
  func ids(options: Bool) -> Set<UInt16> { options ? optionsIDs : flowIDs }

  private static func free(_ slot: Slot) {
    slot.pointee.runs.deallocate()
    slot.deinitialize(count: 1)
    slot.deallocate()
  }
}
