import OutputKit
import PluginABI
import PluginKit

enum JSONOptions {
  static var description: PluginDescription {
    PluginDescription(
      name: "json", summary: "Writes records as JSON lines: to standard output, files, UDP, TCP, or clients that connect.",
      options: .recordJSON + [
        .group("output", required: true, repeated: true, help: "A destination; may be given several times.", members: output)
      ],
      validate: { host, options throws(PluginError) in
        for index in 0..<options.count("output") { try check(host, options, index) }
      })
  }

  private static var output: [Option] {
    [
      .choice(
        "type", ["print", "stdout", "send", "file", "server"], required: true, help: "What kind of destination it is; stdout is print."),
      .address("ip", default: "127.0.0.1", help: "send: the receiver's address. server: where to listen, empty for all addresses."),
      .integer("port", default: 4739, range: 0...65535, help: "send: the receiver's port. server: where to listen."),
      .choice("protocol", ["UDP", "TCP"], default: "UDP", help: "send: the transport."),
      .bytes("datagramSize", default: "0", range: "0..65507", help: "send, UDP: fills datagrams up to this size; 0: a record each."),
      .choice(
        "padded", ["under-pressure", "yes", "no"], default: "under-pressure",
        help: "send, UDP, a record each: when spaces make datagrams equally long, so that the kernel takes many at once."),
      .integer(
        "maximumRate", default: 0, range: 0...100_000_000,
        help: "send, UDP: datagrams a second at most, for receivers that are slow; 0: no limit."),
      .boolean(
        "waitForReceiver", default: true,
        help: "send, UDP: while a receiver on this machine has no room, datagrams wait, up to 0.2 s where nothing moves."),
      .bytes(
        "buffer", default: "32 MiB", range: "64 KiB..4 GiB",
        help: "send, TCP: kept while the receiver is away. server: kept for each client."),
      .choice("policy", ["drop-oldest", "block"], default: "drop-oldest", help: "send, TCP: what a full buffer does."),
      .boolean("blocking", default: false, help: "server: ipfixcol's; here a slow client never holds up the others."),
      .path("path", help: "file: the folder; strftime's % words stand for the time in UTC."),
      .text("prefix", default: "", help: "file: how file names begin; the window's begin in UTC follows."),
      .text("name", help: "file: the whole file name, with strftime's % words, in place of prefix and time."),
      .group(
        "dumpInterval", help: "file: when to begin a new file.",
        members: [
          .duration(
            "timeWindow", default: "300 s", unit: "s", range: "0 s..366 d", help: "How long a file is written; 0: one file for all."),
          .boolean("timeAlignment", default: true, help: "Windows begin at multiples of their length."),
        ]),
    ]
  }

  private static func check(_ host: Host, _ options: Options, _ index: Int) throws(PluginError) {
    guard let output = options.group("output", at: index), output.text("type") == "file", output.text("path") == nil else { return }
    let place = options.place("output", at: index)
    host.report(
      error: "an output of type \"file\" needs a \"path\"", file: place?.file, line: place?.line ?? 0, column: place?.column ?? 0)
  }
}
