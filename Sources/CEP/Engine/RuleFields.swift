public import EventModel

extension StatementInfo {
  /// What the annotations say about the rule, as further fields of each of its alerts: `rule` (the statement's name), each `@Tag` under its
  /// own name (an array where the name stands several times), and `@Description` as `description`.
  ///
  /// A column of the same name stays as it is; a description then is `ruleDescription`. Empty without such annotations, so that the rows of
  /// a statement that is no rule have its columns alone.
  public var ruleFields: [(name: String, value: Value)] {
    let tags = self.tags
    let description = annotations.first { $0.name == "Description" }?.value
    if tags.isEmpty, description == nil { return [] }
    var taken = Set(columns.map(\.name)).union(["timestamp", "type"])
    var fields: [(name: String, value: Value)] = []
    func add(_ name: String, _ value: Value) {
      if taken.insert(name).inserted { fields.append((name, value)) }
    }
    add("rule", .string(name))
    for (name, values) in tags { add(name, values.count == 1 ? values[0] : .array(values)) }
    if let description { add(taken.contains("description") ? "ruleDescription" : "description", description) }
    return fields
  }

  /// The values of the tags by name, in the order in which the names first stand.
  private var tags: [(name: String, values: [Value])] {
    var tags: [(name: String, values: [Value])] = []
    var (name, value): (String?, Value?) = (nil, nil)
    for annotation in annotations where annotation.name == "Tag" {
      if annotation.attribute == "name" { name = annotation.value.text } else { value = annotation.value }
      guard let known = name, let given = value else { continue }
      if let index = tags.firstIndex(where: { $0.name == known }) {
        tags[index].values.append(given)
      } else {
        tags.append((known, [given]))
      }
      (name, value) = (nil, nil)
    }
    return tags
  }
}
