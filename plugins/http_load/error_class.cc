#include "plugins/http_load/error_class.h"

#include <cerrno>

namespace plumb::http_load {
namespace {

// As classify_errno(), but kNone for what names no class.
ErrorClass class_of_errno(int os_errno) {
  switch (os_errno) {
    case ECONNREFUSED:
      return ErrorClass::kRefused;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return ErrorClass::kReset;
    case ETIMEDOUT:
      return ErrorClass::kTimeoutConnect;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
      return ErrorClass::kNoLocalPort;
    case EMFILE:
    case ENFILE:
      return ErrorClass::kDescriptors;
    default:
      return ErrorClass::kNone;
  }
}

}  // namespace

std::string_view error_class_name(ErrorClass error) {
  switch (error) {
    case ErrorClass::kNone:
      return "";
    case ErrorClass::kRefused:
      return "refused";
    case ErrorClass::kReset:
      return "reset";
    case ErrorClass::kTimeoutConnect:
      return "timeout_connect";
    case ErrorClass::kTimeoutTls:
      return "timeout_tls";
    case ErrorClass::kTimeoutSend:
      return "timeout_send";
    case ErrorClass::kTimeoutWait:
      return "timeout_wait";
    case ErrorClass::kTimeoutTransfer:
      return "timeout_transfer";
    case ErrorClass::kDns:
      return "dns";
    case ErrorClass::kTls:
      return "tls";
    case ErrorClass::kNoLocalPort:
      return "no_local_port";
    case ErrorClass::kDescriptors:
      return "descriptors";
    case ErrorClass::kProtocol:
      return "protocol";
    case ErrorClass::kCheck:
      return "check";
    case ErrorClass::kExtract:
      return "extract";
    case ErrorClass::kRpc:
      return "rpc_error";
    case ErrorClass::kTool:
      return "tool_error";
    case ErrorClass::kOther:
      break;
  }
  return "other";
}

ErrorClass classify_errno(int os_errno) {
  const ErrorClass known = class_of_errno(os_errno);
  return known == ErrorClass::kNone ? ErrorClass::kOther : known;
}

TimeoutPhase timeout_phase(const Timeline& times) {
  if (!times.was_sent && times.connected_ns == 0)
    return {ErrorClass::kTimeoutConnect, "while connecting"};
  if (!times.was_sent) return {ErrorClass::kTimeoutTls, "in the TLS handshake"};
  if (times.sent_ns == 0) return {ErrorClass::kTimeoutSend, "while sending"};
  if (times.first_byte_ns == 0)
    return {ErrorClass::kTimeoutWait, "while waiting for the first byte"};
  return {ErrorClass::kTimeoutTransfer, "while receiving"};
}

// What the system said counts before what libcurl made of it.
ErrorClass classify(CURLcode code, int os_errno) {
  const ErrorClass by_errno = class_of_errno(os_errno);
  switch (code) {
    case CURLE_OK:
      return ErrorClass::kNone;
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorClass::kTimeoutConnect;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return ErrorClass::kDns;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
      return ErrorClass::kTls;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return ErrorClass::kReset;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
      return by_errno == ErrorClass::kNone ? ErrorClass::kOther : by_errno;
    case CURLE_SEND_ERROR:
      return by_errno == ErrorClass::kNone ? ErrorClass::kReset : by_errno;
    case CURLE_RECV_ERROR:            // a malformed chunk comes as this too, with no errno
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer without a status line
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return by_errno == ErrorClass::kNone ? ErrorClass::kProtocol : by_errno;
    default:
      return ErrorClass::kOther;
  }
}

}  // namespace plumb::http_load
