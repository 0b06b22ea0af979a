import InformationElements
import PluginABI
import RecordBatch

// RFC 5103: a record of both directions as two records.
extension RecordTransform.Direction {
  /// Forward and reverse; nil where the template has no reverse elements.
  static func split(_ fields: [Template.Field], _ registry: ElementRegistry) -> [Self]? {
    let isReverse = fields.map { UInt32($0.flags) & UInt32(FLOWCEP_FIELD_REVERSE) != 0 }
    guard isReverse.contains(true) else { return nil }
    let own = fields.indices.filter { !isReverse[$0] }
    var reversed = [String: Int]()
    for index in fields.indices where isReverse[index] && reversed[fields[index].name] == nil { reversed[fields[index].name] = index }
    let forward = Self(fields: own.map { fields[$0] }, sources: own, counters: counters(fields, own))
    var sources: [Int] = []
    var described: [Template.Field] = []
    for index in own {
      let source = reversed.removeValue(forKey: reverseName(fields[index].name)) ?? counterpart(of: index, fields, own) ?? index
      sources.append(source)
      described.append(fields[index])
      described[described.count - 1].length = fields[source].length
      described[described.count - 1].type = fields[source].type
    }
    // What the forward direction does not have.
    for index in reversed.values.sorted() {
      guard let element = registry.element(named: forwardName(fields[index].name)) else { continue }
      sources.append(index)
      described.append(
        TemplateRecord.Field(enterprise: element.enterprise, element: element.id, length: fields[index].length)
          .described(by: registry, isScope: false))
    }
    return [forward, Self(fields: described, sources: sources, counters: counters(fields, sources.filter { isReverse[$0] }))]
  }

  /// Counters of octets and packets: a direction in which all of them are 0 has not been seen.
  private static func counters(_ fields: [Template.Field], _ indices: [Int]) -> [Int] {
    indices.filter { [1, 2, 85, 86].contains(fields[$0].element) && [0, 29305].contains(fields[$0].enterprise) }
  }

  /// The field that says of the other end what this one says of its own: source and destination, ingress and egress.
  private static func counterpart(of index: Int, _ fields: [Template.Field], _ own: [Int]) -> Int? {
    for (here, there) in [("source", "destination"), ("Source", "Destination"), ("ingress", "egress"), ("Ingress", "Egress")] {
      for (from, to) in [(here, there), (there, here)] {
        let parts = fields[index].name.split(separator: from, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { continue }
        let name = "\(parts[0])\(to)\(parts[1])"
        if let found = own.first(where: { fields[$0].name == name && fields[$0].length == fields[index].length }) { return found }
      }
    }
    return nil
  }

  private static func reverseName(_ name: String) -> String { "reverse" + name.prefix(1).uppercased() + name.dropFirst() }

  private static func forwardName(_ name: String) -> String {
    let rest = name.dropFirst(7)
    return rest.prefix(1).lowercased() + rest.dropFirst()
  }
}
