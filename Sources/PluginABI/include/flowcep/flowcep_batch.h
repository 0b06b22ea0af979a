// SPDX-License-Identifier: Apache-2.0
// What travels between plugins: batches of records, and the sessions and templates that they refer to.
//
// A batch is sealed: its bytes, its records and what they refer to do not change once it has been emitted, and may be read by
// several threads at once. Whoever needs it longer than the call that handed it over retains it through the host.
#ifndef FLOWCEP_BATCH_H
#define FLOWCEP_BATCH_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The abstract data types of RFC 7012, numbered as RFC 5610 does.
enum {
  FLOWCEP_OCTET_ARRAY = 0,
  FLOWCEP_UNSIGNED8 = 1,
  FLOWCEP_UNSIGNED16 = 2,
  FLOWCEP_UNSIGNED32 = 3,
  FLOWCEP_UNSIGNED64 = 4,
  FLOWCEP_SIGNED8 = 5,
  FLOWCEP_SIGNED16 = 6,
  FLOWCEP_SIGNED32 = 7,
  FLOWCEP_SIGNED64 = 8,
  FLOWCEP_FLOAT32 = 9,
  FLOWCEP_FLOAT64 = 10,
  FLOWCEP_BOOLEAN = 11, // one byte: 1 true, 2 false
  FLOWCEP_MAC_ADDRESS = 12,
  FLOWCEP_STRING = 13,
  FLOWCEP_DATE_TIME_SECONDS = 14,
  FLOWCEP_DATE_TIME_MILLISECONDS = 15,
  FLOWCEP_DATE_TIME_MICROSECONDS = 16, // NTP format
  FLOWCEP_DATE_TIME_NANOSECONDS = 17,  // NTP format
  FLOWCEP_IPV4_ADDRESS = 18,
  FLOWCEP_IPV6_ADDRESS = 19,
  FLOWCEP_BASIC_LIST = 20,
  FLOWCEP_SUB_TEMPLATE_LIST = 21,
  FLOWCEP_SUB_TEMPLATE_MULTI_LIST = 22
};

#define FLOWCEP_VARIABLE_LENGTH 65535u
#define FLOWCEP_NO_OFFSET 0xffffffffu

enum {
  FLOWCEP_FIELD_KNOWN = 1u << 0,   // name and type come from an element file or from the exporter (RFC 5610)
  FLOWCEP_FIELD_SCOPE = 1u << 1,   // a scope field of an options template
  FLOWCEP_FIELD_REVERSE = 1u << 2, // the reverse direction of a biflow (RFC 5103)
  FLOWCEP_FIELD_NULL = 1u << 3,    // of a detection: the value is null, the length 0
  FLOWCEP_FIELD_JSON = 1u << 4     // of a detection: a string that is JSON text (an array, a row), to be written as it is
};

typedef struct flowcep_field {
  uint32_t enterprise; // 0: IANA; a detection's own columns: FLOWCEP_DETECTION_ENTERPRISE
  uint16_t element;
  uint16_t length; // FLOWCEP_VARIABLE_LENGTH, or the bytes that each record has
  uint32_t offset; // from the record's first byte; FLOWCEP_NO_OFFSET behind a field of variable length
  uint16_t type;   // FLOWCEP_OCTET_ARRAY …
  uint16_t flags;  // FLOWCEP_FIELD_…
  const char *name;           // "sourceIPv4Address"; of an unknown element "e<PEN>id<id>"
  const char *const *aliases; // other names, ends with NULL; never NULL itself
} flowcep_field;

#define FLOWCEP_DETECTION_ENTERPRISE 0xffffffffu

// Structured data (RFC 6313) refers to templates. In a batch, the index into the batch's templates stands where the exporter wrote
// a template id (subTemplateList, subTemplateMultiList), and in the 15 bits of the element id of a basicList, whose template
// has that one field. Lengths are not changed. This value: the exporter's list could not be understood, its bytes are all there is.
#define FLOWCEP_LIST_UNREADABLE 0x7fff

