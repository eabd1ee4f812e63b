// Requests and their answers, heartbeats, logs: JSON.
#include "core/base/json_text.h"
#include "core/host/json_fields.h"
#include "core/host/protocol.h"
#include "core/host/signal_check.h"
#include "core/host/text.h"
#include "core/host/wire.h"

namespace plumb::host {
namespace {

using nlohmann::json;

constexpr size_t kMaxControlJson = size_t{1} << 20;
constexpr size_t kMaxStages = 1'000;
constexpr size_t kMaxValues = 1'000;
constexpr int32_t kLastCode = PLUMB_INTERNAL;

std::string control(FrameType type, const json& payload) {
  return encode_frame(type, json_text(payload));
}

Status too_long(std::string_view what, size_t bytes) {
  return Status::resource_exhausted(std::string(what) + " is " + std::to_string(bytes) +
                                    " bytes, more than the " + std::to_string(kMaxPayload) +
                                    " that go to or from a plugin at once");
}

json stage_json(const StageSpan& stage) {
  return {{"kind", stage.kind},
          {"name", stage.name},
          {"start_ns", stage.start_ns},
          {"end_ns", stage.end_ns}};
}

Result<StageSpan> stage_of(const json& object) {
  JsonFields fields(object, "stage");
  StageSpan stage;
  stage.kind = fields.number32("kind", PLUMB_STAGE_WARMUP, PLUMB_STAGE_SPIKE);
  stage.name = fields.text("name", kMaxName);
  stage.start_ns = fields.integer("start_ns", 0);
  stage.end_ns = fields.integer("end_ns", stage.start_ns);
  PLUMB_RETURN_IF_ERROR(fields.status());
  return stage;
}

// The request number and text of an analyze or result frame.
Result<std::pair<uint32_t, std::string>> numbered_text(std::string_view payload, const char* what) {
  uint32_t request = 0;
  if (!take(payload, request)) return Status::invalid_argument(std::string(what) + ": too short");
  if (payload.find('\0') != std::string_view::npos || !is_utf8(payload)) {
    return Status::invalid_argument(std::string(what) + ": not UTF-8 text");
  }
  return std::pair(request, std::string(payload));
}

Result<std::string> encode_numbered(FrameType type, uint32_t request, const std::string& text) {
  if (text.size() + sizeof(request) > kMaxPayload) return too_long("the JSON", text.size());
  std::string payload;
  put(payload, request);
  payload += text;
  return encode_frame(type, payload);
}

}  // namespace

Result<std::string> encode(const ConfigureRequest& message) {
  const std::string payload = json_text(
      {{"request", message.request}, {"values", message.values}, {"document", message.document}});
  if (payload.size() > kMaxPayload) return too_long("the configuration", payload.size());
  return encode_frame(FrameType::kConfigure, payload);
}

std::string encode(const StartRequest& message) {
  return control(FrameType::kStart, {{"request", message.request}});
}

std::string encode(const BeginSampling& message) {
  return control(FrameType::kBeginSampling, {{"interval_ns", message.interval_ns},
                                             {"cpu_budget_ppm", message.cpu_budget_ppm}});
}

std::string encode(const StageRequest& message) {
  return control(FrameType::kStage,
                 {{"request", message.request}, {"stage", stage_json(message.stage)}});
}

std::string encode(const DriveRequest& message) {
  json stages = json::array();
  for (const StageSpan& stage : message.stages) stages.push_back(stage_json(stage));
  return control(FrameType::kDrive, {{"request", message.request}, {"stages", std::move(stages)}});
}

Result<std::string> encode(const AnalyzeRequest& message) {
  return encode_numbered(FrameType::kAnalyze, message.request, message.json);
}

std::string encode_interrupt() { return encode_frame(FrameType::kInterrupt, {}); }

std::string encode(const StopRequest& message) {
  return control(FrameType::kStop,
                 {{"request", message.request}, {"deadline_ns", message.deadline_ns}});
}

Result<ConfigureRequest> decode_configure(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxPayload, "configure"));
  JsonFields fields(object, "configure");
  ConfigureRequest out;
  out.request = fields.number32("request");
  if (const json* values = fields.object("values", kMaxValues)) out.values = *values;
  out.document = fields.text("document", kMaxPayload);
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

Result<StartRequest> decode_start(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "start"));
  JsonFields fields(object, "start");
  StartRequest out{fields.number32("request")};
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

Result<BeginSampling> decode_begin_sampling(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "sampling"));
  JsonFields fields(object, "sampling");
  BeginSampling out{fields.integer("interval_ns", 1'000'000), fields.number32("cpu_budget_ppm")};
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

Result<StageRequest> decode_stage(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "stage"));
  JsonFields fields(object, "stage");
  StageRequest out;
  out.request = fields.number32("request");
  const json* stage = fields.object("stage", 8);
  PLUMB_RETURN_IF_ERROR(fields.status());
  PLUMB_ASSIGN_OR_RETURN(out.stage, stage_of(*stage));
  return out;
}

