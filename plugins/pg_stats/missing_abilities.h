// What cannot be seen on a server as it is set up, and how to switch it on.
#ifndef PLUMB_PLUGINS_PG_STATS_MISSING_ABILITIES_H_
#define PLUMB_PLUGINS_PG_STATS_MISSING_ABILITIES_H_

#include <string>
#include <vector>

#include "plugins/pg_stats/server_facts.h"

namespace plumb::pg_stats {

struct MissingAbility {
  std::string subject;  // short and stable, a key
  std::string ability;  // what cannot be seen
  std::string why;
  std::string how;  // the command or setting that mends it
  // A source or privilege that every server can have: the plugin's health is degraded. Otherwise
  // it is the server's default or its age, and only told.
  bool degrades = false;
};

// "ability: why; how", as health says it.
std::string sentence_of(const MissingAbility& missing);

std::vector<MissingAbility> missing_abilities(const ServerFacts& facts);

}  // namespace plumb::pg_stats

#endif  // PLUMB_PLUGINS_PG_STATS_MISSING_ABILITIES_H_
