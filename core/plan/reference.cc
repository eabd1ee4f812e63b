// docs/plan.md, and the words for option types.
#include "core/plan/options.h"

namespace plumb::plan {
namespace {

std::string range_of(const OptionRow& row) {
  std::string out;
  for (const std::string& word : row.one_of) out += (out.empty() ? "" : ", ") + word;
  if (row.minimum && row.maximum)
    out = *row.minimum + " to " + *row.maximum;
  else if (row.minimum)
    out = "from " + *row.minimum;
  else if (row.maximum)
    out = "up to " + *row.maximum;
  return out;
}

std::string section_heading(const OptionRow& row) {
  std::string out = "\n## " + row.key + "\n\n" + row.help;
  if (row.required) out += " Required.";
  return out + "\n\n";
}

constexpr const char* kTableHead =
    "| key | type | default | allowed | meaning |\n|---|---|---|---|---|\n";

std::string table_row(const OptionRow& row) {
  std::string fallback = row.required ? "*required*" : row.default_value.value_or("");
  if (!row.required && row.default_value) fallback = "`" + fallback + "`";
  std::string help = row.help;
  if (row.secret) help += " Secret: redacted wherever plumb writes.";
  return "| `" + row.key + "` | " + std::string(option_type_name(row.type)) + " | " + fallback +
         " | " + range_of(row) + " | " + help + " |\n";
}

// The last section that is written for itself: lists and the top ones, not target.process.
std::string group_of(const OptionRow& row) {
  if (const size_t list = row.key.find("[]"); list != std::string::npos)
    return row.key.substr(0, list);
  return row.key.substr(0, row.key.find('.'));
}

std::string keys() {
  std::string out = "\n## The plan itself\n\n";
  out += kTableHead;
  const auto& table = plan_option_table();
  const auto is_group = [](const OptionRow& row) {
    return row.type == OptionType::kSections ||
           (row.type == OptionType::kSection && row.key.find('.') == std::string::npos);
  };
  for (const OptionRow& row : table)
    if (!is_group(row) && row.key.find('.') == std::string::npos) out += table_row(row);
  for (const OptionRow& group : table) {
    if (!is_group(group)) continue;
    out += section_heading(group);
    std::string rows;
    for (const OptionRow& row : table)
      if (!is_group(row) && row.key != group.key && group_of(row) == group.key &&
          row.key.find('.') != std::string::npos)
        rows += table_row(row);
    if (!rows.empty()) out += kTableHead + rows;
  }
  out += "\nEvery sampler also takes:\n\n";
  out += kTableHead;
  for (const OptionRow& row : sampler_options()) out += table_row(row);
  return out;
}

std::string profiles() {
  std::string out =
      "\n## Load profiles\n\n`load.profile` or `--profile`. A profile only fills in what its place "
      "leaves open: keys of the plan win over a profile named in the plan, and a profile given as "
      "a "
      "flag wins over the plan.\n\n| profile | expands to | |\n|---|---|---|\n";
  for (const Profile& profile : load_profiles()) {
    std::string values;
    for (const auto& [key, text] : profile.values)
      values += (values.empty() ? "`" : " `") + key + ": " + text + "`";
    out += "| `" + profile.name + "` | " + values + " | " + profile.help + " |\n";
  }
  return out;
}

std::string presets() {
  std::string out =
      "\n## SLO presets\n\n`slos[].preset`. Limits that common operations are held to where nobody "
      "knows better; a limit written beside it takes its place.\n\n| preset | limits | |\n"
      "|---|---|---|\n";
  for (const SloPreset& preset : slo_presets()) {
    std::string limits;
    for (const auto& [metric, value] : preset.limits)
      limits += (limits.empty() ? "`" : " `") + metric + ": " + value + "`";
    out += "| `" + preset.name + "` | " + limits + " | " + preset.help + " |\n";
  }
  return out;
}

constexpr const char* kPreface = R"(# The plan

<!-- Made from the option tables by `plumb docs plan`. Change core/plan/plan_options.cc instead. -->

A plan is one YAML file. The smallest one:

```yaml
target:
  url: http://127.0.0.1:8080
load:
  rate: 200/s
```

`plumb init` writes one with comments. `plumb validate PLAN --print` shows every key as plumb understands it and where its value came from. A wrong plan gives all its problems at once, each with line and column, and exit code 2.

## Where values come from

The first place that gives a key wins:

1. a flag: `--rate 100/s`, `--set load.rate=100/s`, `--set load.requests.0.path=/cart`; a value that begins with `[` or `{` is read as YAML
2. the environment: `PLUMB_LOAD_RATE=100/s`; the name is `PLUMB_` and the key in capitals with `_` for each dot
3. the plan
4. a load profile
5. the default

`"${NAME}"` in a value of the plan stands for an environment variable, `"${NAME:-text}"` for one with a fallback, `$${` for a plain `${`. A variable that is not set is an error.

## How quantities are written

| type | examples |
|---|---|
| duration | `100ms`, `5s`, `2m`, `1h`, `1m30s` (units `ns us ms s m h`) |
| rate | `200/s`, `12000/min`, `90/h` |
| size | `4096`, `64KiB`, `10MB` |
| ratio | `0.1%`, `0.001` |

Relative paths are taken from the directory that plumb is started in, not from the plan's.

Text from outside is never trusted: a plan is at most 1 MiB, 32 levels deep and 20,000 values long, aliases counted as often as they are used.
)";

}  // namespace

std::string_view option_type_name(OptionType type) {
  switch (type) {
    case OptionType::kString:
      return "text";
    case OptionType::kInteger:
      return "integer";
    case OptionType::kNumber:
      return "number";
    case OptionType::kBoolean:
      return "true or false";
    case OptionType::kDuration:
      return "duration";
    case OptionType::kSize:
      return "size";
    case OptionType::kPath:
      return "path";
    case OptionType::kRate:
      return "rate";
    case OptionType::kRatio:
      return "ratio";
    case OptionType::kStrings:
      return "list of texts";
    case OptionType::kIntegers:
      return "list of integers";
    case OptionType::kStringMap:
      return "names and texts";
    case OptionType::kAny:
      return "any value";
    case OptionType::kSection:
      return "keys";
    case OptionType::kSections:
      return "list";
  }
  return "value";
}

std::string_view option_type_expectation(OptionType type) {
  switch (type) {
    case OptionType::kString:
      return "text";
    case OptionType::kInteger:
      return "a whole number";
    case OptionType::kNumber:
      return "a number";
    case OptionType::kBoolean:
      return "true or false";
    case OptionType::kDuration:
      return "a duration such as 100ms, 5s or 2m";
    case OptionType::kSize:
      return "a size such as 64KiB or 10MB";
    case OptionType::kPath:
      return "a path";
    case OptionType::kRate:
      return "a rate such as 200/s";
    case OptionType::kRatio:
      return "a share such as 0.1% or 0.001, 100% at most";
    case OptionType::kStrings:
      return "a list such as [one, two]";
    case OptionType::kIntegers:
      return "a list of whole numbers such as [200, 404]";
    case OptionType::kStringMap:
      return "names with texts, such as {Accept: text/html}";
    case OptionType::kAny:
      return "any value";
    case OptionType::kSection:
      return "keys";
    case OptionType::kSections:
      return "a list";
  }
  return "a value";
}

std::string plan_reference() { return kPreface + keys() + profiles() + presets(); }

}  // namespace plumb::plan
