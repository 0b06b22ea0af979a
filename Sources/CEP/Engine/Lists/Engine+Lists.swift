public import Diagnostics
internal import Syntax

/// A list of a module, as it is in force.
public struct ListInfo: Sendable {
  public let name: String
  public let file: String
  public let count: Int
}

/// What a look at the lists' files gave.
public enum ListNotice: Sendable {
  /// The file has changed, and its new contents are in force.
  case loaded(ListInfo)
  /// The file has changed and is faulty, or is gone; the contents of before stay in force.
  case refused(ListInfo, [Diagnostic])
}

extension Engine {
  /// The files of the lists that a module declares, whatever else may be wrong with it.
  public static func listFiles(of module: EngineModule) -> [String] {
    parseModule(SourceText(name: module.name, text: module.text)).module.statements.compactMap { statement in
      guard case .createList(let list) = statement.body else { return nil }
      return ListKeeper.place(of: list.path, in: module)
    }
  }

  public var listInfos: [ListInfo] { lists.files.map(\.info) }

  /// Looks whether files of lists have changed, and takes what is new: between two batches, and about once a second.
  ///
  /// - Parameter milliseconds: a clock that only goes on.
  public func checkLists(at milliseconds: Int64) -> [ListNotice] { lists.files.compactMap { $0.check(at: milliseconds) } }
}
