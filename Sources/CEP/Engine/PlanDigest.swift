internal import EventModel
internal import Plan

/// A plan's fingerprint, and what it mentions: equal plans have equal fingerprints in every run of the program.
///
/// The plan is walked by reflection, so that a new clause cannot be forgotten here.
final class PlanDigest {
  private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  /// Every name in the plan: of windows, tables and contexts among others.
  private(set) var names: Set<String> = []
  /// Event types in the order of their first mention.
  private(set) var types: [EventType] = []
  private var seen: Set<ObjectIdentifier> = []

  func add(_ text: String) {
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash = (hash ^ 0xff) &* 0x100_0000_01b3
  }

  func add(plan value: Any) {
    if let type = value as? EventType { return add(type) }
    // What is in a list's file is no part of the statement.
    if let list = value as? MemberList { return add(list.name) }
    if let text = value as? String {
      names.insert(text)
      return add(text)
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .set, .dictionary: addUnordered(mirror)
    case .enum where mirror.children.isEmpty, nil where mirror.children.isEmpty: add("\(value)")
    default:
      add("(")
      // The line that a statement stands on is none of its meaning.
      for child in mirror.children where child.label != "line" {
        if let label = child.label { add(label) }
        add(plan: child.value)
      }
      add(")")
    }
  }

  private func addUnordered(_ mirror: Mirror) {
    var hashes: [UInt64] = []
    for child in mirror.children {
      let part = PlanDigest()
      part.add(plan: child.value)
      hashes.append(part.hash)
      names.formUnion(part.names)
      for type in part.types { note(type) }
    }
    for hash in hashes.sorted() { add("\(hash)") }
  }

  private func add(_ type: EventType) {
    add(PlanDigest.signature(of: type))
    note(type)
  }

  private func note(_ type: EventType) {
    guard seen.insert(ObjectIdentifier(type)).inserted else { return }
    types.append(type)
    for other in type.supertypes + type.members { note(other) }
    for property in type.properties { note(property.type) }
  }

  private func note(_ type: ValueType) {
    switch type {
    case .event(let type): note(type)
    case .array(let element): note(element)
    default: break
    }
  }

  /// What a type is: its name, and its properties with theirs.
  static func signature(of type: EventType) -> String {
    let digest = PlanDigest()
    digest.add(type.name)
    digest.add(type.kind.rawValue)
    for property in type.properties {
      digest.add(property.name)
      digest.add(property.type.name)
    }
    for other in type.supertypes + type.members { digest.add(other.name) }
    return "\(type.name)/\(String(digest.hash, radix: 16))"
  }
}

/// Fingerprints and types of an engine's statements, as its state files name them.
struct StateNames {
  /// For each statement its module and its fingerprint, which covers the windows, tables and contexts that it names.
  private(set) var statements: [(module: String, digest: UInt64)] = []
  private var keys: [ObjectIdentifier: String] = [:]
  private var types: [String: EventType] = [:]

  init(_ plans: [ModulePlan], _ modules: [String], common: [EventType]) {
    for type in common { note(type, "") }
    for (plan, module) in zip(plans, modules) {
      let digests = plan.statements.map { Self.digest($0) }
      var declared: [String: UInt64] = [:]
      for (statement, digest) in zip(plan.statements, digests) { if let name = statement.declaredStore { declared[name] = digest.hash } }
      for (statement, digest) in zip(plan.statements, digests) {
        for name in digest.names.sorted() where name != statement.declaredStore {
          if let other = declared[name] { digest.add("\(name) \(other)") }
        }
        statements.append((module, digest.hash))
        for type in digest.types { note(type, module) }
      }
      for type in plan.inputTypes { note(type, module) }
    }
  }

  private static func digest(_ statement: StatementPlan) -> PlanDigest {
    let digest = PlanDigest()
    if statement.isNamed { digest.add(statement.name) }
    digest.add(plan: (statement.priority, statement.drops, statement.context, statement.subqueries, statement.kind))
    return digest
  }

  /// Types that look alike are told apart by their order.
  private mutating func note(_ type: EventType, _ module: String) {
    guard keys[ObjectIdentifier(type)] == nil else { return }
    let signature = "\(module)/\(PlanDigest.signature(of: type))"
    var number = 0
    while types["\(signature)/\(number)"] != nil { number += 1 }
    keys[ObjectIdentifier(type)] = "\(signature)/\(number)"
    types["\(signature)/\(number)"] = type
  }

  func key(of type: EventType) -> String? { keys[ObjectIdentifier(type)] }
  func type(_ key: String) -> EventType? { types[key] }
}

extension StatementPlan {
  /// The window, table or context that it declares.
  fileprivate var declaredStore: String? {
    switch kind {
    case .createWindow(let window): window.name
    case .createTable(let table): table.name
    case .createContext(let context): context.name
    default: nil
    }
  }
}