Result<DriveRequest> decode_drive(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "drive"));
  JsonFields fields(object, "drive");
  DriveRequest out;
  out.request = fields.number32("request");
  const json* stages = fields.array("stages", kMaxStages);
  PLUMB_RETURN_IF_ERROR(fields.status());
  for (const json& item : *stages) {
    PLUMB_ASSIGN_OR_RETURN(StageSpan stage, stage_of(item));
    out.stages.push_back(std::move(stage));
  }
  return out;
}

Result<AnalyzeRequest> decode_analyze(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(auto parts, numbered_text(payload, "analyze"));
  return AnalyzeRequest{parts.first, std::move(parts.second)};
}

Result<StopRequest> decode_stop(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "stop"));
  JsonFields fields(object, "stop");
  StopRequest out;
  out.request = fields.number32("request");
  out.deadline_ns = fields.integer("deadline_ns", 0);
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

std::string encode(const Hello& message) {
  return control(FrameType::kHello, {{"abi_major", PLUMB_ABI_MAJOR},
                                     {"abi_minor", PLUMB_ABI_MINOR},
                                     {"name", message.name},
                                     {"version", message.version},
                                     {"role", message.role}});
}

std::string encode(const Refused& message) {
  return control(FrameType::kRefused, {{"code", message.code}, {"message", message.message}});
}

std::string encode(const Reply& message) {
  return control(
      FrameType::kReply,
      {{"request", message.request}, {"code", message.code}, {"message", message.message}});
}

Result<std::string> encode(const AnalyzeResult& message) {
  return encode_numbered(FrameType::kResult, message.request, message.json);
}

std::string encode(const Heartbeat& message) {
  return control(FrameType::kHeartbeat, {{"call", message.call},
                                         {"since_ns", message.since_ns},
                                         {"dropped", message.dropped},
                                         {"refused", message.refused},
                                         {"skipped_collects", message.skipped_collects},
                                         {"failed_collects", message.failed_collects},
                                         {"interval_ns", message.interval_ns},
                                         {"late_ns", message.late_ns},
                                         {"cpu_used_ppm", message.cpu_used_ppm}});
}

std::string encode(const LogLine& message) {
  return control(FrameType::kLog, {{"level", message.level}, {"message", message.message}});
}

Result<Hello> decode_hello(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "hello"));
  JsonFields fields(object, "hello");
  // Engine and host are of one build; another major means a stray plumb-host.
  fields.number32("abi_major", PLUMB_ABI_MAJOR, PLUMB_ABI_MAJOR);
  Hello out;
  out.name = fields.text("name", kMaxName);
  out.version = fields.text("version", kMaxName);
  out.role = fields.number32("role", PLUMB_ROLE_SAMPLER, PLUMB_ROLE_ANALYZER);
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

Result<Refused> decode_refused(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "refused"));
  JsonFields fields(object, "refused");
  Refused out;
  out.code = static_cast<int32_t>(fields.integer("code", PLUMB_INVALID_ARGUMENT, kLastCode));
  out.message = fields.text("message", kMaxMessage);
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

Result<Reply> decode_reply(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "reply"));
  JsonFields fields(object, "reply");
  Reply out;
  out.request = fields.number32("request");
  out.code = static_cast<int32_t>(fields.integer("code", PLUMB_OK, kLastCode));
  out.message = fields.text("message", kMaxMessage);
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

Result<AnalyzeResult> decode_result(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(auto parts, numbered_text(payload, "result"));
  return AnalyzeResult{parts.first, std::move(parts.second)};
}

Result<Heartbeat> decode_heartbeat(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "heartbeat"));
  JsonFields fields(object, "heartbeat");
  Heartbeat out;
  out.call = fields.text("call", 16);
  out.since_ns = fields.integer("since_ns", 0);
  out.dropped = fields.number64("dropped");
  out.refused = fields.number64("refused");
  out.skipped_collects = fields.number64("skipped_collects");
  out.failed_collects = fields.number64("failed_collects");
  out.interval_ns = fields.integer("interval_ns", 0);
  out.late_ns = fields.integer("late_ns", 0);
  out.cpu_used_ppm = fields.number32("cpu_used_ppm");
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

Result<LogLine> decode_log(std::string_view payload) {
  PLUMB_ASSIGN_OR_RETURN(const json object, parse_json(payload, kMaxControlJson, "log"));
  JsonFields fields(object, "log");
  LogLine out;
  out.level = fields.number32("level", PLUMB_DEBUG, PLUMB_ERROR);
  out.message = fields.text("message", kMaxMessage);
  PLUMB_RETURN_IF_ERROR(fields.status());
  return out;
}

}  // namespace plumb::host
