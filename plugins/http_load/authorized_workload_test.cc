#include "plugins/http_load/authorized_workload.h"

#include <gtest/gtest.h>

namespace plumb::http_load {
namespace {

// A new token each second.
class Clockwork final : public Authorization {
 public:
  void renew(uint64_t user, int64_t now_ms, Credential& mine) const override {
    mine.value = std::make_shared<const std::string>("Bearer " + std::to_string(user) + "@" +
                                                     std::to_string(now_ms / 1'000));
  }
};

class OwnMessage final : public Workload {
 public:
  Step begin(uint32_t, bool, uint64_t) override { return {.endpoint = 0, .message = &message}; }
  Next completed(Completion&) override { return {Next::What::kStep}; }
  Step next(uint32_t) override { return {.endpoint = 1}; }
  Message message;
};

TEST(AuthorizedWorkload, AddsAUsersCredentialAsItIsThen) {
  LoadPlan plan;
  plan.requests.resize(2);
  plan.requests[1].headers = {{"authorization", "Basic own"}};
  auto inner = std::make_unique<OwnMessage>();
  inner->message.body = "{}";
  const Clockwork clockwork;
  int64_t now_ms = 5'000;
  AuthorizedWorkload workload(std::move(inner), plan, clockwork, {1, 2}, [&] { return now_ms; });
  const Step step = workload.begin(3, true, 0);
  EXPECT_EQ(step.message->body, "{}");
  ASSERT_EQ(step.message->headers.size(), 1u);
  EXPECT_EQ(step.message->headers[0].second, "Bearer 7@5") << "user 3 of the second of two workers";
  EXPECT_EQ(workload.next(3).message, nullptr) << "a request's own header stays";
  now_ms = 6'000;
  EXPECT_EQ(workload.begin(3, false, 0).message->headers[0].second, "Bearer 7@6");
}

}  // namespace
}  // namespace plumb::http_load
