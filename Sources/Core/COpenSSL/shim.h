// OpenSSL's headers, and what in them is a macro that Swift does not see.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/// TLS 1.2 and 1.3, or DTLS 1.2; no renegotiation, no compression, no sessions that are resumed.
static inline void flowcep_ssl_context_harden(SSL_CTX *context, int datagrams) {
  SSL_CTX_set_min_proto_version(context, datagrams ? DTLS1_2_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | (datagrams ? SSL_OP_NO_QUERY_MTU : 0));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

/// Datagrams of a handshake, IP and UDP headers included, are no longer than this.
static inline void flowcep_dtls_set_link_mtu(SSL *ssl, long bytes) { DTLS_set_link_mtu(ssl, bytes); }

/// Milliseconds until a flight of the handshake is to be sent again; -1 where none is under way.
static inline long flowcep_dtls_timeout(SSL *ssl) {
  struct timeval left;
  return DTLSv1_get_timeout(ssl, &left) == 1 ? left.tv_sec * 1000 + left.tv_usec / 1000 : -1;
}

/// Sends the last flight again where its time has come; -1 where that has been tried too often.
static inline int flowcep_dtls_handle_timeout(SSL *ssl) { return (int)DTLSv1_handle_timeout(ssl); }

static inline void flowcep_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void flowcep_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

static inline int flowcep_ssl_set_server_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }
