import Diagnostics
import EventModel
import Plan
import Syntax

/// Addresses as a type, and lists: ours, not the original's.
extension ExpressionBinder {
  /// A side of a comparison, as an address where the other side is one: a literal at once, other text when it comes.
  func asAddress(_ side: Expression, beside other: Expression, _ syntax: ExpressionSyntax) -> Expression {
    guard other.type == .address, side.type.isText else { return side }
    guard case .constant(.string(let text)) = side.node else { return Expression(.call("address", [side]), .address) }
    if let address = Address(text: text) { return Expression(.constant(address.value), .address) }
    let isPrefix = AddressPrefix(text) != nil
    return report("\"\(text)\" is no address", at: syntax.range, suggestion: isPrefix ? "write IN for a prefix" : nil)
  }

  // MARK: IN

  /// The list that a member of IN names.
  func list(_ syntax: ExpressionSyntax) -> MemberList? {
    guard case .chain(nil, let links) = syntax.kind, links.count == 1, links[0].call == nil else { return nil }
    return statement.scope.lists[links[0].name.text]
  }

  func isLookedUp(_ value: Expression, in list: MemberList, _ syntax: ExpressionSyntax) -> Bool {
    if value.type.isOpen || value.type.isTextual { return true }
    if case .object = value.type { return true }
    _ = report("\"\(list.name)\" is a list of \(list.kind.rawValue), a value of type \(value.type.quoted) is never in it", at: syntax.range)
    return false
  }

  /// The text of a member of IN that is to be a prefix (or an address): every literal beside an address; beside a string one that looks like
  /// a prefix, for the string may hold an address.
  func addressText(_ value: Expression, _ syntax: ExpressionSyntax) -> String? {
    guard value.type.isTextual, case .literal(.string(let text)) = syntax.kind else { return nil }
    return value.type == .address || text.looksLikePrefix ? text : nil
  }

  func reportPrefix(_ text: String, _ range: SourceRange) -> Expression {
    let parts = text.split(separator: "/", maxSplits: 1)
    if parts.count == 2, let address = Address(text: String(parts[0])) {
      let longest = address.isIP4 ? 32 : 128
      return report("\"\(text)\" is no prefix: the length of an IPv\(address.isIP4 ? 4 : 6) prefix is 0 to \(longest)", at: range)
    }
    return report("\"\(text)\" is no address and no prefix", at: range, suggestion: "as in '10.0.0.0/8' or '2001:db8::/32'")
  }

  /// `in` values, lists and prefixes at once.
  func membership(_ value: Expression, _ members: [Expression], _ lists: [MemberList], _ negated: Bool) -> Expression {
    var parts = lists.map { Expression(.member(value, $0, negated: negated), .boolean) }
    if !members.isEmpty || parts.isEmpty { parts.append(Expression(.oneOf(value, members, negated: negated), .boolean)) }
    if parts.count == 1 { return parts[0] }
    return Expression(negated ? .and(parts) : .or(parts), .boolean)
  }

  // MARK: functions

  /// Literals that a function of addresses takes for addresses or prefixes must be some. Nil where they are.
  func checkAddresses(_ name: String, _ bound: [Expression], _ syntaxes: [ArgumentSyntax], hidden: Int) -> Expression? {
    guard ["inPrefix", "address", "ipFamily", "ipNetwork", "ipPrefix"].contains(name) else { return nil }
    for (index, syntax) in syntaxes.enumerated() {
      guard index < bound.count, case .constant(.string(let text)) = bound[index].node else { continue }
      if name == "inPrefix", index > 0 {
        if AddressPrefix(text) == nil { return reportPrefix(text, syntax.value.range) }
      } else if index == 0, Address(text: text) == nil {
        return report("\"\(text)\" is no address", at: syntax.value.range)
      }
    }
    guard name == "inPrefix", let value = bound.first, value.type.isTextual, bound.count > 1 else { return nil }
    let prefixes = bound.dropFirst().compactMap { part -> AddressPrefix? in
      if case .constant(.string(let text)) = part.node { AddressPrefix(text) } else { nil }
    }
    guard prefixes.count == bound.count - 1 else { return nil }
    return Expression(.member(value, MemberList(prefixes), negated: false), .boolean)
  }
}

extension BinaryOperatorSyntax {
  fileprivate static let comparing: Set<BinaryOperatorSyntax> = [
    .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isSame, .isNotSame,
  ]
  var comparesValues: Bool { Self.comparing.contains(self) }
}

extension Expression {
  /// What stands for the expression where values are put in order: addresses sort by a key of their own.
  var orderable: Expression { type == .address ? Expression(.call(".sortKey", [self]), .string) : self }
}

extension String {
  /// An address, or what has the characters of one, then a slash and digits.
  fileprivate var looksLikePrefix: Bool {
    let parts = split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[1].isEmpty, parts[1].utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return false }
    if Address(text: String(parts[0])) != nil { return true }
    let (dots, colons) = (parts[0].utf8.count { $0 == 46 }, parts[0].utf8.count { $0 == 58 })
    return (dots == 3 && parts[0].utf8.allSatisfy { $0 == 46 || ($0 >= 48 && $0 <= 57) })
      || (colons >= 2 && parts[0].utf8.allSatisfy { $0 == 58 || $0 == 46 || ($0 >= 48 && $0 <= 57) || ($0 | 32 >= 97 && $0 | 32 <= 102) })
  }
}
