internal import PluginABI

/// Where the fields of one record lie, for templates whose fields move.
struct FieldLocations {
  private(set) var places = UnsafeMutablePointer<(offset: UInt32, length: UInt32)>.allocate(capacity: 16)
  private var capacity = 16

  func free() { places.deallocate() }

  /// Walks a record of `length` bytes. False where a field reaches over its end (the host checks that; nothing is read beyond).
  mutating func locate(_ lengths: UnsafePointer<UInt16>, _ count: Int, _ record: UnsafePointer<UInt8>, _ length: Int) -> Bool {
    if count > capacity {
      places.deallocate()
      places = .allocate(capacity: count)
      capacity = count
    }
    var offset = 0
    for index in 0..<count {
      var size = Int(lengths[index])
      if size == Int(FLOWCEP_VARIABLE_LENGTH) {
        guard offset < length else { return false }
        size = Int(record[offset])
        offset += 1
        if size == 255 {
          guard offset + 2 <= length else { return false }
          size = Int(record[offset]) << 8 | Int(record[offset + 1])
          offset += 2
        }
      }
      guard offset + size <= length else { return false }
      places[index] = (UInt32(offset), UInt32(size))
      offset += size
    }
    return true
  }
}

extension JSONPlan.Shape {
  /// Writes one record as a line at `out`, where there is room for `bound` + 6 × `length` bytes; returns the place behind it.
  @inline(__always)
  func write(
    _ record: UnsafePointer<UInt8>, length: Int, message: UnsafeRawPointer?, out: Out, tables: Tables, times: inout TimeWriter,
    locations: inout FieldLocations, drops: Bool
  ) -> Out {
    if let lengths, !locations.locate(lengths, fieldCount, record, length) { return ValueWriter.literal("{}\n", out) }
    return write(record, message: message, out: out, tables: tables, times: &times, locations: locations, drops: drops)
  }

  /// The same where the fields' places are known.
  @inline(__always)
  func write(
    _ record: UnsafePointer<UInt8>, message: UnsafeRawPointer?, out: Out, tables: Tables, times: inout TimeWriter,
    locations: FieldLocations, drops: Bool
  ) -> Out {
    var end = out
    for index in 0..<stepCount {
      let step = steps + index
      end = copy(leads + Int(step.pointee.leadOffset), Int(step.pointee.leadLength), end)
      var (offset, size) = (Int(step.pointee.offset), Int(step.pointee.length))
      if lengths != nil {
        let place = locations.places[Int(step.pointee.field)]
        (offset, size) = (Int(place.offset), Int(place.length))
      }
      let from = record + offset
      switch step.pointee.kind {
      case .unsigned8: end = ValueWriter.octet(from[0], end, tables)
      case .unsigned16: end = ValueWriter.decimal(from.load(UInt16.self), end)
      case .unsigned32: end = ValueWriter.decimal(UInt64(from.load(UInt32.self)), end)
      case .unsigned64:
        let value = from.load(UInt64.self)
        end = value < 100_000_000 ? ValueWriter.leading(UInt32(truncatingIfNeeded: value), end) : times.number(value, end)
      case .ipv4: end = ValueWriter.ipv4(from, end, tables)
      case .ipv6: end = ValueWriter.ipv6(from, end, tables)
      case .string: end = TextWriter.text(from, size, end, tables, drops: drops)
      case .tcpFlags:
        end.store(tables.flags[Int(from[size - 1] & 63)])
        end += 6
      case .protocolName:
        end.store(tables.protocols[Int(from[0])])
        end += Int(tables.protocolLengths[Int(from[0])])
      case .utcTime, .localTime: end = writeTime(step.pointee, from, size, end, &times)
      default: end = writeRare(step.pointee, from, size, message, end, tables)
      }
    }
    return copy(leads + tailOffset, tailLength, end)
  }

  /// Copies 32 bytes at a time: both sides have room for the rest of the last 32.
  @inline(__always) private func copy(_ from: UnsafePointer<UInt8>, _ length: Int, _ out: Out) -> Out {
    var place = 0
    repeat {
      let source = UnsafeRawPointer(from + place)
      (out + place).store(source.loadUnaligned(as: SIMD16<UInt8>.self))
      (out + place + 16).store(source.loadUnaligned(fromByteOffset: 16, as: SIMD16<UInt8>.self))
      place += 32
    } while place < length
    return out + length
  }

  @inline(never)
  private func writeTime(_ step: JSONStep, _ from: UnsafePointer<UInt8>, _ size: Int, _ out: Out, _ times: inout TimeWriter) -> Out {
    guard size <= 8 else { return out }
    let value = from.loadUnsigned(size)
    // A branch for each unit, so that each divides by a constant.
    return switch Int(step.type) {
    case FLOWCEP_DATE_TIME_SECONDS: writeTime(step, value, perSecond: 1, digits: 3, out, &times)
    case FLOWCEP_DATE_TIME_MILLISECONDS: writeTime(step, value, perSecond: 1000, digits: 3, out, &times)
    case FLOWCEP_DATE_TIME_MICROSECONDS:
      writeTime(step, TimeWriter.unix(ntp: value, perSecond: 1_000_000), perSecond: 1_000_000, digits: 6, out, &times)
    default: writeTime(step, TimeWriter.unix(ntp: value, perSecond: 1_000_000_000), perSecond: 1_000_000_000, digits: 9, out, &times)
    }
  }

