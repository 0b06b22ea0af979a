/// The templates that one address's exporters defined before the collector's start, by port. The address's sessions share it, and take from it
/// what they need when they need it: a source that comes to nothing costs nothing, however much is kept of its address.
///
/// Of the decoder's thread.
final class KeptTemplates {
  private struct Place: Hashable {
    let domain: Domain.Key
    let id: UInt16
  }

  private struct Candidate {
    let port: UInt16
    let entry: TemplateArchive.Entry
  }

  private let ports: [UInt16: [TemplateArchive.Entry]]
  /// Those whose sessions have come back: a further port of their address is another exporter.
  private var present: Set<UInt16> = []
  /// The definitions of one domain and id, the youngest last.
  private lazy var candidates: [Place: [Candidate]] = {
    var all: [Place: [Candidate]] = [:]
    for (port, entries) in ports {
      for entry in entries {
        all[Place(domain: entry.domain, id: entry.definition.id), default: []].append(Candidate(port: port, entry: entry))
      }
    }
    return all.mapValues { $0.sorted { ($0.entry.seconds, $1.port) < ($1.entry.seconds, $0.port) } }
  }()

  init(_ ports: [UInt16: [TemplateArchive.Entry]]) { self.ports = ports }

  /// What an exporter defined that comes back from its own port; nil where nobody was there.
  func entries(of port: UInt16) -> [TemplateArchive.Entry]? {
    guard let own = ports[port] else { return nil }
    present.insert(port)
    return own
  }

  /// How many ports have not come back.
  var absentCount: Int { ports.count - present.count }

  /// For an exporter whose port is not known, for ports change: the youngest definition by a port that has not come back.
  func entry(_ domain: Domain.Key, _ id: UInt16) -> TemplateArchive.Entry? {
    let place = Place(domain: domain, id: id)
    while let youngest = candidates[place]?.last {
      guard present.contains(youngest.port) else { return youngest.entry }
      candidates[place]?.removeLast()
    }
    return nil
  }
}
