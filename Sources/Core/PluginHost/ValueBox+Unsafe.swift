import Configuration
import Diagnostics
import Glibc
import PluginABI

/// An instance's option values as a plugin asks for them: the texts are C strings that live as long as this.
final class ValueBox: @unchecked Sendable {
  private struct Entry {
    let text: UnsafeMutablePointer<CChar>?
    let value: OptionValues.Value
    let group: ValueBox?
    let file: UnsafeMutablePointer<CChar>?
  }

  private var entries: [String: [Entry]] = [:]

  init(_ values: OptionValues, _ table: [OptionRow]) {
    for row in table {
      entries[row.name] = values[row.name].map { value in
        Entry(
          text: row.kind == .group ? nil : strdup(value.text), value: value, group: value.group.map { ValueBox($0, row.members) },
          file: value.place.flatMap { strdup($0.file) })
      }
    }
  }

  deinit {
    for entry in entries.values.joined() {
      free(entry.text)
      free(entry.file)
    }
  }

  var opaque: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

  static func from(_ opaque: OpaquePointer) -> ValueBox {
    Unmanaged<ValueBox>.fromOpaque(UnsafeRawPointer(opaque)).takeUnretainedValue()
  }

  private func entry(_ option: String, _ index: Int) -> Entry? {
    guard let list = entries[option], index >= 0, index < list.count else { return nil }
    return list[index]
  }

  func count(_ option: String) -> Int { entries[option]?.count ?? 0 }
  func text(_ option: String, _ index: Int) -> UnsafePointer<CChar>? { entry(option, index)?.text.map { UnsafePointer($0) } }
  func integer(_ option: String, _ index: Int) -> Int64 { entry(option, index)?.value.integer ?? 0 }
  func real(_ option: String, _ index: Int) -> Double { entry(option, index)?.value.real ?? 0 }
  func group(_ option: String, _ index: Int) -> OpaquePointer? { entry(option, index)?.group?.opaque }

  func place(_ option: String, _ index: Int) -> flowcep_place {
    guard let entry = entry(option, index), let place = entry.value.place else { return flowcep_place(file: nil, line: 0, column: 0) }
    let position = place.position
    return flowcep_place(file: entry.file, line: UInt32(position.line), column: UInt32(position.column))
  }
}
