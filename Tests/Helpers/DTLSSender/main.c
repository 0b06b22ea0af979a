// An exporter over DTLS that knows nothing of FlowCEP: OpenSSL's own datagram BIO, and one IPFIX message in each record.
// dtls-sender PORT CAPTURE CA CERTIFICATE KEY
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what) {
  fprintf(stderr, "dtls-sender: %s\n", what);
  ERR_print_errors_fp(stderr);
  return 1;
}

static SSL *session(const char *port, char **files) {
  SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
  if (!context || SSL_CTX_load_verify_locations(context, files[0], NULL) != 1) return NULL;
  if (SSL_CTX_use_certificate_chain_file(context, files[1]) != 1) return NULL;
  if (SSL_CTX_use_PrivateKey_file(context, files[2], SSL_FILETYPE_PEM) != 1) return NULL;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
  if (socket_ < 0 || connect(socket_, (struct sockaddr *)&address, sizeof address) != 0) return NULL;
  SSL *ssl = SSL_new(context);
  BIO *bio = BIO_new_dgram(socket_, BIO_CLOSE);
  if (!ssl || !bio) return NULL;
  BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &address);
  struct timeval patience = {.tv_sec = 10};
  BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_RECV_TIMEOUT, 0, &patience);
  SSL_set_bio(ssl, bio, bio);
  return ssl;
}

int main(int count, char **words) {
  if (count != 6) return fail("PORT CAPTURE CA CERTIFICATE KEY");
  SSL *ssl = session(words[1], words + 3);
  if (!ssl) return fail("no session");
  if (SSL_connect(ssl) != 1) return fail("handshake failed");
  FILE *capture = fopen(words[2], "rb");
  if (!capture) return fail("no capture");
  unsigned char message[65536];
  int sent = 0;
  while (fread(message, 1, 16, capture) == 16) {
    size_t length = (size_t)message[2] << 8 | message[3];
    if (length < 16 || fread(message + 16, 1, length - 16, capture) != length - 16) return fail("no message");
    if (SSL_write(ssl, message, (int)length) != (int)length) return fail("cannot send");
    sent++;
  }
  SSL_shutdown(ssl);
  printf("sent %d messages\n", sent);
  return 0;
}
