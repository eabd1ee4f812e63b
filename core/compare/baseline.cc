#include "core/compare/baseline.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <system_error>

#include "core/base/atomic_file.h"
#include "core/base/json_text.h"
#include "core/base/nearest.h"
#include "core/base/unique_fd.h"

namespace plumb::compare {
namespace {

using nlohmann::json;

constexpr int kIndexVersion = 1;
constexpr const char* kIndex = "index.json";
constexpr size_t kLongestName = 64;

// An id becomes a file's name.
bool is_safe_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && id.front() != '.' &&
         std::all_of(id.begin(), id.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

Status malformed(const std::filesystem::path& index, const std::string& why) {
  return Status::invalid_argument("the index of baselines " + index.string() +
                                  " cannot be understood: " + why);
}

Result<Baseline> read_one(const std::filesystem::path& index, const json& entry) {
  Baseline out;
  if (!entry.is_object() || !entry.contains("plan") || !entry["plan"].is_string() ||
      !entry.contains("name") || !entry["name"].is_string() || !entry.contains("runs") ||
      !entry["runs"].is_array())
    return malformed(index, "an entry needs plan, name and runs");
  out.plan = entry["plan"];
  out.name = entry["name"];
  if (entry.contains("set_unix_ms") && entry["set_unix_ms"].is_number_integer())
    out.set_unix_ms = entry["set_unix_ms"];
  for (const json& run : entry["runs"]) {
    if (!run.is_string() || !is_safe_id(run.get_ref<const std::string&>()))
      return malformed(index, "a run of " + out.name + " has no id");
    out.runs.push_back(run);
  }
  return out;
}

// Held while the index is read, changed and written.
Result<UniqueFd> lock(const std::filesystem::path& directory) {
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::flock(fd.get(), LOCK_EX) != 0)
    return Status::unavailable("the baselines in " + directory.string() + " cannot be locked: " +
                               std::error_code(errno, std::generic_category()).message());
  return fd;
}

bool is_of(const Baseline& baseline, std::string_view plan, std::string_view name) {
  return baseline.plan == plan && baseline.name == name;
}

// A reader sees the whole copy or none.
Status copy_whole(const std::filesystem::path& from, const std::filesystem::path& to) {
  const std::filesystem::path beside = to.string() + ".new";
  std::error_code error;
  std::filesystem::copy_file(from, beside, std::filesystem::copy_options::overwrite_existing,
                             error);
  if (!error) std::filesystem::rename(beside, to, error);
  if (!error) return Status::ok();
  std::error_code ignored;
  std::filesystem::remove(beside, ignored);
  return Status::unavailable("the run file " + from.string() + " cannot be copied to " +
                             to.string() + ": " + error.message());
}

}  // namespace

bool is_baseline_name(std::string_view name) {
  return is_safe_id(name) && name.size() <= kLongestName && name.front() != '-';
}

Baselines::Baselines(std::filesystem::path run_directory)
    : directory_(std::move(run_directory) / "baselines") {}

Result<std::vector<Baseline>> Baselines::list() const {
  const auto index = directory_ / kIndex;
  std::ifstream in(index);
  std::vector<Baseline> out;
  if (!in) {
    std::error_code error;
    if (!std::filesystem::exists(index, error) && !error) return out;
    return Status::permission_denied("the index of baselines " + index.string() +
                                     " cannot be read");
  }
  std::stringstream text;
  text << in.rdbuf();
  const json document = json::parse(text.str(), nullptr, false);
  if (document.is_discarded() || !document.is_object() || !document.contains("baselines") ||
      !document["baselines"].is_array())
    return malformed(index, "it is no list of baselines");
  if (document.value("version", 0) > kIndexVersion)
    return malformed(index, "it was written by a newer plumb");
  for (const json& entry : document["baselines"]) {
    PLUMB_ASSIGN_OR_RETURN(Baseline baseline, read_one(index, entry));
    out.push_back(std::move(baseline));
  }
  std::sort(out.begin(), out.end(), [](const Baseline& a, const Baseline& b) {
    return std::tie(a.plan, a.name) < std::tie(b.plan, b.name);
  });
  return out;
}

Result<Baseline> Baselines::find(std::string_view plan, std::string_view name) const {
  PLUMB_ASSIGN_OR_RETURN(const std::vector<Baseline> all, list());
  std::vector<std::string> names;
  for (const Baseline& baseline : all) {
    if (is_of(baseline, plan, name)) return baseline;
    if (baseline.plan == plan) names.push_back(baseline.name);
  }
  std::string message = "there is no baseline " + std::string(name) + " of plan " +
                        std::string(plan) + " in " + directory_.string() + ".";
  message += did_you_mean(name, names);
  return Status::not_found(message + " plumb baseline set RUN makes one");
}

Status Baselines::set(const Baseline& baseline, const std::vector<std::filesystem::path>& files) {
  for (const std::string& run : baseline.runs)
    if (!is_safe_id(run)) return Status::invalid_argument("a run's id is no file name: " + run);
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error)
    return Status::permission_denied("the directory " + directory_.string() +
                                     " cannot be made: " + error.message());
  PLUMB_ASSIGN_OR_RETURN(const UniqueFd held, lock(directory_));
  PLUMB_ASSIGN_OR_RETURN(std::vector<Baseline> all, list());
  for (size_t i = 0; i < baseline.runs.size(); ++i) {
    const auto copy = copy_of(baseline.runs[i]);
    // Set from its own copy, when the run itself is gone.
    if (std::filesystem::equivalent(files[i], copy, error)) continue;
    PLUMB_RETURN_IF_ERROR(copy_whole(files[i], copy));
  }
  std::erase_if(all, [&](const Baseline& b) { return is_of(b, baseline.plan, baseline.name); });
  all.push_back(baseline);
  PLUMB_RETURN_IF_ERROR(write(all));
  drop_unused_copies(all);
  return Status::ok();
}