  @inline(__always)
  private func writeTime(
    _ step: JSONStep, _ since: UInt64, perSecond: UInt64, digits: Int, _ out: Out, _ times: inout TimeWriter
  ) -> Out {
    // Nothing on the wire but nonsense lies beyond; the bound keeps the calendar's arithmetic in range.
    let seconds = Int64(min(since / perSecond, 18_446_744_073_709_551))
    let rest = UInt32(since % perSecond)
    if step.kind == .utcTime { return times.iso8601(seconds: seconds, fraction: rest, digits: digits, out) }
    return times.local(seconds: seconds, milliseconds: perSecond > 1000 ? rest / UInt32(perSecond / 1000) : rest, out)
  }

  @inline(never)
  private func writeRare(
    _ step: JSONStep, _ from: UnsafePointer<UInt8>, _ size: Int, _ message: UnsafeRawPointer?, _ out: Out, _ tables: Tables
  ) -> Out {
    switch step.kind {
    case .unsigned:
      if size == 0 { return ValueWriter.literal("null", out) }
      return size <= 8 ? ValueWriter.decimal(from.loadUnsigned(size), out) : hexText(from, size, out, tables)
    case .signed:
      if size == 0 { return ValueWriter.literal("null", out) }
      if size > 8 { return hexText(from, size, out, tables) }
      let unused = UInt64(64 - 8 * size)
      return ValueWriter.signed(Int64(bitPattern: from.loadUnsigned(size) << unused) >> Int64(unused), out)
    case .json:
      if size == 0 { return ValueWriter.literal("null", out) }
      out.update(from: from, count: size)
      return out + size
    case .decimalText: return ValueWriter.decimal(from.loadUnsigned(min(8, size)), out)
    case .float32:
      let value = Float(bitPattern: from.load(UInt32.self))
      return ValueWriter.real(value.description, isFinite: value.isFinite, out)
    case .float64:
      let value = Double(bitPattern: from.load(UInt64.self))
      return ValueWriter.real(value.description, isFinite: value.isFinite, out)
    case .boolean: return ValueWriter.literal(from[0] == 1 ? "true" : from[0] == 2 ? "false" : "null", out)
    case .mac: return ValueWriter.mac(from, out, tables)
    case .hex: return hexText(from, size, out, tables)
    case .microseconds: return ValueWriter.decimal(TimeWriter.unix(ntp: from.load(UInt64.self), perSecond: 1_000_000), out)
    case .nanoseconds: return ValueWriter.decimal(TimeWriter.unix(ntp: from.load(UInt64.self), perSecond: 1_000_000_000), out)
    default: return writeMessage(step.kind, message, out)
    }
  }

  private func hexText(_ from: UnsafePointer<UInt8>, _ size: Int, _ out: Out, _ tables: Tables) -> Out {
    if size == 0 { return ValueWriter.literal("null", out) }
    out[0] = 34
    let end = ValueWriter.hex(from, size, out + 1, tables)
    end[0] = 34
    return end + 1
  }

  private func writeMessage(_ kind: StepKind, _ message: UnsafeRawPointer?, _ out: Out) -> Out {
    guard let message = message?.assumingMemoryBound(to: flowcep_message.self) else { return ValueWriter.literal("null", out) }
    switch kind {
    case .observationDomain: return ValueWriter.decimal(UInt64(message.pointee.observation_domain), out)
    case .packetLength: return ValueWriter.decimal(UInt64(message.pointee.length), out)
    case .exportTime: return ValueWriter.decimal(UInt64(message.pointee.export_time), out)
    default: return ValueWriter.decimal(UInt64(message.pointee.sequence), out)
    }
  }
}

extension JSONPlan {
  /// Writes one record whose lists have been written ahead, by the field's index: what lies between two lists is a shape of its own.
  func append(
    _ record: UnsafeRawBufferPointer, lists: [Int: [UInt8]], message: UnsafeRawPointer?, tables: Tables, times: inout TimeWriter,
    drops: Bool, to out: inout [UInt8]
  ) {
    guard let bytes = record.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let room = shape.bound + 6 * record.count + 64
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
    var locations = FieldLocations()
    defer {
      memory.deallocate()
      locations.free()
    }
    if let lengths = shape.lengths, !locations.locate(lengths, shape.fieldCount, bytes, record.count) {
      out += Array("{}\n".utf8)
      return
    }
    var first = 0
    while first <= shape.stepCount {
      let next = (first..<shape.stepCount).first { shape.steps[$0].kind == .list } ?? shape.stepCount
      let isLast = next == shape.stepCount
      let run = Shape(
        steps: shape.steps + first, stepCount: next - first, leads: shape.leads, tailOffset: shape.tailOffset,
        tailLength: isLast ? shape.tailLength : 0, lengths: shape.lengths, fieldCount: shape.fieldCount, hasLists: false,
        isDetection: shape.isDetection, bound: shape.bound)
      let end = run.write(
        bytes, message: message, out: memory, tables: tables, times: &times, locations: locations, drops: drops)
      out += UnsafeBufferPointer(start: memory, count: end - memory)
      if !isLast {
        let step = shape.steps[next]
        out += UnsafeBufferPointer(start: shape.leads + Int(step.leadOffset), count: Int(step.leadLength))
        out += lists[Int(step.field)] ?? Array("null".utf8)
      }
      first = next + 1
    }
  }
}
