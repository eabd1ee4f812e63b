#include "plugins/host_metrics/socket_source.h"

#include <optional>

namespace plumb::host_metrics {

using proc::SockDiag;
using proc::TcpSocket;

namespace {

class KernelSockets final : public SocketSource {
 public:
  Status open(std::span<const uint16_t> except_local_ports, std::vector<TcpSocket>& out) override {
    PLUMB_RETURN_IF_ERROR(connect());
    return close_on_failure(
        diag_->dump(SockDiag::kEstablished | SockDiag::kHalfClosed, true, except_local_ports, out));
  }
  Status listening(std::vector<TcpSocket>& out) override {
    PLUMB_RETURN_IF_ERROR(connect());
    return close_on_failure(diag_->dump(SockDiag::kListening, false, {}, out));
  }
  Status connections(std::vector<TcpSocket>& out) override {
    PLUMB_RETURN_IF_ERROR(connect());
    return close_on_failure(diag_->dump(SockDiag::kAnyButListening, false, {}, out));
  }
  Status again(std::span<const TcpSocket> sockets, std::vector<TcpSocket>& out) override {
    PLUMB_RETURN_IF_ERROR(connect());
    return close_on_failure(diag_->refresh(sockets, out));
  }

 private:
  Status connect() {
    if (diag_) return Status::ok();
    PLUMB_ASSIGN_OR_RETURN(diag_, SockDiag::open());
    return Status::ok();
  }
  // A socket that failed half way may hold answers to a question nobody asks any more.
  Status close_on_failure(Status status) {
    if (!status) diag_.reset();
    return status;
  }
  std::optional<SockDiag> diag_;
};

}  // namespace

std::unique_ptr<SocketSource> make_kernel_sockets() { return std::make_unique<KernelSockets>(); }

}  // namespace plumb::host_metrics
