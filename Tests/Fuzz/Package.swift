// swift-tools-version: 6.2
// Coverage-guided fuzzing of everything that reads bytes of strangers. A package of its own, for it is built with other flags:
//
//     swift build -c release -Xswiftc -sanitize=fuzzer,address
//     .build/release/fuzz ipfix -max_total_time=60 -detect_leaks=0
import PackageDescription

let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "flowcep", path: "../..")],
  targets: [
    .target(name: "CLibFuzzer"),
    .executableTarget(
      name: "fuzz", dependencies: ["CLibFuzzer", .product(name: "Readers", package: "flowcep")],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ],
      // GNU gold gives up on the sanitizer's objects.
      linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
  ])
