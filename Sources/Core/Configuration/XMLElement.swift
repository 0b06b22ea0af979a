public import Diagnostics
import Synchronization

/// An element of an XML file, with its places.
public struct XMLElement: Sendable {
  public var name: String
  /// The text inside, without leading and trailing white space; of an element with children what stands between them.
  public var text: String
  public var children: [XMLElement]
  /// In the order of the file. startup.xml's vocabulary has none (`xmlns` is no attribute); element files are made of them.
  public var attributes: [(name: String, value: String)]
  public var source: XMLSource
  /// `<name` of the start tag.
  public var tag: SourceRange
  /// The trimmed text's place; the start tag where there is no text.
  public var content: SourceRange

  public func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }
  public func children(named name: String) -> [XMLElement] { children.filter { $0.name == name } }
  public func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  /// Where the element stands, for messages.
  public var place: Place { Place(source: source, range: tag) }
  /// Where its text stands.
  public var valuePlace: Place { Place(source: source, range: content) }
}

/// A configuration file's text. A class: every element refers to it.
public final class XMLSource: Sendable {
  public let text: SourceText
  /// The folder that relative paths in this file count from.
  public let folder: String
  /// Lines that a secret stands in: no message shows them.
  private let secretLines = Mutex<Set<Int>>([])

  public init(_ text: SourceText, folder: String) {
    self.text = text
    self.folder = folder
  }

  public var name: String { text.name }

  /// From now on no message shows the lines of that range.
  func hide(_ range: SourceRange) {
    let lines = text.position(at: range.start).line...max(text.position(at: range.start).line, text.position(at: range.end).line)
    secretLines.withLock { $0.formUnion(lines) }
  }

  func hides(line: Int) -> Bool { secretLines.withLock { $0.contains(line) } }
}

/// A range in a configuration file.
public struct Place: Sendable {
  public var source: XMLSource
  public var range: SourceRange

  public var file: String { source.name }
  public var position: SourcePosition { source.text.position(at: range.start) }

  /// - Parameter secret: leaves out the source line, in which a secret may stand.
  public func diagnostic(
    _ severity: Diagnostic.Severity, _ message: String, suggestion: String? = nil, secret: Bool = false
  ) -> Diagnostic {
    var diagnostic = Diagnostic(severity, in: source.text, at: range, message: message, suggestion: suggestion)
    if secret || source.hides(line: position.line) { diagnostic.excerpt = nil }
    return diagnostic
  }
}
