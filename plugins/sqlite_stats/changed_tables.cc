#include "changed_tables.h"

#include <utility>

#include "tables.h"

namespace plumb::sqlite_stats {

Status ChangedTables::emit(const std::string& name, const nlohmann::json& table) {
  std::string text = to_text(table);
  std::string& said = said_[name];
  if (text == said) return Status::ok();
  PLUMB_RETURN_IF_ERROR(host_.table(name, text));
  said = std::move(text);
  return Status::ok();
}

}  // namespace plumb::sqlite_stats
