#include "plugins/http_load/scenario_workload.h"

#include <algorithm>
#include <utility>

#include "plugins/http_load/redirect.h"

namespace plumb::http_load {
namespace {

// Puts a header at `index`, into the memory of the one that was there for an earlier request.
void put_header(Message& message, size_t index, std::string_view name, std::string_view value) {
  if (index == message.headers.size()) message.headers.emplace_back();
  message.headers[index].first = name;
  message.headers[index].second = value;
}

}  // namespace

struct ScenarioWorkload::User {
  uint64_t number = 0;      // over all workers
  uint64_t iterations = 0;  // begun
  const IterationContent* content = nullptr;
  size_t step = 0;
  Random random{0};
  std::vector<std::string> values;  // by slot; of this iteration
  CookieJar jar;
  std::string cookie;
  Credential credential;
  Message message;           // what is sent, where that is not the plan's own
  size_t own_headers = 0;    // of the message: before cookies and credentials
  bool has_message = false;  // for the request at hand
  CapturedAnswer answer;
  // The redirects of the request at hand, and what its earlier hops came to.
  int64_t hops = 0;
  Timeline first_hop;
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  uint32_t connections_opened = 0;

  void change_method(std::string method);
  void add_hop(const Completion& hop);
  void merge_hops(Completion& last) const;
};

// With another method the body goes, and what describes it.
void ScenarioWorkload::User::change_method(std::string method) {
  if (method == message.method) return;
  message.method = std::move(method);
  message.body.clear();
  const auto own_end = message.headers.begin() + static_cast<ptrdiff_t>(own_headers);
  const auto kept = std::remove_if(message.headers.begin(), own_end, [](const auto& header) {
    return same_header(header.first, "content-type");
  });
  own_headers = static_cast<size_t>(kept - message.headers.begin());
  message.headers.erase(kept, own_end);
}

void ScenarioWorkload::User::add_hop(const Completion& hop) {
  if (hops++ == 0) {
    first_hop = hop.times;
    sent_bytes = received_bytes = 0;
    connections_opened = 0;
  }
  sent_bytes += hop.sent_bytes;
  received_bytes += hop.received_bytes;
  connections_opened += hop.connections_opened;
}

// One request to the user: its first hop was sent, and the answer to the last one came. All
// between is waiting.
void ScenarioWorkload::User::merge_hops(Completion& last) const {
  if (hops == 0) return;
  const Timeline times = std::exchange(last.times, first_hop);
  last.times.first_byte_ns = times.first_byte_ns;
  last.times.finished_ns = times.finished_ns;
  last.sent_bytes += sent_bytes;
  last.received_bytes += received_bytes;
  last.connections_opened += connections_opened;
}

ScenarioWorkload::ScenarioWorkload(const ScenarioContent& content,
                                   const Authorization* authorization, WorkerPlace place,
                                   WallClock wall_ms)
    : content_(content), authorization_(authorization), place_(place), wall_ms_(wall_ms) {}

ScenarioWorkload::~ScenarioWorkload() = default;

ScenarioWorkload::User& ScenarioWorkload::user_at(uint32_t index) {
  if (index >= users_.size()) users_.resize(index + size_t{1});
  std::unique_ptr<User>& user = users_[index];
  if (user == nullptr) {
    user = std::make_unique<User>();
    user->number = number_of(index);
    user->values.resize(content_.slots());
  }
  return *user;
}

uint64_t ScenarioWorkload::number_of(uint32_t index) const {
  const uint64_t closed = content_.closed_users();
  if (index < closed) return index;
  return closed + (index - closed) * place_.count + place_.index;
}

// ---- an iteration's way

Step ScenarioWorkload::begin(uint32_t index, bool fresh, uint64_t draw) {
  User& user = user_at(index);
  if (fresh) user.jar.clear();
  user.random = Random(draw);
  user.content = &content_.choose(user.random.next());
  user.step = 0;
  if (!draw_data(user)) return {.endpoint = kNoEndpoint};
  ++user.iterations;
  return prepare(user);
}

bool ScenarioWorkload::draw_data(User& user) const {
  for (const IterationContent::Draw& draw : user.content->draws) {
    const auto drawn = draw.feeder->draw(user.random);
    if (!drawn) return false;
    for (const auto& [column, slot] : draw.columns)
      draw.feeder->write(*drawn, column, user.values[slot]);
  }
  return true;
}

Step ScenarioWorkload::next(uint32_t index) {
  User& user = *users_[index];
  if (user.hops == 0) return prepare(user);
  const uint32_t endpoint = user.content->steps[user.step];
  user.answer.expect(content_.endpoint(endpoint).needs);
  return {endpoint, &user.message, &user.answer};
}

Next ScenarioWorkload::completed(Completion& completion) {
  User& user = *users_[completion.user];
  const EndpointContent& endpoint = content_.endpoint(completion.endpoint);
  if (content_.keeps_cookies()) keep_cookies(user);
  if (follow(user, endpoint, completion)) return {Next::What::kFollow, 0};
  judge(user, endpoint, completion);
  user.hops = 0;
  user.answer.release();
  const bool ok =
      completion.error == ErrorClass::kNone && endpoint.request->succeeds_with(completion.status);
  if (!ok || ++user.step == user.content->steps.size()) return {Next::What::kDone, 0};
  return {Next::What::kStep, endpoint.think_ns};
}

// ---- what is sent

Step ScenarioWorkload::prepare(User& user) {
  const uint32_t index = user.content->steps[user.step];
  const EndpointContent& endpoint = content_.endpoint(index);
  user.hops = 0;
  if (authorization_ != nullptr) authorization_->renew(user.number, wall_ms_(), user.credential);
  user.has_message = needs_message(user, endpoint);
  if (user.has_message) {
    render(user, endpoint);
    add_state(user, endpoint);
  }
  user.answer.expect(endpoint.needs);
  return {index, user.has_message ? &user.message : nullptr,
          endpoint.needs.any() ? &user.answer : nullptr};
}

// Else the transport sends what it has prebuilt.
bool ScenarioWorkload::needs_message(const User& user, const EndpointContent& endpoint) const {
  return endpoint.is_templated || !user.jar.empty() ||
         (authorization_ != nullptr && !endpoint.has_own_authorization);
}

void ScenarioWorkload::render(User& user, const EndpointContent& endpoint) const {
  const TemplateScope scope{user.values, user.number, user.iterations - 1, user.random, wall_ms_};
  const Request& request = *endpoint.request;
  Message& out = user.message;
  out.method = request.method;
  endpoint.path.render(scope, out.path);
  if (!out.path.starts_with('/')) out.path.insert(0, 1, '/');
  user.own_headers = request.headers.size();
  if (out.headers.size() < user.own_headers) out.headers.resize(user.own_headers);
  for (size_t i = 0; i < user.own_headers; ++i) {
    out.headers[i].first = request.headers[i].first;
    endpoint.headers[i].render(scope, out.headers[i].second);
  }
  endpoint.body.render(scope, out.body);
}

// Cookies for the path of the message, and the credential.
void ScenarioWorkload::add_state(User& user, const EndpointContent& endpoint) const {
  size_t count = user.own_headers;
  if (!user.jar.empty() && !endpoint.has_own_cookie) {
    user.jar.write(user.message.path, content_.site(), wall_ms_(), user.cookie);
    if (!user.cookie.empty()) put_header(user.message, count++, "Cookie", user.cookie);
  }
  if (user.credential.value != nullptr && !endpoint.has_own_authorization)
    put_header(user.message, count++, "Authorization", *user.credential.value);
  user.message.headers.resize(count);
}

// ---- what comes back

void ScenarioWorkload::keep_cookies(User& user) const {
  if (user.answer.cookies().empty()) return;
  const std::string& path = user.has_message
                                ? user.message.path
                                : content_.endpoint(user.content->steps[user.step]).request->path;
  const int64_t now_ms = wall_ms_();
  for (const std::string& cookie : user.answer.cookies())
    user.jar.store(cookie, path, content_.site(), now_ms);
}

bool ScenarioWorkload::follow(User& user, const EndpointContent& endpoint, Completion& completion) {
  if (endpoint.redirects == 0 || completion.error != ErrorClass::kNone) return false;
  const std::vector<int>& expected = endpoint.request->expect;
  if (!is_redirect(completion.status) ||
      std::find(expected.begin(), expected.end(), completion.status) != expected.end())
    return false;
  const std::string* location = user.answer.header("Location");
  if (location == nullptr) return false;
  if (user.hops == endpoint.redirects) {
    fail(completion, ErrorClass::kCheck,
         "redirected more than " + std::to_string(endpoint.redirects) + " times");
    return false;
  }
  if (!user.has_message) render(user, endpoint);
  user.has_message = true;
  auto path = resolve_location(content_.origin(), user.message.path, *location);
  if (!path.is_ok()) {
    fail(completion, ErrorClass::kCheck, path.status().message());
    return false;
  }
  user.add_hop(completion);
  user.message.path = std::move(path).value();
  user.change_method(redirected_method(completion.status, user.message.method));
  add_state(user, endpoint);
  return true;
}

void ScenarioWorkload::judge(User& user, const EndpointContent& endpoint, Completion& completion) {
  user.merge_hops(completion);
  if (completion.error != ErrorClass::kNone || !endpoint.request->succeeds_with(completion.status))
    return;
  const Status checked = endpoint.checks.run(user.answer, completion.times.response_ns());
  if (!checked.is_ok()) return fail(completion, ErrorClass::kCheck, checked.message());
  for (const auto& [extraction, slot, one_line] : endpoint.extracts) {
    const Status extracted = extraction.read(user.answer, one_line, user.values[slot]);
    if (!extracted.is_ok()) return fail(completion, ErrorClass::kExtract, extracted.message());
  }
}

void ScenarioWorkload::fail(Completion& completion, ErrorClass error, std::string detail) {
  detail_ = std::move(detail);
  completion.error = error;
  completion.detail = detail_;
}

}  // namespace plumb::http_load
