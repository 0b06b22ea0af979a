import Foundation
import Testing

/// What is shipped for Logstash, Elasticsearch and Kibana names only fields that an alert has.
@Suite struct ElasticTests {
  static let folder = "config/elastic"

  /// Field by name with its type, from the table in `queries/README.md`.
  static func alertFields() throws -> [String: String] {
    let readme = Repository.File(path: "queries/README.md").text
    let section = try #require(readme.split(separator: "## What an alert carries").last)
    var fields: [String: String] = [:]
    for line in section.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      for name in cells[0].split(separator: ",") { fields[name.trimmingCharacters(in: CharacterSet(charactersIn: "` "))] = cells[1] }
    }
    return fields
  }

  func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  func savedObjects() throws -> [[String: Any]] {
    try Repository.File(path: "\(Self.folder)/kibana.ndjson").text.split(separator: "\n").map { try json(String($0)) }
  }

  @Test func tableIsThatOfTheQueries() throws {
    let fields = try Self.alertFields()
    let queries = Repository.files(in: ["queries"], endings: [".epl"]).map(\.text).joined()
    // What no statement selects comes from its annotations and its name.
    let given = ["timestamp", "type", "rule", "ruleDescription"]
    for name in fields.keys where !given.contains(name) {
      let stands = queries.contains("as \(name)") || queries.contains("@Tag(name='\(name)'")
      #expect(stands, "queries/README.md names \(name), which no detection has")
    }
    for match in queries.matches(of: /@Tag\(name='(\w+)'/) {
      #expect(fields[String(match.1)] != nil, "the tag \(match.1) is not in queries/README.md")
    }
    for match in queries.matches(of: /\bas ([a-z]\w+),?\s/) where match.1.count > 1 {
      #expect(fields[String(match.1)] != nil, "\(match.1) is not in queries/README.md")
    }
  }

  @Test func templateHasEveryFieldWithItsType() throws {
    let template = try json(Repository.File(path: "\(Self.folder)/index-template.json").text)
    let mappings = (template["template"] as? [String: Any])?["mappings"] as? [String: Any]
    let properties = try #require(mappings?["properties"] as? [String: [String: Any]])
    let fields = try Self.alertFields()
    // Logstash turns the timestamp into @timestamp.
    #expect(Set(properties.keys) == Set(fields.keys).subtracting(["timestamp"]).union(["@timestamp"]))
    for (name, type) in fields where name != "timestamp" {
      let mapped = properties[name]?["type"] as? String
      switch type {
      case "address": #expect(mapped == "ip", "\(name)")
      case "integer": #expect(mapped == "long", "\(name)")
      case let time where time.hasPrefix("time"): #expect(mapped == "date", "\(name)")
      default: #expect(mapped == "keyword" || mapped == "text", "\(name)")
      }
    }
    #expect(template["index_patterns"] as? [String] == ["flowcep-alerts-*"])
  }

  @Test func pipelineIsWhatTheGuideSays() {
    let pipeline = Repository.File(path: "\(Self.folder)/flowcep.conf").text
    #expect(pipeline.count { $0 == "{" } == pipeline.count { $0 == "}" })
    for part in [
      "tcp {", "port => 12345", "codec => json_lines", #"match => ["timestamp", "ISO8601"]"#, "elasticsearch {",
      "${ELASTICSEARCH_HOSTS", #"index => "flowcep-alerts-%"#, #"split => { "attack" => ", " }"#,
    ] {
      #expect(pipeline.contains(part), "\(part)")
    }
  }

  @Test func savedObjectsReferToEachOther() throws {
    let objects = try savedObjects()
    let ids = Set(
      objects.compactMap { object in (object["type"] as? String).flatMap { type in (object["id"] as? String).map { "\(type)/\($0)" } } })
    #expect(ids.count == objects.count)
    #expect(objects.count { $0["type"] as? String == "index-pattern" } == 1)
    #expect(objects.count { $0["type"] as? String == "dashboard" } == 1)
    for object in objects {
      for reference in object["references"] as? [[String: Any]] ?? [] {
        let target = "\(reference["type"] as? String ?? "")/\(reference["id"] as? String ?? "")"
        #expect(ids.contains(target), "\(target) is not there")
      }
    }
    let dashboard = try #require(objects.first { $0["type"] as? String == "dashboard" })
    let attributes = try #require(dashboard["attributes"] as? [String: Any])
    let panels = try #require(
      JSONSerialization.jsonObject(with: Data((attributes["panelsJSON"] as? String ?? "").utf8)) as? [[String: Any]])
    let names = Set((dashboard["references"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String })
    for panel in panels {
      let index = panel["panelIndex"] as? String ?? "", name = panel["panelRefName"] as? String ?? ""
      #expect(names.contains("\(index):\(name)"))
    }
  }

  @Test func visualisationsNameOnlyFieldsOfAlerts() throws {
    let fields = Set(try Self.alertFields().keys).subtracting(["timestamp"]).union(["@timestamp"])
    let types = Set(
      Repository.files(in: ["queries"], endings: [".epl"]).flatMap { $0.text.matches(of: /insert into (\w+)/).map { String($0.1) } })
    for object in try savedObjects() where object["type"] as? String == "visualization" {
      let attributes = try #require(object["attributes"] as? [String: Any])
      let title = attributes["title"] as? String ?? ""
      let state = try json(attributes["visState"] as? String ?? "")
      let aggregations = try #require(state["aggs"] as? [[String: Any]])
      for aggregation in aggregations {
        guard let field = (aggregation["params"] as? [String: Any])?["field"] as? String else { continue }
        #expect(fields.contains(field), "\(title) names \(field)")
      }
      let meta = attributes["kibanaSavedObjectMeta"] as? [String: Any]
      let search = try json(meta?["searchSourceJSON"] as? String ?? "")
      let query = (search["query"] as? [String: Any])?["query"] as? String ?? ""
      for match in query.matches(of: /(\w+) :/) { #expect(fields.contains(String(match.1)), "\(title) asks for \(match.1)") }
      for match in query.matches(of: /"(\w+)"/) { #expect(types.contains(String(match.1)), "\(title) asks for \(match.1)") }
    }
  }
}