Status Baselines::remove(std::string_view plan, std::string_view name) {
  PLUMB_RETURN_IF_ERROR(find(plan, name).status());
  PLUMB_ASSIGN_OR_RETURN(const UniqueFd held, lock(directory_));
  PLUMB_ASSIGN_OR_RETURN(std::vector<Baseline> all, list());
  std::erase_if(all, [&](const Baseline& b) { return is_of(b, plan, name); });
  PLUMB_RETURN_IF_ERROR(write(all));
  drop_unused_copies(all);
  return Status::ok();
}

Result<std::vector<std::filesystem::path>> Baselines::files_of(const Baseline& baseline) const {
  std::vector<std::filesystem::path> out;
  for (const std::string& run : baseline.runs) {
    std::error_code error;
    out.push_back(copy_of(run));
    if (!std::filesystem::is_regular_file(out.back(), error))
      return Status::not_found("the baseline " + baseline.name + " of plan " + baseline.plan +
                               " is not whole: " + out.back().string() +
                               " is gone. plumb baseline set makes it anew");
  }
  return out;
}

std::filesystem::path Baselines::copy_of(std::string_view run) const {
  return directory_ / (std::string(run) + ".plumb");
}

Status Baselines::write(const std::vector<Baseline>& baselines) {
  json list = json::array();
  for (const Baseline& baseline : baselines)
    list.push_back({{"plan", baseline.plan},
                    {"name", baseline.name},
                    {"set_unix_ms", baseline.set_unix_ms},
                    {"runs", baseline.runs}});
  const json document = {{"version", kIndexVersion}, {"baselines", std::move(list)}};
  return write_file_atomically(directory_ / kIndex, json_text(document, 2) + "\n");
}

// A copy that stays behind does no harm, so a failure is not told.
void Baselines::drop_unused_copies(const std::vector<Baseline>& baselines) {
  std::set<std::string> used;
  for (const Baseline& baseline : baselines)
    used.insert(baseline.runs.begin(), baseline.runs.end());
  std::vector<std::filesystem::path> unused;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory_, error), end; !error && at != end;
       at.increment(error))
    if (at->path().extension() == ".plumb" && used.count(at->path().stem().string()) == 0)
      unused.push_back(at->path());
  for (const auto& file : unused) std::filesystem::remove(file, error);
}

}  // namespace plumb::compare