enum { FLOWCEP_TEMPLATE_FLOW = 1, FLOWCEP_TEMPLATE_OPTIONS = 2, FLOWCEP_TEMPLATE_DETECTION = 3 };

// Immutable. Lives as long as a batch that refers to it.
typedef struct flowcep_template {
  uint32_t struct_size;
  uint16_t id;   // as on the wire, from 256
  uint16_t kind; // FLOWCEP_TEMPLATE_…
  uint64_t serial; // never used again in this process: caches key on it
  const flowcep_field *fields;
  uint32_t field_stride;
  uint16_t field_count;
  uint16_t scope_count;   // the first fields are scope fields
  uint32_t record_length; // 0 where a field has variable length
  uint32_t minimum_length; // of any record
  const char *name; // a detection's type (insert-into stream, else statement); NULL for others
} flowcep_template;

enum {
  FLOWCEP_TRANSPORT_FILE = 0,
  FLOWCEP_TRANSPORT_TCP = 6,
  FLOWCEP_TRANSPORT_UDP = 17,
  FLOWCEP_TRANSPORT_SCTP = 132,
  FLOWCEP_TRANSPORT_INTERNAL = 255 // detections
};

// One transport session of one exporter. Lives as long as a batch that refers to it.
typedef struct flowcep_session {
  uint32_t struct_size;
  uint16_t transport;   // FLOWCEP_TRANSPORT_…
  uint16_t remote_port; // host order
  uint64_t id;          // never used again in this process
  uint8_t remote_address[16]; // an IPv4 address as ::ffff:a.b.c.d
  uint8_t local_address[16];
  uint16_t local_port;
  uint16_t reserved[3];
  const char *name; // for people: "127.0.0.1:40312", or a file's path
} flowcep_session;

// One message (an IPFIX message, a NetFlow datagram) that records came in.
typedef struct flowcep_message {
  const flowcep_session *session;
  uint64_t arrival_ns;  // wall clock, nanoseconds since 1970
  uint32_t offset;      // of the message's header in the batch's bytes
  uint32_t length;      // of the whole message
  uint32_t export_time; // seconds since 1970
  uint32_t sequence;    // as received
  uint32_t observation_domain;
  uint32_t reserved;
} flowcep_message;

typedef struct flowcep_record {
  uint32_t offset; // of the record's first byte in the batch's bytes
  uint32_t length; // in bytes; validated: every field of the template lies inside
  uint32_t template_index; // into the batch's templates
  uint32_t message_index;  // into the batch's messages
} flowcep_record;

enum {
  FLOWCEP_BATCH_RECORDS = 1,
  FLOWCEP_BATCH_SESSION_OPENED = 2,
  FLOWCEP_BATCH_SESSION_CLOSED = 3,
  FLOWCEP_BATCH_TICK = 4, // about once a second, also when nothing arrives
  FLOWCEP_BATCH_END = 5   // the last batch that this instance gets
};

typedef struct flowcep_batch {
  uint32_t struct_size;
  uint32_t kind; // FLOWCEP_BATCH_…
  void *owner;   // the host's
  const uint8_t *bytes;
  size_t byte_count;
  const flowcep_template *const *templates;
  const flowcep_message *messages;
  const flowcep_record *records;
  uint32_t template_count;
  uint32_t message_count;
  uint32_t record_count;
  uint32_t message_stride; // sizes of the elements above: in ABI 1 those of the structs here
  uint32_t record_stride;
  uint32_t reserved;
  const flowcep_session *session; // of SESSION_OPENED and SESSION_CLOSED, else NULL
  uint64_t time_ns;               // wall clock when the batch was made
} flowcep_batch;

// A message or a run of bytes that an input plugin received.
typedef struct flowcep_packet {
  const flowcep_session *session;
  uint64_t arrival_ns;
  uint32_t offset; // in the buffer
  uint32_t length; // exactly one message
} flowcep_packet;

// Memory that the host lends to an input plugin.
typedef struct flowcep_buffer {
  uint8_t *bytes;
  size_t capacity;
  void *owner; // the host's
} flowcep_buffer;

#ifdef __cplusplus
}
#endif
#endif
