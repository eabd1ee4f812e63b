#include "plugins/host_metrics/network_sampler.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "plugins/host_metrics/machine.h"

namespace plumb::host_metrics {

namespace {

constexpr size_t kMostInterfaces = 64;
constexpr int64_t kSocketsEveryNs = 10'000'000'000;
constexpr int64_t kSocketsPart = 5000;

// By the kernel's numbers, from TCP_ESTABLISHED = 1; those not named are short.
constexpr const char* kStates[] = {nullptr,    "established", "syn_sent", "syn_recv",   "fin_wait",
                                   "fin_wait", "time_wait",   nullptr,    "close_wait", "last_ack",
                                   nullptr,    "closing",     "syn_recv"};
constexpr const char* kToldStates[] = {"established", "syn_sent",   "syn_recv",
                                       "fin_wait",    "close_wait", "last_ack"};

}  // namespace

NetworkSampler::NetworkSampler(const proc::Root& root, SocketSource& source)
    : source_(source),
      net_dev_(root.proc + "/net/dev"),
      netstat_(root.proc + "/net/netstat"),
      snmp_(root.proc + "/net/snmp"),
      sockstat_(root.proc + "/net/sockstat"),
      port_range_(root.proc + "/sys/net/ipv4/ip_local_port_range"),
      interface_names_(kMostInterfaces),
      sockets_pace_(kSocketsPart, kSocketsEveryNs) {}

void NetworkSampler::emit(int64_t now_ns, Outlet& outlet, Problems& problems) {
  emit_interfaces(now_ns, outlet, problems);
  emit_tcp(now_ns, outlet, problems);
  if (!sockets_pace_.due(now_ns)) return;
  const Pace::Turn turn(sockets_pace_, now_ns);
  emit_sockets(now_ns, outlet);
}

void NetworkSampler::emit_interfaces(int64_t now_ns, Outlet& outlet, Problems& problems) {
  const proc::Text text = net_dev_.read(buffer_);
  problems.set("net", text.ok() ? "" : cannot_read(net_dev_));
  if (!text.ok()) return;
  for (const Interface& i : parse_interfaces(text.text)) {
    if (!interface_names_.take(i.name)) continue;
    const auto add = [&](const char* name, uint64_t value) {
      outlet.add(name, now_ns, static_cast<double>(value), {{"interface", i.name}});
    };
    add("host_network_received_bytes_total", i.received_bytes);
    add("host_network_sent_bytes_total", i.sent_bytes);
    add("host_network_drops_total", i.drops);
    add("host_network_errors_total", i.errors);
  }
  problems.set("interfaces", interface_names_.problem("network interfaces"));
}

void NetworkSampler::emit_tcp(int64_t now_ns, Outlet& outlet, Problems& problems) {
  const auto tell = [&](proc::KeptFile& file, const char* subject, std::string_view protocol,
                        auto keys, auto names) {
    const proc::Text text = file.read(buffer_);
    problems.set(subject, text.ok() ? "" : cannot_read(file));
    std::array<std::optional<uint64_t>, keys.size()> values;
    if (text.ok()) parse_protocol_counters(text.text, protocol, keys, values);
    for (size_t i = 0; i < names.size(); ++i) outlet.add_known(names[i], now_ns, values[i]);
    return values;
  };
  using Keys = std::string_view;
  const auto tcp =
      tell(snmp_, "snmp", "Tcp",
           std::array<Keys, 5>{"RetransSegs", "OutSegs", "OutRsts", "EstabResets", "ActiveOpens"},
           std::array<const char*, 4>{"host_tcp_retransmits_total", "host_tcp_segments_sent_total",
                                      "host_tcp_resets_sent_total", "host_tcp_resets_total"});
  opened_ = tcp.back();
  tell(netstat_, "netstat", "TcpExt",
       std::array<Keys, 4>{"ListenOverflows", "ListenDrops", "TCPSynRetrans", "TCPTimeouts"},
       std::array<const char*, 4>{"host_tcp_listen_overflows_total", "host_tcp_listen_drops_total",
                                  "host_tcp_syn_retransmits_total", "host_tcp_timeouts_total"});
  const proc::Text text = sockstat_.read(buffer_);
  const auto totals = text.ok() ? parse_sockstat(text.text) : std::nullopt;
  if (!totals) return;
  const auto sockets = [&](const char* state, uint64_t count) {
    outlet.add("host_tcp_sockets", now_ns, static_cast<double>(count), {{"state", state}});
  };
  sockets("time_wait", totals->time_wait);
  sockets("orphan", totals->orphans);
}

void NetworkSampler::emit_sockets(int64_t now_ns, Outlet& outlet) {
  sockets_.clear();
  // Refused: the target's connections say so.
  if (!source_.connections(sockets_)) return;
  std::array<uint64_t, std::size(kStates)> by_state{};
  ports_.assign(1u << 16, false);
  for (const proc::TcpSocket& s : sockets_) {
    if (s.state < by_state.size()) ++by_state[s.state];
    ports_[s.local_port] = true;
  }
  for (const char* told : kToldStates) {
    uint64_t count = 0;
    for (size_t i = 0; i < by_state.size(); ++i) {
      if (kStates[i] != nullptr && std::string_view(kStates[i]) == told) count += by_state[i];
    }
    outlet.add("host_tcp_sockets", now_ns, static_cast<double>(count), {{"state", told}});
  }
  const proc::Text text = port_range_.read(buffer_);
  const auto range = text.ok() ? parse_port_range(text.text) : std::nullopt;
  if (!range) return;
  const auto used =
      std::count(ports_.begin() + range->first, ports_.begin() + range->last + 1, true);
  outlet.add("host_tcp_local_ports_used_ratio", now_ns,
             static_cast<double>(used) / static_cast<double>(range->size()));
}

}  // namespace plumb::host_metrics
