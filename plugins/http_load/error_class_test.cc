#include "plugins/http_load/error_class.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace plumb::http_load {
namespace {

struct Case {
  CURLcode code;
  int os_errno;
  const char* expected;
};

TEST(ErrorClass, FollowsTheCodeAndWhatTheSystemSaid) {
  const Case cases[] = {
      {CURLE_OK, 0, ""},
      {CURLE_COULDNT_CONNECT, ECONNREFUSED, "refused"},
      {CURLE_COULDNT_CONNECT, ETIMEDOUT, "timeout_connect"},
      {CURLE_COULDNT_CONNECT, EADDRNOTAVAIL, "no_local_port"},
      {CURLE_COULDNT_CONNECT, EMFILE, "descriptors"},
      {CURLE_COULDNT_CONNECT, ENFILE, "descriptors"},
      {CURLE_COULDNT_CONNECT, ECONNRESET, "reset"},
      {CURLE_COULDNT_CONNECT, ENETUNREACH, "other"},
      {CURLE_COULDNT_CONNECT, 0, "other"},
      {CURLE_OPERATION_TIMEDOUT, 0, "timeout_connect"},
      {CURLE_OPERATION_TIMEDOUT, ECONNREFUSED, "timeout_connect"},
      {CURLE_COULDNT_RESOLVE_HOST, 0, "dns"},
      {CURLE_SSL_CONNECT_ERROR, 0, "tls"},
      {CURLE_PEER_FAILED_VERIFICATION, 0, "tls"},
      {CURLE_SSL_CACERT_BADFILE, 0, "tls"},
      {CURLE_GOT_NOTHING, 0, "reset"},
      {CURLE_PARTIAL_FILE, 0, "reset"},
      {CURLE_RECV_ERROR, ECONNRESET, "reset"},
      {CURLE_RECV_ERROR, 0, "protocol"},
      {CURLE_SEND_ERROR, EPIPE, "reset"},
      {CURLE_SEND_ERROR, 0, "reset"},
      {CURLE_UNSUPPORTED_PROTOCOL, 0, "protocol"},
      {CURLE_WEIRD_SERVER_REPLY, 0, "protocol"},
      {CURLE_OUT_OF_MEMORY, 0, "other"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(error_class_name(classify(c.code, c.os_errno)), c.expected)
        << curl_easy_strerror(c.code) << ", errno " << c.os_errno;
}

}  // namespace
}  // namespace plumb::http_load
